use std::{
    fs::{File, Metadata},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};
use custos_core::{Blake3Hash, Receipt, limits};
use custos_wire::v1::{Data, Finish, PushRequest, push_request};
use tokio::sync::mpsc;

use crate::ClientError;

/// Bytes sent in one message.
const PIECE_BYTES: usize = 512 << 10;
const _: () = assert!(PIECE_BYTES <= limits::PUSH_DATA_BYTES_MAX);

/// Plain BLAKE3 of a file as it is read now. Blocks while it reads.
///
/// # Errors
/// A file that is none, or cannot be read.
pub fn blake3_of_file(path: &Path) -> Result<Blake3Hash, ClientError> {
    let (mut file, _) = SourceFile::open(path)?;
    file.hash_up_to(file.size())?;
    file.check_unchanged()?;
    Ok(file.hash())
}

/// A file that is being put: read in order, hashed once, read again from where a resume asks.
pub(crate) struct SourceFile {
    path: PathBuf,
    file: File,
    size: u64,
    modified: (i64, i64),
    hasher: blake3::Hasher,
    /// Bytes from the beginning that `hasher` has seen.
    hashed: u64,
    buffer: BytesMut,
}

impl SourceFile {
    pub(crate) fn open(path: &Path) -> Result<(Self, Metadata), ClientError> {
        let error = |source| ClientError::File { path: path.to_owned(), source };
        // Asked before opening: opening a FIFO would wait for whoever writes to it.
        if !std::fs::metadata(path).map_err(error)?.is_file() {
            return Err(ClientError::NotAFile { path: path.to_owned() });
        }
        let file = File::open(path).map_err(error)?;
        let metadata = file.metadata().map_err(error)?;
        if !metadata.is_file() {
            return Err(ClientError::NotAFile { path: path.to_owned() });
        }
        let source = Self {
            path: path.to_owned(),
            file,
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            hasher: blake3::Hasher::new(),
            hashed: 0,
            buffer: BytesMut::new(),
        };
        Ok((source, metadata))
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Sends everything from `offset` on and the end of the file; blocks on file and channel.
    ///
    /// Returns early, without an error, when the other side of the channel is gone.
    pub(crate) fn send_from(
        &mut self,
        offset: u64,
        messages: &mpsc::Sender<PushRequest>,
    ) -> Result<(), ClientError> {
        if offset > self.size {
            return Err(self.changed(format!(
                "the store already holds {offset} bytes of it, it is {} bytes long now",
                self.size
            )));
        }
        self.hash_up_to(offset)?;
        self.seek(offset)?;
        let mut at = offset;
        while at < self.size {
            let piece = self.read_piece(at)?;
            let end = at + piece.len() as u64;
            if end > self.hashed {
                // What was sent before a broken connection was hashed then.
                let seen = usize::try_from(self.hashed.saturating_sub(at)).expect("within a piece");
                self.hasher.update(&piece[seen..]);
                self.hashed = end;
            }
            let data = push_request::Message::Data(Data { offset: at, data: piece });
            at = end;
            if messages.blocking_send(PushRequest { message: Some(data) }).is_err() {
                return Ok(());
            }
        }
        self.check_unchanged()?;
        let finish = push_request::Message::Finish(Finish {
            size: self.size,
            blake3: self.hash().0.to_vec(),
        });
        // When the channel is gone, the connection's own error tells why.
        let _gone = messages.blocking_send(PushRequest { message: Some(finish) });
        Ok(())
    }

    /// Checks that a receipt is for what this file holds now; reads what was not read yet.
    pub(crate) fn check_receipt(&mut self, receipt: &Receipt) -> Result<(), ClientError> {
        self.hash_up_to(self.size)?;
        if (receipt.size, receipt.blake3) == (self.size, self.hash()) {
            return Ok(());
        }
        Err(ClientError::OtherContent {
            path: self.path.clone(),
            evidence_id: receipt.evidence_id,
            sealed: receipt.blake3.to_string(),
        })
    }

    /// Plain BLAKE3 of what was read so far.
    fn hash(&self) -> Blake3Hash {
        Blake3Hash(*self.hasher.finalize().as_bytes())
    }

    /// Reads what an earlier run of the client already sent, only to hash it.
    fn hash_up_to(&mut self, offset: u64) -> Result<(), ClientError> {
        self.seek(self.hashed)?;
        while self.hashed < offset {
            let mut piece = self.read_piece(self.hashed)?;
            let wanted = offset - self.hashed;
            piece.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
            self.hasher.update(&piece);
            self.hashed += piece.len() as u64;
        }
        Ok(())
    }

    fn read_piece(&mut self, at: u64) -> Result<Bytes, ClientError> {
        let wanted = usize::try_from(self.size - at).unwrap_or(usize::MAX).min(PIECE_BYTES);
        self.buffer.resize(wanted, 0);
        let mut filled = 0;
        while filled < wanted {
            let read = self
                .file
                .read(&mut self.buffer[filled..])
                .map_err(|source| ClientError::File { path: self.path.clone(), source })?;
            if read == 0 {
                let now = at + filled as u64;
                return Err(self.changed(format!("{} bytes before, {now} now", self.size)));
            }
            filled += read;
        }
        Ok(self.buffer.split().freeze())
    }

    fn seek(&mut self, offset: u64) -> Result<(), ClientError> {
        let sought = self.file.seek(SeekFrom::Start(offset));
        sought.map_err(|source| ClientError::File { path: self.path.clone(), source })?;
        Ok(())
    }

    fn check_unchanged(&self) -> Result<(), ClientError> {
        let metadata = self
            .file
            .metadata()
            .map_err(|source| ClientError::File { path: self.path.clone(), source })?;
        if metadata.len() != self.size {
            return Err(self.changed(format!(
                "{} bytes before, {} now",
                self.size,
                metadata.len()
            )));
        }
        if (metadata.mtime(), metadata.mtime_nsec()) != self.modified {
            return Err(self.changed("it was written to".to_owned()));
        }
        Ok(())
    }

    fn changed(&self, what: String) -> ClientError {
        ClientError::FileChanged { path: self.path.clone(), what }
    }
}
