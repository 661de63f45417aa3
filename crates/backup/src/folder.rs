use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    BackupError,
    shelf::{Drafts, Keeper, Shelf},
};

const LOCK_FILE: &str = "lock";
const DRAFTS: &str = "drafts";

/// Backups in a folder.
pub(crate) struct FolderKeeper {
    root: PathBuf,
}

/// The folder of drafts of whoever holds the lock.
struct LockedDrafts {
    folder: PathBuf,
    _lock: File,
}

impl FolderKeeper {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn shelf(&self, shelf: Shelf) -> PathBuf {
        self.root.join(shelf.folder())
    }
}

#[async_trait]
impl Keeper for FolderKeeper {
    async fn list(&self, shelf: Shelf) -> Result<Vec<(String, u64)>, BackupError> {
        let folder = self.shelf(shelf);
        blocking(move || list(&folder)).await
    }

    async fn read(
        &self,
        shelf: Shelf,
        name: &str,
        at: u64,
        len: usize,
    ) -> Result<Option<Bytes>, BackupError> {
        let path = self.shelf(shelf).join(name);
        blocking(move || match read(&path, at, len) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BackupError::file("read", path)(error)),
        })
        .await
    }

    async fn write(&self, shelf: Shelf, name: &str, bytes: Bytes) -> Result<(), BackupError> {
        let (root, folder) = (self.root.clone(), self.shelf(shelf));
        let (draft, path) = (root.join(DRAFTS).join(name), folder.join(name));
        blocking(move || {
            let mut file = File::create(&draft).map_err(BackupError::file("create", &draft))?;
            file.write_all(&bytes).map_err(BackupError::file("write", &draft))?;
            file.sync_all().map_err(BackupError::file("sync", &draft))?;
            // What it names has its names before it has its own.
            sync(&root.join(Shelf::Files.folder()))?;
            fs::rename(&draft, &path).map_err(BackupError::file("rename", &draft))?;
            sync(&folder)
        })
        .await
    }

    async fn adopt(&self, name: &str, draft: &Path, _len: u64) -> Result<bool, BackupError> {
        let (draft, path) = (draft.to_owned(), self.shelf(Shelf::Files).join(name));
        blocking(move || {
            fs::rename(&draft, &path).map_err(BackupError::file("rename", &draft))?;
            Ok(true)
        })
        .await
    }

    async fn remove(&self, shelf: Shelf, name: &str) -> Result<(), BackupError> {
        let (folder, name) = (self.shelf(shelf), name.to_owned());
        blocking(move || {
            let path = folder.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(BackupError::file("remove", path)(error))
                }
                _ => sync(&folder),
            }
        })
        .await
    }

    async fn open_to_write(&self) -> Result<Box<dyn Drafts>, BackupError> {
        let root = self.root.clone();
        let drafts = blocking(move || open_to_write(&root)).await?;
        Ok(Box::new(drafts))
    }
}

impl Drafts for LockedDrafts {
    fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for LockedDrafts {
    fn drop(&mut self) {
        // What stays is removed by the next one who writes.
        let _stays = fs::remove_dir_all(&self.folder);
    }
}

fn open_to_write(root: &Path) -> Result<LockedDrafts, BackupError> {
    create(root)?;
    let path = root.join(LOCK_FILE);
    let lock = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.map_err(BackupError::file("open", &path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(BackupError::InUse { place: root.display().to_string() });
        }
        Err(TryLockError::Error(error)) => return Err(BackupError::file("lock", path)(error)),
    }
    let folder = root.join(DRAFTS);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BackupError::file("remove", folder)(error));
        }
        _ => {}
    }
    for made in [root.join(Shelf::Files.folder()), root.join(Shelf::Manifests.folder())] {
        create(&made)?;
    }
    create(&folder)?;
    sync(root)?;
    Ok(LockedDrafts { folder, _lock: lock })
}

fn create(folder: &Path) -> Result<(), BackupError> {
    fs::create_dir_all(folder).map_err(BackupError::file("create folder", folder))
}

fn sync(folder: &Path) -> Result<(), BackupError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(BackupError::file("sync", folder))
}

fn list(folder: &Path) -> Result<Vec<(String, u64)>, BackupError> {
    let failed = |error| BackupError::file("list", folder)(error);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        match entry.metadata() {
            Ok(found) if found.is_file() => all.push((name, found.len())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    all.sort_unstable();
    Ok(all)
}

fn read(path: &Path, at: u64, len: usize) -> io::Result<Bytes> {
    let file = File::open(path)?;
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut bytes[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes.into())
}

/// Runs `work` away from the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(BackupError::CutOff { reason: error.to_string() }))
}
