use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use custos_codec::{
    ChunkOpener, DataKey, OpenError, Outboard, ShardHeader, find_inconsistent, rebuild_data,
};
use custos_core::ShardSlot;
use custos_ports::ShardStore;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};
use tracing::warn;

use super::fetch::{ChunkSource, OpenedChunk, open_frames};
use crate::{
    Gateway, GatewayError,
    error::{ShardUnusable, damaged, join_failures, no_answer},
};

/// Selections of k shards that are tried before a chunk is given up: all of 14 choose 10.
const SELECTIONS_MAX: usize = 1001;

struct GoodShard {
    slot: usize,
    header: ShardHeader,
    payload: Bytes,
}

impl Gateway {
    /// Rebuilds a chunk from any k shards whose opened frames verify, asking parity shards as data
    /// shards fail or dawdle, and names every shard that is missing, corrupt or lies.
    pub(super) async fn fetch_rebuilt(
        &self,
        key: &DataKey,
        source: ChunkSource,
        frames: Range<usize>,
    ) -> Result<OpenedChunk, GatewayError> {
        // k shards as read, and the chunk rebuilt from them.
        let data_bytes = source.layout().shard_len() * source.profile.data();
        let reservation = self.inner.playback_buffers.reserve(2 * data_bytes).await?;
        let mut reads = ShardReads::start(self, source);
        let mut last_error = None;
        loop {
            let enough = reads.gather_one_more(self).await;
            if !enough {
                return Err(match last_error {
                    Some(error) => damaged(source.evidence_id, source.chunk, &error),
                    None => reads.too_few(),
                });
            }
            match self.try_selections(key, source, &frames, &reads.good) {
                Ok((opened, outboard)) => {
                    let bytes = reservation.hold(opened);
                    return Ok(OpenedChunk::new(source.layout(), outboard, bytes, frames));
                }
                Err(error) => last_error = Some(error),
            }
        }
    }

    /// Tries selections of k shards that include the newest one.
    fn try_selections(
        &self,
        key: &DataKey,
        source: ChunkSource,
        frames: &Range<usize>,
        good: &[GoodShard],
    ) -> Result<(Vec<u8>, Outboard), OpenError> {
        let layout = source.layout();
        let newest = good.len() - 1;
        let mut last_error = None;
        for older in selections(newest, source.profile.data() - 1).take(SELECTIONS_MAX) {
            let shards: Vec<_> = older
                .into_iter()
                .chain([newest])
                .map(|at| (slot_of(&good[at]), good[at].payload.as_ref()))
                .collect();
            let opener = ChunkOpener::new(key, &good[newest].header);
            let shard_len = layout.shard_len();
            let opened = rebuild_data(source.profile, shard_len, &shards).and_then(|mut sealed| {
                open_frames(&opener, &layout, frames, &mut sealed)
                    .map(|outboard| (sealed, outboard))
            });
            match opened {
                Ok((opened, outboard)) => {
                    if good.len() > source.profile.data() {
                        self.name_liars(source, good, &shards);
                    }
                    return Ok((opened, outboard));
                }
                Err(error) => last_error = Some(error),
            }
        }
        Err(last_error.expect("at least one selection was tried"))
    }

    /// Names the shards that contradict a selection that verified.
    fn name_liars(&self, source: ChunkSource, good: &[GoodShard], verified: &[(ShardSlot, &[u8])]) {
        let shard_len = source.layout().shard_len();
        let data = rebuild_data(source.profile, shard_len, verified).expect("was just rebuilt");
        let shards: Vec<_> =
            good.iter().map(|shard| (slot_of(shard), shard.payload.as_ref())).collect();
        for slot in find_inconsistent(source.profile, shard_len, &data, &shards) {
            let store = self.store_name(usize::from(slot.0));
            let liar = ShardUnusable::Lies { store };
            warn!(evidence = %source.evidence_id, chunk = %source.chunk, failure = %liar, "bad shard");
            self.metrics().corrupt_shards.inc();
        }
    }
}

fn slot_of(shard: &GoodShard) -> ShardSlot {
    ShardSlot(u8::try_from(shard.slot).expect("at most 14 slots"))
}

/// Reads of whole shards: k at first, then one more whenever one fails or dawdles.
struct ShardReads {
    source: ChunkSource,
    running: JoinSet<(usize, Result<custos_ports::ShardRead, ShardUnusable>)>,
    unasked: std::ops::Range<usize>,
    good: Vec<GoodShard>,
    failures: Vec<ShardUnusable>,
}

impl ShardReads {
    fn start(gateway: &Gateway, source: ChunkSource) -> Self {
        let mut reads = Self {
            source,
            running: JoinSet::new(),
            unasked: 0..source.profile.total(),
            good: Vec::new(),
            failures: Vec::new(),
        };
        for _ in 0..source.profile.data() {
            reads.ask_next(gateway);
        }
        reads
    }

    fn ask_next(&mut self, gateway: &Gateway) {
        let Some(slot) = self.unasked.next() else { return };
        let store: Arc<dyn ShardStore> = gateway.store(slot).clone();
        let key = self.source.key(slot);
        let deadline = gateway.inner.options.read_deadline;
        let gateway = gateway.clone();
        self.running.spawn(async move {
            let started = Instant::now();
            let read = timeout(deadline, store.read(&key, None)).await;
            let read = read.unwrap_or_else(|_| Err(no_answer(store.as_ref(), "read")));
            gateway.inner.read_latency.record(started.elapsed());
            (slot, read.map_err(ShardUnusable::Store))
        });
    }

    /// Gathers until there are k good shards, or one more than at the last call; `false` when
    /// there are no more to be had.
    async fn gather_one_more(&mut self, gateway: &Gateway) -> bool {
        let wanted = self.source.profile.data().max(self.good.len() + 1);
        if self.running.is_empty() {
            self.ask_next(gateway);
        }
        while self.good.len() < wanted {
            let hedge_at = Instant::now() + gateway.inner.read_latency.hedge_after();
            let done = match timeout_at(hedge_at, self.running.join_next()).await {
                Ok(Some(done)) => done,
                Ok(None) => return false,
                Err(_) if self.unasked.is_empty() => match self.running.join_next().await {
                    Some(done) => done,
                    None => return false,
                },
                Err(_) => {
                    self.ask_next(gateway);
                    continue;
                }
            };
            let (slot, read) = done.expect("a shard read does not panic");
            if let Err(failure) = self.judge(gateway, slot, read) {
                warn!(
                    evidence = %self.source.evidence_id, chunk = %self.source.chunk, %failure,
                    "shard cannot be used"
                );
                if !matches!(&failure, ShardUnusable::Store(error) if error.kind() != custos_core::ErrorKind::Integrity)
                {
                    gateway.metrics().corrupt_shards.inc();
                }
                self.failures.push(failure);
                self.ask_next(gateway);
            }
        }
        true
    }

    fn judge(
        &mut self,
        gateway: &Gateway,
        slot: usize,
        read: Result<custos_ports::ShardRead, ShardUnusable>,
    ) -> Result<(), ShardUnusable> {
        let read = read?;
        let header = gateway.check_header(self.source, slot, &read.header)?;
        let expected = self.source.layout().shard_len();
        if read.payload.len() != expected {
            let store = gateway.store_name(slot);
            return Err(ShardUnusable::Length { store, found: read.payload.len(), expected });
        }
        self.good.push(GoodShard { slot, header, payload: read.payload });
        Ok(())
    }

    fn too_few(&self) -> GatewayError {
        GatewayError::TooFewShards {
            evidence_id: self.source.evidence_id,
            chunk: self.source.chunk.to_string(),
            found: self.good.len(),
            needed: self.source.profile.data(),
            failures: join_failures(&self.failures),
        }
    }
}

/// Every way to take `take` of the first `of` items, in lexicographic order.
fn selections(of: usize, take: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut next = (take <= of).then(|| (0..take).collect::<Vec<_>>());
    std::iter::from_fn(move || {
        let current = next.take()?;
        let movable = (0..take).rev().find(|&at| current[at] < of - take + at);
        next = movable.map(|at| {
            let mut following = current.clone();
            following[at] += 1;
            for after in at + 1..take {
                following[after] = following[after - 1] + 1;
            }
            following
        });
        Some(current)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selections_are_all_and_each_once() {
        assert_eq!(selections(3, 2).collect::<Vec<_>>(), [vec![0, 1], vec![0, 2], vec![1, 2]]);
        assert_eq!(selections(3, 3).count(), 1);
        assert_eq!(selections(5, 3).count(), 10);
        assert_eq!(selections(2, 3).count(), 0);
        assert_eq!(selections(4, 0).count(), 1);
    }
}
