//! Small files that are whole or absent, whenever the power goes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use custos_core::ErrorKind;

/// Largest file read here: keys, certificates, configuration. 1 MiB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file or folder that could not be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried.
    pub operation: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl FileError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Exhausted,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ErrorKind::Refused
            }
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists => ErrorKind::Invalid,
            _ => ErrorKind::Unavailable,
        }
    }

    pub(crate) fn on(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self { operation, path, source }
    }
}

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    Everyone,
    OwnerOnly,
}

/// Replaces `path` by `bytes`: after a crash it holds the old bytes or the new ones. Durable when
/// it returns.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), FileError> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    // A draft left by a crash may have another mode.
    remove(&draft)?;
    let mode = match readers {
        Readers::Everyone => 0o644,
        Readers::OwnerOnly => 0o600,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&draft)
        .map_err(FileError::on("create", &draft))?;
    file.write_all(bytes).map_err(FileError::on("write", &draft))?;
    file.sync_all().map_err(FileError::on("sync", &draft))?;
    fs::rename(&draft, path).map_err(FileError::on("rename", &draft))?;
    sync_parent(path)
}

/// Gives a file that is durable another name in the same folder; durable when it returns.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(FileError::on("rename", from))?;
    sync_parent(to)
}

/// Creates `dir` and what is missing above it; every name is durable when it returns.
pub(crate) fn create_dir(dir: &Path) -> Result<(), FileError> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent()
        && !parent.as_os_str().is_empty()
    {
        create_dir(parent)?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
        other => other.map_err(FileError::on("create folder", dir))?,
    }
    sync_parent(dir)
}

/// Removes `path`; a missing one is fine. Not made durable.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::on("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Reads a small text file; `None` when it is not there.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::on("open", path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(FileError::on("read", path))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let error = io::Error::new(io::ErrorKind::InvalidData, "it is larger than 1 MiB");
        return Err(FileError::on("read", path)(error));
    }
    let text = String::from_utf8(bytes).map_err(|_not_utf8| {
        let error = io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
        FileError::on("read", path)(error)
    })?;
    Ok(Some(text))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), FileError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(FileError::on("sync", dir))
}

fn sync_parent(path: &Path) -> Result<(), FileError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    sync_dir(parent)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_replaced_file_is_whole_and_has_its_mode_even_after_a_left_over_draft() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("key");
        fs::write(dir.path().join("key.new"), "half").expect("write");
        replace(&path, b"secret", Readers::OwnerOnly).expect("replaced");
        assert_eq!(read_text(&path).expect("read").as_deref(), Some("secret"));
        let mode = fs::metadata(&path).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!dir.path().join("key.new").exists());
    }

    #[test]
    fn a_missing_file_is_none_and_a_binary_or_huge_one_is_an_error() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("file");
        assert!(read_text(&path).expect("fine").is_none());
        fs::write(&path, [0xff, 0xfe]).expect("write");
        assert!(read_text(&path).expect_err("binary").to_string().contains("UTF-8"));
        fs::write(&path, vec![b'a'; (1 << 20) + 1]).expect("write");
        assert!(read_text(&path).expect_err("huge").to_string().contains("1 MiB"));
    }
}
