//! Systematic Reed–Solomon over GF(2⁸). `reed-solomon-erasure` defines the code: its parity matrix
//! is the format, and its slice kernels do the arithmetic here. Coding goes block by block, so
//! that what is summed up stays in the processor's cache.

use std::{ops::Range, sync::OnceLock};

use custos_core::{ErasureProfile, ShardSlot};
use reed_solomon_erasure::galois_8::{self, ReedSolomon};

use crate::OpenError;

/// Bytes of every shard that are coded at a time: k + m of them fit a second-level cache.
const BLOCK_BYTES: usize = 32 << 10;

/// Encodes the m parity shards behind the k data shards in `buffer`, n · `shard_len` bytes.
///
/// # Panics
/// When `buffer` has another length.
pub fn encode_parity(profile: ErasureProfile, shard_len: usize, buffer: &mut [u8]) {
    assert_eq!(buffer.len(), profile.total() * shard_len, "n shards, one after another");
    let code = Code::of(profile);
    let (data, parity) = buffer.split_at_mut(profile.data() * shard_len);
    for block in blocks(shard_len) {
        for (row, shard) in code.parity_rows.iter().zip(parity.chunks_exact_mut(shard_len)) {
            let inputs = data.chunks_exact(shard_len).map(|shard| &shard[block.clone()]);
            combine(row, inputs, &mut shard[block.clone()]);
        }
    }
}

/// Rebuilds the sealed chunk, k · `shard_len` contiguous bytes, from any k distinct shards. When
/// all k data shards are among them they are only put together.
///
/// # Errors
/// [`OpenError::TooFewShards`], [`OpenError::UnknownSlot`], [`OpenError::ShardLength`].
pub fn rebuild_data(
    profile: ErasureProfile,
    shard_len: usize,
    shards: &[(ShardSlot, &[u8])],
) -> Result<Vec<u8>, OpenError> {
    let given = by_slot(profile, shard_len, shards)?;
    let (data, parity) = given.split_at(profile.data());
    let missing: Vec<usize> = (0..data.len()).filter(|&i| data[i].is_none()).collect();
    let helpers: Vec<(usize, &[u8])> = parity
        .iter()
        .enumerate()
        .filter_map(|(row, shard)| shard.map(|shard| (row, shard)))
        .take(missing.len())
        .collect();
    if helpers.len() < missing.len() {
        let have = data.len() - missing.len() + helpers.len();
        return Err(OpenError::TooFewShards { have, need: data.len() });
    }
    if missing.is_empty() {
        let whole: Vec<&[u8]> = data.iter().flatten().copied().collect();
        return Ok(whole.concat());
    }
    // The k shards that the missing ones are computed from: each data shard at its own place, a
    // parity shard in the place of each missing one.
    let mut spare = helpers.iter();
    let inputs: Vec<&[u8]> = data
        .iter()
        .map(|shard| shard.unwrap_or_else(|| spare.next().expect("counted above").1))
        .collect();
    let rows: Vec<usize> = helpers.iter().map(|&(row, _)| row).collect();
    let solution = Code::of(profile).solve(&missing, &rows);

    let mut sealed = vec![0; data.len() * shard_len];
    for (out, shard) in sealed.chunks_exact_mut(shard_len).zip(data) {
        if let Some(shard) = shard {
            out.copy_from_slice(shard);
        }
    }
    for block in blocks(shard_len) {
        for (&lost, coefficients) in missing.iter().zip(&solution) {
            let out = &mut sealed[lost * shard_len..][block.clone()];
            combine(coefficients, inputs.iter().map(|shard| &shard[block.clone()]), out);
        }
    }
    Ok(sealed)
}

/// Encodes the whole code word again from the verified `sealed_data` (k · `shard_len` bytes) and
/// names the slots whose given bytes differ, in the order given: the shards that lie.
///
/// # Panics
/// When `sealed_data` has another length.
#[must_use]
pub fn find_inconsistent(
    profile: ErasureProfile,
    shard_len: usize,
    sealed_data: &[u8],
    shards: &[(ShardSlot, &[u8])],
) -> Vec<ShardSlot> {
    assert_eq!(sealed_data.len(), profile.data() * shard_len, "k shards, one after another");
    let differs = |&&(slot, bytes): &&(ShardSlot, &[u8])| {
        let index = usize::from(slot.0);
        if index >= profile.total() || bytes.len() != shard_len {
            return true;
        }
        match index.checked_sub(profile.data()) {
            None => bytes != &sealed_data[index * shard_len..][..shard_len],
            Some(row) => parity_differs(profile, shard_len, sealed_data, row, bytes),
        }
    };
    shards.iter().filter(differs).map(|&(slot, _)| slot).collect()
}

/// Encodes one shard of the code word again from the verified `sealed_data` (k · `shard_len`
/// bytes): what belongs in that slot.
///
/// # Panics
/// When `sealed_data` has another length, or the profile has no such slot.
#[must_use]
pub fn encode_shard(
    profile: ErasureProfile,
    shard_len: usize,
    sealed_data: &[u8],
    slot: ShardSlot,
) -> Vec<u8> {
    assert_eq!(sealed_data.len(), profile.data() * shard_len, "k shards, one after another");
    let index = usize::from(slot.0);
    let Some(row) = index.checked_sub(profile.data()) else {
        return sealed_data[index * shard_len..][..shard_len].to_vec();
    };
    let row = &Code::of(profile).parity_rows[row];
    let mut shard = vec![0; shard_len];
    for block in blocks(shard_len) {
        let inputs = sealed_data.chunks_exact(shard_len).map(|data| &data[block.clone()]);
        combine(row, inputs, &mut shard[block.clone()]);
    }
    shard
}

fn parity_differs(
    profile: ErasureProfile,
    shard_len: usize,
    sealed_data: &[u8],
    row: usize,
    given: &[u8],
) -> bool {
    let row = &Code::of(profile).parity_rows[row];
    let mut expected = [0; BLOCK_BYTES];
    blocks(shard_len).any(|block| {
        let expected = &mut expected[..block.len()];
        let inputs = sealed_data.chunks_exact(shard_len).map(|shard| &shard[block.clone()]);
        combine(row, inputs, expected);
        *expected != given[block]
    })
}

/// One profile's parity matrix: m rows of k coefficients.
struct Code {
    parity_rows: Vec<Vec<u8>>,
}

impl Code {
    fn of(profile: ErasureProfile) -> &'static Self {
        static CODES: [OnceLock<Code>; ErasureProfile::ALL.len()] =
            [const { OnceLock::new() }; ErasureProfile::ALL.len()];
        let index = ErasureProfile::ALL
            .iter()
            .position(|&known| known == profile)
            .expect("every profile is one of ALL");
        CODES[index].get_or_init(|| Self::new(profile))
    }

    /// Reads the matrix off the library by coding unit vectors: byte j of data shard i is 1 where
    /// i = j, so byte j of a parity shard is its coefficient for data shard j.
    fn new(profile: ErasureProfile) -> Self {
        let (data, parity) = (profile.data(), profile.parity());
        let unit = |i: usize| (0..data).map(|j| u8::from(i == j)).collect::<Vec<u8>>();
        let units: Vec<Vec<u8>> = (0..data).map(unit).collect();
        let mut parity_rows = vec![vec![0; data]; parity];
        ReedSolomon::new(data, parity)
            .and_then(|library| library.encode_sep(&units, &mut parity_rows))
            .expect("every profile is within the library's limits");
        Self { parity_rows }
    }

    /// Coefficients that give each missing data shard from k inputs: data shard i at place i, and
    /// at the place of the t-th missing one the parity shard of row `rows[t]`.
    fn solve(&self, missing: &[usize], rows: &[usize]) -> Vec<Vec<u8>> {
        let square: Vec<Vec<u8>> = rows
            .iter()
            .map(|&row| missing.iter().map(|&lost| self.parity_rows[row][lost]).collect())
            .collect();
        let inverse = invert(square);
        let data = self.parity_rows[0].len();
        let coefficient = |inverse_row: &[u8], input: usize| match missing.binary_search(&input) {
            Ok(t) => inverse_row[t],
            // What a present data shard adds to the parity shards is taken off again; in this
            // field, taking off is adding.
            Err(_) => inverse_row
                .iter()
                .zip(rows)
                .fold(0, |sum, (&c, &row)| sum ^ galois_8::mul(c, self.parity_rows[row][input])),
        };
        inverse
            .iter()
            .map(|inverse_row| (0..data).map(|input| coefficient(inverse_row, input)).collect())
            .collect()
    }
}

/// Gauss–Jordan elimination over GF(2⁸).
fn invert(mut square: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let size = square.len();
    for (i, row) in square.iter_mut().enumerate() {
        row.extend((0..size).map(|j| u8::from(i == j)));
    }
    for column in 0..size {
        let pivot = (column..size)
            .find(|&row| square[row][column] != 0)
            .expect("every square part of the parity matrix can be inverted");
        square.swap(column, pivot);
        let scale = galois_8::div(1, square[column][column]);
        for value in &mut square[column] {
            *value = galois_8::mul(*value, scale);
        }
        let pivot_row = square[column].clone();
        for (_, row) in square.iter_mut().enumerate().filter(|&(i, _)| i != column) {
            galois_8::mul_slice_xor(row[column], &pivot_row, row);
        }
    }
    square.into_iter().map(|row| row[size..].to_vec()).collect()
}

/// Writes the sum of the inputs, each times its coefficient, to `out`.
fn combine<'a>(coefficients: &[u8], inputs: impl Iterator<Item = &'a [u8]>, out: &mut [u8]) {
    for (i, (&coefficient, input)) in coefficients.iter().zip(inputs).enumerate() {
        if i == 0 {
            galois_8::mul_slice(coefficient, input, out);
        } else {
            galois_8::mul_slice_xor(coefficient, input, out);
        }
    }
}

fn blocks(shard_len: usize) -> impl Iterator<Item = Range<usize>> {
    (0..shard_len)
        .step_by(BLOCK_BYTES)
        .map(move |start| start..(start + BLOCK_BYTES).min(shard_len))
}

/// The given shards by slot; a slot given twice counts once.
fn by_slot<'a>(
    profile: ErasureProfile,
    shard_len: usize,
    shards: &[(ShardSlot, &'a [u8])],
) -> Result<Vec<Option<&'a [u8]>>, OpenError> {
    let mut given = vec![None; profile.total()];
    for &(slot, bytes) in shards {
        let total = profile.total();
        let room =
            given.get_mut(usize::from(slot.0)).ok_or(OpenError::UnknownSlot { slot, total })?;
        if bytes.len() != shard_len {
            let found = bytes.len();
            return Err(OpenError::ShardLength { slot, expected: shard_len, found });
        }
        *room = Some(bytes);
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        blake3::Hasher::new().update(b"erasure").finalize_xof().fill(&mut bytes);
        bytes
    }

    #[test]
    fn parity_is_byte_for_byte_the_library_s() {
        for profile in ErasureProfile::ALL {
            for shard_len in [1, 31, 4096, BLOCK_BYTES, 2 * BLOCK_BYTES + 77] {
                let mut buffer = noise(profile.total() * shard_len);
                let mut expected: Vec<Vec<u8>> =
                    buffer.chunks_exact(shard_len).map(<[u8]>::to_vec).collect();
                ReedSolomon::new(profile.data(), profile.parity())
                    .and_then(|library| library.encode(&mut expected))
                    .expect("a known profile");
                encode_parity(profile, shard_len, &mut buffer);
                assert!(buffer == expected.concat(), "{profile}, {shard_len} bytes");
            }
        }
    }

    #[test]
    fn the_parity_matrix_is_the_documented_one() {
        assert_eq!(Code::of(ErasureProfile::P2_1).parity_rows, [[3, 2]]);
        assert_eq!(
            Code::of(ErasureProfile::P4_2).parity_rows,
            [[0x1b, 0x1c, 0x12, 0x14], [0x1c, 0x1b, 0x14, 0x12]]
        );
        assert_eq!(
            Code::of(ErasureProfile::P8_3).parity_rows[2],
            [0xba, 0x33, 0x1a, 0x84, 0xc6, 0x27, 0xe7, 0x10]
        );
        assert_eq!(
            Code::of(ErasureProfile::P10_4).parity_rows[3],
            [0xd6, 0xbf, 0x0a, 0x62, 0x6f, 0x06, 0xb7, 0xdf, 0x04, 0x05]
        );
    }

    #[test]
    fn every_loss_of_up_to_m_shards_decodes_in_every_profile() {
        let shard_len = 100;
        for profile in ErasureProfile::ALL {
            let mut buffer = noise(profile.total() * shard_len);
            encode_parity(profile, shard_len, &mut buffer);
            let word: Vec<(ShardSlot, &[u8])> =
                (0..).map(ShardSlot).zip(buffer.chunks_exact(shard_len)).collect();
            for lost in 0u32..1 << profile.total() {
                let kept: Vec<_> =
                    word.iter().filter(|(slot, _)| lost >> slot.0 & 1 == 0).copied().collect();
                let rebuilt = rebuild_data(profile, shard_len, &kept);
                if kept.len() >= profile.data() {
                    let data = &buffer[..profile.data() * shard_len];
                    assert!(rebuilt.as_deref() == Ok(data), "{profile}, lost {lost:b}");
                } else {
                    let (have, need) = (kept.len(), profile.data());
                    assert_eq!(rebuilt, Err(OpenError::TooFewShards { have, need }));
                }
            }
        }
    }

    #[test]
    fn a_shard_encoded_alone_is_the_one_of_the_whole_code_word() {
        for profile in ErasureProfile::ALL {
            for shard_len in [1, BLOCK_BYTES + 5] {
                let mut buffer = noise(profile.total() * shard_len);
                encode_parity(profile, shard_len, &mut buffer);
                let sealed = &buffer[..profile.data() * shard_len];
                for (slot, expected) in (0..).map(ShardSlot).zip(buffer.chunks_exact(shard_len)) {
                    let shard = encode_shard(profile, shard_len, sealed, slot);
                    assert!(shard == expected, "{profile}, {shard_len} bytes, slot {slot}");
                }
            }
        }
    }

    #[test]
    fn a_lying_shard_is_named_wherever_it_lies() {
        let shard_len = BLOCK_BYTES + 5;
        for profile in ErasureProfile::ALL {
            let mut buffer = noise(profile.total() * shard_len);
            encode_parity(profile, shard_len, &mut buffer);
            let sealed = buffer[..profile.data() * shard_len].to_vec();
            for liar in 0..profile.total() {
                let at = liar * shard_len + liar * 997 % shard_len;
                buffer[at] ^= 0x40;
                let word: Vec<(ShardSlot, &[u8])> =
                    (0..).map(ShardSlot).zip(buffer.chunks_exact(shard_len)).collect();
                let expected = [word[liar].0];
                assert_eq!(find_inconsistent(profile, shard_len, &sealed, &word), expected);
                buffer[at] ^= 0x40;
            }
        }
    }

    #[test]
    fn shards_that_cannot_be_are_named() {
        let profile = ErasureProfile::P2_1;
        let shard = [0; 10];
        let unknown = [(ShardSlot(0), &shard[..]), (ShardSlot(3), &shard[..])];
        assert_eq!(
            rebuild_data(profile, 10, &unknown),
            Err(OpenError::UnknownSlot { slot: ShardSlot(3), total: 3 })
        );
        let short = [(ShardSlot(0), &shard[..]), (ShardSlot(2), &shard[..9])];
        assert_eq!(
            rebuild_data(profile, 10, &short),
            Err(OpenError::ShardLength { slot: ShardSlot(2), expected: 10, found: 9 })
        );
        let twice = [(ShardSlot(1), &shard[..]), (ShardSlot(1), &shard[..])];
        assert_eq!(
            rebuild_data(profile, 10, &twice),
            Err(OpenError::TooFewShards { have: 1, need: 2 })
        );
        let bad = [(ShardSlot(9), &shard[..]), (ShardSlot(1), &shard[..9])];
        assert_eq!(find_inconsistent(profile, 10, &[0; 20], &bad), [ShardSlot(9), ShardSlot(1)]);
    }
}
