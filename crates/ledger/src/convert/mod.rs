//! Domain types to stored messages and back. Encoding never fails; decoding names the message
//! and the field.

mod answer;
mod cluster;
mod command;
mod evidence;
mod law;
mod meta_member;
mod outcome;
mod policy;
mod query;
mod routing;

use custos_core::{EvidenceId, Mirror};
use prost::Message;

use crate::DecodeError;

/// Decodes a message and names it if it is malformed.
pub(crate) fn parse<M: Message + Default>(
    message: &'static str,
    bytes: &[u8],
) -> Result<M, DecodeError> {
    M::decode(bytes).map_err(|source| DecodeError::Malformed { message, source })
}

/// A field that must be there and have a known value.
pub(crate) fn need<T>(
    message: &'static str,
    field: &'static str,
    value: Option<T>,
) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Field { message, field })
}

/// A field of exactly `N` bytes.
pub(crate) fn fixed<const N: usize>(
    message: &'static str,
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], DecodeError> {
    need(message, field, bytes.try_into().ok())
}

/// The only version known, or an error.
pub(crate) fn version(message: &'static str, found: u32, known: u32) -> Result<(), DecodeError> {
    if found == known { Ok(()) } else { Err(DecodeError::Version { message, found, known }) }
}

/// An evidence id that may be absent.
fn optional_evidence_id(
    message: &'static str,
    field: &'static str,
    bytes: Option<&[u8]>,
) -> Result<Option<EvidenceId>, DecodeError> {
    bytes.map(|id| fixed(message, field, id).map(EvidenceId::from_bytes)).transpose()
}

/// The value of a stored form.
pub(crate) fn mirrored<M, T: Mirror<M>>(
    message: &'static str,
    stored: M,
) -> Result<T, DecodeError> {
    T::from_message(stored).map_err(|error| DecodeError::Law { message, error })
}
