use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use custos_core::EvidenceId;
use zeroize::Zeroizing;

use crate::{DataKey, FormatError, OpenError, field_reader::FieldReader, layout::FRAME_TAG_BYTES};

/// Bytes of a wrapped data key, always.
pub const WRAPPED_KEY_BYTES: usize = HEADER_BYTES + NONCE_BYTES + SEALED_BYTES;

const WHAT: &str = "wrapped data key";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 8;
const NONCE_BYTES: usize = 12;
const SEALED_BYTES: usize = 32 + FRAME_TAG_BYTES;

/// Wraps the data key of `evidence_id` under a key-encryption key, with AES-256-GCM. `nonce` must
/// never have been used with `kek` before.
#[must_use]
pub fn wrap_key(
    kek: &[u8; 32],
    kek_id: [u8; 8],
    nonce: [u8; 12],
    key: &DataKey,
    evidence_id: EvidenceId,
) -> Vec<u8> {
    let mut sealed = Zeroizing::new([0; SEALED_BYTES]);
    let (text, tag_room) = sealed.split_at_mut(32);
    text.copy_from_slice(key.expose());
    let aad = Aad::from(associated_data(kek_id, evidence_id));
    let tag = cipher(kek)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, text)
        .expect("a key is far below the cipher's limit");
    tag_room.copy_from_slice(tag.as_ref());
    let mut wrapped = Vec::with_capacity(WRAPPED_KEY_BYTES);
    wrapped.push(VERSION);
    wrapped.extend_from_slice(&kek_id);
    wrapped.extend_from_slice(&nonce);
    wrapped.extend_from_slice(sealed.as_slice());
    wrapped
}

/// Opens what [`wrap_key`] made for the same evidence under the same key-encryption key.
///
/// # Errors
/// [`OpenError::Format`] when it is no wrapped key, [`OpenError::WrongKek`] when it is wrapped
/// under another key, [`OpenError::WrappedKey`] when it was altered or is of other evidence.
pub fn unwrap_key(
    kek: &[u8; 32],
    kek_id: [u8; 8],
    wrapped: &[u8],
    evidence_id: EvidenceId,
) -> Result<DataKey, OpenError> {
    let (found, mut reader) = read_head(wrapped)?;
    if found != kek_id {
        return Err(OpenError::WrongKek { expected: kek_id, found });
    }
    let nonce = Nonce::assume_unique_for_key(reader.array());
    let mut sealed = Zeroizing::new(reader.array::<SEALED_BYTES>());
    let aad = Aad::from(associated_data(kek_id, evidence_id));
    let plain = cipher(kek)
        .open_in_place(nonce, aad, sealed.as_mut_slice())
        .map_err(|_unspecified| OpenError::WrappedKey { evidence_id })?;
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(plain);
    Ok(DataKey::new(*key))
}

/// Name of the key-encryption key that something is wrapped under.
///
/// # Errors
/// When it is no wrapped key.
pub fn kek_id_of(wrapped: &[u8]) -> Result<[u8; 8], FormatError> {
    read_head(wrapped).map(|(kek_id, _)| kek_id)
}

/// The name of the key-encryption key, and the reader behind it.
fn read_head(wrapped: &[u8]) -> Result<([u8; 8], FieldReader<'_>), FormatError> {
    if wrapped.len() != WRAPPED_KEY_BYTES {
        let (expected, found) = (WRAPPED_KEY_BYTES, wrapped.len());
        return Err(FormatError::Length { what: WHAT, expected, found });
    }
    let mut reader = FieldReader::new(wrapped);
    let version = reader.u8();
    if version != VERSION {
        return Err(FormatError::Version { what: WHAT, found: version, known: VERSION });
    }
    Ok((reader.array(), reader))
}

fn cipher(kek: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, kek).expect("a key has 32 bytes"))
}

fn associated_data(kek_id: [u8; 8], evidence_id: EvidenceId) -> [u8; HEADER_BYTES + 16] {
    let mut bytes = [0; HEADER_BYTES + 16];
    bytes[0] = VERSION;
    bytes[1..HEADER_BYTES].copy_from_slice(&kek_id);
    bytes[HEADER_BYTES..].copy_from_slice(evidence_id.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEK: [u8; 32] = [1; 32];
    const KEK_ID: [u8; 8] = [2; 8];

    fn id() -> EvidenceId {
        EvidenceId::from_bytes([3; 16])
    }

    fn wrapped() -> Vec<u8> {
        wrap_key(&KEK, KEK_ID, [4; 12], &DataKey::new([5; 32]), id())
    }

    #[test]
    fn a_wrapped_key_opens_for_its_evidence_only() {
        let wrapped = wrapped();
        assert_eq!(wrapped.len(), WRAPPED_KEY_BYTES);
        assert_eq!(kek_id_of(&wrapped), Ok(KEK_ID));
        let key = unwrap_key(&KEK, KEK_ID, &wrapped, id()).expect("unaltered");
        assert_eq!(key.expose(), &[5; 32]);
        let other = EvidenceId::from_bytes([9; 16]);
        let error = unwrap_key(&KEK, KEK_ID, &wrapped, other).expect_err("other evidence");
        assert_eq!(error, OpenError::WrappedKey { evidence_id: other });
    }

    #[test]
    fn a_wrong_key_is_named_apart_from_damage() {
        let wrapped = wrapped();
        let error = unwrap_key(&KEK, [7; 8], &wrapped, id()).expect_err("another id");
        assert_eq!(error, OpenError::WrongKek { expected: [7; 8], found: KEK_ID });
        assert!(error.to_string().contains("0202020202020202"));
        let error = unwrap_key(&[6; 32], KEK_ID, &wrapped, id()).expect_err("another key");
        assert_eq!(error, OpenError::WrappedKey { evidence_id: id() });
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_caught() {
        let wrapped = wrapped();
        for bit in 0..wrapped.len() * 8 {
            let mut bytes = wrapped.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(unwrap_key(&KEK, KEK_ID, &bytes, id()).is_err(), "bit {bit}");
        }
        for len in 0..wrapped.len() {
            assert!(unwrap_key(&KEK, KEK_ID, &wrapped[..len], id()).is_err(), "{len} bytes");
        }
    }
}
