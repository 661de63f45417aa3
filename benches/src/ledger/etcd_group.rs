use std::{
    ffi::OsString,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};
use tonic::transport::{Channel, Endpoint};

use super::{
    etcd_api::{StatusRequest, StatusResponse, maintenance_client::MaintenanceClient},
    free_address::free_addresses,
    placement::{MEMBERS, Placement},
};
use crate::{custosd, process_probe::ProcessProbe};

/// For every member to know the leader.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
const SETTLE_PAUSE: Duration = Duration::from_millis(100);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Three members of etcd on this machine, with the settings that etcd has by itself: what they are
/// told is where they are and who the others are. That is without TLS.
pub(super) struct EtcdGroup {
    endpoints: Vec<Endpoint>,
    /// Killed when they are dropped. They keep nothing that is wanted afterwards.
    processes: Vec<Child>,
    version: String,
}

impl EtcdGroup {
    /// Starts them below `dir`, and waits until all know who leads.
    pub(super) async fn start(program: &Path, dir: &Path) -> Result<Self> {
        let all: [SocketAddr; 2 * MEMBERS] = free_addresses()?;
        let (clients, peers) = all.split_at(MEMBERS);
        let mut processes = Vec::new();
        let mut endpoints = Vec::new();
        fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
        for (number, client) in clients.iter().enumerate() {
            let mut command = Command::new(program);
            // Settings of somebody else's etcd must not count here.
            for (name, _) in std::env::vars_os() {
                if name.to_string_lossy().starts_with("ETCD_") {
                    command.env_remove(name);
                }
            }
            command.args(arguments(number, dir, *client, peers)).kill_on_drop(true);
            let log = custosd::log_to(&dir.join(format!("e{number}.log")))?;
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
            let process = command.spawn();
            processes.push(process.with_context(|| format!("starting {}", program.display()))?);
            endpoints.push(Endpoint::from_shared(format!("http://{client}"))?.tcp_nodelay(true));
        }
        let mut group = Self { endpoints, processes, version: String::new() };
        let settled = group.settle().await;
        let log = dir.join("e0.log");
        let (_, version) = settled
            .with_context(|| format!("the log of the first ends with:\n{}", custosd::tail(&log)))?;
        group.version = version;
        Ok(group)
    }

    /// As it says itself, such as `3.4.23`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// The processes.
    pub(super) fn probes(&self) -> Result<Vec<ProcessProbe>> {
        let probe = |process: &Child| {
            process.id().map(ProcessProbe::of).context("a member of etcd has ended")
        };
        self.processes.iter().map(probe).collect()
    }

    /// Connections for the clients of one run.
    pub(super) async fn connect(&self, placement: Placement) -> Result<Vec<Channel>> {
        let (leader, _) = self.settle().await?;
        placement.connect(&self.endpoints, leader).await
    }

    /// Ends the processes.
    pub(super) async fn stop(mut self) -> Result<()> {
        for process in &mut self.processes {
            process.kill().await.context("ending etcd")?;
        }
        Ok(())
    }

    /// Waits until every member knows the same leader; says which of them that is, and its version.
    async fn settle(&self) -> Result<(usize, String)> {
        let start = Instant::now();
        loop {
            let error = match self.leader().await {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            if start.elapsed() > SETTLE_LIMIT {
                return Err(error.context(format!("etcd has not settled after {SETTLE_LIMIT:?}")));
            }
            sleep(SETTLE_PAUSE).await;
        }
    }

    async fn leader(&self) -> Result<(usize, String)> {
        let mut known = Vec::new();
        for endpoint in &self.endpoints {
            known.push(timeout(ANSWER_LIMIT, status(endpoint)).await.context("no answer")??);
        }
        let id = known.first().map_or(0, |status| status.leader);
        ensure!(id != 0 && known.iter().all(|status| status.leader == id), "no leader is known");
        let is_leader = |status: &StatusResponse| {
            status.header.as_ref().is_some_and(|header| header.member_id == id)
        };
        match known.iter().position(is_leader) {
            Some(leader) => Ok((leader, known[leader].version.clone())),
            None => bail!("the leader is none of the members"),
        }
    }
}

async fn status(endpoint: &Endpoint) -> Result<StatusResponse> {
    let channel = endpoint.connect().await?;
    Ok(MaintenanceClient::new(channel).status(StatusRequest {}).await?.into_inner())
}

/// Arguments of member `number`, whose clients find it at `client`.
fn arguments(number: usize, dir: &Path, client: SocketAddr, peers: &[SocketAddr]) -> Vec<OsString> {
    let (client, peer) = (format!("http://{client}"), format!("http://{}", peers[number]));
    let all: Vec<String> =
        peers.iter().enumerate().map(|(other, peer)| format!("e{other}=http://{peer}")).collect();
    let mut arguments: Vec<OsString> = vec![
        "--data-dir".into(),
        dir.join(format!("e{number}")).into(),
        "--name".into(),
        format!("e{number}").into(),
    ];
    for (name, value) in [
        ("--listen-client-urls", client.as_str()),
        ("--advertise-client-urls", &client),
        ("--listen-peer-urls", &peer),
        ("--initial-advertise-peer-urls", &peer),
        ("--initial-cluster", &all.join(",")),
    ] {
        arguments.extend([name.into(), value.into()]);
    }
    arguments
}

/// Where etcd is: as given, or on PATH; `None` when it is not there.
pub(super) fn find(given: Option<&Path>) -> Option<PathBuf> {
    if let Some(given) = given {
        return Some(given.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("etcd")).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_told_its_own_addresses_and_those_of_all_peers_and_nothing_else() {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let peers = [address(1), address(2), address(3)];
        let told = arguments(1, Path::new("/bench"), address(9), &peers);
        let told: Vec<_> = told.iter().map(|argument| argument.to_string_lossy()).collect();
        assert_eq!(
            told.join(" "),
            "--data-dir /bench/e1 --name e1 --listen-client-urls http://127.0.0.1:9 \
             --advertise-client-urls http://127.0.0.1:9 --listen-peer-urls http://127.0.0.1:2 \
             --initial-advertise-peer-urls http://127.0.0.1:2 --initial-cluster \
             e0=http://127.0.0.1:1,e1=http://127.0.0.1:2,e2=http://127.0.0.1:3"
        );
    }

    #[test]
    fn a_program_that_is_named_is_taken_without_a_look_at_the_path() {
        assert_eq!(find(Some(Path::new("/x/etcd"))), Some(PathBuf::from("/x/etcd")));
    }

    #[tokio::test]
    async fn a_program_that_is_no_etcd_is_named() {
        let dir = tempfile::tempdir().expect("tempdir");
        let started = EtcdGroup::start(&dir.path().join("no-etcd"), &dir.path().join("e")).await;
        let error = started.err().expect("not started");
        assert!(format!("{error:#}").contains("no-etcd"), "{error:#}");
    }
}
