use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The folder of one disk, as its store sees it.
///
/// Names are relative to the folder, parts divided by `/`; the folder itself is the empty name.
/// Calls block the thread. What is written is durable only when the file was synced, and a name
/// only when the folder that holds it was: a loss of power may take the rest, in any order and in
/// parts as small as a sector of 512 bytes.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Where `name` is, for messages.
    fn locate(&self, name: &str) -> PathBuf;

    /// Whether this is still the folder that was opened: one that was removed or replaced still
    /// takes writes to open files, and loses them.
    ///
    /// # Errors
    /// What has become of it, in words.
    fn check_in_place(&self) -> Result<(), String>;

    /// Makes a folder and those above it; one that is there is fine.
    ///
    /// # Errors
    /// What the system says.
    fn make_folder(&self, name: &str) -> io::Result<()>;

    /// Makes an empty file for blocks, open to read and write.
    ///
    /// # Errors
    /// `AlreadyExists`; `StorageFull`; what the system says.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file of blocks.
    ///
    /// # Errors
    /// `NotFound`; what the system says.
    fn open(&self, name: &str, access: FileAccess) -> io::Result<Arc<dyn DiskFile>>;

    /// Names of what a folder holds, without the folder's own, in any order.
    ///
    /// # Errors
    /// `NotFound`; what the system says.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound`; what the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in place of what has it.
    ///
    /// # Errors
    /// `NotFound`; what the system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// What the system says.
    fn sync_folder(&self, folder: &str) -> io::Result<()>;

    /// Room on the file system.
    ///
    /// # Errors
    /// What the system says.
    fn space(&self) -> io::Result<DiskSpace>;

    /// Reads a small file whole, at most `bytes_max` bytes of it.
    ///
    /// # Errors
    /// `NotFound`; what the system says.
    fn read_small(&self, name: &str, bytes_max: usize) -> io::Result<Vec<u8>>;

    /// Writes a small file anew and syncs it, its name not.
    ///
    /// # Errors
    /// `StorageFull`; what the system says.
    fn write_small(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Replaces a small file at once and durably: a crash leaves the old content or the new.
    ///
    /// # Errors
    /// `StorageFull`; what the system says.
    fn replace_small(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = format!("{name}.new");
        self.write_small(&temporary, bytes)?;
        self.rename(&temporary, name)?;
        self.sync_folder(name.rsplit_once('/').map_or("", |(folder, _)| folder))
    }
}

/// What a file of blocks is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileAccess {
    /// Reading alone.
    Read,
    /// Reading and writing.
    Append,
}

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskSpace {
    /// Bytes in all.
    pub total_bytes: u64,
    /// Bytes that we may take.
    pub free_bytes: u64,
    /// Files that there can be in all; 0 where the file system has no such limit.
    pub total_inodes: u64,
    /// Files that can still be made.
    pub free_inodes: u64,
}

/// An open file of 4 KiB blocks. Offsets, lengths and memory are multiples of 4 KiB.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Reads at least one byte at `offset` unless the file ends there; maybe fewer than asked for.
    ///
    /// # Errors
    /// What the system says.
    fn read_some_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Fills `out` as far as the file goes and returns how far that is.
    ///
    /// # Errors
    /// `UnexpectedEof` when reads end again and again where the file does not; what the system
    /// says.
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        let mut stalls = 0;
        while filled < out.len() {
            // A read that ended within a block is taken up at its begin: direct reads at unaligned
            // offsets fail.
            let from = filled - filled % BLOCK_BYTES;
            match self.read_some_at(&mut out[from..], offset + from as u64) {
                Ok(count) if from + count > filled => filled = from + count,
                // A read that falls short must not be taken for the end of the file.
                Ok(_) if offset + filled as u64 >= self.byte_len()? => break,
                Ok(_) if stalls < READ_STALLS_MAX => stalls += 1,
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Writes all of `bytes`, enlarging the file if need be.
    ///
    /// # Errors
    /// `StorageFull`; what the system says. Any part may have been written then.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes content and length durable. When it fails, nobody knows what is: what was written
    /// may be lost even if a later call succeeds.
    ///
    /// # Errors
    /// What the system says.
    fn sync_data(&self) -> io::Result<()>;

    /// Drops what memory keeps of synced content, so that reads see what the disk holds.
    ///
    /// # Errors
    /// What the system says.
    fn forget_cached(&self) -> io::Result<()>;

    /// Length in bytes.
    ///
    /// # Errors
    /// What the system says.
    fn byte_len(&self) -> io::Result<u64>;

    /// Cuts the file, or enlarges it with zeros.
    ///
    /// # Errors
    /// What the system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Asks the file system for `len` bytes from `offset` on, zeros at first, enlarging the file;
    /// where it cannot, writes simply allocate as they go.
    ///
    /// # Errors
    /// `StorageFull`; what the system says.
    fn preallocate(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Makes `len` bytes from `offset` on zeros, within the file, and keeps their space; a matter
    /// of moments however many they are.
    ///
    /// # Errors
    /// `Unsupported` where the file system cannot; what the system says. Any part may have become
    /// zeros then.
    fn zero(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Whether no folder names the file any more.
    ///
    /// # Errors
    /// What the system says.
    fn is_unlinked(&self) -> io::Result<bool>;

    /// First byte at or after `offset` that may have been written; `None` when there is none. A
    /// file system that does not keep track says that all of it was.
    ///
    /// # Errors
    /// What the system says.
    fn next_data(&self, offset: u64) -> io::Result<Option<u64>>;
}

/// What offsets of direct reads are multiples of, on any disk.
const BLOCK_BYTES: usize = 4096;

/// Most reads in one call that bring nothing though the file goes on.
const READ_STALLS_MAX: u32 = 64;
