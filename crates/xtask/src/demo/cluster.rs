use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::files;
use crate::process;

/// Most that the cluster may take until it serves.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Most that it may take to end after SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Lines of its log that are worth showing when it fails.
const LOG_LINES_SHOWN: usize = 20;

/// A `custosd dev` that this demo started, on a folder of its own; ended when dropped.
pub(super) struct DevCluster {
    child: Child,
    data: PathBuf,
    log: PathBuf,
    address: String,
}

impl DevCluster {
    /// The command that [`start`](Self::start) runs: six disks, four data and two parity shards.
    pub(super) fn command(program: &Path, data: &Path) -> Command {
        let mut command = Command::new(program);
        command.arg("dev").arg("--data").arg(data);
        command.args(["--profile", "4+2", "--listen", "127.0.0.1:0"]);
        command
    }

    /// Starts a cluster and waits until it serves.
    pub(super) fn start(mut command: Command, data: &Path, log: &Path) -> Result<Self> {
        let log_file = File::create(log).with_context(|| format!("{}", log.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", process::shown(&command)))?;
        let stdout = child.stdout.take();
        let mut cluster = Self {
            child,
            data: data.to_path_buf(),
            log: log.to_path_buf(),
            address: String::new(),
        };
        let stdout = stdout.context("custosd has no stdout")?;
        let (sender, lines) = mpsc::channel();
        // Reads to the end also after `ready`: a full pipe would stop the cluster.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("ready ") {
                    let _nobody_waits = sender.send(address.trim().to_owned());
                }
            }
        });
        match lines.recv_timeout(START_LIMIT) {
            Ok(address) => {
                cluster.address = address;
                Ok(cluster)
            }
            Err(_) => bail!("custosd did not become ready\n{}", cluster.last_log_lines()),
        }
    }

    /// Where it serves.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The configuration that it wrote for its clients.
    pub(super) fn client_config(&self) -> PathBuf {
        self.data.join("client.toml")
    }

    /// The folder that stands for one disk.
    pub(super) fn disk(&self, number: u32) -> PathBuf {
        self.data.join("disks").join(number.to_string())
    }

    /// The last warnings that it logged.
    pub(super) fn warnings(&self) -> Result<Vec<String>> {
        let text = std::fs::read(&self.log).with_context(|| format!("{}", self.log.display()))?;
        let text = files::without_colour(&String::from_utf8_lossy(&text));
        Ok(text.lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect())
    }

    /// Asks it to end and waits until it has.
    pub(super) fn stop(mut self) -> Result<()> {
        // Through the shell's own `kill`: a small system has no program of that name.
        let pid = self.child.id().to_string();
        process::run(Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid]))?;
        match process::wait_within(STOP_LIMIT, &mut self.child)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("custosd ended with {status}\n{}", self.last_log_lines()),
            None => bail!("custosd still runs {} s after SIGTERM", STOP_LIMIT.as_secs()),
        }
    }

    fn last_log_lines(&self) -> String {
        let Ok(bytes) = std::fs::read(&self.log) else { return String::new() };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for DevCluster {
    fn drop(&mut self) {
        // By its own handle, so that no other process can be meant; both fail when it has ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
