use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root};
use custos_codec::{EvidenceSha256, encode_parity};
use custos_core::{ChunkIndex, ShardSlot, units::FRAME_BYTES};

use super::{Measure, baseline::Figure};
use crate::{
    process_probe::ProcessProbe,
    sample_chunk::{PROFILE, SampleChunk},
    work::Work,
};

const SHARD_BYTES: usize = 2 << 20;

/// Takes the baselines of one thread, each for the time `each`.
pub(super) fn measure(each: Duration) -> Result<Vec<Figure>> {
    let mut sample = SampleChunk::new(ChunkIndex(0));
    let plain = sample.plain().to_vec();
    let chunk = plain.len();
    let mut figures = Vec::new();
    let mut take = |measure, bytes: usize, round: &mut dyn FnMut() -> Result<()>| {
        figures.push(timed(measure, each, bytes, round)?);
        anyhow::Ok(())
    };

    let mut copy = vec![0; chunk];
    take(Measure::Memcpy, chunk, &mut || {
        copy.copy_from_slice(black_box(&plain));
        black_box(&mut copy);
        Ok(())
    })?;
    take(Measure::Blake3, chunk, &mut || {
        black_box(chunk_cv(&plain));
        Ok(())
    })?;
    let mut sha256 = EvidenceSha256::new();
    take(Measure::Sha256, chunk, &mut || {
        sha256.update(&plain);
        Ok(())
    })?;
    black_box(sha256.finalize());
    let mut cipher = FrameCipher::new()?;
    take(Measure::Aes256Gcm, chunk, &mut || cipher.seal_all(&mut copy))?;
    let mut shards = plain.repeat(2);
    shards.truncate(PROFILE.total() * SHARD_BYTES);
    take(Measure::Parity, PROFILE.data() * SHARD_BYTES, &mut || {
        encode_parity(PROFILE, SHARD_BYTES, black_box(&mut shards));
        Ok(())
    })?;
    take(Measure::Seal, chunk, &mut || {
        black_box(sample.seal());
        Ok(())
    })?;
    for (measure, lost) in
        [(Measure::Open, &[][..]), (Measure::OpenDegraded, &[ShardSlot(0), ShardSlot(1)])]
    {
        take(measure, chunk, &mut || {
            black_box(sample.open(lost)?);
            Ok(())
        })?;
    }
    Ok(figures)
}

/// Repeats `round`, which works on `bytes`, until the time is over; the first one only warms up.
fn timed(
    measure: Measure,
    each: Duration,
    bytes: usize,
    round: &mut dyn FnMut() -> Result<()>,
) -> Result<Figure> {
    round()?;
    let probe = ProcessProbe::own();
    let cpu_before = probe.cpu()?;
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < each {
        round()?;
        done += bytes as u64;
    }
    let elapsed = start.elapsed();
    let cpu = probe.cpu()?.saturating_sub(cpu_before);
    let rate = Work { bytes: done, elapsed, cpu }.rate().context("no round ended in time")?;
    Ok(Figure::new(measure, rate))
}

/// Chaining value of a chunk at the beginning of its evidence, by way of its frames.
fn chunk_cv(plain: &[u8]) -> ChainingValue {
    let mut level: Vec<ChainingValue> = plain
        .chunks(FRAME_BYTES)
        .enumerate()
        .map(|(frame, bytes)| {
            let mut hasher = blake3::Hasher::new();
            hasher.set_input_offset((frame * FRAME_BYTES) as u64);
            hasher.update(bytes).finalize_non_root()
        })
        .collect();
    assert!(level.len().is_power_of_two(), "a sample is a full chunk");
    while level.len() > 1 {
        level = level
            .chunks_exact(2)
            .map(|pair| merge_subtrees_non_root(&pair[0], &pair[1], Mode::Hash))
            .collect();
    }
    level[0]
}

/// The bare cipher, each frame under a nonce of its own.
struct FrameCipher {
    key: LessSafeKey,
    frames: u64,
}

impl FrameCipher {
    fn new() -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, &[5; 32])?;
        Ok(Self { key: LessSafeKey::new(key), frames: 0 })
    }

    fn seal_all(&mut self, chunk: &mut [u8]) -> Result<()> {
        for frame in chunk.chunks_mut(FRAME_BYTES) {
            self.frames += 1;
            let mut nonce = [0; 12];
            nonce[..8].copy_from_slice(&self.frames.to_le_bytes());
            let nonce = Nonce::assume_unique_for_key(nonce);
            let tag = self.key.seal_in_place_separate_tag(nonce, Aad::empty(), frame)?;
            black_box(tag.as_ref());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_that_is_measured_is_the_one_that_chunks_are_named_by() {
        let sample = SampleChunk::new(ChunkIndex(0));
        assert_eq!(chunk_cv(sample.plain()), sample.sealed().hash.cv.0);
    }
}
