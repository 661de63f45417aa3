//! Formats are promises: these files fix every byte. `CUSTOS_BLESS=1 cargo test` writes them
//! anew, which is right only for a layout that no store has ever written.

use std::{env, fs, path::PathBuf};

use custos_codec::{
    ChainingValue, ChunkOpener, Crown, CrownEntry, DataKey, Sha256Midstate, ShardHeader,
    unwrap_key, wrap_key,
};
use custos_core::{ChunkIndex, ChunkSize, ErasureProfile, EvidenceId, Salt};
use data_encoding::HEXLOWER;

use crate::{
    ranges::prove,
    stored::{Attempt, Evidence, open},
};

const KEK: [u8; 32] = [0x44; 32];
const KEK_ID: [u8; 8] = *b"kek-0001";

fn path(name: &str) -> PathBuf {
    PathBuf::from("tests/golden").join(name)
}

fn read(name: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(path(name)).expect("golden files are part of the repository");
    let line = |line: &str| HEXLOWER.decode(line.as_bytes()).expect("lines of hexadecimal digits");
    text.lines().map(line).collect()
}

/// Compares lines of bytes with a golden file, or writes it.
fn check(name: &str, lines: &[Vec<u8>]) {
    if env::var_os("CUSTOS_BLESS").is_some() {
        let text: String = lines.iter().map(|line| HEXLOWER.encode(line) + "\n").collect();
        fs::write(path(name), text).expect("the source tree can be written");
    }
    let golden = read(name);
    assert_eq!(lines.len(), golden.len(), "{name}: lines");
    for (i, (line, golden)) in lines.iter().zip(&golden).enumerate() {
        assert_eq!(HEXLOWER.encode(line), HEXLOWER.encode(golden), "{name}: line {i}");
    }
}

/// Byte i of every golden plaintext, so that a reader in another language can make it.
fn plain(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i % 251).expect("below 251")).collect()
}

fn attempt(profile: ErasureProfile) -> Attempt {
    Attempt {
        key: DataKey::new([0x11; 32]),
        evidence_id: EvidenceId::from_bytes(*b"golden evidence!"),
        chunk: ChunkIndex(3),
        chunk_size: ChunkSize::DEFAULT,
        profile,
        salt: Salt(*b"golden salt 0001"),
    }
}

#[test]
fn shards_and_their_headers_are_what_they_always_were() {
    for (profile, name) in [
        (ErasureProfile::P2_1, "chunk-2+1"),
        (ErasureProfile::P4_2, "chunk-4+2"),
        (ErasureProfile::P8_3, "chunk-8+3"),
        (ErasureProfile::P10_4, "chunk-10+4"),
    ] {
        let stored =
            attempt(profile).seal_in_pieces(&plain(100_000), &[30_000], Sha256Midstate([0x55; 32]));
        check(&format!("{name}.headers.hex"), &stored.sealed.headers);
        let hashes: Vec<Vec<u8>> =
            stored.shards.iter().map(|shard| blake3::hash(shard).as_bytes().to_vec()).collect();
        check(&format!("{name}.shards.blake3"), &hashes);
    }
}

#[test]
fn a_chunk_that_was_sealed_long_ago_still_opens() {
    let attempt = attempt(ErasureProfile::P2_1);
    let midstate = Sha256Midstate([0x55; 32]);
    let stored = attempt.seal_in_pieces(&plain(100), &[100], midstate);
    let sealed = stored.data()[..stored.sealed.layout.sealed_len()].to_vec();
    check("chunk-100.hex", &[stored.sealed.headers[1].clone(), sealed]);

    let golden = read("chunk-100.hex");
    let header = ShardHeader::decode(&golden[0]).expect("a header of long ago");
    let progress = ChunkOpener::new(&attempt.key, &header).progress().expect("opens");
    assert_eq!(progress.sha256_after, midstate);
    assert_eq!(open(&attempt.key, &header, golden[1].clone()), Ok(plain(100)));
}

#[test]
fn crowns_are_what_they_always_were() {
    let entry = |i: u8| CrownEntry { cv: ChainingValue([i; 32]), salt: Salt([0xf0 | i; 16]) };
    let crown = Crown { entries: (1..=3).map(entry).collect() };
    check("crown.hex", &[crown.encode()]);
    assert_eq!(Crown::decode(&read("crown.hex")[0], 3), Ok(crown));
}

#[test]
fn range_proofs_are_what_they_always_were() {
    let evidence = Evidence::seal(plain((2 << 20) + 100_000), ChunkSize::MIN, &[1 << 20]);
    let sent = prove(&evidence, 1_000_000..1_200_000);
    let mut lines = vec![evidence.root.as_bytes().to_vec()];
    lines.extend(sent.into_iter().map(|(parents, _)| parents));
    check("range-proof.hex", &lines);
}

#[test]
fn wrapped_keys_are_what_they_always_were_and_still_open() {
    let evidence_id = EvidenceId::from_bytes(*b"golden evidence!");
    let key = DataKey::new([0x11; 32]);
    let wrapped = wrap_key(&KEK, KEK_ID, [0x66; 12], &key, evidence_id);
    check("wrapped-key.hex", &[wrapped]);
    let opened = unwrap_key(&KEK, KEK_ID, &read("wrapped-key.hex")[0], evidence_id);
    assert_eq!(opened.expect("of long ago").expose(), key.expose());
}
