//! How failures travel between nodes: as a gRPC status whose kind follows `custos_wire`, with the
//! variant's name in the metadata key `custos-error` and its fields in keys of their own, so that
//! the other end has the same error again.

mod ledger;
mod shard;

pub use ledger::{ledger_error_from_status, ledger_error_to_status};
pub use shard::{
    is_stale, is_wrong_target, shard_error_from_status, shard_error_to_status, wrong_target,
};

use custos_core::ErrorKind;
use custos_wire::WireError;
use tonic::{
    Status,
    metadata::{AsciiMetadataValue, BinaryMetadataValue},
};

use crate::limits::REASON_BYTES_MAX;

/// Name of the variant.
const ERROR_KEY: &str = "custos-error";
/// The variant's text in UTF-8, without the words that its display adds.
const REASON_KEY: &str = "custos-reason-bin";

fn status_of(kind: ErrorKind, message: &str) -> Status {
    WireError::new(kind, cut(message)).into()
}

fn name(status: &Status) -> Option<&str> {
    status.metadata().get(ERROR_KEY)?.to_str().ok()
}

fn set_name(status: &mut Status, name: &'static str) {
    status.metadata_mut().insert(ERROR_KEY, AsciiMetadataValue::from_static(name));
}

fn reason(status: &Status) -> String {
    let sent = status.metadata().get_bin(REASON_KEY).and_then(|value| value.to_bytes().ok());
    match sent {
        Some(bytes) => cut(&String::from_utf8_lossy(&bytes)).to_owned(),
        None => cut(status.message()).to_owned(),
    }
}

fn set_reason(status: &mut Status, reason: &str) {
    let value = BinaryMetadataValue::from_bytes(cut(reason).as_bytes());
    status.metadata_mut().insert_bin(REASON_KEY, value);
}

/// The number under `key`; 0 when a peer sent none.
fn number(status: &Status, key: &'static str) -> u64 {
    let text = status.metadata().get(key).and_then(|value| value.to_str().ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn set_number(status: &mut Status, key: &'static str, number: u64) {
    status.metadata_mut().insert(key, AsciiMetadataValue::from(number));
}

/// At most [`REASON_BYTES_MAX`] bytes: metadata must fit the peer's limit for headers.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(REASON_BYTES_MAX)]
}
