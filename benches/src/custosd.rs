//! The server's program, which lies beside this one, and what it says when it does not start.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// Lines of a log that are shown when a process does not start.
const LOG_TAIL_LINES: usize = 20;

/// A command that runs `custosd`, found beside this program, and keeps its log in `log`.
pub(crate) fn command(log: &Path) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.env_remove("RUST_LOG").env_remove("CUSTOS_LOG").stderr(log_to(log)?);
    Ok(command)
}

/// Where a process says what it has to say.
pub(crate) fn log_to(log: &Path) -> Result<Stdio> {
    let file = File::create(log).with_context(|| format!("{}", log.display()))?;
    Ok(Stdio::from(file))
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

fn program() -> Result<PathBuf> {
    let own = std::env::current_exe().context("the path of this program")?;
    let program = own.with_file_name("custosd");
    if program.is_file() {
        return Ok(program);
    }
    bail!("{} is not there: cargo build -p custos-server, in the same profile", program.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_log_is_shown_and_a_log_that_is_not_there_is_empty() {
        let dir = tempfile::tempdir().expect("tempdir");
        let log = dir.path().join("log");
        assert_eq!(tail(&log), "");
        let lines: Vec<String> = (1..=30).map(|number| format!("line {number}")).collect();
        fs::write(&log, lines.join("\n")).expect("written");
        assert_eq!(tail(&log).lines().count(), LOG_TAIL_LINES);
        assert!(tail(&log).starts_with("line 11\n") && tail(&log).ends_with("line 30"));
    }
}
