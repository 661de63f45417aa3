//! Running other programs: with their output shown, or kept, or with a time limit.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How often a program under a time limit is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The command as one could type it, with shell quotes where needed.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    let words = command.get_args().map(|word| quoted(&word.to_string_lossy()));
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=+@,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Runs a command with its output shown.
///
/// # Errors
/// When it cannot be started or ends with anything but success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command quietly and returns what it printed on stdout.
///
/// # Errors
/// As [`run`]; the message carries what it printed on stderr.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", shown(command)))?;
    text_of(command, output)
}

/// As [`stdout_of`], but the program is ended when it takes longer than `limit`.
///
/// # Errors
/// As [`stdout_of`], and when the time is over.
pub(crate) fn stdout_within(limit: Duration, command: &mut Command) -> Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let out = drained(child.stdout.take());
    let err = drained(child.stderr.take());
    let Some(status) = wait_within(limit, &mut child)? else {
        child.kill().context("cannot end a program that takes too long")?;
        child.wait().context("cannot wait for a program that was ended")?;
        bail!("`{}` took longer than {} s", shown(command), limit.as_secs());
    };
    let join = |reader: std::thread::JoinHandle<Vec<u8>>| reader.join().unwrap_or_default();
    text_of(command, Output { status, stdout: join(out), stderr: join(err) })
}

/// Waits for a child, at most `limit`; `None` when it still runs.
///
/// # Errors
/// When the operating system cannot say.
pub(crate) fn wait_within(limit: Duration, child: &mut Child) -> Result<Option<ExitStatus>> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a program")? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// The program of this name on `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

// A pipe that nobody empties would stop the program once it is full.
fn drained(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still worth showing.
            let _partial = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn text_of(command: &Command, output: Output) -> Result<String> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}\n{}", shown(command), output.status, said.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_typed_into_a_shell() {
        let mut command = Command::new("custos");
        command.args(["put", "a.mp4", "--place", "Gate 3", "--note", "it's on"]);
        assert_eq!(shown(&command), r"custos put a.mp4 --place 'Gate 3' --note 'it'\''s on'");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let started = Instant::now();
        let error = stdout_within(Duration::from_millis(100), Command::new("sleep").arg("60"));
        assert!(error.unwrap_err().to_string().contains("took longer"));
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_failing_program_is_reported_with_what_it_said() {
        let error = stdout_of(Command::new("sh").args(["-c", "echo no such luck >&2; exit 3"]));
        assert!(error.unwrap_err().to_string().contains("no such luck"));
    }
}
