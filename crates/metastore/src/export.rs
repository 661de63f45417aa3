use std::{fs::File, path::PathBuf};

use custos_core::{Checkpoint, MetaId, Timestamp};

use crate::state::Exported;

/// A position in the Raft log: order is by term, node, index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPosition {
    /// Term of the leader that made the entry.
    pub term: u64,
    /// That leader.
    pub node: u64,
    /// Number of the entry.
    pub index: u64,
}

impl LogPosition {
    pub(crate) fn of(id: crate::raft_types::LogId) -> Self {
        Self { term: id.leader_id.term, node: id.leader_id.node_id, index: id.index }
    }
}

/// A copy of the ledger at one moment, for a backup. It goes when it is dropped; until then the
/// space of what the ledger no longer needs is not free.
pub struct LedgerExport {
    pub(crate) exported: Exported,
    pub(crate) by: MetaId,
    pub(crate) taken: Timestamp,
}

/// One file of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    /// Its name: plain, unique in this copy.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Where it lies while the copy is held.
    pub path: PathBuf,
}

impl LedgerExport {
    /// The node that it was taken on.
    #[must_use]
    pub fn by(&self) -> MetaId {
        self.by
    }

    /// That node's wall clock just before it was taken.
    #[must_use]
    pub fn taken(&self) -> Timestamp {
        self.taken
    }

    /// The last entry in it.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition::of(self.exported.last_applied)
    }

    /// The custody log in it.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.exported.checkpoint
    }

    /// Its files, which never change.
    #[must_use]
    pub fn files(&self) -> Vec<ExportedFile> {
        let files = self.exported.files.iter().map(|(name, bytes)| ExportedFile {
            name: name.clone(),
            bytes: *bytes,
            path: self.exported.dir.path().join(name),
        });
        files.collect()
    }
}

impl ExportedFile {
    /// Opens it for reading.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(&self) -> std::io::Result<File> {
        File::open(&self.path)
    }
}
