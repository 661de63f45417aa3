//! The write path: bytes in, sealed chunks out to the shard stores, a receipt at the end.

mod abort;
mod active;
mod cleanup;
mod fanout;
mod finish;
mod listing;
mod reach;
mod resume;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use custos_codec::{
    ChunkLayout, ChunkSealer, CrownEntry, DataKey, EvidenceSha256, SealedChunk, Sha256Midstate,
};
use custos_core::{
    Actor, Blake3Hash, ChunkIndex, ChunkSize, Descriptor, ErasureProfile, EvidenceId, Receipt,
    Salt, ShardSlot, UploadKey, UploadSession, limits,
};
use custos_ledger::{Command, Outcome};
use custos_wire::WireError;
use tokio::task::JoinHandle;
use tracing::{Instrument, info_span};

pub(crate) use self::active::{ActiveUploads, TakenOver};
pub(crate) use self::cleanup::remove_from;
use self::fanout::{ChunkTarget, SlotShard, WrittenChunk};
use crate::{Gateway, GatewayError, buffers::Buffer};

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
    /// What the law refuses; a profile that no vault has; stores or ledger that do not answer.
    pub async fn open_upload(
        &self,
        actor: &Actor,
        open: OpenUpload,
    ) -> Result<Opened, GatewayError> {
        let profile = open.profile.unwrap_or(self.inner.options.profile);
        let vault = self.choose_vault(profile).await?;
        let evidence_id = self.new_evidence_id(open.upload_key);
        let data_key = DataKey::new(self.inner.deps.entropy.array());
        let command = Command::OpenUpload {
            upload_key: open.upload_key,
            evidence_id,
            descriptor: open.descriptor,
            profile,
            chunk_size: self.inner.options.chunk_size,
            vault,
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
        let target = self.target(chunk, salt);
        let span = info_span!("write_chunk", evidence = %target.evidence_id, %chunk);
        let shards = slot_shards(sealed, &buffer.freeze());
        let write =
            async move { fanout::write_chunk(&gateway, target, shards, BTreeMap::new()).await };
        tokio::spawn(write.instrument(span))
    }

    fn target(&self, chunk: ChunkIndex, salt: Salt) -> ChunkTarget {
        ChunkTarget {
            vault: self.session.vault,
            evidence_id: self.session.evidence_id,
            chunk,
            salt,
            profile: self.session.profile,
            retain_until: self.session.retain_until,
        }
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
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.gateway.inner.active_uploads.leave(self.session.evidence_id, &self.taken_over);
    }
}

/// The shards of a sealed chunk, each a part of its buffer.
fn slot_shards(sealed: SealedChunk, buffer: &Bytes) -> Vec<SlotShard> {
    let shard_len = sealed.layout.shard_len();
    let slots = (0..).map(ShardSlot).zip(sealed.headers);
    slots
        .enumerate()
        .map(|(at, (slot, header))| SlotShard {
            slot,
            header: header.into(),
            payload: buffer.slice(at * shard_len..(at + 1) * shard_len),
        })
        .collect()
}
