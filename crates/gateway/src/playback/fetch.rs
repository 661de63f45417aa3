use std::ops::Range;

use bytes::Bytes;
use custos_codec::{ChunkLayout, ChunkOpener, DataKey, Outboard, ShardHeader};
use custos_core::{ChunkIndex, ErasureProfile, EvidenceId, Salt, ShardSlot, VaultId, units};
use custos_ports::ShardKey;
use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, debug, info_span, warn};

use crate::{Gateway, GatewayError, error::ShardUnusable};

/// One attempt at one chunk, and how long its plaintext is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkSource {
    pub(crate) evidence_id: EvidenceId,
    pub(crate) vault: VaultId,
    pub(crate) profile: ErasureProfile,
    pub(crate) chunk: ChunkIndex,
    pub(crate) salt: Salt,
    pub(crate) plain_len: usize,
}

impl ChunkSource {
    pub(crate) fn layout(&self) -> ChunkLayout {
        ChunkLayout::new(self.profile, self.plain_len)
    }

    pub(super) fn key(&self, slot: usize) -> ShardKey {
        ShardKey {
            vault: self.vault,
            evidence_id: self.evidence_id,
            chunk: self.chunk,
            slot: ShardSlot(u8::try_from(slot).expect("at most 14 slots")),
            salt: self.salt,
        }
    }
}

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
        match self.fetch_direct(key, source, frames.clone()).await {
            Ok(Ok(opened)) => Ok(opened),
            Ok(Err(Unusable::Slow)) => {
                debug!(evidence = %source.evidence_id, chunk = %source.chunk, "hedging a slow read");
                self.fetch_rebuilt(key, source, frames).await
            }
            Ok(Err(unusable)) => {
                warn!(
                    evidence = %source.evidence_id, chunk = %source.chunk, reason = %unusable,
                    "reading the chunk from other shards"
                );
                self.metrics().degraded_reads.inc();
                self.fetch_rebuilt(key, source, frames).await
            }
            Err(fatal) => Err(fatal),
        }
    }

    /// Reads just the bytes that the frames need from the data shards.
    async fn fetch_direct(
        &self,
        key: &DataKey,
        source: ChunkSource,
        frames: Range<usize>,
    ) -> Result<Result<OpenedChunk, Unusable>, GatewayError> {
        let layout = source.layout();
        let mut buffer =
            self.inner.playback_buffers.acquire(layout.shard_len() * source.profile.data()).await?;
        let mut reads: FuturesUnordered<_> = pieces(&layout, &frames)
            .into_iter()
            .map(|piece| async move {
                let started = Instant::now();
                let shard = source.key(piece.slot);
                let store = self.store(piece.slot);
                let span = info_span!("shard_read", store = store.name(), slot = piece.slot);
                let read = store.read(&shard, Some(piece.range())).instrument(span).await;
                (piece, started.elapsed(), read)
            })
            .collect();
        let hedge_after = self.inner.read_latency.hedge_after();
        let deadline = Instant::now() + hedge_after;
        let mut header = None;
        loop {
            let (piece, took, read) = match timeout_at(deadline, reads.next()).await {
                Ok(Some(done)) => done,
                Ok(None) => break,
                Err(_) => {
                    // At least this long: so the window learns when disks get slower.
                    for _ in 0..reads.len() {
                        self.inner.read_latency.record(hedge_after);
                    }
                    return Ok(Err(Unusable::Slow));
                }
            };
            let read = match read {
                Ok(read) => read,
                Err(error) => return Ok(Err(ShardUnusable::Store(error).into())),
            };
            self.inner.read_latency.record(took);
            let found = match self.check_header(source, piece.slot, &read.header) {
                Ok(found) => found,
                Err(unusable) => return Ok(Err(unusable.into())),
            };
            if read.payload.len() != piece.len {
                let store = self.store_name(piece.slot);
                let (found, expected) = (read.payload.len(), piece.len);
                return Ok(Err(ShardUnusable::Length { store, found, expected }.into()));
            }
            header.get_or_insert(found);
            let at = piece.slot * layout.shard_len() + piece.start;
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

    /// The header as it should be, or why the shard is of no use.
    pub(super) fn check_header(
        &self,
        source: ChunkSource,
        slot: usize,
        bytes: &[u8],
    ) -> Result<ShardHeader, ShardUnusable> {
        let expected_slot = source.key(slot).slot;
        let checked = ShardHeader::decode(bytes).and_then(|header| {
            header
                .expect_identity(source.evidence_id, source.chunk, expected_slot, source.salt)
                .map(|()| header)
        });
        match checked {
            Ok(header) if header.plain_len == source.plain_len => Ok(header),
            Ok(header) => Err(ShardUnusable::Length {
                store: self.store_name(slot),
                found: header.plain_len,
                expected: source.plain_len,
            }),
            Err(reason) => Err(ShardUnusable::Header { store: self.store_name(slot), reason }),
        }
    }

    pub(super) fn store_name(&self, slot: usize) -> String {
        self.store(slot).name().to_owned()
    }
}

/// Why the direct way did not do.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Shard(#[from] ShardUnusable),
    #[error("a data shard did not answer in time")]
    Slow,
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
    slot: usize,
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
            let slot = at / shard_len;
            let end = range.end.min((slot + 1) * shard_len);
            pieces.push(Piece { slot, start: at - slot * shard_len, len: end - at });
            at = end;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_frames_and_the_outboard_and_nothing_else() {
        let layout = ChunkLayout::new(ErasureProfile::P4_2, 8 << 20);
        let whole = pieces(&layout, &(0..128));
        assert_eq!(whole.iter().map(|piece| piece.len).sum::<usize>(), layout.sealed_len());
        assert_eq!(whole.len(), 4);
        let one = pieces(&layout, &(0..1));
        assert_eq!(one[0], Piece { slot: 0, start: 0, len: units::FRAME_BYTES + 16 });
        assert_eq!(one[1..].iter().map(|piece| piece.len).sum::<usize>(), 128 * 32 + 16);
    }
}
