use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// Nothing here takes nearly as long; a test that waits longer has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A log that is waited for is read this often.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A port that was free a moment ago.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("free port");
    listener.local_addr().expect("address").to_string()
}

/// A running `custosd`, killed when it is dropped.
pub(crate) struct Node {
    child: Child,
    stdout: mpsc::Receiver<String>,
    log: PathBuf,
}

/// `custosd` with these arguments and nothing of the caller's environment that it listens to.
pub(crate) fn custosd<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custosd"));
    command.args(arguments).env_remove("CUSTOS_LOG").env_remove("OTEL_EXPORTER_OTLP_ENDPOINT");
    command
}

/// Arguments of a small development node in `dir`.
pub(crate) fn dev_arguments(dir: &Path) -> [&str; 7] {
    let dir = dir.to_str().expect("UTF-8");
    ["dev", "--data", dir, "--profile", "2+1", "--listen", "127.0.0.1:0"]
}

impl Node {
    /// Starts a development node that has its log beside `dir`.
    pub(crate) fn dev(dir: &Path) -> Self {
        Self::spawn(custosd(dev_arguments(dir)), &dir.with_extension("log"))
    }

    pub(crate) fn spawn(mut command: Command, log: &Path) -> Self {
        let stderr = File::create(log).expect("log file");
        let mut child =
            command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("custosd starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (lines, stdout) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, stdout, log: log.to_owned() }
    }

    /// Waits for the line that says that it serves.
    pub(crate) fn ready(&self) -> SocketAddr {
        let line = self.stdout.recv_timeout(DEADLINE).unwrap_or_else(|error| {
            panic!("no ready line ({error}); log:\n{}", self.log());
        });
        let address = line.strip_prefix("ready ").unwrap_or_else(|| panic!("{line:?}"));
        address.parse().expect("an address")
    }

    /// Waits until its log has this text.
    pub(crate) async fn said(&self, text: &str) {
        let looking = async {
            while !self.log().contains(text) {
                tokio::time::sleep(LOOK_AGAIN_AFTER).await;
            }
        };
        if tokio::time::timeout(DEADLINE, looking).await.is_err() {
            panic!("it never said {text:?}; log:\n{}", self.log());
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("log file")
    }

    /// Ends it as an administrator does, and returns what it ended with.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        kill_process(pid, Signal::TERM).expect("it runs");
        self.wait()
    }

    /// Takes the power away.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end: its output is closed then.
    fn wait(&mut self) -> ExitStatus {
        loop {
            match self.stdout.recv_timeout(DEADLINE) {
                Ok(_line) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("still runs; log:\n{}", self.log()),
            }
        }
        self.child.wait().expect("it ends")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command`, which must refuse, and returns its exit code and what it says.
pub(crate) fn refused(mut command: Command) -> (i32, String) {
    let output = command.output().expect("custosd starts");
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.stdout.is_empty(), "it printed {:?}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().expect("no signal"), text)
}
