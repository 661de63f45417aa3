use std::{ops::Range, sync::LazyLock};

use bytes::Bytes;
use custos_codec::{EMPTY_BLAKE3, ProofError, RangeProver, RangeVerifier};
use custos_core::{Blake3Hash, ChunkSize, units::FRAME_BYTES};
use proptest::prelude::*;

use crate::stored::{Evidence, noise};

const FRAME: u64 = FRAME_BYTES as u64;

/// What a gateway sends for one frame.
type Sent = (Vec<u8>, Bytes);

static SHORT: LazyLock<Evidence> = LazyLock::new(|| seal(40_000));
static ONE_CHUNK: LazyLock<Evidence> = LazyLock::new(|| seal(11 * FRAME_BYTES + 77));
static CHUNKS: LazyLock<Evidence> = LazyLock::new(|| seal((5 << 20) + 3 * FRAME_BYTES + 1));

fn seal(size: usize) -> Evidence {
    Evidence::seal(noise(size, 9), ChunkSize::MIN, &[1 << 20])
}

pub(crate) fn prove(evidence: &Evidence, range: Range<u64>) -> Vec<Sent> {
    let chunk_frames = evidence.chunk_size.frames() as u64;
    let cvs = evidence.chunk_cvs();
    let mut prover = RangeProver::new(evidence.size(), evidence.chunk_size, &cvs, range);
    let index = |at: u64| usize::try_from(at).expect("small");
    let frames = prover.frames();
    frames
        .map(|frame| {
            let chunk = &evidence.chunks[index(frame / chunk_frames)];
            let parents = prover.parents_before(frame, chunk.outboard(&evidence.key).leaves());
            let end = index(((frame + 1) * FRAME).min(evidence.size()));
            let data = Bytes::copy_from_slice(&evidence.plain[index(frame * FRAME)..end]);
            (parents, data)
        })
        .collect()
}

fn verify(
    root: Blake3Hash,
    size: u64,
    range: Range<u64>,
    sent: &[Sent],
) -> Result<Vec<u8>, ProofError> {
    let mut verifier = RangeVerifier::new(root, size, range);
    let mut got = Vec::new();
    for (parents, data) in sent {
        got.extend_from_slice(&verifier.push(parents, data.clone())?);
    }
    verifier.finish()?;
    Ok(got)
}

fn slice(evidence: &Evidence, range: &Range<u64>) -> Vec<u8> {
    let index = |at: u64| usize::try_from(at.min(evidence.size())).expect("small");
    evidence.plain[index(range.start)..index(range.end)].to_vec()
}

fn assert_range_reads_back(evidence: &Evidence, range: Range<u64>) {
    let sent = prove(evidence, range.clone());
    let got = verify(evidence.root, evidence.size(), range.clone(), &sent);
    assert!(got == Ok(slice(evidence, &range)), "{range:?}: {:?}", got.err());
}

#[test]
fn ranges_at_every_edge_read_back() {
    for evidence in [&*SHORT, &*ONE_CHUNK, &*CHUNKS] {
        let size = evidence.size();
        let edges = [0, 1, FRAME - 1, FRAME, FRAME + 1, 1 << 20, (1 << 20) + 1, size - 1, size];
        for start in edges.into_iter().filter(|&at| at <= size) {
            for end in edges.into_iter().filter(|&at| start <= at && at <= size) {
                assert_range_reads_back(evidence, start..end);
            }
        }
        assert_range_reads_back(evidence, 0..u64::MAX);
    }
}

#[test]
fn every_shape_of_tree_reads_back_whole() {
    for size in [1, FRAME_BYTES, FRAME_BYTES + 1, 1 << 20, (1 << 20) + 1, 3 << 20, 7 << 20] {
        let evidence = seal(size);
        assert_range_reads_back(&evidence, 0..evidence.size());
    }
}

#[test]
fn empty_evidence_is_proven_empty_by_its_hash_alone() {
    assert_eq!(prove(&seal(0), 0..0).len(), 0);
    let verifier = RangeVerifier::new(EMPTY_BLAKE3, 0, 0..u64::MAX);
    assert_eq!(verifier.expected_frames(), 0..0);
    assert_eq!(verifier.finish(), Ok(()));
    assert_eq!(verify(SHORT.root, 0, 0..10, &[]), Err(ProofError::NotEmpty));
}

#[test]
fn an_empty_range_needs_no_frame_and_a_range_past_the_end_is_an_error() {
    let size = CHUNKS.size();
    for at in [0, 5, FRAME, size] {
        assert_eq!(prove(&CHUNKS, at..at).len(), 0);
        assert_eq!(verify(CHUNKS.root, size, at..at, &[]), Ok(Vec::new()));
    }
    let past = verify(CHUNKS.root, size, size..size + 10, &[]);
    assert_eq!(past, Err(ProofError::RangePastEnd { start: size, size }));
}

#[test]
fn a_whole_evidence_of_one_frame_needs_no_parents() {
    let sent = prove(&SHORT, 0..10);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].0.is_empty());
}

#[test]
fn i2_every_altered_byte_of_a_proof_is_named() {
    let range = FRAME + 5..3 * FRAME;
    let sent = prove(&ONE_CHUNK, range.clone());
    for (position, frame) in (0..sent.len()).zip(1u64..) {
        for at in 0..sent[position].0.len() {
            let mut altered = sent.clone();
            altered[position].0[at] ^= 0x80;
            let got = verify(ONE_CHUNK.root, ONE_CHUNK.size(), range.clone(), &altered);
            match got {
                Err(ProofError::Parent { frame: named, height }) => {
                    assert_eq!(named, frame);
                    assert!((1..=4).contains(&height));
                }
                other => panic!("byte {at} of the parents before {frame}: {other:?}"),
            }
        }
        for at in [0, 1, 40_000, FRAME_BYTES - 1] {
            let mut altered = sent.clone();
            let mut data = altered[position].1.to_vec();
            data[at] ^= 1;
            altered[position].1 = data.into();
            let got = verify(ONE_CHUNK.root, ONE_CHUNK.size(), range.clone(), &altered);
            assert_eq!(got, Err(ProofError::Frame { frame }));
        }
    }
}

#[test]
fn i2_parents_and_frames_cut_short_or_too_long_are_named() {
    let size = ONE_CHUNK.size();
    let sent = prove(&ONE_CHUNK, 0..size);
    for (frame, (parents, data)) in (0u64..).zip(&sent) {
        let cut = |parents: &[u8], data: &[u8]| {
            let mut altered = sent.clone();
            altered[usize::try_from(frame).expect("small")] =
                (parents.to_vec(), Bytes::copy_from_slice(data));
            verify(ONE_CHUNK.root, size, 0..size, &altered).expect_err("altered length")
        };
        for len in 0..parents.len() {
            let error = cut(&parents[..len], data);
            assert!(
                matches!(error, ProofError::Truncated { frame: f, part: "parents", found, .. }
                    if f == frame && found == len),
                "{error:?}"
            );
        }
        let longer = [parents.as_slice(), &[0; 64]].concat();
        let (expected, found) = (parents.len(), longer.len());
        let part = "parents";
        assert_eq!(cut(&longer, data), ProofError::Extra { frame, part, expected, found });

        let part = "data";
        let expected = data.len();
        for found in [0, 1, expected - 1] {
            let error = ProofError::Truncated { frame, part, expected, found };
            assert_eq!(cut(parents, &data[..found]), error);
        }
        let longer = [data, &[0][..]].concat();
        let found = longer.len();
        assert_eq!(cut(parents, &longer), ProofError::Extra { frame, part, expected, found });
    }
}

#[test]
fn i2_frames_dropped_repeated_swapped_or_left_out_at_the_end_are_caught() {
    let size = CHUNKS.size();
    let (root, range) = (CHUNKS.root, 10 * FRAME..30 * FRAME);
    let sent = prove(&CHUNKS, range.clone());
    let verdict = |sent: &[Sent]| verify(root, size, range.clone(), sent);

    let shorter = &sent[..sent.len() - 1];
    assert_eq!(verdict(shorter), Err(ProofError::Unfinished { next: 29, end: 30 }));
    assert_eq!(verdict(&[]), Err(ProofError::Unfinished { next: 10, end: 30 }));
    let mut longer = sent.clone();
    longer.push(sent[0].clone());
    assert_eq!(verdict(&longer), Err(ProofError::PastRange { frame: 30 }));
    for i in 0..sent.len() {
        let mut dropped = sent.clone();
        dropped.remove(i);
        assert!(verdict(&dropped).is_err(), "dropped {i}");
        let mut repeated = sent.clone();
        repeated.insert(i, sent[i].clone());
        assert!(verdict(&repeated).is_err(), "repeated {i}");
        let mut swapped = sent.clone();
        let j = (i + 1) % sent.len();
        let data = swapped[i].1.clone();
        swapped[i].1 = swapped[j].1.clone();
        swapped[j].1 = data;
        assert!(verdict(&swapped).is_err(), "swapped {i}");
    }
}

#[test]
fn i2_nothing_verifies_after_a_failure() {
    let sent = prove(&ONE_CHUNK, 0..3 * FRAME);
    let mut verifier = RangeVerifier::new(ONE_CHUNK.root, ONE_CHUNK.size(), 0..3 * FRAME);
    assert!(verifier.push(&[], sent[0].1.clone()).is_err());
    assert_eq!(verifier.push(&sent[0].0, sent[0].1.clone()), Err(ProofError::Failed));
    assert_eq!(verifier.finish(), Err(ProofError::Failed));
}

#[test]
fn i2_a_false_size_never_makes_a_false_end() {
    for evidence in [&*SHORT, &*ONE_CHUNK, &*CHUNKS] {
        let size = evidence.size();
        let falsehoods = [1, size / 2, size - FRAME.min(size - 1), size - 1, size + 1];
        for claimed in falsehoods.into_iter().chain([size + FRAME, 2 * size, u64::MAX]) {
            // The liar sends what is true as far as it goes, cut to the claimed size.
            let mut sent = prove(evidence, 0..claimed);
            if let Some(last) = sent.last_mut().filter(|_| claimed < size) {
                let keep = usize::try_from((claimed - 1) % FRAME + 1).expect("small");
                last.1.truncate(keep);
            }
            let got = verify(evidence.root, claimed, 0..u64::MAX, &sent);
            assert!(got.is_err(), "{size} bytes said to be {claimed}");
        }
    }
}

#[test]
fn another_evidence_s_proof_does_not_verify() {
    let other = Evidence::seal(noise(40_000, 10), ChunkSize::MIN, &[1 << 20]);
    let sent = prove(&other, 0..40_000);
    let got = verify(SHORT.root, SHORT.size(), 0..40_000, &sent);
    assert_eq!(got, Err(ProofError::Frame { frame: 0 }));
}

proptest! {
    #[test]
    fn random_ranges_equal_the_plain_file_s(
        which in 0usize..3,
        a: prop::sample::Index,
        b: prop::sample::Index,
    ) {
        let evidence = [&*SHORT, &*ONE_CHUNK, &*CHUNKS][which];
        let size = evidence.plain.len() + 1;
        let (a, b) = (a.index(size) as u64, b.index(size) as u64);
        assert_range_reads_back(evidence, a.min(b)..a.max(b));
    }

    #[test]
    fn i2_any_flipped_bit_of_a_proof_is_caught(
        a: prop::sample::Index,
        b: prop::sample::Index,
        position: prop::sample::Index,
        place: prop::sample::Index,
        bit in 0u32..8,
    ) {
        let evidence = &*CHUNKS;
        let size = evidence.plain.len();
        let (a, b) = (a.index(size) as u64, b.index(size) as u64);
        let range = a.min(b)..a.max(b) + 1;
        let mut sent = prove(evidence, range.clone());
        let position = position.index(sent.len());
        let (parents, data) = &mut sent[position];
        let at = place.index(parents.len() + data.len());
        if let Some(byte) = parents.get_mut(at) {
            *byte ^= 1 << bit;
        } else {
            let mut bytes = data.to_vec();
            bytes[at - parents.len()] ^= 1 << bit;
            *data = bytes.into();
        }
        prop_assert!(verify(evidence.root, evidence.size(), range, &sent).is_err());
    }
}
