use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    authority::{Authority, TlsFiles},
    cli::Cli,
    client_config::ClientConfig,
    daemon::Daemon,
    daemon_config::{DaemonConfig, Duty, GroupDuty},
    deadline::wait_for,
    metrics_page::try_metrics_page,
    port,
    scratch::Scratch,
    test_network::TestNetwork,
};

/// Disks of the one storage node: as many as profile 2+1 needs.
const DISKS: usize = 3;
/// For the group to have a leader, or all its members a vote.
const GROUP_LIMIT: Duration = Duration::from_secs(60);
/// Pause between two looks at the cluster's status, each a process.
const STATUS_INTERVAL: Duration = Duration::from_millis(100);
/// Pause between two looks at the members.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// A cluster whose ledger is kept by several processes, with one more that keeps all shards and
/// serves clients.
#[derive(Debug)]
pub struct LedgerGroup {
    folder: PathBuf,
    authority: Authority,
    places: Places,
    metas: Vec<Meta>,
    worker: Daemon,
    cli: Cli,
}

#[derive(Debug)]
struct Meta {
    config: DaemonConfig,
    daemon: Daemon,
}

/// Where the processes are: all at this machine's own address, or each at a host of a network.
#[derive(Debug, Clone)]
struct Places {
    hosts: Option<Vec<(String, IpAddr)>>,
}

/// Where one process is.
struct Place {
    namespace: Option<String>,
    ip: IpAddr,
    api: SocketAddr,
    metrics: SocketAddr,
    group: SocketAddr,
}

impl Places {
    fn place(&self, number: usize) -> Place {
        match &self.hosts {
            None => Place {
                namespace: None,
                ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
                api: port::free_address(),
                metrics: port::free_address(),
                group: port::free_address(),
            },
            Some(hosts) => {
                let (namespace, ip) = hosts[number].clone();
                let at = |port| SocketAddr::new(ip, port);
                let (api, group, metrics) = (at(7400), at(7401), at(7402));
                Place { namespace: Some(namespace), ip, api, metrics, group }
            }
        }
    }
}

impl LedgerGroup {
    /// Starts a new cluster of so many meta processes and waits until each has a vote and puts are
    /// taken.
    ///
    /// # Panics
    /// When it does not come about in time.
    #[must_use]
    pub fn start(scratch: &Scratch, members: usize) -> Self {
        Self::start_at(scratch, members, Places { hosts: None })
    }

    /// The same with each member at a host of the network, in order, and all else at the next.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_in(scratch: &Scratch, members: usize, network: &TestNetwork) -> Self {
        let hosts = (0..=members).map(|host| (network.namespace(host), network.address(host)));
        Self::start_at(scratch, members, Places { hosts: Some(hosts.collect()) })
    }

    fn start_at(scratch: &Scratch, members: usize, places: Places) -> Self {
        let folder = scratch.folder("group");
        let authority = Authority::new(&scratch.folder("group/tls"));
        let mut metas: Vec<Meta> = Vec::new();
        for number in 0..members {
            let join = metas.first().map(|first| group_of(&first.config).listen);
            let config = meta_config(&folder, &authority, number, &places.place(number), join);
            let daemon = config.prepare().spawn().expect_ready();
            metas.push(Meta { config, daemon });
        }
        let Place { namespace, ip, api, metrics, .. } = places.place(members);
        let worker = DaemonConfig {
            name: "worker".to_owned(),
            folder: folder.join("worker"),
            listen: api,
            metrics,
            namespace: namespace.clone(),
            tls: authority.issue_at("worker", "system", ip),
            duty: Duty::Worker {
                metas: metas.iter().map(|meta| meta.config.listen).collect(),
                disks: (0..DISKS).map(|disk| folder.join(format!("worker/d{disk}"))).collect(),
            },
        };
        let developer = authority.issue("developer", "developer");
        let client_toml = folder.join("client.toml");
        ClientConfig::new(worker.listen, &developer).write(&client_toml);
        let cli = Cli::new(client_toml, &folder);
        let cli = namespace.map_or_else(|| cli.clone(), |namespace| cli.in_namespace(namespace));
        let worker = worker.prepare().spawn().expect_ready();
        let group = Self { folder, authority, places, metas, worker, cli };
        for number in group.members() {
            group.wait_for_vote(number);
        }
        group.wait_for_vaults();
        group
    }

    /// A client of the cluster's developer.
    #[must_use]
    pub fn cli(&self) -> Cli {
        self.cli.clone()
    }

    /// Numbers of the members, from 0.
    #[must_use]
    pub fn members(&self) -> std::ops::Range<usize> {
        0..self.metas.len()
    }

    /// One of the members.
    pub fn meta(&mut self, number: usize) -> &mut Daemon {
        &mut self.metas[number].daemon
    }

    /// What a member was told.
    #[must_use]
    pub fn config(&self, number: usize) -> &DaemonConfig {
        &self.metas[number].config
    }

    /// Where the other members reach one.
    #[must_use]
    pub fn group_address(&self, number: usize) -> SocketAddr {
        group_of(&self.metas[number].config).listen
    }

    /// A certificate of the cluster's authority.
    #[must_use]
    pub fn issue(&self, name: &str, unit: &str) -> TlsFiles {
        self.authority.issue(name, unit)
    }

    /// Starts all members again, which have ended.
    ///
    /// # Panics
    /// When one does not get ready.
    pub fn restart_together(&mut self) {
        let starting: Vec<_> =
            self.metas.iter().map(|meta| meta.config.prepare().spawn()).collect();
        for (meta, started) in self.metas.iter_mut().zip(starting) {
            meta.daemon = started.expect_ready();
        }
    }

    /// Ends every member at once, and removes their folders.
    ///
    /// # Panics
    /// When a folder cannot be removed.
    pub fn lose_ledger(&mut self) {
        for meta in &mut self.metas {
            meta.daemon.kill9();
        }
        for meta in &self.metas {
            let (folder, log) = (meta.config.data_dir(), meta.config.log());
            fs::remove_dir_all(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            // What is waited for in it is to be of the new life.
            fs::remove_file(&log).unwrap_or_else(|e| panic!("{}: {e}", log.display()));
        }
    }

    /// The file that a member is started with.
    #[must_use]
    pub fn config_file(&self, number: usize) -> PathBuf {
        self.metas[number].config.folder.join("custosd.toml")
    }

    /// The process that keeps the shards and serves clients.
    pub fn worker(&mut self) -> &mut Daemon {
        &mut self.worker
    }

    /// Another member, which joins by this one.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn add(&mut self, by: usize) -> usize {
        let number = self.metas.len();
        let join = group_of(&self.metas[by].config).listen;
        let place = self.places.place(number);
        let config = meta_config(&self.folder, &self.authority, number, &place, Some(join));
        let daemon = config.prepare().spawn().expect_ready();
        self.metas.push(Meta { config, daemon });
        number
    }

    /// The member that says that it leads, if one does.
    #[must_use]
    pub fn leader_now(&self) -> Option<usize> {
        let leads = |meta: &Meta| gauge(meta.config.metrics, "custos_ledger_leader") == Some(1);
        self.metas.iter().position(leads)
    }

    /// The member that leads.
    ///
    /// # Panics
    /// When none does in time.
    #[must_use]
    #[track_caller]
    pub fn leader(&self) -> usize {
        wait_for(GROUP_LIMIT, LOOK_INTERVAL, || self.leader_now()).expect("somebody leads")
    }

    /// The members make the vaults once the storage node has registered, which it says first.
    #[track_caller]
    fn wait_for_vaults(&self) {
        let has_vaults = || {
            let run = self.cli.run(["cluster", "status", "--json"]);
            let vaults = (run.exit_code == Some(0)).then(|| run.json()["vaults"].clone());
            vaults.filter(|vaults| vaults.as_array().is_some_and(|vaults| !vaults.is_empty()))
        };
        wait_for(GROUP_LIMIT, STATUS_INTERVAL, has_vaults).expect("the cluster has vaults");
    }

    /// Waits until a member says that it has a vote.
    ///
    /// # Panics
    /// When it does not in time.
    #[track_caller]
    pub fn wait_for_vote(&self, number: usize) {
        let has_one = || self.metas[number].daemon.log().contains("has a vote").then_some(());
        wait_for(GROUP_LIMIT, LOOK_INTERVAL, has_one).expect("it has its vote");
    }

    /// Waits until a member has applied what the leader has.
    ///
    /// # Panics
    /// When it has not in time.
    #[track_caller]
    pub fn wait_until_current(&self, number: usize) {
        let applied =
            |number: usize| gauge(self.metas[number].config.metrics, "custos_ledger_applied_index");
        let goal = applied(self.leader()).expect("the leader answers");
        let reached = || applied(number).filter(|applied| *applied >= goal);
        wait_for(GROUP_LIMIT, LOOK_INTERVAL, reached).expect("the member catches up");
    }
}

fn meta_config(
    folder: &Path,
    authority: &Authority,
    number: usize,
    place: &Place,
    join: Option<SocketAddr>,
) -> DaemonConfig {
    let name = format!("meta-{number}");
    let group = GroupDuty { listen: place.group, join };
    DaemonConfig {
        folder: folder.join(&name),
        listen: place.api,
        metrics: place.metrics,
        namespace: place.namespace.clone(),
        tls: authority.issue_at(&name, "system", place.ip),
        duty: Duty::Meta { expect_nodes: 1, group: Some(group) },
        name,
    }
}

fn group_of(config: &DaemonConfig) -> &GroupDuty {
    match &config.duty {
        Duty::Meta { group: Some(group), .. } => group,
        other => panic!("{} is no member: {other:?}", config.name),
    }
}

/// A number on the metrics page of a process that answers.
fn gauge(address: SocketAddr, name: &str) -> Option<i64> {
    let page = try_metrics_page(address).ok()?;
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.trim().parse().ok())
}
