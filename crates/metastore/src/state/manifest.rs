use std::{fs, path::Path};

use prost::Message;

use crate::{durable, error::StoreError, proto, raft_types::SnapshotMeta, records};

const FILE_NAME: &str = "SNAPSHOT";
const MAGIC: &[u8; 8] = b"CUSTSNAP";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 16;

/// What a manifest lists, for those who send and receive snapshots.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ManifestListing {
    pub(crate) id: String,
    pub(crate) meta: SnapshotMeta,
    /// Names and lengths, in the manifest's order.
    pub(crate) files: Vec<(String, u64)>,
    /// Bytes of the file `SNAPSHOT`.
    pub(crate) encoded: Vec<u8>,
}

/// The manifest in `dir`, whose files are there.
pub(crate) fn read_manifest(dir: &Path) -> Result<ManifestListing, StoreError> {
    Manifest::read(dir).map(|manifest| manifest.listing())
}

/// A manifest from another member.
pub(crate) fn parse_manifest(bytes: &[u8]) -> Result<ManifestListing, StoreError> {
    let manifest = Manifest::decode(bytes)?;
    let is_data = |name: &str| is_data(name) && !name.ends_with(".draft");
    match manifest.file_names().find(|name| !is_data(name)) {
        Some(name) => {
            Err(StoreError::damaged("snapshot manifest", format!("{name:?} is no part of a state")))
        }
        None => Ok(manifest.listing()),
    }
}

/// The same manifest with another membership, for a planted bug.
#[cfg(test)]
pub(crate) fn with_membership(
    encoded: &[u8],
    membership: &crate::raft_types::StoredMembership,
) -> Vec<u8> {
    let Manifest(mut manifest) = Manifest::decode(encoded).expect("a manifest");
    let mut meta = records::snapshot_meta_from_proto(&manifest);
    meta.last_membership = membership.clone();
    manifest.membership = records::snapshot_meta_to_proto(&meta).membership;
    Manifest(manifest).encode()
}

/// Writes a manifest beside the files that it lists: from then on they are a snapshot.
pub(crate) fn write_manifest(dir: &Path, encoded: &[u8]) -> Result<(), StoreError> {
    durable::replace_file(&dir.join(FILE_NAME), encoded)
}

/// The file `SNAPSHOT`: what a snapshot's directory holds. It is written last, so a directory
/// without it is unfinished.
///
/// Layout, little-endian: magic `CUSTSNAP`, version `u32`, CRC-32C of the rest `u32`, then a
/// `SnapshotManifest`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Manifest(proto::SnapshotManifest);

impl Manifest {
    /// Describes the files in `dir` as the snapshot `meta`.
    pub(super) fn describe(meta: &SnapshotMeta, dir: &Path) -> Result<Self, StoreError> {
        let mut manifest = records::snapshot_meta_to_proto(meta);
        for name in durable::file_names(dir)? {
            if is_data(&name) {
                let bytes = file_bytes(&dir.join(&name))?;
                manifest.files.push(proto::SnapshotFile { name, bytes });
            }
        }
        Ok(Self(manifest))
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        write_manifest(dir, &self.encode())
    }

    fn listing(&self) -> ManifestListing {
        ManifestListing {
            id: self.0.id.clone(),
            meta: self.meta(),
            files: self.0.files.iter().map(|file| (file.name.clone(), file.bytes)).collect(),
            encoded: self.encode(),
        }
    }

    /// Reads the manifest of `dir` and checks that its files are there, whole in length. Their
    /// contents are checked when they are installed.
    pub(super) fn read(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE_NAME);
        let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
        let manifest = Self::decode(&bytes)?;
        for file in &manifest.0.files {
            let found = file_bytes(&dir.join(&file.name))?;
            if found != file.bytes {
                let reason = format!("{} has {found} bytes instead of {}", file.name, file.bytes);
                return Err(StoreError::damaged("snapshot", reason));
            }
        }
        Ok(manifest)
    }

    pub(super) fn meta(&self) -> SnapshotMeta {
        records::snapshot_meta_from_proto(&self.0)
    }

    pub(super) fn file_names(&self) -> impl Iterator<Item = &str> {
        self.0.files.iter().map(|file| file.name.as_str())
    }

    fn encode(&self) -> Vec<u8> {
        let body = self.0.encode_to_vec();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = |reason: String| StoreError::damaged("snapshot manifest", reason);
        let Some((head, body)) = bytes.split_at_checked(HEAD_BYTES) else {
            return Err(damaged(format!("it has {} bytes", bytes.len())));
        };
        let number = |at: usize| {
            u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes of the head"))
        };
        if &head[..8] != MAGIC {
            return Err(damaged("it does not begin with CUSTSNAP".to_owned()));
        }
        if number(8) != VERSION {
            return Err(damaged(format!("version {} is not {VERSION}", number(8))));
        }
        if number(12) != crc32c(body) {
            return Err(damaged("its checksum differs".to_owned()));
        }
        let manifest =
            proto::SnapshotManifest::decode(body).map_err(|error| damaged(error.to_string()))?;
        // Names come from another node: none may lead out of the directory.
        let is_plain = |name: &str| !name.is_empty() && name != ".." && !name.contains('/');
        match manifest.files.iter().find(|file| !is_plain(&file.name)) {
            Some(file) => Err(damaged(format!("{:?} is no file name", file.name))),
            None => Ok(Self(manifest)),
        }
    }
}

/// Whether a file is part of the state: RocksDB's own notes and lock are not.
pub(super) fn is_data(name: &str) -> bool {
    name != FILE_NAME && name != "LOCK" && !name.starts_with("LOG")
}

fn crc32c(bytes: &[u8]) -> u32 {
    let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes);
    u32::try_from(checksum).expect("a 32-bit checksum")
}

fn file_bytes(path: &Path) -> Result<u64, StoreError> {
    Ok(fs::metadata(path).map_err(StoreError::io("stat", path))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Manifest {
        Manifest(proto::SnapshotManifest {
            id: "snap".to_owned(),
            last_applied: Some(proto::RaftLogId { term: 2, node: 1, index: 7 }),
            membership: None,
            files: vec![proto::SnapshotFile { name: "000012.sst".to_owned(), bytes: 99 }],
        })
    }

    #[test]
    fn a_manifest_round_trips_and_any_flipped_or_missing_byte_is_caught() {
        let bytes = example().encode();
        assert_eq!(Manifest::decode(&bytes).expect("whole"), example());
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 0x10;
            assert!(Manifest::decode(&flipped).is_err(), "byte {position} flipped");
            assert!(Manifest::decode(&bytes[..position]).is_err(), "cut at {position}");
        }
    }

    #[test]
    fn a_manifest_cannot_name_files_outside_its_directory() {
        for name in ["", "..", "../x", "/etc/passwd"] {
            let mut manifest = example();
            manifest.0.files[0].name = name.to_owned();
            assert!(Manifest::decode(&manifest.encode()).is_err(), "{name:?}");
        }
    }
}
