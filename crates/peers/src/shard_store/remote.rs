use std::{ops::Range, sync::Arc, time::Duration};

use async_trait::async_trait;
use custos_core::{ChunkIndex, DiskId, EvidenceId, VaultId};
use custos_ports::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite, StoreStatus,
};
use custos_wire::internal_v1::{
    ListAllRequest, ListQuarantineRequest, ListRequest, RemoveRequest, StatusRequest,
    VerifyRequest, shard_client::ShardClient,
};
use tokio::time::{Instant, timeout_at};

use super::{
    Deadlines,
    listing::check_page,
    session::{Session, wrong},
    transfer,
};
use crate::{
    Channels,
    channels::{Call, CallError, Peer, RpcError},
    cluster::{MapKeeper, NoRoute, Route},
    convert::{
        entries_from_wire, key_to_wire, order_to_wire, quarantined_from_wire,
        store_status_from_wire,
    },
    failure::{is_stale, is_wrong_target, shard_error_from_status},
    limits::{CALLS_PER_ENDPOINT_MAX, SHARD_ITEMS_MAX},
};

/// A disk of another node.
///
/// Every request says which node, disk and generation is meant and how new the caller's map is; an
/// answer from anywhere else is refused. A node that finds the map too old has it read anew, once,
/// and is asked again.
pub struct RemoteShardStore {
    disk: DiskId,
    name: String,
    keeper: Arc<MapKeeper>,
    channels: Channels,
    deadlines: Deadlines,
}

impl RemoteShardStore {
    pub(crate) fn new(
        disk: DiskId,
        name: String,
        keeper: Arc<MapKeeper>,
        channels: Channels,
        deadlines: Deadlines,
    ) -> Self {
        Self { disk, name, keeper, channels, deadlines }
    }

    async fn control<T, F>(
        &self,
        operation: &'static str,
        limit: Duration,
        rpc: impl Fn(Session) -> F + Send + Sync,
    ) -> Result<T, ShardError>
    where
        F: Future<Output = Result<T, RpcError>> + Send,
    {
        self.call(operation, Call::Control(Instant::now() + limit), rpc).await
    }

    async fn bulk<T, F>(
        &self,
        operation: &'static str,
        limit: Duration,
        rpc: impl Fn(Session) -> F + Send + Sync,
    ) -> Result<T, ShardError>
    where
        F: Future<Output = Result<T, RpcError>> + Send,
    {
        self.call(operation, Call::Bulk(Instant::now() + limit), rpc).await
    }

    async fn call<T, F>(
        &self,
        operation: &'static str,
        call: Call,
        rpc: impl Fn(Session) -> F + Send + Sync,
    ) -> Result<T, ShardError>
    where
        F: Future<Output = Result<T, RpcError>> + Send,
    {
        let mut map = self.keeper.map();
        let mut is_map_fresh = false;
        loop {
            let route = Route::find(&map, self.disk).map_err(|none| self.offline(none))?;
            let peer = self.channels.peer(&route.endpoint).map_err(|error| {
                self.offline(NoRoute { name: route.name, reason: error.to_string() })
            })?;
            let session = |channel| {
                let (target, map) = (route.target, map.clone());
                let client = ShardClient::new(channel);
                rpc(Session { client, target, map, deadline: call.deadline() })
            };
            let error = match peer.call(call, session).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let is_map_old = matches!(
                &error,
                CallError::Failed(status) if is_stale(status) || is_wrong_target(status)
            );
            if !is_map_old || is_map_fresh {
                return Err(self.error(operation, &peer, error));
            }
            match timeout_at(call.deadline(), self.keeper.refresh()).await {
                Ok(Ok(newer)) => map = newer,
                // What the node said tells more than that the ledger is away too.
                Ok(Err(_)) | Err(_) => return Err(self.error(operation, &peer, error)),
            }
            is_map_fresh = true;
        }
    }

    fn error(&self, operation: &'static str, peer: &Peer, error: CallError) -> ShardError {
        let store = self.name.clone();
        match error {
            CallError::Failed(status) => shard_error_from_status(&status, &store, operation),
            CallError::Busy => {
                let endpoint = peer.endpoint();
                let reason = format!("{CALLS_PER_ENDPOINT_MAX} calls to {endpoint} are under way");
                ShardError::Overloaded { store, reason }
            }
            error => ShardError::Io { store, operation, reason: peer.error(error).to_string() },
        }
    }

    fn offline(&self, NoRoute { reason, .. }: NoRoute) -> ShardError {
        ShardError::Offline { store: self.name.clone(), reason }
    }
}

#[async_trait]
impl ShardStore for RemoteShardStore {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        self.bulk("write", self.deadlines.write, |session| transfer::write(session, shard.clone()))
            .await
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        self.bulk("read", self.deadlines.read, |session| {
            transfer::read(session, *key, range.clone())
        })
        .await
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let limit = limit.clamp(1, SHARD_ITEMS_MAX);
        self.control("list", self.deadlines.list, |mut session| async move {
            let request = session.request(ListRequest {
                target: Some(session.target.to_wire()),
                vault: vault.0,
                evidence_id: evidence_id.as_bytes().to_vec(),
                chunk: None,
                after: after.as_ref().map(key_to_wire),
                limit: wire_limit(limit),
            });
            let answer = session.client.list(request).await?.into_inner();
            session.check_answerer(answer.answerer.as_ref())?;
            let items = entries_from_wire(answer.items).map_err(wrong)?;
            let is_wanted = |key: &ShardKey| key.vault == vault && key.evidence_id == evidence_id;
            check_page(&items, answer.more, limit, after, is_wanted)
                .map_err(RpcError::WrongAnswer)?;
            Ok(ShardPage { items, more: answer.more })
        })
        .await
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        self.control("list", self.deadlines.list, |mut session| async move {
            let request = session.request(ListRequest {
                target: Some(session.target.to_wire()),
                vault: vault.0,
                evidence_id: evidence_id.as_bytes().to_vec(),
                chunk: Some(chunk.0),
                after: None,
                limit: wire_limit(SHARD_ITEMS_MAX),
            });
            let answer = session.client.list(request).await?.into_inner();
            session.check_answerer(answer.answerer.as_ref())?;
            let items = entries_from_wire(answer.items).map_err(wrong)?;
            let is_wanted = |key: &ShardKey| {
                key.vault == vault && key.evidence_id == evidence_id && key.chunk == chunk
            };
            check_page(&items, false, SHARD_ITEMS_MAX, None, is_wanted)
                .map_err(RpcError::WrongAnswer)?;
            Ok(items)
        })
        .await
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let limit = limit.clamp(1, SHARD_ITEMS_MAX);
        self.control("list", self.deadlines.list, |mut session| async move {
            let request = session.request(ListAllRequest {
                target: Some(session.target.to_wire()),
                vault: vault.map(|vault| vault.0),
                after: after.as_ref().map(key_to_wire),
                limit: wire_limit(limit),
            });
            let answer = session.client.list_all(request).await?.into_inner();
            session.check_answerer(answer.answerer.as_ref())?;
            let items = entries_from_wire(answer.items).map_err(wrong)?;
            let is_wanted = |key: &ShardKey| vault.is_none_or(|vault| key.vault == vault);
            check_page(&items, answer.more, limit, after, is_wanted)
                .map_err(RpcError::WrongAnswer)?;
            Ok(ShardPage { items, more: answer.more })
        })
        .await
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        self.control("verify", self.deadlines.verify, |mut session| async move {
            let request = session.request(VerifyRequest {
                target: Some(session.target.to_wire()),
                key: Some(key_to_wire(key)),
            });
            let answer = session.client.verify(request).await?.into_inner();
            session.check_answerer(answer.answerer.as_ref())
        })
        .await
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        let limit = limit.clamp(1, SHARD_ITEMS_MAX);
        self.control("list", self.deadlines.list, |mut session| async move {
            let request = session.request(ListQuarantineRequest {
                target: Some(session.target.to_wire()),
                limit: wire_limit(limit),
            });
            let answer = session.client.list_quarantine(request).await?.into_inner();
            let mut items = quarantined_from_wire(answer.items);
            items.truncate(limit);
            Ok(items)
        })
        .await
    }

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        for keys in keys.chunks(SHARD_ITEMS_MAX) {
            self.control("remove", self.deadlines.remove, |mut session| async move {
                let (reason, ledger_index) = order_to_wire(order);
                let request = session.request(RemoveRequest {
                    target: Some(session.target.to_wire()),
                    keys: keys.iter().map(key_to_wire).collect(),
                    reason: reason.into(),
                    ledger_index,
                });
                let answer = session.client.remove(request).await?.into_inner();
                session.check_answerer(answer.answerer.as_ref())
            })
            .await?;
        }
        Ok(())
    }

    async fn status(&self) -> StoreStatus {
        let disk = self.disk;
        let answer = self.control("status", self.deadlines.status, |mut session| async move {
            let request = session.request(StatusRequest {});
            let answer = session.client.status(request).await?.into_inner();
            if answer.node_id != session.target.node_id.0 {
                let reason = format!("node {:?} answers", answer.name);
                return Err(RpcError::WrongAnswer(reason));
            }
            let found = answer.disks.into_iter().find(|found| found.disk_id == disk.0);
            let reason = || "the node does not know the disk".to_owned();
            found.ok_or_else(|| RpcError::WrongAnswer(reason()))
        });
        match answer.await {
            Ok(found) => StoreStatus { name: self.name.clone(), ..store_status_from_wire(found) },
            Err(error) => StoreStatus {
                name: self.name.clone(),
                offline: Some(error.to_string()),
                ..StoreStatus::default()
            },
        }
    }
}

fn wire_limit(limit: usize) -> u32 {
    u32::try_from(limit).expect("at most 1000")
}
