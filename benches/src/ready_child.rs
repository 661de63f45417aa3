use std::{os::unix::process::ExitStatusExt, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// A member of a large ledger is ready when it has received all of it.
const READY_LIMIT: Duration = Duration::from_secs(600);
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How a process is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopBy {
    /// Its standard input ends.
    EndOfInput,
    /// SIGTERM.
    Signal,
}

/// A process of ours that has said `ready ADDRESS` on standard output. Killed when it is dropped;
/// its standard input is a pipe that ends with this process.
pub(crate) struct ReadyChild {
    name: &'static str,
    stop_by: StopBy,
    child: Child,
    address: String,
    /// Kept open: the process may have more to say.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl ReadyChild {
    /// Starts it and waits until it is ready.
    pub(crate) async fn start(
        name: &'static str,
        stop_by: StopBy,
        mut command: Command,
    ) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("{name} does not start"))?;
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let ready = timeout(READY_LIMIT, find_ready(&mut lines)).await;
        let found = ready.with_context(|| format!("{name} is not ready after {READY_LIMIT:?}"))?;
        match found.with_context(|| format!("standard output of {name}"))? {
            Some(address) => Ok(Self { name, stop_by, child, address, _stdout: lines }),
            None => {
                let status = timeout(STOP_LIMIT, child.wait()).await??;
                bail!("{name} ended with {status} before it was ready")
            }
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().with_context(|| format!("{} has ended", self.name))
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let name = self.name;
        // Kept open until here by us.
        drop(self.child.stdin.take());
        if self.stop_by == StopBy::Signal {
            let pid = i32::try_from(self.pid()?).ok().and_then(Pid::from_raw);
            let pid = pid.with_context(|| format!("{name} has no process id"))?;
            // Not reaped yet, so the id is nobody else's.
            kill_process(pid, Signal::TERM).with_context(|| format!("SIGTERM to {name}"))?;
        }
        let ended = timeout(STOP_LIMIT, self.child.wait()).await;
        let status = ended.with_context(|| format!("{name} still runs after {STOP_LIMIT:?}"))??;
        // A process that does not catch the signal is ended by it.
        if status.success() || status.signal() == Some(Signal::TERM.as_raw()) {
            return Ok(());
        }
        bail!("{name} ended with {status} when it was stopped")
    }
}

async fn find_ready(lines: &mut Lines<BufReader<ChildStdout>>) -> std::io::Result<Option<String>> {
    while let Some(line) = lines.next_line().await? {
        if let Some(address) = line.strip_prefix("ready ") {
            return Ok(Some(address.trim().to_owned()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_child_that_gets_ready_is_known_by_its_address_and_stops() {
        for stop_by in [StopBy::EndOfInput, StopBy::Signal] {
            let command = shell("echo starting; echo 'ready here:1'; exec cat");
            let child = ReadyChild::start("it", stop_by, command).await.expect("ready");
            assert_eq!(child.address(), "here:1");
            assert!(child.pid().expect("runs") > 0);
            child.stop().await.expect("stops");
        }
    }

    #[tokio::test]
    async fn a_child_that_fails_when_it_is_stopped_is_named() {
        let command = shell("echo 'ready here:1'; cat; exit 5");
        let child = ReadyChild::start("it", StopBy::EndOfInput, command).await.expect("ready");
        let error = child.stop().await.expect_err("failed").to_string();
        assert!(error.contains("it ended with") && error.contains('5'), "{error}");
    }

    #[tokio::test]
    async fn a_child_that_ends_instead_is_named_with_how_it_ended() {
        let failed = ReadyChild::start("it", StopBy::Signal, shell("echo no; exit 6"));
        let failed = failed.await.err().expect("ended");
        let text = failed.to_string();
        assert!(text.contains("it ended with") && text.contains('6'), "{text}");
    }
}
