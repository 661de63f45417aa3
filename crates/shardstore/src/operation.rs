use custos_ports::{RemovalOrder, ShardKey, ShardWrite};

use crate::index_entry::fingerprint;
use crate::limits::{SHARD_HEADER_BYTES_MAX, SHARD_PAYLOAD_BYTES_MAX};
use crate::record::checksums_of;

/// Something to be made durable.
pub(crate) enum Operation {
    Write(CheckedShard),
    Remove { keys: Vec<ShardKey>, order: RemovalOrder },
}

impl Operation {
    /// Bytes to be written besides heads.
    pub(crate) fn payload_bytes(&self) -> usize {
        match self {
            Self::Write(shard) => shard.write.payload.len(),
            Self::Remove { .. } => 0,
        }
    }
}

/// A shard within the limits, with the checksums of its payload.
pub(crate) struct CheckedShard {
    pub(crate) write: ShardWrite,
    pub(crate) checksums: Vec<u32>,
    pub(crate) payload_len: u32,
    pub(crate) fingerprint: u32,
}

impl CheckedShard {
    /// `Err` says what is out of the limits.
    pub(crate) fn new(write: ShardWrite) -> Result<Self, String> {
        let len = write.payload.len();
        if len == 0 || len > SHARD_PAYLOAD_BYTES_MAX {
            return Err(format!("payload of {len} bytes, 1 to {SHARD_PAYLOAD_BYTES_MAX} can be"));
        }
        let header_len = write.header.len();
        if header_len > SHARD_HEADER_BYTES_MAX {
            return Err(format!("header of {header_len} bytes, {SHARD_HEADER_BYTES_MAX} can be"));
        }
        let payload_len = u32::try_from(len).expect("at most 64 MiB");
        let checksums = checksums_of(&write.payload);
        let fingerprint = fingerprint(&write.header, payload_len, &checksums);
        Ok(Self { write, checksums, payload_len, fingerprint })
    }
}
