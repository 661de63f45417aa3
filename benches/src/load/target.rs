use std::path::PathBuf;

use anyhow::{Context, Result};
use custos_client::{Client, ClientConfig};
use tempfile::TempDir;

use super::spawned_cluster;
use crate::{
    args::LoadArgs, content::Content, endpoint_guard, process_probe::ProcessProbe,
    ready_child::ReadyChild,
};

/// The cluster that is loaded, and a folder for the clients' files.
pub(super) struct Target {
    config: ClientConfig,
    spawned: Option<ReadyChild>,
    server: Option<ProcessProbe>,
    folder: TempDir,
}

impl Target {
    /// Finds the cluster, or starts one; refuses one that may not be loaded.
    pub(super) async fn prepare(args: &LoadArgs) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("custos-bench-").tempdir_in(&args.dir);
        let folder = folder.with_context(|| format!("a folder in {}", args.dir.display()))?;
        let (config_path, spawned, server) = if args.spawn {
            let cluster = spawned_cluster::start(folder.path(), args.profile).await?;
            let probe = ProcessProbe::of(cluster.pid()?);
            (folder.path().join("data").join("client.toml"), Some(cluster), Some(probe))
        } else {
            let path = ClientConfig::locate(args.config.as_deref());
            (path, None, args.server_pid.map(ProcessProbe::of))
        };
        let config = ClientConfig::load(&config_path)?;
        endpoint_guard::check(&config.endpoint, args.ownership())?;
        if let Some(server) = server {
            server.cpu().context("--server-pid")?;
        }
        Ok(Self { config, spawned, server, folder })
    }

    /// A client with a connection of its own.
    pub(super) fn client(&self) -> Result<Client> {
        Ok(Client::connect(&self.config)?)
    }

    /// The server's process, where it is known.
    pub(super) fn server(&self) -> Option<ProcessProbe> {
        self.server
    }

    /// Writes a file of pseudo-random bytes; the same `seed` gives the same file.
    pub(super) async fn write_file(&self, seed: u64, size: u64) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("content-{seed}"));
        let file = path.clone();
        let written =
            tokio::task::spawn_blocking(move || Content::new(seed).write_file(&file, size)).await?;
        written.with_context(|| format!("{}", path.display()))?;
        Ok(path)
    }

    /// Ends what was started, and removes temporary files.
    pub(super) async fn close(self) -> Result<()> {
        if let Some(cluster) = self.spawned {
            cluster.stop().await?;
        }
        let path = self.folder.path().to_owned();
        self.folder.close().with_context(|| format!("removing {}", path.display()))
    }
}
