use std::{fs, io, path::Path};

use custos_core::MetaId;
use serde::{Deserialize, Serialize};

use crate::{
    durable,
    error::{OpenError, StoreError},
};

/// Format of the directory that this release writes, and the newest that it reads.
const FORMAT_VERSION: u32 = 1;
const FILE_NAME: &str = "meta.json";

/// How far this node got in joining its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// It never took part: an empty log is right.
    New,
    /// It waits for its group's leader: an empty log is right.
    Joining,
    /// It takes part: an empty log means that the log was lost.
    Member,
}

/// `meta.json`: what a metastore's directory is, and whose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    format_version: u32,
    node_id: u64,
    phase: Phase,
}

/// The one field that every format, older or newer, has.
#[derive(Deserialize)]
struct FormatOnly {
    format_version: u32,
}

impl Identity {
    /// Reads the identity of `dir`, or gives an empty directory its first one.
    pub(crate) fn read_or_create(dir: &Path, node_id: MetaId) -> Result<Self, OpenError> {
        let path = dir.join(FILE_NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Self::create(dir, node_id);
            }
            Err(error) => return Err(StoreError::io("read", &path)(error).into()),
        };
        let identity = Self::parse(&path, &bytes)?;
        if identity.node_id != node_id.0 {
            return Err(OpenError::WrongNode {
                dir: dir.to_owned(),
                found: identity.node_id,
                expected: node_id.0,
            });
        }
        Ok(identity)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, OpenError> {
        let damaged = |error: serde_json::Error| OpenError::DamagedIdentity {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        // The version is looked at alone first: a newer file may differ in all else.
        let FormatOnly { format_version } = serde_json::from_slice(bytes).map_err(damaged)?;
        if format_version > FORMAT_VERSION {
            return Err(OpenError::NewerFormat {
                path: path.to_owned(),
                found: format_version,
                supported: FORMAT_VERSION,
            });
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// The identity of a node whose state is there before it: it takes part.
    pub(crate) fn of_member(node_id: MetaId) -> Self {
        Self { format_version: FORMAT_VERSION, node_id: node_id.0, phase: Phase::Member }
    }

    fn create(dir: &Path, node_id: MetaId) -> Result<Self, OpenError> {
        // The identity is the first file written after the lock: anything else without it is
        // either foreign or a store that lost its identity, and is not taken over.
        let foreign = durable::file_names(dir)?
            .into_iter()
            .find(|name| name != "lock" && name != "meta.draft");
        if let Some(found) = foreign {
            return Err(OpenError::NotAMetaStore { dir: dir.to_owned(), found });
        }
        let identity =
            Self { format_version: FORMAT_VERSION, node_id: node_id.0, phase: Phase::New };
        identity.write(dir)?;
        Ok(identity)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Records durably how far the node has got.
    pub(crate) fn reach(&mut self, dir: &Path, phase: Phase) -> Result<(), StoreError> {
        self.phase = phase;
        self.write(dir)
    }

    /// Whose directory `dir` is, if it is a metastore's.
    pub(crate) fn node_of(dir: &Path) -> Result<Option<MetaId>, OpenError> {
        let path = dir.join(FILE_NAME);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(MetaId(Self::parse(&path, &bytes)?.node_id))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", &path)(error).into()),
        }
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), StoreError> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("plain fields have JSON");
        bytes.push(b'\n');
        durable::replace_file(&dir.join(FILE_NAME), &bytes)
    }
}
