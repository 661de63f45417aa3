use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use custos_core::{ChunkIndex, ChunkSize, EvidenceId, Salt};
use zeroize::Zeroizing;

use crate::{DataKey, FRAME_TAG_BYTES};

/// BLAKE3 key derivation context of chunk subkeys: part of the format.
const CHUNK_KEY_CONTEXT: &str = "custos.v1 chunk key";

const MATERIAL_BYTES: usize = 32 + 16 + 4 + 1 + 16;

/// What a piece of a chunk is; the last byte of its nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Frame of this number in the chunk.
    Frame(usize),
    /// The chunk's outboard.
    Outboard,
    /// The progress record in every shard header.
    Progress,
}

impl Piece {
    fn nonce(self) -> Nonce {
        let (index, domain) = match self {
            Self::Frame(frame) => (u32::try_from(frame).expect("at most 1024 frames"), 0),
            Self::Outboard => (0, 1),
            Self::Progress => (0, 2),
        };
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&index.to_le_bytes());
        nonce[11] = domain;
        Nonce::assume_unique_for_key(nonce)
    }
}

/// A piece failed authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAuthentic;

/// AES-256-GCM under the subkey of one attempt to write one chunk. Each piece is sealed once, so
/// a nonce never repeats under a subkey; a second attempt has another salt and so another subkey.
pub(crate) struct ChunkCipher(LessSafeKey);

impl ChunkCipher {
    pub(crate) fn new(
        key: &DataKey,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
        chunk_size: ChunkSize,
        salt: Salt,
    ) -> Self {
        let mut material = Zeroizing::new([0; MATERIAL_BYTES]);
        material[..32].copy_from_slice(key.expose());
        material[32..48].copy_from_slice(evidence_id.as_bytes());
        material[48..52].copy_from_slice(&chunk.0.to_le_bytes());
        material[52] = chunk_size.log2();
        material[53..].copy_from_slice(salt.as_bytes());
        let subkey = Zeroizing::new(blake3::derive_key(CHUNK_KEY_CONTEXT, material.as_slice()));
        let key = UnboundKey::new(&AES_256_GCM, subkey.as_slice()).expect("a subkey has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts in place: `piece_bytes` is plaintext followed by room for the tag.
    pub(crate) fn seal(&self, piece: Piece, aad: &[u8], piece_bytes: &mut [u8]) {
        let (text, tag_room) = piece_bytes
            .split_last_chunk_mut::<FRAME_TAG_BYTES>()
            .expect("the layout leaves room for the tag");
        let tag = self
            .0
            .seal_in_place_separate_tag(piece.nonce(), Aad::from(aad), text)
            .expect("a piece is far below the cipher's limit");
        tag_room.copy_from_slice(tag.as_ref());
    }

    /// Decrypts in place and returns the plaintext part.
    pub(crate) fn open<'a>(
        &self,
        piece: Piece,
        aad: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], NotAuthentic> {
        self.0
            .open_in_place(piece.nonce(), Aad::from(aad), sealed)
            .map_err(|_unspecified| NotAuthentic)
    }
}
