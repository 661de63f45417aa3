use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use custos_ports::{ShardError, ShardStore, ShardWrite};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use tracing::{Instrument, info_span};

use crate::error::no_answer;

/// Shards that one store may have in its hands.
const SHARDS_PER_SLOT_MAX: usize = 4;

/// Turns at one slot's store. A store that hangs keeps the buffers of the shards it was given, so
/// it is given few; and once it is known to be behind, chunks no longer wait for it.
pub(crate) struct SlotTurns {
    turns: Arc<Semaphore>,
    behind: AtomicBool,
}

impl Default for SlotTurns {
    fn default() -> Self {
        let turns = Arc::new(Semaphore::new(SHARDS_PER_SLOT_MAX));
        Self { turns, behind: AtomicBool::new(false) }
    }
}

impl SlotTurns {
    /// A write did not end in time: until one does, nobody waits for a turn here.
    pub(super) fn mark_behind(&self) {
        self.behind.store(true, Ordering::Relaxed);
    }

    /// Writes a shard when its turn comes.
    pub(super) async fn write(
        &self,
        store: &dyn ShardStore,
        shard: ShardWrite,
        in_time: Duration,
        deadline: Duration,
    ) -> Result<(), ShardError> {
        let wait = if self.behind.load(Ordering::Relaxed) { Duration::ZERO } else { in_time };
        let Ok(turn) = timeout(wait, self.turns.clone().acquire_owned()).await else {
            self.mark_behind();
            return Err(ShardError::Io {
                store: store.name().to_owned(),
                operation: "write",
                reason: "it is behind with what it was given before".to_owned(),
            });
        };
        let turn = turn.expect("turns are never closed");
        let held = Bytes::from_owner(Held { bytes: shard.payload, _turn: turn });
        let span = info_span!("shard_write", store = store.name(), slot = %shard.key.slot);
        let write = store.write(ShardWrite { payload: held, ..shard }).instrument(span);
        match timeout(deadline, write).await {
            Ok(outcome) => {
                self.behind.store(false, Ordering::Relaxed);
                outcome
            }
            Err(_) => {
                self.mark_behind();
                Err(no_answer(store, "write"))
            }
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
