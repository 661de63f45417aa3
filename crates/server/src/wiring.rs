//! Wires the roles of one process together: the only place where ports meet real things.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use custos_gateway::{
    CertificateAuthority, Gateway, GatewayDeps, GatewayMetrics, GatewayOptions, MetaAdmin,
};
use custos_meta_node::{Bootstrap, GroupAdmin, GroupService, MetaService};
use custos_metastore::{Beginning, MetaStore, Options};
use custos_peers::{Channels, ClusterOptions, ClusterPeers, Joined};
use custos_ports::{Clock, Cluster, Entropy, Ledger};
use custos_storage_node::{StorageDeps, StorageNode, WhenAbsent};
use tokio::{net::TcpListener, time::sleep};

use crate::{
    LedgerStartError, Server, StartError,
    config::{GatewayConfig, MetaConfig, ServerConfig, StorageConfig},
    data_dir::{DataDir, Identity, LEDGER_FOLDER, Manifest, Stage},
    first_vault, gateway_key, group_start,
    grpc::Services,
    joining,
    keys::{Kek, LocalKeyRing},
    ledger_start,
    local_disks::LocalDisks,
    local_group::LocalGroup,
    metrics::MetricsPage,
    node_admin::ClusterAdmin,
    node_peers::RemoteNodes,
    roles::Roles,
    server::Readiness,
    sockets::Sockets,
    storage_start, tls,
    waiting::Waiting,
};

/// Pause after a map that could not be read.
const MAP_PAUSE: Duration = Duration::from_millis(500);

/// What a server is given beside its configuration.
pub struct ServerDeps {
    /// Real time, or a simulation's.
    pub clock: Arc<dyn Clock>,
    /// Real randomness, or a simulation's.
    pub entropy: Arc<dyn Entropy>,
    /// The data folder, locked for this process.
    pub data_dir: DataDir,
    /// Who the process in that folder is.
    pub identity: Identity,
    /// The sockets to serve on.
    pub sockets: Sockets,
    /// The certificate authority of the cluster, if this process has it.
    pub authority: Option<Arc<dyn CertificateAuthority>>,
}

/// Opens what the roles of this process need and wires them together. Waits for the ledger, where
/// that is in another process, as long as it takes, saying so in the log; dropping the call gives
/// up. What it returns is to be [`run`](Server::run).
///
/// # Errors
/// See [`StartError`]; everything that was opened is closed again.
pub async fn build(config: ServerConfig, deps: ServerDeps) -> Result<Server, StartError> {
    let ServerDeps { clock, entropy, data_dir, identity, mut sockets, authority } = deps;
    // Made before anything is opened: a bad certificate stops the start early.
    let services = Services::new(&config.tls, config.gateway.is_some())?;
    let channels = Channels::new(tls::peer_tls(&config.tls)?);
    let address = sockets.api_address().map_err(StartError::Address)?;
    let mut roles = Roles::default();
    let wiring = Wiring {
        config: &config,
        clock: &clock,
        entropy: &entropy,
        data_dir: &data_dir,
        address,
        channels,
        authority,
    };
    let group = sockets.group.take();
    match wiring.wire(identity, group, services, &mut roles).await {
        Ok(Wired { services, page, readiness }) => {
            let (router, health) = services.into_parts();
            Ok(Server { router, health, address, sockets, page, readiness, roles, data_dir })
        }
        Err(error) => {
            roles.close().await;
            Err(error)
        }
    }
}

/// What all roles of a process have in common.
struct Wiring<'a> {
    config: &'a ServerConfig,
    clock: &'a Arc<dyn Clock>,
    entropy: &'a Arc<dyn Entropy>,
    data_dir: &'a DataDir,
    address: SocketAddr,
    channels: Channels,
    authority: Option<Arc<dyn CertificateAuthority>>,
}

/// The ledger, in this process or in others, and the group that keeps it.
struct LedgerAccess {
    ledger: Arc<dyn Ledger>,
    group: Arc<dyn MetaAdmin>,
}

/// All roles together.
struct Wired {
    services: Services,
    page: MetricsPage,
    readiness: Readiness,
}

impl Wiring<'_> {
    /// What is opened is put into `roles`, whatever becomes of the rest.
    async fn wire(
        &self,
        identity: Identity,
        group: Option<TcpListener>,
        mut services: Services,
        roles: &mut Roles,
    ) -> Result<Wired, StartError> {
        let Identity { manifest, kek, stage } = identity;
        let (access, mut manifest) = match &self.config.meta {
            Some(meta) => self.open_ledger(meta, manifest, stage, group, roles).await?,
            None => self.join(manifest).await?,
        };
        let ledger = access.ledger.clone();
        if let Some(store) = &roles.ledger {
            let group = GroupAdmin::new(store.clone());
            let meta = MetaService::new(ledger.clone(), group, manifest.origin.clone());
            services = services.add_meta(meta.into_server()).await;
        }
        let peers = ClusterPeers::spawn(
            ClusterOptions::default(),
            ledger.clone(),
            Some(self.channels.clone()),
            self.entropy.clone(),
        );
        if let Some(storage) = &self.config.storage {
            self.start_storage(storage, &manifest, &ledger, &peers, roles).await?;
            services = match &roles.storage {
                Some(storage) => services.add_storage(storage.service()).await,
                None => services,
            };
        }
        let readiness = self.see_to_vaults(&mut manifest, &ledger, &peers, roles).await?;
        let metrics = GatewayMetrics::default();
        if let Some(gateway) = &self.config.gateway {
            let settled =
                gateway_key::settle(&*ledger, &gateway.key_file, kek, self.entropy).await?;
            self.remember_key(&mut manifest, &settled)?;
            let metrics = metrics.clone();
            let gateway = self.gateway(gateway, settled, access, peers, metrics, roles).await;
            roles.tasks.spawn(gateway.clone().run_steward());
            services = services.add_gateway(gateway).await;
        }
        let page = MetricsPage::new(
            self.config.gateway.as_ref().map(|_| &metrics),
            roles.storage.as_ref().map(|storage| storage.local()),
            roles.ledger.clone(),
            self.clock.now(),
        );
        tracing::info!(
            origin = %manifest.origin, roles = %self.role_names(),
            dir = %self.data_dir.path().display(), "process is up"
        );
        Ok(Wired { services, page, readiness })
    }

    fn role_names(&self) -> String {
        let ServerConfig { meta, storage, gateway, .. } = self.config;
        let names = [
            meta.as_ref().map(|_| "meta"),
            storage.as_ref().map(|_| "storage"),
            gateway.as_ref().map(|_| "gateway"),
        ];
        names.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The ledger in this process, alone or as a member of its group. At a first start, the cluster
    /// has begun then, or this process belongs to it.
    async fn open_ledger(
        &self,
        meta: &MetaConfig,
        manifest: Option<Manifest>,
        stage: Stage,
        listener: Option<TcpListener>,
        roles: &mut Roles,
    ) -> Result<(LedgerAccess, Manifest), StartError> {
        let (dir, entropy) = (self.data_dir.path().join(LEDGER_FOLDER), &**self.entropy);
        let member = match &meta.group {
            Some(group) => {
                let channels = Channels::new(tls::peer_tls(&self.config.tls)?);
                Some(group_start::Member::new(group, self.data_dir.path(), channels, entropy)?)
            }
            None => None,
        };
        let mut options = Options::new(&dir, self.clock.clone());
        let joiner = member.as_ref().filter(|member| manifest.is_none() && member.joins());
        let (manifest, stage, beginning) = match (joiner, manifest) {
            (Some(member), _) => {
                let Joined { origin, id } = member.join().await?;
                options.node_id = id;
                // There is nothing to begin, and nothing can be lost yet.
                (Manifest::of_cluster(origin), Stage::Beginning, Beginning::Joining)
            }
            (None, manifest) => {
                let manifest = manifest.expect("who founds has chosen its cluster");
                let known = MetaStore::node_of(&dir).map_err(LedgerStartError::from)?;
                options.node_id = known.unwrap_or(options.node_id);
                (manifest, stage, Beginning::Founding)
            }
        };
        let is_joining = beginning == Beginning::Joining;
        let own = options.node_id;
        options.group = member.as_ref().map(|member| member.options(&manifest.origin, beginning));
        let ledger = ledger_start::open(options, stage).await?;
        roles.ledger = Some(ledger.clone());
        if let Some(listener) = listener {
            let (store, origin) = (ledger.clone(), manifest.origin.clone());
            let service = GroupService::new(store, origin, self.entropy.clone());
            roles.tasks.spawn(group_start::serve(&self.config.tls, listener, service)?);
        }
        let begun = ledger_start::Begun {
            origin: &manifest.origin,
            stage: if is_joining { Stage::Settled } else { stage },
            policy: &meta.policy,
        };
        ledger_start::settle(&ledger, &dir, begun, entropy).await?;
        if let Some(member) = &member {
            member.record(&ledger, own, entropy).await?;
            roles.tasks.spawn(group_start::ask_for_vote(ledger.clone(), own));
        }
        if stage == Stage::Beginning {
            manifest.save(self.data_dir.path())?;
        }
        let group = Arc::new(LocalGroup(GroupAdmin::new(ledger.clone())));
        Ok((LedgerAccess { ledger: Arc::new(ledger), group }, manifest))
    }

    /// The ledger in other processes. At a first start, this process belongs to its cluster then.
    async fn join(
        &self,
        manifest: Option<Manifest>,
    ) -> Result<(LedgerAccess, Manifest), StartError> {
        let known = manifest.as_ref().map(|manifest| manifest.origin.as_str());
        let endpoints = &self.config.meta_endpoints;
        let joined = joining::join(endpoints, known, &self.channels, self.entropy).await?;
        let manifest = match manifest {
            Some(manifest) => manifest,
            None => {
                let manifest = Manifest::of_cluster(joined.origin);
                manifest.save(self.data_dir.path())?;
                manifest
            }
        };
        Ok((LedgerAccess { ledger: joined.ledger.clone(), group: joined.ledger }, manifest))
    }

    async fn start_storage(
        &self,
        config: &StorageConfig,
        manifest: &Manifest,
        ledger: &Arc<dyn Ledger>,
        peers: &ClusterPeers,
        roles: &mut Roles,
    ) -> Result<(), StartError> {
        // The disks of an earlier version are known by their ids and not by their places yet: one
        // that is missing would be made anew.
        let absent = match manifest.vault_0 {
            Some(_) => WhenAbsent::Refuse,
            None => WhenAbsent::Create,
        };
        let options = storage_start::options(config, self.data_dir.path(), self.address, absent)?;
        let deps = StorageDeps {
            ledger: ledger.clone(),
            cluster: Arc::new(peers.clone()),
            peers: Arc::new(RemoteNodes::new(peers.clone())),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        };
        let storage = StorageNode::start(options, deps).await?;
        let mut disks = LocalDisks::new(peers.clone());
        let changes = storage.store_changes();
        disks.set(storage.stores());
        roles.tasks.spawn(disks.follow(changes));
        roles.storage = Some(storage);
        Ok(())
    }

    /// Makes the vaults that this process can make alone, or waits for others beside its work.
    async fn see_to_vaults(
        &self,
        manifest: &mut Manifest,
        ledger: &Arc<dyn Ledger>,
        peers: &ClusterPeers,
        roles: &mut Roles,
    ) -> Result<Readiness, StartError> {
        let Some(meta) = &self.config.meta else { return Ok(Readiness::AtOnce) };
        let entropy = self.entropy;
        if let Some(profile) = self.config.own_vault_profile() {
            let vault_0 = manifest.vault_0.as_deref();
            first_vault::make(&**ledger, peers, entropy, profile, vault_0).await?;
            if manifest.vault_0.take().is_some() {
                manifest.save(self.data_dir.path())?;
                tracing::info!("the disks of the earlier version are vault 0 of the cluster map");
            }
            return Ok(Readiness::AtOnce);
        }
        let nodes = usize::try_from(meta.expect_nodes).expect("32 bits fit");
        let bootstrap = Bootstrap::new(nodes, meta.profile);
        roles.tasks.spawn(bootstrap.run(ledger.clone(), entropy.clone()));
        if self.config.gateway.is_none() {
            return Ok(Readiness::AtOnce);
        }
        Ok(Readiness::WithVaults { changes: peers.changes(), profile: meta.profile })
    }

    /// From now on, no other key does for this folder.
    fn remember_key(&self, manifest: &mut Manifest, kek: &Kek) -> Result<(), StartError> {
        if manifest.key_id != Some(kek.id()) {
            manifest.key_id = Some(kek.id());
            manifest.save(self.data_dir.path())?;
        }
        Ok(())
    }

    /// A gateway that has read the map.
    async fn gateway(
        &self,
        config: &GatewayConfig,
        kek: Kek,
        access: LedgerAccess,
        peers: ClusterPeers,
        metrics: GatewayMetrics,
        roles: &Roles,
    ) -> Gateway {
        let mut waiting = Waiting::on("the cluster map");
        while let Err(error) = peers.refresh().await {
            waiting.say(&error);
            sleep(MAP_PAUSE).await;
        }
        waiting.end();
        let own_node = roles.storage.as_ref().map(|storage| storage.local());
        let deps = GatewayDeps {
            ledger: access.ledger,
            cluster: Arc::new(peers.clone()),
            node_admin: Arc::new(ClusterAdmin::new(peers, own_node)),
            meta_admin: access.group,
            key_ring: Arc::new(LocalKeyRing::new(kek, self.entropy.clone())),
            entropy: self.entropy.clone(),
            clock: self.clock.clone(),
            authority: self.authority.clone(),
            metrics,
        };
        let (profile, chunk_size) = (config.profile, config.chunk_size);
        Gateway::new(GatewayOptions { profile, chunk_size, ..GatewayOptions::default() }, deps)
    }
}
