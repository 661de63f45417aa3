//! File operations that are finished on disk when they return.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::error::StoreError;

/// Replaces `path` by `bytes`: after a crash it holds either the old bytes or the new ones.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft).map_err(StoreError::io("create", &draft))?;
    file.write_all(bytes).map_err(StoreError::io("write", &draft))?;
    file.sync_all().map_err(StoreError::io("sync", &draft))?;
    rename(&draft, path)
}

/// Renames within one directory, and syncs that directory.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::io("rename", from))?;
    sync_dir(to.parent().expect("a file lies in a directory"))
}

/// Makes names that were created, renamed or removed in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    sync_file(dir)
}

/// Creates `dir` and syncs its parent; an existing directory is fine.
pub(crate) fn create_dir(dir: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(dir).map_err(StoreError::io("create", dir))?;
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_dir)
}

/// Removes `dir` and all in it; a missing directory is fine.
pub(crate) fn remove_dir(dir: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", dir)(error))
        }
        _ => Ok(()),
    }
}

/// Puts the files `names` of `from` into the new directory `to`: table files, which never change,
/// as hard links, all others as copies, all of it synced.
pub(crate) fn link_or_copy_files<'a>(
    from: &Path,
    names: impl IntoIterator<Item = &'a str>,
    to: &Path,
) -> Result<(), StoreError> {
    fs::create_dir(to).map_err(StoreError::io("create", to))?;
    for name in names {
        let (source, target) = (from.join(name), to.join(name));
        let is_table = target.extension().is_some_and(|extension| extension == "sst");
        if is_table && fs::hard_link(&source, &target).is_ok() {
            continue;
        }
        fs::copy(&source, &target).map_err(StoreError::io("copy", &source))?;
        sync_file(&target)?;
    }
    sync_dir(to)?;
    sync_dir(to.parent().expect("inside the store's directory"))
}

/// Makes the bytes of `path` durable.
pub(crate) fn sync_file(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(StoreError::io("sync", path))
}

/// Names of the files of `dir`, sorted. Every name in the store's directories is UTF-8.
pub(crate) fn file_names(dir: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(StoreError::io("list", dir))? {
        let entry = entry.map_err(StoreError::io("list", dir))?;
        let name = entry.file_name().into_string().map_err(|name| {
            StoreError::damaged("directory", format!("unexpected file {}", name.display()))
        })?;
        names.push(name);
    }
    names.sort_unstable();
    Ok(names)
}

/// A directory that is removed when its last user is gone, once it is retired. In a struct it
/// stands after what uses the directory, so that fields drop in the right order.
#[derive(Debug)]
pub(crate) struct RetirableDir {
    path: PathBuf,
    is_retired: AtomicBool,
}

impl RetirableDir {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, is_retired: AtomicBool::new(false) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the directory goes with its last user.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }

    /// The directory stays.
    pub(crate) fn keep(&self) {
        self.is_retired.store(false, Ordering::Release);
    }
}

impl Drop for RetirableDir {
    fn drop(&mut self) {
        if self.is_retired.load(Ordering::Acquire)
            && let Err(error) = remove_dir(&self.path)
        {
            // The next open removes what is left.
            tracing::warn!(%error, "retired directory is not removed");
        }
    }
}
