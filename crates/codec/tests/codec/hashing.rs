use aws_lc_rs::digest;
use custos_codec::{Crown, crown_chunk_size};
use custos_core::{Blake3Hash, ChunkIndex, ChunkSize, ErasureProfile};
use proptest::prelude::*;

use crate::stored::{Attempt, Evidence, noise, open};

const MIB: usize = 1 << 20;

fn assert_hashes_are_the_plain_ones(evidence: &Evidence) {
    let expected = Blake3Hash(*blake3::hash(&evidence.plain).as_bytes());
    assert_eq!(evidence.root, expected, "BLAKE3 of {} bytes", evidence.size());
    let expected = digest::digest(&digest::SHA256, &evidence.plain);
    assert_eq!(evidence.sha256.as_bytes(), expected.as_ref(), "SHA-256");
}

#[test]
fn the_evidence_hash_is_the_plain_blake3_at_every_edge_of_frame_and_chunk() {
    let chunk_size = ChunkSize::DEFAULT;
    for edge in [64 << 10, 8 * MIB] {
        for size in [edge - 1, edge, edge + 1] {
            let evidence = Evidence::seal(noise(size, 1), chunk_size, &[512 << 10]);
            assert_hashes_are_the_plain_ones(&evidence);
        }
    }
    for size in [0, 1, 1023, 1024, 1025, MIB - 1, MIB, MIB + 1, 5 * MIB, 7 * MIB + 65_537] {
        let evidence = Evidence::seal(noise(size, 2), ChunkSize::MIN, &[100_000]);
        assert_hashes_are_the_plain_ones(&evidence);
    }
}

#[test]
fn a_full_chunk_takes_no_more() {
    let attempt = Attempt::first(ErasureProfile::P2_1);
    let layout = custos_codec::ChunkLayout::new(attempt.profile, MIB);
    let mut buffer = vec![0; layout.total_len()];
    let mut sealer = custos_codec::ChunkSealer::new(
        &attempt.key,
        attempt.evidence_id,
        attempt.chunk,
        attempt.chunk_size,
        attempt.profile,
        attempt.salt,
    );
    let plain = noise(MIB + 5, 3);
    assert!(!sealer.is_full());
    assert_eq!(sealer.push(&plain, &mut buffer), MIB);
    assert!(sealer.is_full());
    assert_eq!(sealer.push(&plain[MIB..], &mut buffer), 0);
}

#[test]
fn the_crown_is_sealed_and_opened_as_a_chunk_of_its_own() {
    let evidence = Evidence::seal(noise(3 * MIB + 9, 4), ChunkSize::MIN, &[MIB]);
    let crown = evidence.crown.as_ref().expect("four chunks");
    let bytes = crown.encode();
    let attempt = Attempt {
        chunk: ChunkIndex::CROWN,
        chunk_size: crown_chunk_size(bytes.len()),
        ..Attempt::first(ErasureProfile::P8_3)
    };
    let stored = attempt.seal(&bytes);
    let hash = Blake3Hash(*blake3::hash(&bytes).as_bytes());
    assert_eq!(stored.sealed.hash.root_if_only, hash);
    let opened = open(&attempt.key, &stored.header(), stored.data()).expect("unaltered");
    assert_eq!(Crown::decode(&opened, 4).as_ref(), Ok(crown));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn hashes_are_the_plain_ones_whatever_the_size_and_the_pieces(
        size in 0usize..3 * MIB,
        pieces in proptest::collection::vec(1usize..200_000, 1..5),
    ) {
        let evidence = Evidence::seal(noise(size, 5), ChunkSize::MIN, &pieces);
        assert_hashes_are_the_plain_ones(&evidence);
    }
}
