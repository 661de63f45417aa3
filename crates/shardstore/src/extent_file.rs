use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FallocateFlags, OFlags, SeekFrom};
use rustix::io::Errno;

use crate::aligned::AlignedBuffer;
use crate::record::BLOCK_BYTES;

/// Whether a file system takes `O_DIRECT`, which spares the page cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoMode {
    Direct,
    Buffered,
}

impl IoMode {
    /// Tries it out in `dir`.
    pub(crate) fn probe(dir: &Path) -> io::Result<Self> {
        let path = dir.join(".probe");
        let outcome = Self::try_direct(&path);
        match std::fs::remove_file(&path) {
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

/// An open extent. Offsets, lengths and memory are multiples of 4 KiB.
#[derive(Debug)]
pub(crate) struct ExtentFile {
    file: File,
}

impl ExtentFile {
    pub(crate) fn open_to_read(path: &Path, mode: IoMode) -> io::Result<Self> {
        Ok(Self { file: mode.open(File::options().read(true), path)? })
    }

    pub(crate) fn open_to_append(path: &Path, mode: IoMode) -> io::Result<Self> {
        Ok(Self { file: mode.open(File::options().read(true).write(true), path)? })
    }

    pub(crate) fn create(path: &Path, mode: IoMode) -> io::Result<Self> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        Ok(Self { file: mode.open(&mut options, path)? })
    }

    /// Fills `out` as far as the file goes and returns how far that is.
    pub(crate) fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < out.len() {
            match self.file.read_at(&mut out[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => {
                    filled += count;
                    // Only the end of the file cuts a block, and beyond it a direct read at an
                    // unaligned offset would fail.
                    if filled % BLOCK_BYTES != 0 && filled < out.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    pub(crate) fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    pub(crate) fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    pub(crate) fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    /// Asks the file system for the bytes from `offset` on; where it cannot, writes simply
    /// allocate as they go.
    pub(crate) fn preallocate(&self, offset: u64, len: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), offset, len) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            outcome => Ok(outcome?),
        }
    }

    /// Whether no directory names the file any more.
    pub(crate) fn is_unlinked(&self) -> io::Result<bool> {
        Ok(rustix::fs::fstat(&self.file)?.st_nlink == 0)
    }

    /// First byte at or after `offset` that was ever written; `None` when there is none. A file
    /// system that does not keep track says that all of it was.
    pub(crate) fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(at) => Ok(Some(at)),
            Err(Errno::NXIO) => Ok(None),
            Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(Some(offset)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether an error says that there is no space, and not that the disk is broken.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
