use bytes::Bytes;
use custos_core::{Blake3Hash, Checkpoint, LogIndex, MetaId, Timestamp};
use custos_wire::v1::{self, BackupRequest, BackupResponse, backup_response::Part};
use tonic::Streaming;

use crate::{Client, ClientError};

/// What a backup of the ledger is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupHead {
    /// Wall clock of the meta node that took it.
    pub taken: Timestamp,
    /// That meta node.
    pub taken_by: MetaId,
    /// Term of the last entry of the Raft log in it.
    pub log_term: u64,
    /// Who made that entry.
    pub log_node: u64,
    /// Its number.
    pub log_index: u64,
    /// The custody log in it, with the name of the cluster.
    pub custody: Checkpoint,
    /// Its files.
    pub files: u32,
    /// Their bytes together.
    pub bytes: u64,
    /// Entry of the custody log that says that it was taken.
    pub recorded_at: LogIndex,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFile {
    /// Plain and unique in the backup.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its hash, as the server says: whoever writes it compares.
    pub blake3: Blake3Hash,
    /// Its bytes follow; otherwise the caller said that it has them.
    pub is_sent: bool,
}

/// What comes next of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupPart {
    /// Another file begins.
    File(BackupFile),
    /// The next bytes of the file that began last.
    Piece(Bytes),
}

/// A backup of the ledger that is arriving. Bounded in memory, however large the ledger is.
pub struct BackupStream {
    client: Client,
    head: BackupHead,
    messages: Streaming<BackupResponse>,
}

impl Client {
    /// Takes a backup of the ledger, without the bytes of files that have one of the hashes in
    /// `have`, of which there can be 65,536. That it was taken goes on the custody log.
    ///
    /// # Errors
    /// `Refused` for want of permission, or a server that does not answer.
    pub async fn open_backup(&self, have: &[Blake3Hash]) -> Result<BackupStream, ClientError> {
        let have = have.iter().flat_map(|hash| hash.0).collect();
        let response = self.cluster().backup(BackupRequest { have }).await;
        let mut messages = response.map_err(|error| self.error_of(error))?.into_inner();
        let first = messages.message().await.map_err(|error| self.error_of(error))?;
        match first.and_then(|message| message.part) {
            Some(Part::Head(head)) => {
                Ok(BackupStream { client: self.clone(), head: backup_head(head)?, messages })
            }
            _ => Err(protocol("the backup does not begin with its head")),
        }
    }
}

impl BackupStream {
    /// What it is of.
    #[must_use]
    pub fn head(&self) -> &BackupHead {
        &self.head
    }

    /// What comes next; `None` at the end. Whether all files came whole is the caller's to check.
    ///
    /// # Errors
    /// A server that fails or does not answer: the backup is to be begun again.
    pub async fn next(&mut self) -> Result<Option<BackupPart>, ClientError> {
        let message = self.messages.message().await;
        let Some(message) = message.map_err(|error| self.client.error_of(error))? else {
            return Ok(None);
        };
        match message.part {
            Some(Part::File(file)) => Ok(Some(BackupPart::File(BackupFile {
                blake3: Blake3Hash::from_slice(&file.blake3)
                    .ok_or_else(|| protocol("the hash of a file is not 32 bytes long"))?,
                name: file.name,
                bytes: file.bytes,
                is_sent: file.sent,
            }))),
            Some(Part::Piece(piece)) => Ok(Some(BackupPart::Piece(piece.data))),
            Some(Part::Head(_)) | None => Err(protocol("the backup has a part that is none")),
        }
    }
}

fn backup_head(head: v1::BackupHead) -> Result<BackupHead, ClientError> {
    let root = head.custody_root.try_into();
    let root = root.map_err(|_| protocol("the root of the custody log is not 32 bytes long"))?;
    Ok(BackupHead {
        taken: Timestamp::from_millis(head.taken_ms),
        taken_by: MetaId(head.meta_id),
        log_term: head.log_term,
        log_node: head.log_node,
        log_index: head.log_index,
        custody: Checkpoint { origin: head.origin, size: head.custody_size, root },
        files: head.files,
        bytes: head.bytes,
        recorded_at: LogIndex(head.recorded_at),
    })
}

fn protocol(reason: &str) -> ClientError {
    ClientError::Protocol { reason: reason.to_owned() }
}
