use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;

use crate::BackupError;

/// The two sorts of things that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shelf {
    /// Files of backups, each named by its hash.
    Files,
    /// Manifests, each named by its backup.
    Manifests,
}

impl Shelf {
    /// Folder of it, also in a bucket.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Manifests => "backups",
        }
    }
}

/// Keeps things under names, whole or not at all.
#[async_trait]
pub(crate) trait Keeper: Send + Sync {
    /// Name and length of all; nothing when the place is not there.
    async fn list(&self, shelf: Shelf) -> Result<Vec<(String, u64)>, BackupError>;

    /// Up to `len` bytes from `at` on, fewer only at the end; `None` when there is no such thing.
    async fn read(
        &self,
        shelf: Shelf,
        name: &str,
        at: u64,
        len: usize,
    ) -> Result<Option<Bytes>, BackupError>;

    /// Keeps a small thing; durable when it returns.
    async fn write(&self, shelf: Shelf, name: &str, bytes: Bytes) -> Result<(), BackupError>;

    /// Takes over the first `len` bytes of a local file in the folder of
    /// [`drafts`](Self::drafts), which is synced; durable after the next [`write`](Self::write).
    /// Returns whether the bytes are certain to be there as they were.
    async fn adopt(&self, name: &str, draft: &Path, len: u64) -> Result<bool, BackupError>;

    /// Removes a thing; fine when there is none.
    async fn remove(&self, shelf: Shelf, name: &str) -> Result<(), BackupError>;

    /// Makes the place ready to be written by this process alone, as far as it can be; gives the
    /// folder where local files are made that it will [`adopt`](Self::adopt).
    async fn open_to_write(&self) -> Result<Box<dyn Drafts>, BackupError>;
}

/// A local folder for files that are being written. What is left in it goes with it.
pub(crate) trait Drafts: Send + Sync {
    fn folder(&self) -> &Path;
}
