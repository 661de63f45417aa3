use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    authority::Authority,
    cli::Cli,
    client_config::ClientConfig,
    cluster_status::ClusterStatus,
    daemon::Daemon,
    daemon_config::{DaemonConfig, Duty},
    deadline::wait_for,
    faults::copy_folder,
    member::Member,
    node_bucket::{BucketUsage, NodeBucket},
    port,
    scratch::Scratch,
};

/// Storage nodes: as many as profile 4+2 needs hosts.
const NODES: usize = 6;
const FOLDERS_PER_NODE: usize = 2;
const GATEWAYS: usize = 2;

/// For the cluster to show what was done to it.
const STATUS_LIMIT: Duration = Duration::from_secs(60);
/// Pause between two looks at the status.
const STATUS_INTERVAL: Duration = Duration::from_millis(100);

/// A running cluster of one ledger process, six storage nodes of the same disks and two gateways,
/// every one a `custosd run` of its own that takes itself for a machine of its own.
#[derive(Debug)]
pub struct NodeCluster {
    folder: PathBuf,
    authority: Authority,
    disks_per_node: usize,
    members: BTreeMap<Member, Running>,
}

#[derive(Debug)]
struct Running {
    config: DaemonConfig,
    daemon: Daemon,
}

impl NodeCluster {
    /// Starts a new cluster of two folders for each node in the folder and waits until both
    /// gateways take puts.
    ///
    /// # Panics
    /// When a process does not get ready, or the cluster has no vaults in time.
    #[must_use]
    pub fn start(scratch: &Scratch) -> Self {
        Self::start_with(scratch, FOLDERS_PER_NODE, None)
    }

    /// Starts a new cluster of one folder and one prefix of the bucket for each node, two disks or
    /// one in two parts.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_with_bucket(scratch: &Scratch, bucket: NodeBucket) -> Self {
        Self::start_with(scratch, 1, Some(bucket))
    }

    fn start_with(scratch: &Scratch, folders: usize, bucket: Option<NodeBucket>) -> Self {
        let own_disk = matches!(&bucket, Some(NodeBucket { usage: BucketUsage::Disk { .. }, .. }));
        let disks_per_node = folders + usize::from(own_disk);
        let folder = scratch.folder("cluster");
        let authority = Authority::new(&scratch.folder("cluster/tls"));
        let mut cluster = Self { folder, authority, disks_per_node, members: BTreeMap::new() };

        let meta_config =
            cluster.configure(Member::Meta, Duty::Meta { expect_nodes: NODES, group: None });
        let meta = meta_config.listen;
        cluster.start_together([(Member::Meta, meta_config)]);
        let storage = (0..NODES).map(Member::Storage).map(|member| {
            let folder = cluster.member_folder(member);
            let disks = (0..folders).map(|disk| folder.join(format!("d{disk}"))).collect();
            let duty = Duty::Storage { meta, disks, bucket: bucket.clone() };
            (member, cluster.configure(member, duty))
        });
        let storage: Vec<_> = storage.collect();
        cluster.start_together(storage);
        let developer = cluster.authority.issue("developer", "developer");
        for number in 0..GATEWAYS {
            let member = Member::Gateway(number);
            let config = cluster.configure(member, Duty::Gateway { meta });
            if number > 0 {
                let first = cluster.config(Member::Gateway(0)).key_file();
                fs::create_dir_all(&config.folder)
                    .and_then(|()| fs::copy(&first, config.key_file()))
                    .unwrap_or_else(|e| panic!("{}: {e}", first.display()));
            }
            ClientConfig::new(config.listen, &developer).write(&cluster.client_toml(number));
            cluster.start_together([(member, config)]);
        }
        for number in 0..GATEWAYS {
            cluster.wait_until_whole(number);
        }
        cluster
    }

    /// A client of the cluster's developer over this gateway.
    #[must_use]
    pub fn cli(&self, gateway: usize) -> Cli {
        Cli::new(self.client_toml(gateway), &self.folder)
    }

    /// Someone with a new certificate of the cluster's authority (CN `name`, OU `unit`) who talks
    /// to this process.
    #[must_use]
    pub fn client(&self, name: &str, unit: &str, to: Member) -> ClientConfig {
        let tls = self.authority.issue(name, unit);
        ClientConfig::new(self.config(to).listen, &tls)
    }

    /// Every process, in an order in which they can be started.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        self.members.keys().copied().collect()
    }

    /// Every storage node.
    #[must_use]
    pub fn storage_nodes(&self) -> Vec<Member> {
        (0..NODES).map(Member::Storage).collect()
    }

    /// One of the processes.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn daemon(&mut self, member: Member) -> &mut Daemon {
        let running = self.members.get_mut(&member);
        &mut running.unwrap_or_else(|| panic!("there is no {member}")).daemon
    }

    /// What a process was told.
    ///
    /// # Panics
    /// When there is no such process.
    #[must_use]
    pub fn config(&self, member: Member) -> &DaemonConfig {
        let running = self.members.get(&member);
        &running.unwrap_or_else(|| panic!("there is no {member}")).config
    }

    /// Gives a storage node other disks, from its next start on.
    pub fn set_disks(&mut self, member: Member, disks: Vec<PathBuf>) {
        let running = self.members.get_mut(&member).expect("a member");
        let Duty::Storage { disks: told, .. } = &mut running.config.duty else {
            panic!("{member} has no disks");
        };
        *told = disks;
        let _same_command_line = running.config.prepare();
    }

    /// Gives a storage node another bucket or none, from its next start on.
    ///
    /// # Panics
    /// When it is no storage node.
    pub fn set_bucket(&mut self, member: Member, bucket: Option<NodeBucket>) {
        let running = self.members.get_mut(&member).expect("a member");
        let Duty::Storage { bucket: told, .. } = &mut running.config.duty else {
            panic!("{member} has no bucket");
        };
        *told = bucket;
        running.daemon.set_options(running.config.prepare());
    }

    /// Copies everything of a storage node that does not run, disks and all, for another process
    /// at other addresses.
    ///
    /// # Panics
    /// When it still runs, or cannot be copied.
    #[must_use]
    pub fn copy_of(&mut self, member: Member, name: &str) -> DaemonConfig {
        assert!(self.daemon(member).has_ended(), "{member} still runs");
        let original = self.config(member).clone();
        let [listen, metrics] = self.addresses();
        let mut copy =
            DaemonConfig { folder: self.folder.join(name), listen, metrics, ..original.clone() };
        copy_folder(&original.folder, &copy.folder);
        // What the original said must not be taken for the words of the copy.
        fs::remove_file(copy.log()).unwrap_or_else(|e| panic!("{}: {e}", copy.log().display()));
        let moved = |disk: &PathBuf| copy.folder.join(within(disk, &original.folder));
        let disks = original.disks().iter().map(moved).collect();
        if let Duty::Storage { disks: told, .. } = &mut copy.duty {
            *told = disks;
        }
        copy
    }

    /// What the cluster says of itself through this gateway, when it answers.
    #[must_use]
    pub fn status(&self, gateway: usize) -> Option<ClusterStatus> {
        let run = self.cli(gateway).run(["cluster", "status", "--json"]);
        if run.exit_code != Some(0) {
            return None;
        }
        let json = run.json();
        let status = serde_json::from_value(json.clone());
        Some(status.unwrap_or_else(|e| panic!("no cluster status ({e}): {json}")))
    }

    /// Waits until the cluster says of itself, through this gateway, what is waited for.
    ///
    /// # Panics
    /// When it does not in time.
    #[track_caller]
    pub fn wait_for_status(
        &self,
        gateway: usize,
        what: &str,
        holds: impl Fn(&ClusterStatus) -> bool,
    ) -> ClusterStatus {
        let look = || self.status(gateway).filter(&holds);
        match wait_for(STATUS_LIMIT, STATUS_INTERVAL, look) {
            Some(status) => status,
            None => panic!("waited in vain for {what}; it is now {:#?}", self.status(gateway)),
        }
    }

    /// Waits until the gateway sees every node answer and every disk in service.
    ///
    /// # Panics
    /// When it does not in time.
    #[track_caller]
    pub fn wait_until_whole(&self, gateway: usize) -> ClusterStatus {
        self.wait_for_status(gateway, "every node and disk in service", |status| {
            status.nodes.len() == NODES
                && status.disks().count() >= NODES * self.disks_per_node
                && status.is_whole()
        })
    }

    fn start_together(&mut self, configs: impl IntoIterator<Item = (Member, DaemonConfig)>) {
        let starting: Vec<_> = configs
            .into_iter()
            .map(|(member, config)| (member, config.prepare().spawn(), config))
            .collect();
        for (member, daemon, config) in starting {
            self.members.insert(member, Running { config, daemon: daemon.expect_ready() });
        }
    }

    fn configure(&self, member: Member, duty: Duty) -> DaemonConfig {
        let name = member.to_string();
        let folder = self.member_folder(member);
        let tls = self.authority.issue(&name, "system");
        let [listen, metrics] = self.addresses();
        DaemonConfig { name, folder, listen, metrics, namespace: None, tls, duty }
    }

    fn client_toml(&self, gateway: usize) -> PathBuf {
        self.folder.join(format!("client-{gateway}.toml"))
    }

    fn member_folder(&self, member: Member) -> PathBuf {
        self.folder.join(member.to_string())
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        [port::free_address(), port::free_address()]
    }
}

fn within<'a>(path: &'a Path, folder: &Path) -> &'a Path {
    path.strip_prefix(folder).unwrap_or_else(|_| panic!("{} is elsewhere", path.display()))
}
