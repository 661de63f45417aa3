use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{failed_start::FailedStart, process::Process, programs};

/// From start to `ready`, also after a crash.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// From SIGTERM to the end of the process.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// Lines of the log shown when a test fails.
const LOG_TAIL_LINES: usize = 60;

/// How a `custosd` is to be started.
#[derive(Debug, Clone)]
pub struct DaemonOptions {
    /// What messages call it.
    pub name: String,
    /// Its command line after the program.
    pub args: Vec<OsString>,
    /// What it finds in its environment besides the test's own.
    pub environment: Vec<(&'static str, String)>,
    /// The network namespace that it runs in; the test's own when `None`.
    pub namespace: Option<String>,
    /// The address that `ready` names.
    pub listen: SocketAddr,
    /// The file that its standard error goes to, one start after the other.
    pub log: PathBuf,
}

/// A running `custosd`.
#[derive(Debug)]
pub struct Daemon {
    options: DaemonOptions,
    process: Process,
}

/// A `custosd` that was started and may not serve yet.
#[derive(Debug)]
pub struct StartingDaemon {
    options: DaemonOptions,
    process: Process,
    ready: Receiver<String>,
    log_start: u64,
}

impl DaemonOptions {
    /// Starts it without waiting.
    ///
    /// # Panics
    /// When the program or its log cannot be opened.
    #[must_use]
    pub fn spawn(self) -> StartingDaemon {
        let log_start = fs::metadata(&self.log).map_or(0, |meta| meta.len());
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.unwrap_or_else(|e| panic!("{}: {e}", self.log.display()));
        let mut command = programs::command("custosd", self.namespace.as_deref());
        command.args(&self.args).envs(self.environment.iter().cloned());
        command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut process = Process::spawn(format!("custosd {}", self.name), &mut command);
        let stdout = process.child().stdout.take().expect("standard output is a pipe");
        let ready = watch_for_ready(BufReader::new(stdout));
        StartingDaemon { options: self, process, ready, log_start }
    }
}

impl StartingDaemon {
    /// Waits until it serves or ends.
    ///
    /// # Errors
    /// When the process ends before it is ready.
    ///
    /// # Panics
    /// When it does neither in time, or says `ready` for another address than it was given.
    pub fn wait_until_ready(mut self) -> Result<Daemon, FailedStart> {
        match self.ready.recv_timeout(READY_LIMIT) {
            Ok(address) => {
                let listen = self.options.listen.to_string();
                assert_eq!(address, listen, "`ready` names the address");
                Ok(Daemon { options: self.options, process: self.process })
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.process.wait(STOP_LIMIT);
                Err(FailedStart { status, log: self.log() })
            }
            Err(RecvTimeoutError::Timeout) => panic!(
                "custosd {} is not ready after {READY_LIMIT:?}; its log:\n{}",
                self.options.name,
                tail(&self.log())
            ),
        }
    }

    /// Waits until it serves.
    ///
    /// # Panics
    /// When it does not get ready.
    #[must_use]
    #[track_caller]
    pub fn expect_ready(self) -> Daemon {
        let name = self.options.name.clone();
        match self.wait_until_ready() {
            Ok(daemon) => daemon,
            Err(failed) => panic!(
                "custosd {name} ended with {} before it was ready; its log:\n{}",
                failed.status,
                tail(&failed.log)
            ),
        }
    }

    fn log(&self) -> String {
        read_from(&self.options.log, self.log_start)
    }
}

impl Daemon {
    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Where it serves.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.options.listen
    }

    /// Everything that it has logged, over all starts.
    #[must_use]
    pub fn log(&self) -> String {
        read_from(&self.options.log, 0)
    }

    /// Ends it at once, as loss of power would; the caller starts it again.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// Asks it to end, and waits.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.signal(Signal::TERM);
        self.process.wait(STOP_LIMIT)
    }

    /// Stops it as it stands: it keeps its connections and answers nothing until [`Self::resume`].
    pub fn pause(&self) {
        self.process.signal(Signal::STOP);
    }

    /// Lets it go on after [`Self::pause`].
    pub fn resume(&self) {
        self.process.signal(Signal::CONT);
    }

    /// From its next start on it is started so.
    pub(crate) fn set_options(&mut self, options: DaemonOptions) {
        self.options = options;
    }

    /// Starts it again with the same command line after it has ended, and says how long it took
    /// to be ready.
    ///
    /// # Panics
    /// When it still runs, or does not get ready.
    pub fn restart(&mut self) -> Duration {
        assert!(self.has_ended(), "custosd {} still runs", self.options.name);
        let start = Instant::now();
        *self = self.options.clone().spawn().expect_ready();
        start.elapsed()
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        self.process.has_ended()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- {} ends with:\n{}", self.options.log.display(), tail(&self.log()));
        }
    }
}

/// Reads standard output to its end; the channel gets the address of the first `ready` line and
/// is closed at the end.
pub(crate) fn watch_for_ready(stdout: impl BufRead + Send + 'static) -> Receiver<String> {
    let (announce, ready) = mpsc::channel();
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("ready ") {
                // Nobody listens for a second one.
                let _ = announce.send(address.trim().to_owned());
            }
        }
    });
    ready
}

fn read_from(path: &Path, offset: u64) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}
