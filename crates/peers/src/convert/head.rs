use bytes::Bytes;
use custos_core::{ShardKey, ShardWrite, Timestamp, WritePurpose, limits::SHARD_PAYLOAD_BYTES_MAX};
use custos_wire::{
    WireError,
    internal_v1::{self, Purpose},
};

use super::{ShardTarget, key_from_wire, key_to_wire, shard::check_header};
use crate::payload;

/// What is said of a shard before its payload is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteHead {
    /// The disk that should keep it.
    pub target: ShardTarget,
    /// The shard's name.
    pub key: ShardKey,
    /// It must not end before this time.
    pub retain_until: Timestamp,
    /// What it is written for.
    pub purpose: WritePurpose,
    /// The codec's shard header, at most 512 bytes.
    pub header: Bytes,
    /// Bytes of the payload, 1 byte to 64 MiB.
    pub payload_len: usize,
    /// CRC-32C of the payload.
    pub payload_crc32c: u32,
}

impl WriteHead {
    /// Describes a shard. Reads its payload once, for the checksum.
    #[must_use]
    pub fn of(target: ShardTarget, shard: &ShardWrite) -> Self {
        Self {
            target,
            key: shard.key,
            retain_until: shard.retain_until,
            purpose: shard.purpose,
            header: shard.header.clone(),
            payload_len: shard.payload.len(),
            payload_crc32c: payload::crc32c(&shard.payload),
        }
    }

    /// The wire form. A payload that is too long for it is too long for every node.
    #[must_use]
    pub fn to_wire(&self) -> internal_v1::WriteHead {
        let purpose = match self.purpose {
            WritePurpose::Ingest => Purpose::Ingest,
            WritePurpose::Backfill => Purpose::Backfill,
        };
        internal_v1::WriteHead {
            target: Some(self.target.to_wire()),
            key: Some(key_to_wire(&self.key)),
            retain_until_ms: self.retain_until.as_millis(),
            purpose: purpose.into(),
            header: self.header.clone(),
            payload_len: u32::try_from(self.payload_len).unwrap_or(u32::MAX),
            payload_crc32c: self.payload_crc32c,
        }
    }

    /// Parses the wire form; lengths beyond the limits are refused here, before anything of that
    /// length is allocated.
    ///
    /// # Errors
    /// `Invalid`, naming the field.
    pub fn from_wire(wire: internal_v1::WriteHead) -> Result<Self, WireError> {
        let purpose = match Purpose::try_from(wire.purpose) {
            Ok(Purpose::Ingest) => WritePurpose::Ingest,
            Ok(Purpose::Backfill) => WritePurpose::Backfill,
            Ok(Purpose::Unspecified) | Err(_) => {
                return Err(WireError::invalid(
                    "purpose",
                    format_args!("{} is none", wire.purpose),
                ));
            }
        };
        check_header(&wire.header)?;
        let payload_len = usize::try_from(wire.payload_len).unwrap_or(usize::MAX);
        if !(1..=SHARD_PAYLOAD_BYTES_MAX).contains(&payload_len) {
            let what =
                format_args!("{payload_len} bytes, 1 to {SHARD_PAYLOAD_BYTES_MAX} are allowed");
            return Err(WireError::invalid("payload_len", what));
        }
        Ok(Self {
            target: ShardTarget::from_wire(wire.target.as_ref())?,
            key: key_from_wire(wire.key.as_ref())?,
            retain_until: Timestamp::from_millis(wire.retain_until_ms),
            purpose,
            header: wire.header,
            payload_len,
            payload_crc32c: wire.payload_crc32c,
        })
    }

    /// The shard that this head and its payload make.
    #[must_use]
    pub fn into_shard(self, payload: Bytes) -> ShardWrite {
        ShardWrite {
            key: self.key,
            retain_until: self.retain_until,
            purpose: self.purpose,
            header: self.header,
            payload,
        }
    }
}
