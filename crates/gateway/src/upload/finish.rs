use custos_codec::{ChunkLayout, ChunkSealer, Crown, Sha256Midstate, crown_chunk_size};
use custos_core::{Blake3Hash, ChunkIndex, Receipt, Salt, SealedParts, UploadSession};
use custos_ledger::{Answer, Command, Outcome, Query};
use tracing::{info, warn};

use super::{StaleAttempts, Upload, cleanup};
use crate::{GatewayError, playback::ChunkSource};

impl Upload {
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
            upkeep: None,
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
        let UploadSession { evidence_id, vault, ref actor, .. } = self.session;
        let reason = mismatch.to_string();
        let given_up = self.gateway.abort(actor, evidence_id, Some(vault), &reason).await;
        if let Err(error) = given_up {
            warn!(evidence = %evidence_id, %error, "an upload of other bytes stays open");
        }
        Err(mismatch)
    }
}
