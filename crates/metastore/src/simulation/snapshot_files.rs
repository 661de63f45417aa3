//! Snapshots of simulated nodes: real directories with a real manifest, because that is what goes
//! between members, and the state's pairs in one file.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use custos_ledger::MemoryKv;

use crate::{
    dir_lock::DirLock,
    raft_types::{LogId, SnapshotMeta},
    state::SnapshotDir,
};

const FILE: &str = "pairs";

/// Makes snapshot directories below one directory.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotFiles {
    dir: PathBuf,
    lock: DirLock,
    next: Arc<AtomicU64>,
}

impl SnapshotFiles {
    pub(crate) fn new(dir: PathBuf, lock: DirLock) -> Self {
        Self { dir, lock, next: Arc::default() }
    }

    /// The name of a snapshot that holds everything up to `last`.
    pub(crate) fn name(&self, last: Option<LogId>) -> String {
        last.map_or_else(|| "snap-empty".to_owned(), |id| format!("snap-{id}"))
    }

    /// A directory to be filled.
    pub(crate) fn draft(&self) -> SnapshotDir {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(number.to_string());
        fs::create_dir(&path).expect("a temporary directory");
        SnapshotDir::simulated(path, self.lock.clone())
    }

    pub(crate) fn write(&self, meta: &SnapshotMeta, pairs: &MemoryKv) -> SnapshotDir {
        let draft = self.draft();
        fs::write(draft.path().join(FILE), encode(pairs)).expect("a temporary file");
        draft.finish_simulated(meta).expect("a temporary file");
        draft
    }

    pub(crate) fn read(from: &SnapshotDir) -> MemoryKv {
        decode(&read_file(&from.path().join(FILE)))
    }
}

fn read_file(path: &Path) -> Vec<u8> {
    fs::read(path).expect("the snapshot is there")
}

fn encode(pairs: &MemoryKv) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in pairs.iter().flat_map(|(key, value)| [key, value]) {
        let len = u32::try_from(part.len()).expect("small");
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> MemoryKv {
    let mut part = || {
        let (len, rest) = bytes.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).expect("small");
        let (part, rest) = rest.split_at(len);
        bytes = rest;
        Some(part.to_vec())
    };
    let mut pairs = MemoryKv::new();
    while let Some(key) = part() {
        pairs.insert(key, part().expect("a value follows its key"));
    }
    pairs
}
