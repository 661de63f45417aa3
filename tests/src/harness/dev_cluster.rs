use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{cli::Cli, port, process::Process, programs, scratch::Scratch};

/// From start to `ready`, also after a crash.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// From SIGTERM to the end of the process.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// Lines of the server's log shown when a test fails.
const LOG_TAIL_LINES: usize = 60;

/// How a [`DevCluster`] is to be started.
#[derive(Debug, Clone)]
pub struct DevOptions {
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Erasure profile, which is also the number of its disks.
    pub profile: String,
    /// The file that its standard error goes to, one start after the other.
    pub log: PathBuf,
}

impl DevOptions {
    /// Six disks (4+2) in `data` inside the folder, on a free port.
    #[must_use]
    pub fn in_scratch(scratch: &Scratch) -> Self {
        Self {
            data_dir: scratch.path().join("data"),
            listen: port::free_address(),
            profile: "4+2".to_owned(),
            log: scratch.path().join("custosd.log"),
        }
    }
}

/// A running `custosd dev`: six disks unless told otherwise.
#[derive(Debug)]
pub struct DevCluster {
    options: DevOptions,
    process: Process,
}

/// A `custosd` that ended instead of getting ready.
#[derive(Debug)]
pub struct FailedStart {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard error in this start.
    pub log: String,
}

impl DevCluster {
    /// Starts a new cluster in the folder and waits until it serves.
    ///
    /// # Panics
    /// When it does not get ready.
    #[must_use]
    pub fn start(scratch: &Scratch) -> Self {
        Self::start_with(DevOptions::in_scratch(scratch))
    }

    /// Starts a cluster and waits until it serves.
    ///
    /// # Panics
    /// When it does not get ready.
    #[must_use]
    pub fn start_with(options: DevOptions) -> Self {
        match Self::try_start(options) {
            Ok(cluster) => cluster,
            Err(failed) => panic!(
                "custosd ended with {} before it was ready; its log:\n{}",
                failed.status,
                tail(&failed.log)
            ),
        }
    }

    /// Starts a cluster and waits until it serves or ends.
    ///
    /// # Errors
    /// When the process ends before it is ready.
    ///
    /// # Panics
    /// When it does neither in time, or says `ready` for another address than it was given.
    pub fn try_start(options: DevOptions) -> Result<Self, FailedStart> {
        let log_start = fs::metadata(&options.log).map_or(0, |meta| meta.len());
        let mut process = spawn(&options);
        let stdout = process.child().stdout.take().expect("standard output is a pipe");
        let ready = watch_for_ready(BufReader::new(stdout));
        match ready.recv_timeout(READY_LIMIT) {
            Ok(address) => {
                assert_eq!(address, options.listen.to_string(), "`ready` names the address");
                Ok(Self { options, process })
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = process.wait(STOP_LIMIT);
                Err(FailedStart { status, log: read_from(&options.log, log_start) })
            }
            Err(RecvTimeoutError::Timeout) => {
                let log = read_from(&options.log, log_start);
                panic!("custosd is not ready after {READY_LIMIT:?}; its log:\n{}", tail(&log))
            }
        }
    }

    /// A client of the cluster's developer.
    #[must_use]
    pub fn cli(&self) -> Cli {
        let home = self.options.log.parent().expect("a file lies in a folder");
        Cli::new(self.client_toml(), home)
    }

    /// The client configuration that the cluster wrote.
    #[must_use]
    pub fn client_toml(&self) -> PathBuf {
        self.options.data_dir.join("client.toml")
    }

    /// How it was started.
    #[must_use]
    pub fn options(&self) -> &DevOptions {
        &self.options
    }

    /// Folder of disk `index`, from 0.
    #[must_use]
    pub fn disk_dir(&self, index: usize) -> PathBuf {
        self.options.data_dir.join("disks").join(index.to_string())
    }

    /// The server's process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
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

    /// Starts it again on the same directory and address after it has ended, and says how long
    /// it took to be ready.
    ///
    /// # Panics
    /// When it still runs, or does not get ready.
    pub fn restart(&mut self) -> Duration {
        assert!(self.process.has_ended(), "custosd still runs");
        let start = Instant::now();
        let next = Self::start_with(self.options.clone());
        // The old value's drop reports a failing test; it must not speak for a process that ended.
        *self = next;
        start.elapsed()
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> bool {
        !self.process.has_ended()
    }
}

impl Drop for DevCluster {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- {} ends with:\n{}", self.options.log.display(), tail(&self.log()));
        }
    }
}

impl FailedStart {
    /// The process ended with this exit code and named `words` in its log.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn expect(&self, exit_code: i32, words: &[&str]) {
        assert_eq!(self.status.code(), Some(exit_code), "exit code; log:\n{}", self.log);
        for word in words {
            assert!(self.log.contains(word), "{word:?} is not named in:\n{}", self.log);
        }
        assert!(!self.log.contains("panicked at"), "a message is no panic:\n{}", self.log);
    }
}

fn spawn(options: &DevOptions) -> Process {
    let log = File::options().create(true).append(true).open(&options.log);
    let log = log.unwrap_or_else(|e| panic!("{}: {e}", options.log.display()));
    let mut command = Command::new(programs::program("custosd"));
    command.arg("dev").arg("--data").arg(&options.data_dir);
    command.arg("--listen").arg(options.listen.to_string());
    command.arg("--profile").arg(&options.profile);
    command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    Process::spawn("custosd", &mut command)
}

/// Reads standard output to its end; the channel gets the address of the first `ready` line and
/// is closed at the end.
fn watch_for_ready(stdout: impl BufRead + Send + 'static) -> Receiver<String> {
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
