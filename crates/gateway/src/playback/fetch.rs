use std::ops::Range;

use bytes::Bytes;
use custos_codec::{ChunkLayout, ChunkOpener, DataKey, Outboard, ShardHeader};
use custos_core::{ShardSlot, units};
use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, timeout_at};
use tracing::{debug, warn};

use super::source::ChunkSource;
use crate::{
    Gateway, GatewayError,
    error::ShardUnusable,
    homes::Homes,
    stores::{Operation, Standing, StoreAccess},
};

/// Verified frames of a chunk.
pub(crate) struct OpenedChunk {
    layout: ChunkLayout,
    pub(crate) outboard: Outboard,
    bytes: Bytes,
    opened: Range<usize>,
}

impl OpenedChunk {
    pub(super) fn new(
        layout: ChunkLayout,
        outboard: Outboard,
        bytes: Bytes,
        opened: Range<usize>,
    ) -> Self {
        Self { layout, outboard, bytes, opened }
    }

    /// Plaintext of a frame that was asked for.
    pub(crate) fn frame(&self, frame: usize) -> Bytes {
        assert!(self.opened.contains(&frame), "frame {frame} was not opened");
        let start = self.layout.frame_range(frame).start;
        let left = self.layout.plain_len() - frame * units::FRAME_BYTES;
        self.bytes.slice(start..start + left.min(units::FRAME_BYTES))
    }

    /// Plain BLAKE3 of the evidence if this chunk is all of it. A chunk of one frame has that
    /// frame opened, whatever was asked for.
    pub(crate) fn hash_if_only(&self) -> custos_core::Blake3Hash {
        let first = if self.layout.frames() == 1 { self.frame(0) } else { Bytes::new() };
        self.outboard.hash_if_only(&first)
    }

    /// The frames that were asked for, one after the other.
    pub(crate) fn concat(&self) -> Vec<u8> {
        self.opened.clone().flat_map(|frame| self.frame(frame)).collect()
    }
}

impl Gateway {
    /// Fetches and verifies frames of a chunk: straight from the data shards when these answer in
    /// time and verify, else rebuilt from any k shards that do.
    pub(crate) async fn fetch_chunk(
        &self,
        key: &DataKey,
        source: ChunkSource,
        frames: Range<usize>,
    ) -> Result<OpenedChunk, GatewayError> {
        let homes = self.homes(source.vault, source.profile).await?;
        self.inner.hedges.earn();
        match self.fetch_direct(key, source, &homes, frames.clone()).await? {
            Ok(opened) => return Ok(opened),
            Err(Unusable::Slow) => {
                self.metrics().hedged_reads.inc();
                debug!(evidence = %source.evidence_id, chunk = %source.chunk, "hedging a slow read");
            }
            Err(Unusable::Suspect { store }) => {
                self.metrics().degraded_reads.inc();
                debug!(
                    evidence = %source.evidence_id, chunk = %source.chunk, store,
                    "reading the chunk without a suspect store"
                );
            }
            Err(unusable) => {
                self.metrics().degraded_reads.inc();
                warn!(
                    evidence = %source.evidence_id, chunk = %source.chunk, reason = %unusable,
                    "reading the chunk from other shards"
                );
            }
        }
        self.fetch_rebuilt(key, source, &homes, frames).await
    }

    /// Reads just the bytes that the frames need from the data shards.
    async fn fetch_direct(
        &self,
        key: &DataKey,
        source: ChunkSource,
        homes: &Homes,
        frames: Range<usize>,
    ) -> Result<Result<OpenedChunk, Unusable>, GatewayError> {
        let layout = source.layout();
        let mut wanted = Vec::new();
        for piece in pieces(&layout, &frames) {
            let store = self.store(homes.disk(piece.slot));
            if store.standing(Operation::Read) == Standing::Suspect {
                return Ok(Err(Unusable::Suspect { store: store.name().to_owned() }));
            }
            wanted.push((piece, store));
        }
        let mut buffer =
            self.inner.playback_buffers.acquire(layout.shard_len() * source.profile.data()).await?;
        let mut reads: FuturesUnordered<_> = wanted
            .into_iter()
            .map(|(piece, store)| async move {
                let started = Instant::now();
                let read = store.read(&source.key(piece.slot), Some(piece.range())).await;
                (piece, store, started.elapsed(), read)
            })
            .collect();
        let hedge_after = self.inner.read_latency.hedge_after();
        let hedge_at = Instant::now() + hedge_after;
        let mut may_hedge = true;
        let mut header = None;
        loop {
            let next = if may_hedge {
                timeout_at(hedge_at, reads.next()).await
            } else {
                // Each read ends within its own deadline.
                Ok(reads.next().await)
            };
            let (piece, store, took, read) = match next {
                Ok(Some(done)) => done,
                Ok(None) => break,
                Err(_) => {
                    // At least this long: so the window learns when disks get slower.
                    for _ in 0..reads.len() {
                        self.inner.read_latency.record(hedge_after);
                    }
                    if self.inner.hedges.spend() {
                        return Ok(Err(Unusable::Slow));
                    }
                    may_hedge = false;
                    continue;
                }
            };
            let read = match read {
                Ok(read) => read,
                Err(error) => return Ok(Err(ShardUnusable::Store(error).into())),
            };
            self.inner.read_latency.record(took);
            let found = match check_header(source, piece.slot, &store, &read.header) {
                Ok(found) => found,
                Err(unusable) => return Ok(Err(unusable.into())),
            };
            if read.payload.len() != piece.len {
                let store = store.name().to_owned();
                let (found, expected) = (read.payload.len(), piece.len);
                return Ok(Err(ShardUnusable::Length { store, found, expected }.into()));
            }
            header.get_or_insert(found);
            let at = usize::from(piece.slot.0) * layout.shard_len() + piece.start;
            buffer[at..at + piece.len].copy_from_slice(&read.payload);
        }
        drop(reads);
        let header = header.ok_or_else(|| GatewayError::Internal {
            reason: "a chunk without shards was asked for".to_owned(),
        })?;
        let opener = ChunkOpener::new(key, &header);
        match open_frames(&opener, &layout, &frames, &mut buffer) {
            Ok(outboard) => Ok(Ok(OpenedChunk::new(layout, outboard, buffer.freeze(), frames))),
            Err(error) => Ok(Err(Unusable::DoesNotOpen(error))),
        }
    }
}

/// The header as it should be, or why the shard is of no use.
pub(super) fn check_header(
    source: ChunkSource,
    slot: ShardSlot,
    store: &StoreAccess,
    bytes: &[u8],
) -> Result<ShardHeader, ShardUnusable> {
    let checked = ShardHeader::decode(bytes).and_then(|header| {
        header.expect_identity(source.evidence_id, source.chunk, slot, source.salt).map(|()| header)
    });
    let store = store.name().to_owned();
    match checked {
        Ok(header) if header.plain_len == source.plain_len => Ok(header),
        Ok(header) => {
            let (found, expected) = (header.plain_len, source.plain_len);
            Err(ShardUnusable::Length { store, found, expected })
        }
        Err(reason) => Err(ShardUnusable::Header { store, reason }),
    }
}

/// Why the direct way did not do.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Shard(#[from] ShardUnusable),
    #[error("a data shard did not answer in time")]
    Slow,
    #[error("{store} is suspect")]
    Suspect { store: String },
    #[error("{0}")]
    DoesNotOpen(custos_codec::OpenError),
}

/// Opens and verifies frames in place.
pub(super) fn open_frames(
    opener: &ChunkOpener,
    layout: &ChunkLayout,
    frames: &Range<usize>,
    sealed: &mut [u8],
) -> Result<Outboard, custos_codec::OpenError> {
    let outboard = opener.outboard(&mut sealed[layout.outboard_range()])?;
    for frame in frames.clone() {
        opener.frame(&outboard, frame, &mut sealed[layout.frame_range(frame)])?;
    }
    Ok(outboard)
}

/// A contiguous part of one data shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    slot: ShardSlot,
    start: usize,
    len: usize,
}

impl Piece {
    fn range(self) -> Range<u64> {
        self.start as u64..(self.start + self.len) as u64
    }
}

/// Cuts the sealed bytes that the frames need (theirs and the outboard's) along the data shards.
fn pieces(layout: &ChunkLayout, frames: &Range<usize>) -> Vec<Piece> {
    let shard_len = layout.shard_len();
    let outboard = layout.outboard_range();
    let mut wanted = vec![outboard.clone()];
    if !frames.is_empty() {
        let first = layout.frame_range(frames.start).start;
        let end = layout.frame_range(frames.end - 1).end;
        // The last frame and the outboard are neighbours: one read serves both.
        if end == outboard.start {
            wanted[0].start = first;
        } else {
            wanted.insert(0, first..end);
        }
    }
    let mut pieces = Vec::new();
    for range in wanted {
        let mut at = range.start;
        while at < range.end {
            let index = at / shard_len;
            let end = range.end.min((index + 1) * shard_len);
            let slot = ShardSlot(u8::try_from(index).expect("at most 10 data shards"));
            pieces.push(Piece { slot, start: at - index * shard_len, len: end - at });
            at = end;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use custos_core::ErasureProfile;

    use super::*;

    #[test]
    fn pieces_cover_the_frames_and_the_outboard_and_nothing_else() {
        let layout = ChunkLayout::new(ErasureProfile::P4_2, 8 << 20);
        let whole = pieces(&layout, &(0..128));
        assert_eq!(whole.iter().map(|piece| piece.len).sum::<usize>(), layout.sealed_len());
        assert_eq!(whole.len(), 4);
        let one = pieces(&layout, &(0..1));
        let first = Piece { slot: ShardSlot(0), start: 0, len: units::FRAME_BYTES + 16 };
        assert_eq!(one[0], first);
        assert_eq!(one[1..].iter().map(|piece| piece.len).sum::<usize>(), 128 * 32 + 16);
    }
}
