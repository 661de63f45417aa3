use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use custos_ports::{Disk, DiskFile, DiskSpace, FileAccess};
use rustix::fs::OFlags;

use crate::aligned::AlignedBuffer;
use crate::error::OpenError;
use crate::folder_file::FolderFile;
use crate::record::BLOCK_BYTES;

/// Whether a file system takes `O_DIRECT`, which spares the page cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IoMode {
    Direct,
    Buffered,
}

/// A folder of the machine's file system as a disk.
#[derive(Debug)]
pub(crate) struct FolderDisk {
    dir: PathBuf,
    taken: OnceLock<Taken>,
}

#[derive(Debug)]
struct Taken {
    /// Held locked while the disk is open.
    lock: File,
    /// Device and inode of the folder when it was opened.
    dir_inode: (u64, u64),
    io_mode: IoMode,
}

impl FolderDisk {
    /// To be looked at; nothing is changed.
    pub(crate) fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), taken: OnceLock::new() }
    }

    /// Keeps every other process away from it from now on, and finds out what it can do.
    pub(crate) fn take(&self) -> Result<(), OpenError> {
        let lock = lock(&self.dir)?;
        let found = fs::metadata(&self.dir).map_err(OpenError::io("read", &self.dir))?;
        let extents = self.dir.join("extents");
        let io_mode = IoMode::probe(&extents).map_err(OpenError::io("use", &extents))?;
        let taken = Taken { lock, dir_inode: (found.dev(), found.ino()), io_mode };
        assert!(self.taken.set(taken).is_ok(), "a disk is taken once");
        tracing::debug!(dir = %self.dir.display(), io = ?io_mode, "disk taken");
        Ok(())
    }

    fn io_mode(&self) -> IoMode {
        self.taken.get().map_or(IoMode::Buffered, |taken| taken.io_mode)
    }
}

impl Disk for FolderDisk {
    fn locate(&self, name: &str) -> PathBuf {
        // Joining the empty name would end the path in a slash.
        if name.is_empty() { self.dir.clone() } else { self.dir.join(name) }
    }

    fn check_in_place(&self) -> Result<(), String> {
        let Some(taken) = self.taken.get() else { return Ok(()) };
        let here = fs::metadata(&self.dir).map(|found| (found.dev(), found.ino()));
        // What cannot be asked is not taken for an answer: the disk's own calls will fail if it
        // is broken.
        let is_locked = rustix::fs::fstat(&taken.lock).map_or(true, |found| found.st_nlink > 0);
        if !is_elsewhere(&here, taken.dir_inode) && is_locked {
            return Ok(());
        }
        Err(format!("its folder {} was removed", self.dir.display()))
    }

    fn make_folder(&self, name: &str) -> io::Result<()> {
        fs::create_dir_all(self.locate(name))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        let file = self.io_mode().open(&mut options, &self.locate(name))?;
        Ok(Arc::new(FolderFile::new(file)))
    }

    fn open(&self, name: &str, access: FileAccess) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = File::options();
        options.read(true).write(access == FileAccess::Append);
        let file = self.io_mode().open(&mut options, &self.locate(name))?;
        Ok(Arc::new(FolderFile::new(file)))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.locate(folder))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.locate(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.locate(from), self.locate(to))
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        sync_dir(&self.locate(folder))?;
        if !folder.is_empty() {
            return Ok(());
        }
        // Its own name, in case that it was made a moment ago.
        match self.dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
            _ => sync_dir(Path::new(".")),
        }
    }

    fn space(&self) -> io::Result<DiskSpace> {
        let found = rustix::fs::statvfs(&self.dir)?;
        Ok(DiskSpace {
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            total_inodes: found.f_files,
            free_inodes: found.f_favail,
        })
    }

    fn read_small(&self, name: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(self.locate(name))?.take(bytes_max as u64).read_to_end(&mut content)?;
        Ok(content)
    }

    fn write_small(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.locate(name))?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

impl IoMode {
    /// Tries it out in `dir`.
    fn probe(dir: &Path) -> io::Result<Self> {
        let path = dir.join(".probe");
        let outcome = Self::try_direct(&path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(if outcome.is_ok() { Self::Direct } else { Self::Buffered })
    }

    fn try_direct(path: &Path) -> io::Result<()> {
        let mut block = AlignedBuffer::new(BLOCK_BYTES);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        let file = Self::Direct.open(&mut options, path)?;
        file.write_all_at(&block, 0)?;
        file.read_exact_at(&mut block, 0)
    }

    fn open(self, options: &mut OpenOptions, path: &Path) -> io::Result<File> {
        if self == Self::Direct {
            let flags = i32::try_from(OFlags::DIRECT.bits()).expect("an open flag fits an int");
            options.custom_flags(flags);
        }
        options.open(path)
    }
}

/// Whether what was found of a folder says that it is not the one it was.
fn is_elsewhere(found: &io::Result<(u64, u64)>, dir_inode: (u64, u64)) -> bool {
    match found {
        Ok(found) => *found != dir_inode,
        Err(error) => {
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        }
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(OpenError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_owned() }),
        Err(fs::TryLockError::Error(error)) => Err(OpenError::io("lock", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_that_is_gone_or_another_counts_as_removed() {
        let ours = (8, 1234);
        assert!(!is_elsewhere(&Ok(ours), ours));
        assert!(is_elsewhere(&Ok((8, 1235)), ours));
        assert!(is_elsewhere(&Ok((9, 1234)), ours));
        let failed = |error: rustix::io::Errno| Err(io::Error::from(error));
        use rustix::io::Errno;
        assert!(is_elsewhere(&failed(Errno::NOENT), ours));
        assert!(is_elsewhere(&failed(Errno::NOTDIR), ours));
        for passing in [Errno::IO, Errno::MFILE, Errno::NOMEM, Errno::ACCESS, Errno::INTR] {
            assert!(!is_elsewhere(&failed(passing), ours), "{passing}");
        }
    }
}
