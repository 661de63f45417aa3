use std::{ffi::OsStr, process::Stdio, time::Instant};

use super::{cli::CliRun, programs};

/// Runs `custosd` with these arguments to its end, with this added to its environment: for commands
/// of it that serve nothing.
///
/// # Panics
/// When it cannot be started.
pub fn run_custosd<S: AsRef<OsStr>>(
    args: impl IntoIterator<Item = S>,
    environment: &[(&'static str, String)],
) -> CliRun {
    let mut command = programs::command("custosd", None);
    command.args(args).envs(environment.iter().cloned()).env_remove("RUST_LOG");
    let command_line = format!("{command:?}");
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{command_line}: {e}"));
    CliRun {
        command_line,
        exit_code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        elapsed: started.elapsed(),
        bytes_read: 0,
    }
}
