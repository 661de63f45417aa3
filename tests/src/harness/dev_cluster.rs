use std::{net::SocketAddr, path::PathBuf, process::ExitStatus, time::Duration};

use super::{
    cli::Cli,
    daemon::{Daemon, DaemonOptions},
    failed_start::FailedStart,
    port,
    process::Process,
    scratch::Scratch,
};

/// How a [`DevCluster`] is to be started.
#[derive(Debug, Clone)]
pub struct DevOptions {
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Erasure profile, which is also the number of its disks.
    pub profile: String,
    /// Days that its clock is ahead.
    pub days_ahead: u32,
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
            days_ahead: 0,
            log: scratch.path().join("custosd.log"),
        }
    }

    fn daemon(&self) -> DaemonOptions {
        let listen = self.listen.to_string();
        DaemonOptions {
            namespace: None,
            name: "dev".to_owned(),
            environment: Vec::new(),
            args: vec![
                "dev".into(),
                "--data".into(),
                self.data_dir.as_os_str().to_owned(),
                "--listen".into(),
                listen.into(),
                "--profile".into(),
                self.profile.clone().into(),
                "--days-ahead".into(),
                self.days_ahead.to_string().into(),
            ],
            listen: self.listen,
            log: self.log.clone(),
        }
    }
}

/// A running `custosd dev`: six disks unless told otherwise.
#[derive(Debug)]
pub struct DevCluster {
    options: DevOptions,
    daemon: Daemon,
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
        let daemon = options.daemon().spawn().expect_ready();
        Self { options, daemon }
    }

    /// Starts a cluster and waits until it serves or ends.
    ///
    /// # Errors
    /// When the process ends before it is ready.
    ///
    /// # Panics
    /// When it does neither in time, or says `ready` for another address than it was given.
    pub fn try_start(options: DevOptions) -> Result<Self, FailedStart> {
        let daemon = options.daemon().spawn().wait_until_ready()?;
        Ok(Self { options, daemon })
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
        self.daemon.process()
    }

    /// Everything that it has logged, over all starts.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }

    /// Ends it at once, as loss of power would; the caller starts it again.
    pub fn kill9(&mut self) {
        self.daemon.kill9();
    }

    /// Asks it to end, and waits.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn terminate(&mut self) -> ExitStatus {
        self.daemon.terminate()
    }

    /// Starts it again on the same directory and address after it has ended, and says how long
    /// it took to be ready.
    ///
    /// # Panics
    /// When it still runs, or does not get ready.
    pub fn restart(&mut self) -> Duration {
        self.daemon.restart()
    }

    /// Starts it again after it has ended, with its clock so many days ahead.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn restart_ahead(&mut self, days: u32) {
        self.options.days_ahead = days;
        self.daemon = self.options.daemon().spawn().expect_ready();
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> bool {
        !self.daemon.has_ended()
    }
}
