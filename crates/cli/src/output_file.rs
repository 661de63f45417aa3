use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process,
};

use custos_core::ErrorKind;
use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

/// Bytes of the output's name that its temporary file repeats: with the rest it must not be longer
/// than the 255 bytes that file systems take.
const NAME_BYTES_MAX: usize = 200;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It stays, and the command is refused.
    Keep,
    /// It is replaced once the new one is whole.
    Replace,
}

/// Why an output file cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// There is one already.
    #[error("{path}: exists already; --force replaces it")]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// What is there is no file that could be replaced.
    #[error("{path}: is {what}; name a file, or use `-o -` and redirect standard output")]
    NotAFile {
        /// Which.
        path: PathBuf,
        /// What it is, with its article.
        what: &'static str,
    },
    /// The system refuses.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl OutputError {
    /// How it is classed.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Exists { .. } | Self::NotAFile { .. } => ErrorKind::Invalid,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::FileTooLarge => ErrorKind::Exhausted,
                _ => ErrorKind::Invalid,
            },
        }
    }
}

/// A file that appears under its name only when it is whole; dropped before that, nothing is left.
#[derive(Debug)]
pub(crate) struct OutputFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    existing: Existing,
    is_published: bool,
}

impl OutputFile {
    /// Begins a file beside the place where it will appear.
    pub(crate) fn begin(path: &Path, existing: Existing) -> Result<Self, OutputError> {
        let not_a_file = |what| Err(OutputError::NotAFile { path: path.to_owned(), what });
        if path.as_os_str().as_bytes().ends_with(b"/") {
            return not_a_file("a folder");
        }
        let Some(name) = path.file_name() else { return not_a_file("a folder") };
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => return not_a_file("a folder"),
            Ok(found) if found.is_symlink() => return not_a_file("a symbolic link"),
            Ok(found) if !found.is_file() => return not_a_file("not a regular file"),
            Ok(_) if existing == Existing::Keep => {
                return Err(OutputError::Exists { path: path.to_owned() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(OutputError::Io { path: path.to_owned(), source }),
        }
        let temporary = path.with_file_name(temporary_name(name));
        let file = File::create_new(&temporary).map_err(|source| {
            // What is in the way there has another name; all else is about the folder.
            let is_taken = source.kind() == io::ErrorKind::AlreadyExists;
            let path = if is_taken { temporary.clone() } else { path.to_owned() };
            OutputError::Io { path, source }
        })?;
        Ok(Self { path: path.to_owned(), temporary, file, existing, is_published: false })
    }

    /// A second handle to write through.
    pub(crate) fn writer(&self) -> Result<File, OutputError> {
        self.file.try_clone().map_err(|source| self.error(source))
    }

    /// Gives the file its name. The caller has synced what was written.
    pub(crate) fn publish(mut self) -> Result<(), OutputError> {
        match self.existing {
            Existing::Replace => fs::rename(&self.temporary, &self.path),
            Existing::Keep => rename_to_new(&self.temporary, &self.path),
        }
        .map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => OutputError::Exists { path: self.path.clone() },
            _ => self.error(source),
        })?;
        self.is_published = true;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // A folder that may be written but not read cannot be synced; the file itself is.
        let Ok(handle) = File::open(folder) else { return Ok(()) };
        let path = folder.to_owned();
        handle.sync_all().map_err(|source| OutputError::Io { path, source })
    }

    /// An error of writing this file.
    pub(crate) fn error(&self, source: io::Error) -> OutputError {
        OutputError::Io { path: self.path.clone(), source }
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if !self.is_published {
            // What cannot be removed stays under a name that says what it is.
            let _stays = fs::remove_file(&self.temporary);
        }
    }
}

fn temporary_name(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    let mut temporary = OsString::from(".");
    temporary.push(OsStr::from_bytes(&bytes[..bytes.len().min(NAME_BYTES_MAX)]));
    temporary.push(format!(".custos-partial-{}", process::id()));
    temporary
}

/// Renames unless the name is taken, in one step where the file system can.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        renamed => Ok(renamed?),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is ours");
        entries.map(|e| e.expect("readable").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_appears_only_when_it_is_whole() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("copy.mp4");
        let output = OutputFile::begin(&path, Existing::Keep).expect("begins");
        output.writer().expect("cloned").write_all(b"part").expect("written");
        assert!(!path.exists());
        drop(output);
        assert_eq!(names(folder.path()), Vec::<String>::new(), "nothing is left");

        let output = OutputFile::begin(&path, Existing::Keep).expect("begins");
        output.writer().expect("cloned").write_all(b"whole").expect("written");
        output.publish().expect("published");
        assert_eq!(names(folder.path()), ["copy.mp4"]);
        assert_eq!(fs::read(&path).expect("there"), b"whole");
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_on_request() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("copy.mp4");
        let late = OutputFile::begin(&path, Existing::Keep).expect("nothing is there yet");
        fs::write(&path, "precious").expect("written");
        assert!(matches!(late.publish(), Err(OutputError::Exists { .. })), "it came meanwhile");
        let refused = OutputFile::begin(&path, Existing::Keep);
        assert!(matches!(refused, Err(OutputError::Exists { .. })));
        assert_eq!(fs::read(&path).expect("there"), b"precious");
        OutputFile::begin(&path, Existing::Replace).expect("begins").publish().expect("published");
        assert_eq!(fs::read(&path).expect("there"), b"");
        assert_eq!(names(folder.path()), ["copy.mp4"]);
    }

    #[test]
    fn what_is_no_file_is_never_replaced() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).expect("linked");
        for path in
            [folder.path(), &link, Path::new("/dev/null"), Path::new("new/"), Path::new("..")]
        {
            let refused = OutputFile::begin(path, Existing::Replace);
            assert!(matches!(refused, Err(OutputError::NotAFile { .. })), "{path:?}");
        }
        let nowhere = OutputFile::begin(&folder.path().join("nowhere/f"), Existing::Keep);
        let error = nowhere.expect_err("no such folder");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("nowhere"));
    }

    #[test]
    fn the_longest_file_name_can_be_written() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("x".repeat(255));
        OutputFile::begin(&path, Existing::Keep).expect("begins").publish().expect("published");
    }
}
