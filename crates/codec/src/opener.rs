use custos_core::{ChunkIndex, EvidenceId};

use crate::{
    ChainingValue, ChunkLayout, DataKey, OpenError, Outboard, Sha256Midstate, ShardHeader,
    chaining_value::CV_BYTES,
    chunk_cipher::{ChunkCipher, Piece},
    layout::FRAME_TAG_BYTES,
    shard_header::{SEALED_PROGRESS_BYTES, chunk_offset, frame_offset},
    tree::frame_cv,
};

/// Opens one attempt to write one chunk. Nothing it returns is unverified: the header leads to the
/// outboard, the outboard to each frame.
pub struct ChunkOpener {
    cipher: ChunkCipher,
    evidence_id: EvidenceId,
    chunk: ChunkIndex,
    offset: u64,
    layout: ChunkLayout,
    identity: [u8; 64],
    sealed_progress: [u8; SEALED_PROGRESS_BYTES],
}

/// What every shard header of a chunk carries sealed: enough to resume an upload after the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkProgress {
    /// Chaining value of the chunk.
    pub cv: ChainingValue,
    /// SHA-256 state of the evidence after this chunk; [`Sha256Midstate::ZERO`] when the chunk
    /// ends between two blocks.
    pub sha256_after: Sha256Midstate,
}

impl ChunkOpener {
    /// Takes the header of any shard of the attempt; it is checked when something is opened.
    #[must_use]
    pub fn new(key: &DataKey, header: &ShardHeader) -> Self {
        let ShardHeader { evidence_id, chunk, chunk_size, salt, .. } = *header;
        Self {
            cipher: ChunkCipher::new(key, evidence_id, chunk, chunk_size, salt),
            evidence_id,
            chunk,
            offset: chunk_offset(chunk, chunk_size),
            layout: header.layout(),
            identity: header.identity(),
            sealed_progress: header.sealed_progress,
        }
    }

    /// Geometry of the chunk, as the header tells it.
    #[must_use]
    pub fn layout(&self) -> &ChunkLayout {
        &self.layout
    }

    /// Opens the header's sealed part, which also vouches for its other fields but the slot.
    ///
    /// # Errors
    /// [`OpenError::Progress`].
    pub fn progress(&self) -> Result<ChunkProgress, OpenError> {
        let mut sealed = self.sealed_progress;
        let plain =
            self.cipher.open(Piece::Progress, &self.identity, &mut sealed).map_err(|_| {
                OpenError::Progress { evidence_id: self.evidence_id, chunk: self.chunk }
            })?;
        let (cv, sha256) = plain.split_at(CV_BYTES);
        let mut progress = ChunkProgress {
            cv: ChainingValue([0; CV_BYTES]),
            sha256_after: Sha256Midstate([0; 32]),
        };
        progress.cv.0.copy_from_slice(cv);
        progress.sha256_after.0.copy_from_slice(sha256);
        Ok(progress)
    }

    /// Decrypts the bytes of [`ChunkLayout::outboard_range`] in place, and checks that the leaves
    /// merge to the chaining value of [`progress`](Self::progress).
    ///
    /// # Errors
    /// [`OpenError::Progress`], [`OpenError::Length`], [`OpenError::Outboard`],
    /// [`OpenError::OutboardMismatch`].
    pub fn outboard(&self, sealed_outboard: &mut [u8]) -> Result<Outboard, OpenError> {
        let Self { evidence_id, chunk, .. } = *self;
        let progress = self.progress()?;
        self.check_len("outboard", self.layout.outboard_range().len(), sealed_outboard)?;
        let plain = self
            .cipher
            .open(Piece::Outboard, &[], sealed_outboard)
            .map_err(|_| OpenError::Outboard { evidence_id, chunk })?;
        let outboard = Outboard::from_bytes(plain);
        if outboard.cv() != progress.cv {
            return Err(OpenError::OutboardMismatch { evidence_id, chunk });
        }
        Ok(outboard)
    }

    /// Decrypts the bytes of [`ChunkLayout::frame_range`] in place, checks the plaintext against
    /// the outboard's leaf, and returns the plaintext part.
    ///
    /// # Errors
    /// [`OpenError::Length`], [`OpenError::Frame`], [`OpenError::FrameMismatch`]. What is then in
    /// `sealed` must not be used.
    ///
    /// # Panics
    /// When the chunk has no such frame, or the outboard is of a chunk of another length.
    pub fn frame<'a>(
        &self,
        outboard: &Outboard,
        frame: usize,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], OpenError> {
        let Self { evidence_id, chunk, .. } = *self;
        assert_eq!(outboard.leaves().len(), self.layout.frames(), "outboard of another chunk");
        let expected = self.layout.frame_plain_len(frame) + FRAME_TAG_BYTES;
        self.check_len("sealed frame", expected, sealed)?;
        let plain = self
            .cipher
            .open(Piece::Frame(frame), &[], sealed)
            .map_err(|_| OpenError::Frame { evidence_id, chunk, frame })?;
        if frame_cv(plain, frame_offset(self.offset, frame)) != outboard.leaves()[frame] {
            return Err(OpenError::FrameMismatch { evidence_id, chunk, frame });
        }
        Ok(plain)
    }

    fn check_len(
        &self,
        what: &'static str,
        expected: usize,
        bytes: &[u8],
    ) -> Result<(), OpenError> {
        if bytes.len() == expected {
            return Ok(());
        }
        let Self { evidence_id, chunk, .. } = *self;
        Err(OpenError::Length { evidence_id, chunk, what, expected, found: bytes.len() })
    }
}

impl std::fmt::Debug for ChunkOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkOpener")
            .field("evidence_id", &self.evidence_id)
            .field("chunk", &self.chunk)
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}
