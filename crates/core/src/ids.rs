use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER_PERMISSIVE;
use uuid::Uuid;

use crate::Timestamp;

/// A text that is not an id of the named sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}: {text:?}")]
pub struct ParseIdError {
    /// What would have been right, with its article.
    pub expected: &'static str,
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl ParseIdError {
    fn new(expected: &'static str, text: &str) -> Self {
        Self { expected, text: text.chars().take(80).collect() }
    }
}

/// Identity of one evidence item: a version 7 UUID (RFC 9562), so ids sort by time of opening.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EvidenceId([u8; 16]);

impl EvidenceId {
    /// Builds an id from the cluster's time and 10 random bytes.
    #[must_use]
    pub fn from_parts(time: Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(time.as_millis()).unwrap_or(0);
        Self(*uuid::Builder::from_unix_timestamp_millis(millis, &random).as_uuid().as_bytes())
    }

    /// The 16 bytes in RFC 9562 order.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Takes any 16 bytes: what is stored is not judged again.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Takes exactly 16 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvidenceId({self})")
    }
}

impl serde::Serialize for EvidenceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for EvidenceId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text)
            .map(|uuid| Self(*uuid.as_bytes()))
            .map_err(|_| ParseIdError::new("an evidence id (a UUID)", text))
    }
}

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize,
        )]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_type!(
    /// A set of n slots, each on a disk of a different failure domain; evidence lives in one.
    VaultId(u32)
);
number_type!(
    /// Position of a shard in its chunk's code word: `0..k` are data, `k..k+m` parity.
    ShardSlot(u8)
);
number_type!(
    /// Position of an entry in the custody log, from 0.
    LogIndex(u64)
);
number_type!(
    /// Version of the cluster map: grows with every change of nodes, disks or vaults.
    Epoch(u64)
);
number_type!(
    /// How often a disk was taken into service: grows with every opening, so that a copy of a disk
    /// is told from the disk.
    DiskGeneration(u64)
);

number_type!(
    /// Identity of a metadata node in its group, from 1; never used twice.
    MetaId(u64)
);

/// Position of a chunk in its evidence, from 0; one value is kept for the crown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkIndex(pub u32);

impl ChunkIndex {
    /// The crown: the list of chunk entries of evidence of two chunks or more, stored as a chunk.
    pub const CROWN: Self = Self(u32::MAX);
}

impl fmt::Display for ChunkIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::CROWN { f.write_str("crown") } else { self.0.fmt(f) }
    }
}

impl fmt::Debug for ChunkIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChunkIndex({self})")
    }
}

macro_rules! bytes_type {
    ($(#[$doc:meta])* $name:ident[$len:literal], $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The raw bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// From raw bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Takes a slice of exactly the right length.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                HEXLOWER_PERMISSIVE
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| Self::from_slice(&bytes))
                    .ok_or_else(|| ParseIdError::new($expected, text))
            }
        }
    };
}

bytes_type!(
    /// Random name of one attempt to write one chunk (128 bits). Its subkey is derived from it, so
    /// a chunk that is written again never reuses a nonce, and shards of two attempts never mix.
    Salt[16], "a salt of 32 hexadecimal digits"
);
bytes_type!(
    /// Identity of one storage node: 16 random bytes, given once when its folder is made.
    NodeId[16], "a node id of 32 hexadecimal digits"
);
bytes_type!(
    /// Identity of one disk or bucket: 16 random bytes, given once when it is made. It stands in
    /// the disk's identity file, in every extent, in every record and in the index, so that a
    /// swapped, cloned or foreign part is recognised.
    DiskId[16], "a disk id of 32 hexadecimal digits"
);
bytes_type!(
    /// Random name of one process run (128 bits): tells two processes apart that claim to be the
    /// same node, or two openings of what claims to be the same disk.
    RunId[16], "a run id of 32 hexadecimal digits"
);
bytes_type!(
    /// The client's own name for one upload (256 bits): opening with the same key again resumes
    /// the upload, or returns the receipt when it is already sealed.
    UploadKey[32], "an upload key of 64 hexadecimal digits"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_ids_sort_by_time_and_round_trip() {
        let early = EvidenceId::from_parts(Timestamp::from_millis(1_000), [0xff; 10]);
        let late = EvidenceId::from_parts(Timestamp::from_millis(2_000), [0; 10]);
        assert!(early < late);
        assert_eq!(late.to_string().parse::<EvidenceId>(), Ok(late));
        assert!("nonsense".parse::<EvidenceId>().is_err());
    }
}
