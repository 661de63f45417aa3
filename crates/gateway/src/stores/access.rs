use std::{future::Future, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use custos_core::{ChunkIndex, DiskId, EvidenceId, VaultId};
use custos_ports::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite,
};
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tracing::{Instrument, info, info_span, warn};

use super::{
    Shared,
    health::{Cause, Operation, Seen, Standing, StoreHealth},
};

/// Shards that one store may have in its hands.
const SHARDS_PER_STORE_MAX: usize = 4;

/// What is remembered of one store.
pub(super) struct StoreState {
    disk: DiskId,
    /// Turns at writing. A store that hangs keeps the buffers of the shards it was given, so it is
    /// given few.
    turns: Arc<Semaphore>,
    health: Mutex<StoreHealth>,
}

impl StoreState {
    pub(super) fn new(disk: DiskId) -> Self {
        let turns = Arc::new(Semaphore::new(SHARDS_PER_STORE_MAX));
        Self { disk, turns, health: Mutex::default() }
    }

    pub(super) fn is_suspect(&self) -> bool {
        self.health.lock().suspicion().is_some()
    }

    /// It is forgotten: it no longer counts as suspect.
    pub(super) fn leave(&self, suspects: &Gauge) {
        if self.is_suspect() {
            suspects.dec();
        }
    }
}

/// One store: every call ends within its deadline and is remembered.
#[derive(Clone)]
pub(crate) struct StoreAccess {
    store: Arc<dyn ShardStore>,
    state: Arc<StoreState>,
    shared: Arc<Shared>,
}

impl StoreAccess {
    pub(super) fn new(
        store: Arc<dyn ShardStore>,
        state: Arc<StoreState>,
        shared: Arc<Shared>,
    ) -> Self {
        Self { store, state, shared }
    }

    pub(crate) fn disk(&self) -> DiskId {
        self.state.disk
    }

    pub(crate) fn name(&self) -> &str {
        self.store.name()
    }

    /// What may be asked of it now. Whoever is told `ProbeDue` is the one that tries it.
    pub(crate) fn standing(&self, operation: Operation) -> Standing {
        self.state.health.lock().standing(operation, Instant::now())
    }

    /// Why it is suspect, if it is.
    pub(crate) fn suspicion(&self) -> Option<Cause> {
        self.state.health.lock().suspicion().map(|suspicion| suspicion.cause)
    }

    /// Writes a shard when its turn comes.
    pub(crate) async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        let asked = Instant::now();
        let deadlines = self.shared.deadlines;
        let is_behind = self.suspicion() == Some(Cause::OutOfReach);
        let wait = if is_behind { Duration::ZERO } else { deadlines.in_time };
        let Ok(turn) = timeout(wait, self.state.turns.clone().acquire_owned()).await else {
            self.record(Operation::Write, asked, &Seen::NoAnswer);
            return Err(ShardError::Io {
                store: self.name().to_owned(),
                operation: "write",
                reason: "it is behind with what it was given before".to_owned(),
            });
        };
        let turn = turn.expect("turns are never closed");
        let held = Bytes::from_owner(Held { bytes: shard.payload, _turn: turn });
        let span = info_span!("shard_write", store = self.name(), slot = %shard.key.slot);
        let write = self.store.write(ShardWrite { payload: held, ..shard }).instrument(span);
        self.watch(Operation::Write, "write", deadlines.write, write).await
    }

    /// Takes note that a write is late, though it may still end.
    pub(crate) fn mark_late(&self, started: Instant) {
        self.record(Operation::Write, started, &Seen::NoAnswer);
    }

    pub(crate) async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        let span = info_span!("shard_read", store = self.name(), slot = %key.slot);
        let read = self.store.read(key, range).instrument(span);
        self.watch(Operation::Read, "read", self.shared.deadlines.read, read).await
    }

    /// Checks a shard where it lies; the deadline is that of a write, as all of it is read.
    pub(crate) async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        let verify = self.store.verify(key);
        self.watch(Operation::Read, "verify", self.shared.deadlines.write, verify).await
    }

    pub(crate) async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let list = self.store.list(vault, evidence_id, after, limit);
        self.watch(Operation::Read, "list", self.shared.deadlines.read, list).await
    }

    pub(crate) async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        let list = self.store.list_chunk(vault, evidence_id, chunk);
        self.watch(Operation::Read, "list", self.shared.deadlines.read, list).await
    }

    pub(crate) async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        let list = self.store.quarantine(limit);
        self.watch(Operation::Read, "list", self.shared.deadlines.read, list).await
    }

    pub(crate) async fn remove(
        &self,
        keys: &[ShardKey],
        order: RemovalOrder,
    ) -> Result<(), ShardError> {
        let removal = self.store.remove(keys, order);
        self.watch(Operation::Write, "remove", self.shared.deadlines.write, removal).await
    }

    async fn watch<T>(
        &self,
        operation: Operation,
        name: &'static str,
        deadline: Duration,
        call: impl Future<Output = Result<T, ShardError>>,
    ) -> Result<T, ShardError> {
        let started = Instant::now();
        let Ok(outcome) = timeout(deadline, call).await else {
            self.record(operation, started, &Seen::NoAnswer);
            return Err(ShardError::Io {
                store: self.name().to_owned(),
                operation: name,
                reason: "no answer within the deadline".to_owned(),
            });
        };
        match &outcome {
            Ok(_) => {
                let took = started.elapsed();
                let window = match operation {
                    Operation::Write => &self.shared.typical_write,
                    Operation::Read => &self.shared.typical_read,
                };
                let typical = window.record(took);
                self.record(operation, started, &Seen::Done { took, typical });
            }
            Err(error) => self.record(operation, started, &Seen::Failed(error)),
        }
        outcome
    }

    fn record(&self, operation: Operation, started: Instant, seen: &Seen<'_>) {
        let mut health = self.state.health.lock();
        let suspect_since = health.suspicion().map(|suspicion| suspicion.since);
        health.record(&self.shared.limits, operation, (started, Instant::now()), seen);
        match (suspect_since, health.suspicion()) {
            (None, Some(suspicion)) => {
                self.shared.suspects.inc();
                warn!(
                    store = self.name(), disk = %self.state.disk, why = %suspicion.why,
                    "store is suspect and spared"
                );
            }
            (Some(since), None) => {
                self.shared.suspects.dec();
                let spared_secs = since.elapsed().as_secs();
                info!(
                    store = self.name(), disk = %self.state.disk, spared_secs,
                    "store is used again"
                );
            }
            _ => {}
        }
    }
}

/// A shard's bytes; the turn ends when the store lets go of them.
struct Held {
    bytes: Bytes,
    _turn: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
