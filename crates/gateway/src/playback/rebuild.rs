use std::{collections::BTreeSet, ops::Range};

use bytes::Bytes;
use custos_codec::{
    ChunkOpener, DataKey, OpenError, Outboard, ShardHeader, encode_shard, find_inconsistent,
    rebuild_data,
};
use custos_core::ShardSlot;
use tracing::warn;

use super::{
    fetch::{OpenedChunk, open_frames},
    shard_reads::{FindingState, GoodShard, ShardReads},
    source::ChunkSource,
};
use crate::{
    Gateway, GatewayError,
    buffers::Reservation,
    error::{ShardUnusable, damaged},
    homes::Homes,
};

/// Selections of k shards that are tried before a chunk is given up: all of 14 choose 10.
const SELECTIONS_MAX: usize = 1001;
/// Selections that are looked at, those with two shards of one slot included.
const SELECTIONS_SEEN_MAX: usize = 100_000;

/// A chunk of which some k shards open and verify.
struct Rebuilt {
    /// The sealed chunk with the frames that were asked for opened in place.
    opened: Vec<u8>,
    outboard: Outboard,
    header: ShardHeader,
    /// Which of the good shards it was made of.
    selection: Vec<usize>,
}

/// Shards that were coded again from others that verified.
pub(crate) struct Recoded {
    pub(crate) shards: Vec<RecodedShard>,
    /// The shards are outside the pool; the budget counts them while they live.
    _reservation: Reservation,
}

/// One shard, byte for byte as it was first written.
pub(crate) struct RecodedShard {
    pub(crate) slot: ShardSlot,
    pub(crate) header: Bytes,
    pub(crate) payload: Bytes,
}

impl Gateway {
    /// Rebuilds a chunk from any k shards whose opened frames verify, asking parity shards as data
    /// shards fail or dawdle, and names every shard that is missing, corrupt or lies. What is wrong
    /// at home is mended in the background.
    pub(super) async fn fetch_rebuilt(
        &self,
        key: &DataKey,
        source: ChunkSource,
        homes: &Homes,
        frames: Range<usize>,
    ) -> Result<OpenedChunk, GatewayError> {
        // k shards as read, and the chunk rebuilt from them.
        let data_bytes = source.layout().shard_len() * source.profile.data();
        let mut reservation = self.inner.playback_buffers.reserve(2 * data_bytes).await?;
        let mut reads = ShardReads::start(self, homes, source);
        let rebuilt = gather_and_open(&mut reads, key, source, &frames).await?;
        self.mend(key, source, std::mem::take(&mut reads.findings));
        drop(reads);
        // A chunk that was read ahead must not keep the one before it from being read.
        reservation.shrink(data_bytes);
        let bytes = reservation.hold(rebuilt.opened);
        Ok(OpenedChunk::new(source.layout(), rebuilt.outboard, bytes, frames))
    }

    /// Codes shards again from k others. All of the chunk is opened and verified first: nothing is
    /// made of shards that lie.
    pub(crate) async fn recode(
        &self,
        key: &DataKey,
        source: ChunkSource,
        slots: &[ShardSlot],
    ) -> Result<Recoded, GatewayError> {
        let homes = self.homes(source.vault, source.profile).await?;
        let layout = source.layout();
        let shard_len = layout.shard_len();
        let data_bytes = shard_len * source.profile.data();
        let needed = 2 * data_bytes + shard_len * slots.len();
        let reservation = self.inner.playback_buffers.reserve(needed).await?;
        let mut reads = ShardReads::start(self, &homes, source);
        let rebuilt = gather_and_open(&mut reads, key, source, &(0..layout.frames())).await?;
        let verified = selected(&reads.good, &rebuilt.selection);
        drop(rebuilt.opened);
        let sealed = rebuild_data(source.profile, shard_len, &verified).expect("was just rebuilt");
        let shards = slots
            .iter()
            .map(|&slot| RecodedShard {
                slot,
                header: ShardHeader { slot, ..rebuilt.header.clone() }.encode().into(),
                payload: encode_shard(source.profile, shard_len, &sealed, slot).into(),
            })
            .collect();
        Ok(Recoded { shards, _reservation: reservation })
    }
}

/// Gathers shards until some k of them open and verify.
async fn gather_and_open(
    reads: &mut ShardReads<'_>,
    key: &DataKey,
    source: ChunkSource,
    frames: &Range<usize>,
) -> Result<Rebuilt, GatewayError> {
    let mut last_error = None;
    loop {
        if !reads.gather_one_more().await {
            return Err(match last_error {
                Some(error) => damaged(source.evidence_id, source.chunk, &error),
                None => reads.too_few(),
            });
        }
        match try_selections(key, source, frames, &reads.good) {
            Ok(rebuilt) => {
                if reads.good.len() > source.profile.data() {
                    name_liars(reads, source, &rebuilt.selection);
                }
                return Ok(rebuilt);
            }
            Err(error) => last_error = error.or(last_error),
        }
    }
}

/// Tries selections of k shards of distinct slots that include the newest one. No error when there
/// was none to try.
fn try_selections(
    key: &DataKey,
    source: ChunkSource,
    frames: &Range<usize>,
    good: &[GoodShard],
) -> Result<Rebuilt, Option<OpenError>> {
    let layout = source.layout();
    let newest = good.len() - 1;
    let header = &good[newest].header;
    let opener = ChunkOpener::new(key, header);
    let mut last_error = None;
    let all = selections(newest, source.profile.data() - 1).take(SELECTIONS_SEEN_MAX);
    let of_distinct_slots = all.filter_map(|mut selection| {
        selection.push(newest);
        let slots: BTreeSet<_> = selection.iter().map(|&at| good[at].slot).collect();
        (slots.len() == selection.len()).then_some(selection)
    });
    for selection in of_distinct_slots.take(SELECTIONS_MAX) {
        let shards = selected(good, &selection);
        let opened =
            rebuild_data(source.profile, layout.shard_len(), &shards).and_then(|mut sealed| {
                let outboard = open_frames(&opener, &layout, frames, &mut sealed)?;
                Ok((sealed, outboard))
            });
        match opened {
            Ok((opened, outboard)) => {
                return Ok(Rebuilt { opened, outboard, header: header.clone(), selection });
            }
            Err(error) => last_error = Some(error),
        }
    }
    Err(last_error)
}

/// Names the shards that contradict a selection that verified.
fn name_liars(reads: &mut ShardReads<'_>, source: ChunkSource, selection: &[usize]) {
    let shard_len = source.layout().shard_len();
    let verified = selected(&reads.good, selection);
    let data = rebuild_data(source.profile, shard_len, &verified).expect("was just rebuilt");
    let liars: Vec<_> = reads
        .good
        .iter()
        .filter(|shard| {
            let given = [(shard.slot, shard.payload.as_ref())];
            !find_inconsistent(source.profile, shard_len, &data, &given).is_empty()
        })
        .map(|shard| (shard.slot, shard.store.clone()))
        .collect();
    for (slot, store) in liars {
        let liar = ShardUnusable::Lies { store: store.name().to_owned() };
        warn!(evidence = %source.evidence_id, chunk = %source.chunk, failure = %liar, "bad shard");
        reads.note_finding(slot, &store, FindingState::Damaged, liar.to_string());
    }
}

fn selected<'a>(good: &'a [GoodShard], selection: &[usize]) -> Vec<(ShardSlot, &'a [u8])> {
    selection.iter().map(|&at| (good[at].slot, good[at].payload.as_ref())).collect()
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
