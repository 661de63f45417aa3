use std::ops::Range;

use bytes::Bytes;
use custos_codec::{ChainingValue, Crown, DataKey, OpenError, RangeProver};
use custos_core::{
    Actor, ChunkIndex, EvidenceId, EvidenceRecord, LogIndex, Refusal, Rule, Salt, law::GrantScope,
    units::FRAME_BYTES,
};
use custos_ledger::{Answer, Command, Outcome, Query};
use tokio::task::JoinHandle;

use super::{ChunkSource, Upkeep, fetch::OpenedChunk, grant_watch::GrantWatch};
use crate::{Gateway, GatewayError, error::damaged, metrics::RunningGuard};

/// What a player asks for.
#[derive(Debug, Clone)]
pub struct ViewRequest {
    /// Which evidence.
    pub evidence_id: EvidenceId,
    /// First byte.
    pub start: u64,
    /// One past the last byte; the end of the evidence when `None`.
    pub end: Option<u64>,
    /// Why; goes on the custody log.
    pub purpose: Option<String>,
    /// What it is for.
    pub scope: GrantScope,
    /// The grant that it is under (rule R18).
    pub grant: Option<String>,
}

/// One frame with the tree nodes that prove it.
#[derive(Debug, Clone)]
pub struct ProvenFrame {
    /// Parent nodes in pre-order that were not sent yet, 64 bytes each.
    pub parents: Bytes,
    /// Plaintext of the whole frame.
    pub data: Bytes,
}

/// A view that is on the custody log: an ordered run of proven frames.
pub struct View {
    gateway: Gateway,
    record: EvidenceRecord,
    key: DataKey,
    /// Salt of each chunk's attempt that counts.
    salts: Vec<Salt>,
    /// Chaining value of each chunk from the crown; none for a single chunk.
    chunk_cvs: Vec<ChainingValue>,
    /// Begins with the first chunk.
    prover: Option<RangeProver>,
    range: Range<u64>,
    log_index: LogIndex,
    /// Frames still to be sent, over the whole evidence.
    frames: Range<u64>,
    ahead: Option<JoinHandle<Result<OpenedChunk, GatewayError>>>,
    /// Of the grant that it is under.
    watch: Option<GrantWatch>,
    _running: RunningGuard,
}

impl Gateway {
    /// One sealed record.
    ///
    /// # Errors
    /// `NotFound`, a refusal when the reader may not read it, or a ledger that does not answer.
    pub async fn evidence(
        &self,
        reader: &Actor,
        evidence_id: EvidenceId,
    ) -> Result<EvidenceRecord, GatewayError> {
        match self.query_by(reader, Query::Evidence(evidence_id)).await? {
            Answer::Evidence(Some(record)) => Ok(*record),
            Answer::Evidence(None) => {
                let reason = format!("no sealed evidence has the id {evidence_id}");
                Err(Refusal::not_found(Rule::R26, "evidence_id", reason).into())
            }
            _ => Err(GatewayError::unexpected("Evidence")),
        }
    }

    /// Opens a view: on the custody log before its first byte leaves.
    ///
    /// # Errors
    /// What the law refuses, a range outside the evidence, keys or a crown that do not open.
    pub async fn open_view(
        &self,
        actor: &Actor,
        request: ViewRequest,
    ) -> Result<View, GatewayError> {
        let evidence_id = request.evidence_id;
        let found = match self.query(Query::Evidence(evidence_id)).await? {
            Answer::Evidence(found) => found,
            _ => return Err(GatewayError::unexpected("Evidence")),
        };
        // The law judges what is not there and ranges that are not within, and logs the refusal.
        let end = request.end.or(found.as_ref().map(|record| record.parts.size));
        let command = Command::RecordView {
            evidence_id,
            start: request.start,
            end: end.unwrap_or(request.start),
            purpose: request.purpose,
            scope: request.scope,
            grant: request.grant.clone(),
        };
        let log_index = match self.submit(actor, command).await? {
            Outcome::ViewRecorded(index) => index,
            _ => return Err(GatewayError::unexpected("RecordView")),
        };
        let (Some(record), Some(end)) = (found, end) else {
            return Err(GatewayError::unexpected("RecordView of what is not there"));
        };
        let key = self.inner.deps.key_ring.unwrap(&record.wrapped_key, evidence_id)?;
        let range = request.start..end;
        let (salts, chunk_cvs) = self.read_crown(&key, &record).await?;
        self.mend_on_record(&key, &record, &salts);
        let frames = if range.is_empty() {
            0..0
        } else {
            range.start / FRAME_BYTES as u64..range.end.div_ceil(FRAME_BYTES as u64)
        };
        let _running = RunningGuard::new(&self.metrics().streams_running);
        let watch = request.grant.map(|grant| GrantWatch::new(self.clone(), grant, evidence_id));
        Ok(View {
            gateway: self.clone(),
            watch,
            record: *record,
            key,
            salts,
            chunk_cvs,
            prover: None,
            range,
            log_index,
            frames,
            ahead: None,
            _running,
        })
    }

    async fn read_crown(
        &self,
        key: &DataKey,
        record: &EvidenceRecord,
    ) -> Result<(Vec<Salt>, Vec<ChainingValue>), GatewayError> {
        let size = record.parts.size;
        let chunks = record.chunk_size.chunk_count(size);
        let head = record.parts.head_salt;
        let (Some(head), 2..) = (head, chunks) else {
            // Empty evidence has no chunk; a single chunk's outboard leads to the root by itself.
            return Ok((head.into_iter().collect(), Vec::new()));
        };
        let source = ChunkSource {
            evidence_id: record.evidence_id,
            vault: record.vault,
            profile: record.profile,
            chunk: ChunkIndex::CROWN,
            salt: head,
            plain_len: Crown::encoded_len(chunks),
            upkeep: upkeep(record),
        };
        let frames = 0..source.layout().frames();
        let bytes = self.fetch_chunk(key, source, frames).await?.concat();
        let crown = Crown::decode(&bytes, chunks).map_err(|error| GatewayError::ChunkDamaged {
            evidence_id: record.evidence_id,
            chunk: ChunkIndex::CROWN.to_string(),
            reason: error.to_string(),
        })?;
        if crown.root(size, record.chunk_size) != record.parts.blake3 {
            return Err(GatewayError::ChunkDamaged {
                evidence_id: record.evidence_id,
                chunk: ChunkIndex::CROWN.to_string(),
                reason: "it does not lead to the hash that the ledger seals".to_owned(),
            });
        }
        let salts = crown.entries.iter().map(|entry| entry.salt).collect();
        Ok((salts, crown.chaining_values()))
    }
}

impl View {
    /// The evidence.
    #[must_use]
    pub fn record(&self) -> &EvidenceRecord {
        &self.record
    }

    /// The bytes that are viewed.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.range.clone()
    }

    /// Whatever watches the grant that it is under; `None` without one.
    #[must_use]
    pub fn watch(&self) -> Option<GrantWatch> {
        self.watch.clone()
    }

    /// Entry of the custody log that records the view.
    #[must_use]
    pub fn log_index(&self) -> LogIndex {
        self.log_index
    }

    /// The next frames, all of one chunk; `None` after the last. The chunk after them is already
    /// being fetched.
    ///
    /// # Errors
    /// When a chunk can not be read or does not verify, or the grant was revoked or is over (rule
    /// R18): no byte of it is handed out then.
    pub async fn next_frames(&mut self) -> Result<Option<Vec<ProvenFrame>>, GatewayError> {
        let Some((index, frames)) = self.next_span(self.frames.start) else { return Ok(None) };
        let fetch = match self.ahead.take() {
            Some(fetch) => fetch,
            None => self.spawn_fetch(index, frames.clone()),
        };
        let after = self.first_frame_of(index) + frames.end as u64;
        if let Some((index, frames)) = self.next_span(after) {
            self.ahead = Some(self.spawn_fetch(index, frames));
        }
        let opened = fetch
            .await
            .map_err(|error| GatewayError::Internal { reason: format!("chunk read: {error}") })??;
        self.check_chunk(index, &opened)?;
        if let Some(watch) = &self.watch {
            watch.look().await?;
        }
        let first = self.first_frame_of(index);
        let leaves = opened.outboard.leaves();
        let prover = self.prover.get_or_insert_with(|| {
            let only = [opened.outboard.cv()];
            let cvs = if self.chunk_cvs.is_empty() { &only } else { self.chunk_cvs.as_slice() };
            let EvidenceRecord { chunk_size, ref parts, .. } = self.record;
            RangeProver::new(parts.size, chunk_size, cvs, self.range.clone())
        });
        let proven = frames
            .map(|frame| ProvenFrame {
                parents: prover.parents_before(first + frame as u64, leaves).into(),
                data: opened.frame(frame),
            })
            .collect();
        self.frames.start = after;
        Ok(Some(proven))
    }

    /// A frame matches its chunk's outboard; the outboard must match what the ledger seals.
    fn check_chunk(&self, index: u32, opened: &OpenedChunk) -> Result<(), GatewayError> {
        let evidence_id = self.record.evidence_id;
        let chunk = ChunkIndex(index);
        let matches = match self.chunk_cvs.get(index as usize) {
            Some(cv) => opened.outboard.cv() == *cv,
            None => opened.hash_if_only() == self.record.parts.blake3,
        };
        if matches {
            return Ok(());
        }
        Err(damaged(evidence_id, chunk, &OpenError::WrongChunk { evidence_id, chunk }))
    }

    fn first_frame_of(&self, chunk: u32) -> u64 {
        u64::from(chunk) * self.record.chunk_size.frames() as u64
    }

    /// Chunk that holds frame `from`, and the frames wanted of it, counted within the chunk.
    fn next_span(&self, from: u64) -> Option<(u32, Range<usize>)> {
        if from >= self.frames.end {
            return None;
        }
        let per_chunk = self.record.chunk_size.frames() as u64;
        let index = u32::try_from(from / per_chunk).expect("1 TiB of chunks");
        let first = u64::from(index) * per_chunk;
        let end = self.frames.end.min(first + per_chunk);
        let within = |frame: u64| usize::try_from(frame - first).expect("at most a chunk");
        Some((index, within(from)..within(end)))
    }

    fn spawn_fetch(
        &self,
        index: u32,
        frames: Range<usize>,
    ) -> JoinHandle<Result<OpenedChunk, GatewayError>> {
        let gateway = self.gateway.clone();
        let key = self.key.clone();
        let source = ChunkSource {
            evidence_id: self.record.evidence_id,
            vault: self.record.vault,
            profile: self.record.profile,
            chunk: ChunkIndex(index),
            salt: self.salts[index as usize],
            plain_len: self.record.chunk_size.chunk_len(index, self.record.parts.size),
            upkeep: upkeep(&self.record),
        };
        tokio::spawn(async move { gateway.fetch_chunk(&key, source, frames).await })
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some(fetch) = self.ahead.take() {
            fetch.abort();
        }
    }
}

pub(super) fn upkeep(record: &EvidenceRecord) -> Option<Upkeep> {
    let missing_on_record = record.parts.missing_shards;
    Some(Upkeep { retain_until: record.retain_until, missing_on_record })
}
