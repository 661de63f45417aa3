//! What the bytes of evidence become: hashed, sealed, cut into shards, and proven again.
//!
//! Owns the BLAKE3 tree with 64 KiB groups, the AEAD frames of a sealed chunk, the Reed–Solomon
//! code, and the byte layouts of shard header, crown, range proof and wrapped key
//! (`docs/formats/codec.md`). Must not know any I/O, clock, randomness or async: keys, salts and
//! nonces come in as arguments, bytes go out.
//!
//! Enter at [`ChunkSealer`] for the way in, at [`ChunkOpener`] and [`rebuild_data`] for the way
//! out, and at [`RangeVerifier`] for how a client proves what it was sent.

mod chaining_value;
mod chunk_cipher;
mod crown;
mod data_key;
mod erasure;
mod field_reader;
mod format_error;
mod key_wrap;
mod layout;
mod open_error;
mod opener;
mod outboard;
mod proof_error;
mod range_prover;
mod range_verifier;
mod sealer;
mod sha256;
mod shard_header;
mod subtree;
mod tree;

pub use chaining_value::ChainingValue;
pub use crown::{Crown, CrownEntry, crown_chunk_size};
pub use data_key::DataKey;
pub use erasure::{encode_parity, encode_shard, find_inconsistent, rebuild_data};
pub use format_error::FormatError;
pub use key_wrap::{WRAPPED_KEY_BYTES, kek_id_of, unwrap_key, wrap_key};
pub use layout::{ChunkLayout, FRAME_TAG_BYTES, SHARD_ALIGN_BYTES};
pub use open_error::OpenError;
pub use opener::{ChunkOpener, ChunkProgress};
pub use outboard::Outboard;
pub use proof_error::ProofError;
pub use range_prover::RangeProver;
pub use range_verifier::RangeVerifier;
pub use sealer::{ChunkHash, ChunkSealer, SealedChunk};
pub use sha256::{EvidenceSha256, Sha256Midstate};
pub use shard_header::{SEALED_PROGRESS_BYTES, SHARD_HEADER_BYTES, ShardHeader};
pub use tree::EMPTY_BLAKE3;
