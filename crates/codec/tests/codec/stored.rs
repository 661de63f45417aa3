//! Evidence as a store would hold it: sealed chunks cut into shards, and the crown.

use custos_codec::{
    ChainingValue, ChunkLayout, ChunkOpener, ChunkSealer, Crown, CrownEntry, DataKey, EMPTY_BLAKE3,
    EvidenceSha256, OpenError, Outboard, SealedChunk, Sha256Midstate, ShardHeader, rebuild_data,
};
use custos_core::{
    Blake3Hash, ChunkIndex, ChunkSize, ErasureProfile, EvidenceId, Salt, Sha256Hash, ShardSlot,
};

/// Bytes that look random and are the same for the same seed.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Everything that names an attempt to write a chunk.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) key: DataKey,
    pub(crate) evidence_id: EvidenceId,
    pub(crate) chunk: ChunkIndex,
    pub(crate) chunk_size: ChunkSize,
    pub(crate) profile: ErasureProfile,
    pub(crate) salt: Salt,
}

impl Attempt {
    pub(crate) fn first(profile: ErasureProfile) -> Self {
        Self {
            key: DataKey::new([0x11; 32]),
            evidence_id: EvidenceId::from_bytes([0x22; 16]),
            chunk: ChunkIndex(0),
            chunk_size: ChunkSize::MIN,
            profile,
            salt: Salt([0x33; 16]),
        }
    }

    pub(crate) fn seal(&self, plain: &[u8]) -> StoredChunk {
        self.seal_in_pieces(plain, &[plain.len()], Sha256Midstate::ZERO)
    }

    /// Pushes `plain` in pieces of the given lengths, over and over.
    pub(crate) fn seal_in_pieces(
        &self,
        plain: &[u8],
        pieces: &[usize],
        sha256_after: Sha256Midstate,
    ) -> StoredChunk {
        let Self { key, evidence_id, chunk, chunk_size, profile, salt } = self;
        let full = ChunkLayout::new(*profile, chunk_size.bytes());
        // A pooled buffer holds what was in it before.
        let mut buffer = vec![0xee; full.total_len()];
        let mut sealer = ChunkSealer::new(key, *evidence_id, *chunk, *chunk_size, *profile, *salt);
        let mut rest = plain;
        for &len in pieces.iter().cycle() {
            let (piece, after) = rest.split_at(len.min(rest.len()));
            assert_eq!(sealer.push(piece, &mut buffer), piece.len());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        assert_eq!(sealer.plain_len(), plain.len());
        let sealed = sealer.finish(sha256_after, &mut buffer);
        let shard_len = sealed.layout.shard_len();
        let shards =
            buffer.chunks_exact(shard_len).take(profile.total()).map(<[u8]>::to_vec).collect();
        StoredChunk { sealed, shards }
    }
}

/// One sealed chunk with its shards.
#[derive(Debug, Clone)]
pub(crate) struct StoredChunk {
    pub(crate) sealed: SealedChunk,
    pub(crate) shards: Vec<Vec<u8>>,
}

impl StoredChunk {
    pub(crate) fn header(&self) -> ShardHeader {
        ShardHeader::decode(&self.sealed.headers[0]).expect("just made")
    }

    /// The sealed chunk: its data shards one after another.
    pub(crate) fn data(&self) -> Vec<u8> {
        self.shards[..self.sealed.layout.profile().data()].concat()
    }

    pub(crate) fn with_slots(&self) -> Vec<(ShardSlot, &[u8])> {
        (0..).map(ShardSlot).zip(self.shards.iter().map(Vec::as_slice)).collect()
    }

    pub(crate) fn outboard(&self, key: &DataKey) -> Outboard {
        let opener = ChunkOpener::new(key, &self.header());
        let mut bytes = self.data()[self.sealed.layout.outboard_range()].to_vec();
        opener.outboard(&mut bytes).expect("unaltered")
    }
}

/// Opens a whole sealed chunk.
pub(crate) fn open(
    key: &DataKey,
    header: &ShardHeader,
    mut sealed: Vec<u8>,
) -> Result<Vec<u8>, OpenError> {
    let opener = ChunkOpener::new(key, header);
    let layout = *opener.layout();
    let outboard = opener.outboard(&mut sealed[layout.outboard_range()])?;
    let mut plain = Vec::new();
    for frame in 0..layout.frames() {
        let range = layout.frame_range(frame);
        plain.extend_from_slice(opener.frame(&outboard, frame, &mut sealed[range])?);
    }
    Ok(plain)
}

/// Rebuilds a chunk from some of its shards and opens it.
pub(crate) fn rebuild_and_open(
    key: &DataKey,
    header: &ShardHeader,
    shards: &[(ShardSlot, &[u8])],
) -> Result<Vec<u8>, OpenError> {
    let sealed = rebuild_data(header.profile, header.layout().shard_len(), shards)?;
    open(key, header, sealed)
}

/// A whole evidence item.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) plain: Vec<u8>,
    pub(crate) key: DataKey,
    pub(crate) chunk_size: ChunkSize,
    pub(crate) chunks: Vec<StoredChunk>,
    pub(crate) crown: Option<Crown>,
    pub(crate) root: Blake3Hash,
    pub(crate) sha256: Sha256Hash,
}

impl Evidence {
    pub(crate) fn seal(plain: Vec<u8>, chunk_size: ChunkSize, pieces: &[usize]) -> Self {
        let first = Attempt { chunk_size, ..Attempt::first(ErasureProfile::P2_1) };
        let mut sha256 = EvidenceSha256::new();
        let mut chunks = Vec::new();
        for (index, bytes) in (0..).zip(plain.chunks(chunk_size.bytes())) {
            let salt = Salt([u8::try_from(index % 251).expect("below 251"); 16]);
            let attempt = Attempt { chunk: ChunkIndex(index), salt, ..first.clone() };
            sha256.update(bytes);
            let after = sha256.midstate().unwrap_or(Sha256Midstate::ZERO);
            let chunk = attempt.seal_in_pieces(bytes, pieces, after);
            // The next gateway goes on from what the shard says.
            let progress = ChunkOpener::new(&attempt.key, &chunk.header()).progress();
            assert_eq!(progress.as_ref().map(|p| p.cv), Ok(chunk.sealed.hash.cv));
            if bytes.len() == chunk_size.bytes() {
                let after = progress.expect("just made").sha256_after;
                let bytes_so_far = u64::from(index + 1) * chunk_size.bytes() as u64;
                sha256 = EvidenceSha256::resume(after, bytes_so_far);
            }
            chunks.push(chunk);
        }
        let crown = (chunks.len() > 1).then(|| {
            let entries = chunks.iter().map(|chunk: &StoredChunk| CrownEntry {
                cv: chunk.sealed.hash.cv,
                salt: chunk.header().salt,
            });
            Crown { entries: entries.collect() }
        });
        let root = match (&crown, chunks.first()) {
            (Some(crown), _) => crown.root(plain.len() as u64, chunk_size),
            (None, Some(only)) => only.sealed.hash.root_if_only,
            (None, None) => EMPTY_BLAKE3,
        };
        let sha256 = sha256.finalize();
        Self { plain, key: first.key, chunk_size, chunks, crown, root, sha256 }
    }

    pub(crate) fn size(&self) -> u64 {
        self.plain.len() as u64
    }

    pub(crate) fn chunk_cvs(&self) -> Vec<ChainingValue> {
        self.chunks.iter().map(|chunk| chunk.sealed.hash.cv).collect()
    }
}
