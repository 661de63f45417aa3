use std::{
    fs,
    process::{Child, Command, ExitStatus},
    sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError},
    thread,
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid},
};

/// A child process that can be waited for with a deadline, and that is killed and reaped when it
/// is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    exited: Receiver<()>,
    status: Option<ExitStatus>,
    /// Kept when it is reaped: proc(5) forgets it then.
    bytes_read: u64,
}

impl Process {
    /// Starts `command`; `name` is what messages call it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(name: impl Into<String>, command: &mut Command) -> Self {
        let name = name.into();
        let child = command.spawn().unwrap_or_else(|e| panic!("{name} does not start: {e}"));
        let pid = Pid::from_child(&child);
        let (announce, exited) = mpsc::channel();
        // Only announces: the process stays a zombie until `reap`, so its id is never another's.
        thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
            let _ = announce.send(());
        });
        Self { name, child, exited, status: None, bytes_read: 0 }
    }

    /// Takes the pipes that the command asked for.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal; a process that has ended is left in peace.
    pub fn signal(&self, signal: Signal) {
        if self.status.is_none() {
            kill_process(Pid::from_child(&self.child), signal)
                .unwrap_or_else(|e| panic!("signal to {}: {e}", self.name));
        }
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// When it does not within `limit`; it is killed then.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        if self.status.is_none()
            && let Err(RecvTimeoutError::Timeout) = self.exited.recv_timeout(limit)
        {
            self.kill();
            panic!("{} has not ended after {limit:?}", self.name);
        }
        self.reap()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        if self.status.is_none() && self.exited.try_recv() != Err(TryRecvError::Empty) {
            self.reap();
        }
        self.status.is_some()
    }

    /// Ends it as loss of power would: SIGKILL, nothing is cleaned up.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        // Nothing survives SIGKILL; until the announcement it only may not have died yet.
        let _ = self.exited.recv();
        self.reap();
    }

    fn reap(&mut self) -> ExitStatus {
        if let Some(status) = self.status {
            return status;
        }
        self.bytes_read = self.bytes_read();
        let status = self.child.wait().expect("a child can be reaped");
        self.status = Some(status);
        status
    }

    /// Most memory that was ever resident, in bytes (`VmHWM` of proc(5)).
    ///
    /// # Panics
    /// When the process has ended.
    #[must_use]
    pub fn memory_peak_bytes(&self) -> u64 {
        1024 * self.proc_number("status", "VmHWM:")
    }

    /// Bytes that its read calls have returned, so far or until it ended (`rchar` of proc(5);
    /// programs on tokio receive from sockets by other calls, which do not count).
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        match self.status {
            Some(_) => self.bytes_read,
            None => self.proc_number("io", "rchar:"),
        }
    }

    fn proc_number(&self, file: &str, field: &str) -> u64 {
        let path = format!("/proc/{}/{file}", self.id());
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        text.lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("{path} has no {field} (has {} ended?)", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_is_seen_and_its_exit_code_kept() {
        let mut process = Process::spawn("sh", Command::new("sh").args(["-c", "exit 7"]));
        assert_eq!(process.wait(Duration::from_secs(20)).code(), Some(7));
        assert_eq!(process.wait(Duration::ZERO).code(), Some(7), "asked again");
        process.signal(Signal::KILL);
        assert!(process.has_ended());
        assert!(process.bytes_read() > 0, "a shell reads at least its libraries");
    }

    #[test]
    #[should_panic(expected = "has not ended after")]
    fn a_process_that_outstays_its_deadline_is_a_failure() {
        let mut process = Process::spawn("sleep", Command::new("sleep").arg("600"));
        assert!(process.memory_peak_bytes() > 0);
        process.wait(Duration::from_millis(1));
    }
}
