use custos_codec::{
    ChunkOpener, DataKey, OpenError, SHARD_HEADER_BYTES, ShardHeader, find_inconsistent,
};
use custos_core::{
    ChunkIndex, ChunkSize, ErasureProfile, EvidenceId, Salt, ShardSlot, units::FRAME_BYTES,
};
use proptest::prelude::*;

use crate::stored::{Attempt, StoredChunk, noise, open, rebuild_and_open};

fn small() -> (Attempt, Vec<u8>, StoredChunk) {
    let attempt = Attempt::first(ErasureProfile::P2_1);
    let plain = noise(700, 1);
    let stored = attempt.seal(&plain);
    (attempt, plain, stored)
}

/// A header whose identity bytes were changed by someone who knows the layout.
fn forged(header: &[u8], at: usize, value: u8) -> Option<ShardHeader> {
    let mut bytes = header.to_vec();
    bytes[at] = value;
    let crc_at = SHARD_HEADER_BYTES - 4;
    let crc = crc_fast::crc32_iscsi(&bytes[..crc_at]);
    bytes[crc_at..].copy_from_slice(&crc.to_le_bytes());
    ShardHeader::decode(&bytes).ok()
}

#[test]
fn i2_every_altered_byte_of_a_sealed_chunk_is_caught_and_its_piece_named() {
    let (attempt, _, stored) = small();
    let layout = stored.sealed.layout;
    let (evidence_id, chunk) = (attempt.evidence_id, attempt.chunk);
    for at in 0..layout.sealed_len() {
        let mut sealed = stored.data();
        sealed[at] ^= 1;
        let expected = if layout.outboard_range().contains(&at) {
            OpenError::Outboard { evidence_id, chunk }
        } else {
            OpenError::Frame { evidence_id, chunk, frame: 0 }
        };
        assert_eq!(open(&attempt.key, &stored.header(), sealed), Err(expected), "byte {at}");
    }
}

#[test]
fn i2_a_header_forged_in_any_byte_opens_nothing() {
    let (attempt, plain, stored) = small();
    let good = &stored.sealed.headers[0];
    for at in 0..SHARD_HEADER_BYTES - 4 {
        for value in [good[at] ^ 1, good[at].wrapping_add(1)] {
            let Some(header) = forged(good, at, value) else { continue };
            let opened = ChunkOpener::new(&attempt.key, &header).progress();
            if header.slot == stored.header().slot {
                let (evidence_id, chunk) = (header.evidence_id, header.chunk);
                assert_eq!(opened, Err(OpenError::Progress { evidence_id, chunk }), "byte {at}");
            } else {
                // The slot is the one field that the progress record does not vouch for: a shard
                // that lies about it is named by comparing it with the code word.
                assert!(opened.is_ok());
                let lying = [(header.slot, &stored.shards[0][..])];
                let (profile, len) = (header.profile, header.layout().shard_len());
                let named = find_inconsistent(profile, len, &stored.data(), &lying);
                assert_eq!(named, [header.slot]);
            }
        }
    }
    assert_eq!(open(&attempt.key, &stored.header(), stored.data()), Ok(plain));
}

#[test]
fn i2_pieces_of_another_evidence_chunk_attempt_or_key_do_not_open() {
    let plain = noise(2 * FRAME_BYTES + 10, 2);
    let attempt = Attempt::first(ErasureProfile::P4_2);
    let stored = attempt.seal(&plain);
    let opener = ChunkOpener::new(&attempt.key, &stored.header());
    let (layout, outboard) = (stored.sealed.layout, stored.outboard(&attempt.key));
    let (evidence_id, chunk) = (attempt.evidence_id, attempt.chunk);
    let others = [
        Attempt { evidence_id: EvidenceId::from_bytes([9; 16]), ..attempt.clone() },
        Attempt { chunk: ChunkIndex(1), ..attempt.clone() },
        Attempt { chunk: ChunkIndex::CROWN, ..attempt.clone() },
        Attempt { salt: Salt([9; 16]), ..attempt.clone() },
        Attempt { chunk_size: ChunkSize::DEFAULT, ..attempt.clone() },
        Attempt { key: DataKey::new([9; 32]), ..attempt.clone() },
    ];
    for other in others {
        let foreign = other.seal(&plain);
        let mut sealed = foreign.data();
        for frame in 0..layout.frames() {
            let opened = opener.frame(&outboard, frame, &mut sealed[layout.frame_range(frame)]);
            let expected = OpenError::Frame { evidence_id, chunk, frame };
            assert_eq!(opened.err(), Some(expected), "{other:?}");
        }
        let opened = opener.outboard(&mut sealed[layout.outboard_range()]);
        assert_eq!(opened.err(), Some(OpenError::Outboard { evidence_id, chunk }));

        // The progress record of the other attempt under this one's identity.
        let sealed_progress = foreign.header().sealed_progress;
        let mixed = ShardHeader { sealed_progress, ..stored.header() };
        let opened = ChunkOpener::new(&attempt.key, &mixed).progress();
        assert_eq!(opened, Err(OpenError::Progress { evidence_id, chunk }));
    }
}

#[test]
fn i2_frames_that_changed_places_do_not_open() {
    let attempt = Attempt::first(ErasureProfile::P4_2);
    let stored = attempt.seal(&noise(3 * FRAME_BYTES, 3));
    let layout = stored.sealed.layout;
    let mut sealed = stored.data();
    let first = sealed[layout.frame_range(0)].to_vec();
    sealed.copy_within(layout.frame_range(1), 0);
    sealed[layout.frame_range(1)].copy_from_slice(&first);
    let (evidence_id, chunk) = (attempt.evidence_id, attempt.chunk);
    let expected = OpenError::Frame { evidence_id, chunk, frame: 0 };
    assert_eq!(open(&attempt.key, &stored.header(), sealed), Err(expected));
}

#[test]
fn i2_pieces_cut_short_or_too_long_are_named() {
    let (attempt, _, stored) = small();
    let opener = ChunkOpener::new(&attempt.key, &stored.header());
    let outboard = stored.outboard(&attempt.key);
    let layout = stored.sealed.layout;
    let sealed = stored.data();
    for (what, range) in
        [("sealed frame", layout.frame_range(0)), ("outboard", layout.outboard_range())]
    {
        let good = &sealed[range];
        for len in [0, 1, 15, 16, 17, good.len() - 1, good.len() + 1] {
            let mut bytes = good.to_vec();
            bytes.resize(len, 0);
            let error = if what == "outboard" {
                opener.outboard(&mut bytes).expect_err("wrong length")
            } else {
                opener.frame(&outboard, 0, &mut bytes).expect_err("wrong length")
            };
            let (evidence_id, chunk) = (attempt.evidence_id, attempt.chunk);
            let (expected, found) = (good.len(), len);
            assert_eq!(error, OpenError::Length { evidence_id, chunk, what, expected, found });
        }
    }
}

/// Someone with the key seals other bytes under the same salt: every tag is right, only the hash
/// tree tells.
#[test]
fn i2_bytes_replaced_by_a_holder_of_the_key_do_not_match_the_hash() {
    let (attempt, plain, stored) = small();
    let mut other_plain = plain;
    other_plain[5] ^= 1;
    let replaced = attempt.seal(&other_plain);
    let (evidence_id, chunk) = (attempt.evidence_id, attempt.chunk);
    let opened = open(&attempt.key, &stored.header(), replaced.data());
    assert_eq!(opened, Err(OpenError::OutboardMismatch { evidence_id, chunk }));

    let opener = ChunkOpener::new(&attempt.key, &stored.header());
    let mut sealed = replaced.data();
    let range = stored.sealed.layout.frame_range(0);
    let opened = opener.frame(&stored.outboard(&attempt.key), 0, &mut sealed[range]);
    assert_eq!(opened.err(), Some(OpenError::FrameMismatch { evidence_id, chunk, frame: 0 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn i2_a_flipped_byte_in_any_shard_gives_no_wrong_byte_and_the_shard_is_named(
        profile in proptest::sample::select(ErasureProfile::ALL.to_vec()),
        len in 1usize..300_000,
        liar: prop::sample::Index,
        place: prop::sample::Index,
        bit in 0u32..8,
    ) {
        let attempt = Attempt::first(profile);
        let plain = noise(len, 4);
        let mut stored = attempt.seal(&plain);
        let genuine = stored.data();
        let liar = liar.index(profile.total());
        let at = place.index(stored.shards[liar].len());
        stored.shards[liar][at] ^= 1 << bit;

        // Read from k shards with the lying one among them: the plaintext or an error, never
        // other bytes (padding is the only part that may be wrong unnoticed).
        let mut used = stored.with_slots();
        used.rotate_left(liar);
        used.truncate(profile.data());
        match rebuild_and_open(&attempt.key, &stored.header(), &used) {
            Ok(opened) => prop_assert!(opened == plain),
            Err(error) => prop_assert!(
                matches!(error, OpenError::Frame { .. } | OpenError::Outboard { .. }),
                "{error}"
            ),
        }
        let shard_len = stored.sealed.layout.shard_len();
        let named = find_inconsistent(profile, shard_len, &genuine, &stored.with_slots());
        prop_assert_eq!(named, vec![ShardSlot(u8::try_from(liar).expect("below 14"))]);
    }

    #[test]
    fn random_bytes_are_never_taken_for_a_header_or_a_crown(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        chunks in 0u32..10,
    ) {
        prop_assert!(ShardHeader::decode(&bytes).is_err());
        prop_assert!(custos_codec::Crown::decode(&bytes, chunks).is_err());
    }
}
