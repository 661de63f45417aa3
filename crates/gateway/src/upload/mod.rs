//! The write path: bytes in, sealed chunks out to the shard stores, a receipt at the end.

mod active;
mod cleanup;
mod fanout;
mod resume;
mod slot_turns;

use std::collections::VecDeque;

use bytes::Bytes;
use custos_codec::{
    ChunkLayout, ChunkSealer, Crown, CrownEntry, DataKey, EvidenceSha256, SealedChunk,
    Sha256Midstate, crown_chunk_size,
};
use custos_core::{
    Actor, Blake3Hash, ChunkIndex, ChunkSize, Descriptor, ErasureProfile, EvidenceId, Receipt,
    Salt, SealedParts, UploadKey, UploadSession, limits,
};
use custos_ledger::{Answer, Command, Outcome, Query};
use custos_wire::WireError;
use tokio::task::JoinHandle;
use tracing::{Instrument, debug, info, info_span, warn};

pub(crate) use self::active::{ActiveUploads, TakenOver};
use self::fanout::WrittenChunk;
pub(crate) use self::slot_turns::SlotTurns;
use crate::{Gateway, GatewayError, buffers::Buffer, context::VAULT, playback::ChunkSource};

/// What the client asks for when it opens an upload.
#[derive(Debug, Clone)]
pub struct OpenUpload {
    /// The client's name for the upload.
    pub upload_key: UploadKey,
    /// Claims about the evidence.
    pub descriptor: Descriptor,
    /// Erasure profile; the gateway's default when `None`.
    pub profile: Option<ErasureProfile>,
}

/// What opening an upload gave.
pub enum Opened {
    /// Bytes are wanted from [`Upload::durable_offset`] on.
    Upload(Box<Upload>),
    /// It was sealed before.
    Sealed(Receipt),
}

/// One upload in progress on one connection.
pub struct Upload {
    gateway: Gateway,
    session: UploadSession,
    key: DataKey,
    /// Chunks that are durable or on their way, in order.
    crown: Vec<CrownEntry>,
    sha256: EvidenceSha256,
    /// Plaintext bytes taken in so far.
    received: u64,
    /// Plaintext bytes that survive loss of power.
    durable: u64,
    current: Option<OpenChunk>,
    in_flight: VecDeque<InFlight>,
    /// Plain BLAKE3 if the first chunk turns out to be the only one.
    root_if_only: Option<Blake3Hash>,
    missing_shards: u32,
    stale_attempts: StaleAttempts,
    taken_over: TakenOver,
}

/// Whether shards of attempts that do not count may lie on the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StaleAttempts {
    None,
    Possible,
}

struct OpenChunk {
    sealer: ChunkSealer,
    buffer: Buffer,
    salt: Salt,
}

struct InFlight {
    plain_len: usize,
    task: JoinHandle<Result<WrittenChunk, GatewayError>>,
}

impl Gateway {
    /// Opens an upload, or finds the one that the key names, and how much of it is durable.
    ///
    /// # Errors
    /// What the law refuses; a profile wider than the vault; stores or ledger that do not answer.
    pub async fn open_upload(
        &self,
        actor: &Actor,
        open: OpenUpload,
    ) -> Result<Opened, GatewayError> {
        let profile = open.profile.unwrap_or(self.inner.options.profile);
        let present = self.inner.deps.stores.len();
        if profile.total() > present {
            return Err(GatewayError::ProfileTooWide {
                profile: profile.to_string(),
                needed: profile.total(),
                present,
            });
        }
        let evidence_id = self.new_evidence_id();
        let data_key = DataKey::new(self.inner.deps.entropy.array());
        let command = Command::OpenUpload {
            upload_key: open.upload_key,
            evidence_id,
            descriptor: open.descriptor,
            profile,
            chunk_size: self.inner.options.chunk_size,
            vault: VAULT,
            wrapped_key: self.inner.deps.key_ring.wrap(&data_key, evidence_id)?,
        };
        let session = match self.submit(actor, command).await? {
            Outcome::UploadOpen(session) => *session,
            Outcome::AlreadySealed(record) => return Ok(Opened::Sealed(record.receipt(true))),
            _ => return Err(GatewayError::unexpected("OpenUpload")),
        };
        let taken_over = self.inner.active_uploads.take_over(session.evidence_id);
        let key = self.inner.deps.key_ring.unwrap(&session.wrapped_key, session.evidence_id)?;
        let is_new = session.evidence_id == evidence_id;
        let mut upload = Upload {
            gateway: self.clone(),
            session,
            key,
            crown: Vec::new(),
            sha256: EvidenceSha256::new(),
            received: 0,
            durable: 0,
            current: None,
            in_flight: VecDeque::new(),
            root_if_only: None,
            missing_shards: 0,
            stale_attempts: StaleAttempts::None,
            taken_over,
        };
        if !is_new {
            upload.resume().await?;
        }
        Ok(Opened::Upload(Box::new(upload)))
    }
}

impl Upload {
    /// Identity that the evidence will have.
    #[must_use]
    pub fn evidence_id(&self) -> EvidenceId {
        self.session.evidence_id
    }

    /// Plaintext bytes of a chunk.
    #[must_use]
    pub fn chunk_size(&self) -> ChunkSize {
        self.session.chunk_size
    }

    /// Everything before this offset survives loss of power.
    #[must_use]
    pub fn durable_offset(&self) -> u64 {
        self.durable
    }

    /// Another chunk may be taken in before [`next_durable`](Self::next_durable) is awaited.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.in_flight.len() < self.gateway.inner.options.chunks_in_flight_max
    }

    /// Some chunk is on its way to the stores.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Tells when a newer connection takes this upload over.
    pub(crate) fn taken_over_handle(&self) -> TakenOver {
        self.taken_over.clone()
    }

    /// What the older connection is told then.
    pub(crate) fn taken_over_error(&self) -> GatewayError {
        GatewayError::TakenOver { evidence_id: self.session.evidence_id }
    }

    /// Takes the next bytes of the file: hashes, seals and, where a chunk fills, sends it off.
    ///
    /// # Errors
    /// An offset that does not continue, more than 1 TiB, buffers that do not come free. After an
    /// error the upload is to be dropped; it can be resumed.
    pub async fn push(&mut self, offset: u64, data: &[u8]) -> Result<(), GatewayError> {
        if offset != self.received {
            let expected = self.received;
            let reason = format!("{offset} does not continue the upload at {expected}");
            return Err(WireError::invalid("offset", reason).into());
        }
        if data.is_empty() || data.len() > limits::PUSH_DATA_BYTES_MAX {
            let reason =
                format!("{} bytes, 1 to {} are allowed", data.len(), limits::PUSH_DATA_BYTES_MAX);
            return Err(WireError::invalid("data", reason).into());
        }
        if self.received + data.len() as u64 > limits::EVIDENCE_BYTES_MAX {
            let reason = format!("evidence is larger than {} bytes", limits::EVIDENCE_BYTES_MAX);
            return Err(WireError::invalid("data", reason).into());
        }
        let mut rest = data;
        while !rest.is_empty() {
            if self.current.is_none() {
                self.current = Some(self.begin_chunk().await?);
            }
            let chunk = self.current.as_mut().expect("just begun");
            let taken = chunk.sealer.push(rest, &mut chunk.buffer);
            self.sha256.update(&rest[..taken]);
            self.received += taken as u64;
            rest = &rest[taken..];
            if chunk.sealer.is_full() {
                self.send_off();
            }
        }
        Ok(())
    }

    async fn begin_chunk(&self) -> Result<OpenChunk, GatewayError> {
        let UploadSession { evidence_id, profile, chunk_size, .. } = self.session;
        let len = ChunkLayout::new(profile, chunk_size.bytes()).total_len();
        let buffer = self.gateway.inner.ingest_buffers.acquire(len).await?;
        let salt = Salt(self.gateway.inner.deps.entropy.array());
        let index = u32::try_from(self.crown.len()).expect("1 TiB in chunks of 1 MiB");
        let sealer =
            ChunkSealer::new(&self.key, evidence_id, ChunkIndex(index), chunk_size, profile, salt);
        Ok(OpenChunk { sealer, buffer, salt })
    }

    /// Finishes the current chunk and starts its way to the stores.
    fn send_off(&mut self) {
        let Some(mut chunk) = self.current.take() else { return };
        let midstate = self.sha256.midstate().unwrap_or(Sha256Midstate::ZERO);
        let sealed = chunk.sealer.finish(midstate, &mut chunk.buffer);
        let index = ChunkIndex(u32::try_from(self.crown.len()).expect("checked when begun"));
        if self.crown.is_empty() {
            self.root_if_only = Some(sealed.hash.root_if_only);
        }
        self.crown.push(CrownEntry { cv: sealed.hash.cv, salt: chunk.salt });
        let plain_len = sealed.layout.plain_len();
        let task = self.spawn_write(index, chunk.salt, sealed, chunk.buffer);
        self.in_flight.push_back(InFlight { plain_len, task });
    }

    fn spawn_write(
        &self,
        chunk: ChunkIndex,
        salt: Salt,
        sealed: SealedChunk,
        buffer: Buffer,
    ) -> JoinHandle<Result<WrittenChunk, GatewayError>> {
        let gateway = self.gateway.clone();
        let target = fanout::ChunkTarget {
            vault: self.session.vault,
            evidence_id: self.session.evidence_id,
            chunk,
            salt,
            profile: self.session.profile,
            retain_until: self.session.retain_until,
        };
        let span = info_span!("write_chunk", evidence = %target.evidence_id, %chunk);
        let write = async move {
            fanout::write_chunk(&gateway, target, sealed.layout, sealed.headers, buffer.freeze())
                .await
        };
        tokio::spawn(write.instrument(span))
    }

    /// Waits until the oldest chunk on its way is durable; returns the new durable offset.
    ///
    /// Cancel-safe: a dropped call loses nothing. Pending for ever when nothing is on its way.
    ///
    /// # Errors
    /// When fewer shards than invariant I1 asks for could be written.
    pub async fn next_durable(&mut self) -> Result<u64, GatewayError> {
        let Some(oldest) = self.in_flight.front_mut() else { return std::future::pending().await };
        let written = (&mut oldest.task)
            .await
            .map_err(|error| GatewayError::Internal { reason: format!("chunk write: {error}") });
        let done = self.in_flight.pop_front().expect("was just awaited");
        let written = written??;
        self.missing_shards = self.missing_shards.saturating_add(written.missing);
        self.durable += done.plain_len as u64;
        let metrics = self.gateway.metrics();
        metrics.ingest_bytes.inc_by(done.plain_len as u64);
        metrics.ingest_chunks.inc();
        metrics.missing_shards.inc_by(u64::from(written.missing));
        Ok(self.durable)
    }

    /// Ends the upload: the last chunk, the crown, the seal.
    ///
    /// # Errors
    /// When size or hash are not what the client says (the upload is given up then), when stores
    /// or ledger do not answer, or when the law refuses.
    pub async fn finish(mut self, size: u64, blake3: Blake3Hash) -> Result<Receipt, GatewayError> {
        self.send_off();
        while self.is_writing() {
            self.next_durable().await?;
        }
        let received = self.content_hash().await?;
        if size != self.received {
            let arrived = self.received.to_string();
            return self.give_up("size", size.to_string(), arrived).await;
        }
        if blake3 != received {
            return self.give_up("blake3", blake3.to_string(), received.to_string()).await;
        }
        let head_salt = match self.crown.as_slice() {
            [] => None,
            [only] => Some(only.salt),
            _ => Some(self.write_crown().await?),
        };
        let parts = SealedParts {
            size,
            blake3,
            sha256: std::mem::take(&mut self.sha256).finalize(),
            head_salt,
            missing_shards: self.missing_shards,
        };
        self.seal(parts).await
    }

    async fn content_hash(&self) -> Result<Blake3Hash, GatewayError> {
        match (self.crown.as_slice(), self.root_if_only) {
            ([], _) => Ok(custos_codec::EMPTY_BLAKE3),
            ([_], Some(root)) => Ok(root),
            ([only], None) => self.hash_of_resumed_chunk(only.salt).await,
            (entries, _) => {
                let crown = Crown { entries: entries.to_vec() };
                Ok(crown.root(self.received, self.session.chunk_size))
            }
        }
    }

    /// The first chunk was taken in by another connection and turns out to be the only one: its
    /// root hash follows from its outboard.
    async fn hash_of_resumed_chunk(&self, salt: Salt) -> Result<Blake3Hash, GatewayError> {
        let source = ChunkSource {
            evidence_id: self.session.evidence_id,
            vault: self.session.vault,
            profile: self.session.profile,
            chunk: ChunkIndex(0),
            salt,
            plain_len: self.session.chunk_size.bytes(),
        };
        let opened = self.gateway.fetch_chunk(&self.key, source, 0..1).await?;
        Ok(opened.hash_if_only())
    }

    async fn write_crown(&mut self) -> Result<Salt, GatewayError> {
        let bytes = Crown { entries: self.crown.clone() }.encode();
        let UploadSession { evidence_id, profile, .. } = self.session;
        let chunk_size = crown_chunk_size(bytes.len());
        let layout = ChunkLayout::new(profile, chunk_size.bytes());
        let mut buffer = self.gateway.inner.ingest_buffers.acquire(layout.total_len()).await?;
        let salt = Salt(self.gateway.inner.deps.entropy.array());
        let mut sealer =
            ChunkSealer::new(&self.key, evidence_id, ChunkIndex::CROWN, chunk_size, profile, salt);
        let taken = sealer.push(&bytes, &mut buffer);
        assert_eq!(taken, bytes.len(), "the crown fits the chunk size made for it");
        let sealed = sealer.finish(Sha256Midstate::ZERO, &mut buffer);
        let task = self.spawn_write(ChunkIndex::CROWN, salt, sealed, buffer);
        let written = task.await.map_err(|error| GatewayError::Internal {
            reason: format!("crown write: {error}"),
        })??;
        self.missing_shards = self.missing_shards.saturating_add(written.missing);
        Ok(salt)
    }

    async fn seal(mut self, parts: SealedParts) -> Result<Receipt, GatewayError> {
        let evidence_id = self.session.evidence_id;
        let (size, blake3) = (parts.size, parts.blake3);
        let command = Command::Seal { evidence_id, parts };
        match self.gateway.submit(&self.session.actor, command).await {
            Ok(Outcome::Sealed(record)) => {
                info!(evidence = %evidence_id, size, log_index = record.seal_index.0, "sealed");
                self.gateway.metrics().sealed.inc();
                if self.stale_attempts == StaleAttempts::Possible {
                    cleanup::spawn(
                        self.gateway.clone(),
                        *record.clone(),
                        std::mem::take(&mut self.crown),
                    );
                }
                Ok(record.receipt(false))
            }
            Ok(_) => Err(GatewayError::unexpected("Seal")),
            Err(error) => {
                // Another connection may have sealed the very same bytes a moment ago.
                match self.gateway.query(Query::Evidence(evidence_id)).await {
                    Ok(Answer::Evidence(Some(record)))
                        if record.parts.size == size && record.parts.blake3 == blake3 =>
                    {
                        Ok(record.receipt(true))
                    }
                    _ => Err(error),
                }
            }
        }
    }

    /// The bytes are not those that the client read: nothing of them may be kept or resumed.
    async fn give_up(
        self,
        field: &'static str,
        claimed: String,
        received: String,
    ) -> Result<Receipt, GatewayError> {
        let mismatch = GatewayError::ContentMismatch { field, claimed, received };
        let (actor, evidence_id) = (&self.session.actor, self.session.evidence_id);
        let given_up = self.gateway.abort_upload(actor, evidence_id, &mismatch.to_string()).await;
        if let Err(error) = given_up {
            warn!(evidence = %evidence_id, %error, "an upload of other bytes stays open");
        }
        Err(mismatch)
    }
}

impl Gateway {
    /// Gives an open upload up and removes what was stored of it.
    ///
    /// # Errors
    /// What the law refuses, or a ledger that does not answer.
    pub async fn abort_upload(
        &self,
        actor: &Actor,
        evidence_id: EvidenceId,
        reason: &str,
    ) -> Result<(), GatewayError> {
        let command = Command::AbortUpload { evidence_id, reason: reason.to_owned() };
        match self.submit(actor, command).await? {
            Outcome::Aborted(index) => {
                debug!(evidence = %evidence_id, reason, "upload given up");
                cleanup::spawn_aborted(self.clone(), evidence_id, index);
                Ok(())
            }
            _ => Err(GatewayError::unexpected("AbortUpload")),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.gateway.inner.active_uploads.leave(self.session.evidence_id, &self.taken_over);
    }
}

/// One shard's bytes out of a chunk's buffer.
fn shard_payload(layout: &ChunkLayout, buffer: &Bytes, slot: usize) -> Bytes {
    buffer.slice(slot * layout.shard_len()..(slot + 1) * layout.shard_len())
}
