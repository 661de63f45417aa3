use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::time::sleep;
use tonic::transport::{Channel, Endpoint};

use super::{
    free_address::free_addresses,
    metrics_page::MetricsPage,
    placement::{MEMBERS, Placement},
};
use crate::{
    certificates::{self, CA_FILE, SYSTEM_FILES},
    custosd,
    process_probe::ProcessProbe,
    ready_child::{ReadyChild, StopBy},
};

/// For every member to have a vote, and for one to lead.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
const SETTLE_PAUSE: Duration = Duration::from_millis(100);

/// Up to three `custosd run` of the role meta on this machine, in one group.
pub(super) struct OurGroup {
    dir: PathBuf,
    tls_dir: PathBuf,
    metrics: [SocketAddr; MEMBERS],
    ports: [SocketAddr; MEMBERS],
    members: Vec<Member>,
}

struct Member {
    metrics: SocketAddr,
    process: ReadyChild,
}

impl OurGroup {
    /// Starts a founder and two that join it below `dir`, and waits until all have a vote.
    pub(super) async fn start(dir: &Path) -> Result<Self> {
        let mut group = Self::prepare(dir)?;
        for _ in 0..MEMBERS {
            group.add().await?;
        }
        group.settle().await?;
        Ok(group)
    }

    /// No process yet.
    pub(super) fn prepare(dir: &Path) -> Result<Self> {
        let tls_dir = dir.join("tls");
        fs::create_dir_all(&tls_dir).with_context(|| format!("{}", tls_dir.display()))?;
        certificates::write_system(&tls_dir)?;
        let [metrics, ports]: [[SocketAddr; MEMBERS]; 2] = {
            let all: [SocketAddr; 2 * MEMBERS] = free_addresses()?;
            [std::array::from_fn(|n| all[n]), std::array::from_fn(|n| all[MEMBERS + n])]
        };
        Ok(Self { dir: dir.to_owned(), tls_dir, metrics, ports, members: Vec::new() })
    }

    /// Starts the founder, or one more member that joins it.
    pub(super) async fn add(&mut self) -> Result<()> {
        let number = self.members.len();
        let config = Configured {
            name: format!("m{number}"),
            folder: self.dir.join(format!("m{number}")),
            metrics: self.metrics[number],
            group_listen: self.ports[number],
            join: (number > 0).then(|| self.ports[0]),
        };
        let process = config.start(&self.tls_dir).await?;
        self.members.push(Member { metrics: self.metrics[number], process });
        Ok(())
    }

    /// Where the founder keeps its ledger.
    pub(super) fn ledger_of_founder(&self) -> PathBuf {
        self.dir.join("m0").join("data").join("meta")
    }

    /// The processes.
    pub(super) fn probes(&self) -> Result<Vec<ProcessProbe>> {
        self.members.iter().map(|member| Ok(ProcessProbe::of(member.process.pid()?))).collect()
    }

    /// Connections for the clients of one run.
    pub(super) async fn connect(&self, placement: Placement) -> Result<Vec<Channel>> {
        let tls = certificates::system_tls(&self.tls_dir)?;
        let mut endpoints = Vec::new();
        for member in &self.members {
            let endpoint = Endpoint::from_shared(format!("https://{}", member.process.address()))?;
            endpoints.push(endpoint.tls_config(tls.clone())?.tcp_nodelay(true));
        }
        placement.connect(&endpoints, self.settle().await?).await
    }

    /// Connections to the founder alone.
    pub(super) async fn connect_to_founder(&self) -> Result<Vec<Channel>> {
        let tls = certificates::system_tls(&self.tls_dir)?;
        let founder = self.members.first().context("a founder")?;
        let endpoint = Endpoint::from_shared(format!("https://{}", founder.process.address()))?;
        let endpoint = endpoint.tls_config(tls)?.tcp_nodelay(true);
        let mut channels = Vec::new();
        for _ in 0..MEMBERS {
            channels.push(endpoint.connect().await.context("connecting to the founder")?);
        }
        Ok(channels)
    }

    /// Asks the processes to end, and waits.
    pub(super) async fn stop(&mut self) -> Result<()> {
        // The founder last: most often it leads, and hands its lead on otherwise.
        for member in self.members.drain(..).rev() {
            member.process.stop().await?;
        }
        Ok(())
    }

    /// Waits until every member counts all of them as voters and one of them leads; says which.
    pub(super) async fn settle(&self) -> Result<usize> {
        self.settle_within(SETTLE_LIMIT).await
    }

    /// The same, with another limit.
    pub(super) async fn settle_within(&self, limit: Duration) -> Result<usize> {
        let start = Instant::now();
        loop {
            let mut voters = Vec::new();
            let mut leader = None;
            for (number, member) in self.members.iter().enumerate() {
                let page = MetricsPage::read(member.metrics).await?;
                voters.push(page.gauge("custos_ledger_voters"));
                if page.gauge("custos_ledger_leader") == Some(1.0) {
                    leader = Some(number);
                }
            }
            let all_vote = voters.iter().all(|voters| *voters == Some(self.members.len() as f64));
            match leader {
                Some(leader) if all_vote => return Ok(leader),
                _ if start.elapsed() < limit => sleep(SETTLE_PAUSE).await,
                leader => bail!(
                    "the group has not settled after {limit:?}: leader {leader:?}, voters \
                     that each member knows {voters:?}"
                ),
            }
        }
    }
}

/// What one process is told.
struct Configured {
    name: String,
    folder: PathBuf,
    metrics: SocketAddr,
    group_listen: SocketAddr,
    /// A member that takes it in; the founder has none.
    join: Option<SocketAddr>,
}

impl Configured {
    async fn start(&self, tls_dir: &Path) -> Result<ReadyChild> {
        fs::create_dir_all(&self.folder).with_context(|| format!("{}", self.folder.display()))?;
        let file = self.folder.join("custosd.toml");
        fs::write(&file, self.text(tls_dir)).with_context(|| format!("{}", file.display()))?;
        let log = self.folder.join("custosd.log");
        let mut command = custosd::command(&log)?;
        command.arg("run").arg("--config").arg(&file);
        let started = ReadyChild::start("custosd", StopBy::Signal, command).await;
        started
            .with_context(|| format!("{}; its log ends with:\n{}", self.name, custosd::tail(&log)))
    }

    fn text(&self, tls_dir: &Path) -> String {
        let [certificate, key] = SYSTEM_FILES.map(|file| tls_dir.join(file));
        let written = Written {
            roles: ["meta"],
            data_dir: self.folder.join("data"),
            listen: "127.0.0.1:0",
            metrics: self.metrics.to_string(),
            cluster_name: "custos.bench",
            tls: WrittenTls { ca: tls_dir.join(CA_FILE), certificate, key },
            group: WrittenGroup {
                name: &self.name,
                listen: self.group_listen.to_string(),
                join: self.join.map(|address| [format!("https://{address}")]),
            },
        };
        toml::to_string(&written).expect("plain values with the tables last")
    }
}

#[derive(Serialize)]
struct Written<'a> {
    roles: [&'static str; 1],
    data_dir: PathBuf,
    listen: &'static str,
    metrics: String,
    cluster_name: &'static str,
    tls: WrittenTls,
    group: WrittenGroup<'a>,
}

#[derive(Serialize)]
struct WrittenTls {
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Serialize)]
struct WrittenGroup<'a> {
    name: &'a str,
    listen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    join: Option<[String; 1]>,
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;

    #[test]
    fn a_founder_joins_nobody_and_the_others_join_it() {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let told = |join| {
            let config = Configured {
                name: "m1".to_owned(),
                folder: PathBuf::from("/bench/m1"),
                metrics: address(16_001),
                group_listen: address(16_002),
                join,
            };
            config.text(Path::new("/bench/tls")).parse::<Table>().expect("TOML")
        };
        let founder = told(None);
        assert_eq!(founder["group"]["listen"].as_str(), Some("127.0.0.1:16002"));
        assert!(founder["group"].get("join").is_none());
        assert_eq!(founder["tls"]["key"].as_str(), Some("/bench/tls/system.key.pem"));
        let joins = told(Some(address(16_003)));
        assert_eq!(joins["group"]["join"][0].as_str(), Some("https://127.0.0.1:16003"));
        assert_eq!(joins["data_dir"].as_str(), Some("/bench/m1/data"));
    }
}
