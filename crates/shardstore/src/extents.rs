use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use custos_ports::{Disk, DiskFile, FileAccess};

use crate::aligned::AlignedBuffer;
use crate::extent_header::ExtentHeader;
use crate::record::BLOCK_BYTES;

/// Folder of the extents on a disk.
pub(crate) const EXTENTS_FOLDER: &str = "extents";

/// What the names of extents begin with.
const EXTENT: &str = "EXT-";
/// What the names of spare files begin with.
const SPARE: &str = "SPARE-";

/// The extents of a disk by number, and the spare files by the numbers that they had as extents.
#[derive(Debug, Clone)]
pub(crate) struct Extents {
    disk: Arc<dyn Disk>,
}

/// What the folder of the extents holds.
#[derive(Debug, Default)]
pub(crate) struct ExtentListing {
    /// Numbers of all extents, in order.
    pub(crate) numbers: Vec<u64>,
    /// Numbers that spare files had as extents, in order.
    pub(crate) spares: Vec<u64>,
    /// Files of other names: none of ours, kept.
    pub(crate) foreign: Vec<String>,
}

impl Extents {
    pub(crate) fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    pub(crate) fn locate(&self, number: u64) -> PathBuf {
        self.disk.locate(&name_of(number))
    }

    pub(crate) fn open(&self, number: u64, access: FileAccess) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(&name_of(number), access)
    }

    pub(crate) fn create(&self, number: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.create(&name_of(number))
    }

    pub(crate) fn remove(&self, number: u64) -> io::Result<()> {
        self.disk.remove(&name_of(number))
    }

    /// Makes an extent a spare file.
    pub(crate) fn set_aside(&self, number: u64) -> io::Result<()> {
        self.disk.rename(&name_of(number), &spare_name_of(number))
    }

    /// Makes a spare file the extent `number`. `AlreadyExists` when there is such an extent.
    pub(crate) fn reuse(&self, spare: u64, number: u64) -> io::Result<()> {
        match self.open(number, FileAccess::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) => return Err(error),
        }
        self.disk.rename(&spare_name_of(spare), &name_of(number))
    }

    pub(crate) fn open_spare(&self, number: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.disk.open(&spare_name_of(number), FileAccess::Append)
    }

    pub(crate) fn remove_spare(&self, number: u64) -> io::Result<()> {
        self.disk.remove(&spare_name_of(number))
    }

    /// Makes the names of all extents durable.
    pub(crate) fn sync_names(&self) -> io::Result<()> {
        self.disk.sync_folder(EXTENTS_FOLDER)
    }

    /// Bytes of a file that is none of ours; 0 when it cannot be opened.
    pub(crate) fn foreign_len(&self, name: &str) -> u64 {
        let file = self.disk.open(&format!("{EXTENTS_FOLDER}/{name}"), FileAccess::Read);
        file.and_then(|file| file.byte_len()).unwrap_or(0)
    }

    pub(crate) fn list(&self) -> io::Result<ExtentListing> {
        let mut listing = ExtentListing::default();
        for name in self.disk.list(EXTENTS_FOLDER)? {
            match (number_of(EXTENT, &name), number_of(SPARE, &name)) {
                (Some(number), _) => listing.numbers.push(number),
                (None, Some(number)) => listing.spares.push(number),
                (None, None) => listing.foreign.push(name),
            }
        }
        listing.numbers.sort_unstable();
        listing.spares.sort_unstable();
        listing.foreign.sort_unstable();
        Ok(listing)
    }
}

/// Writes the header of an extent that has no records yet, durably.
pub(crate) fn write_header(file: &dyn DiskFile, header: &ExtentHeader) -> io::Result<()> {
    let mut block = AlignedBuffer::new(BLOCK_BYTES);
    block.copy_from_slice(&header.encode());
    file.write_all_at(&block, 0)?;
    file.sync_data()
}

fn name_of(number: u64) -> String {
    format!("{EXTENTS_FOLDER}/{EXTENT}{number:08}.ext")
}

fn spare_name_of(number: u64) -> String {
    format!("{EXTENTS_FOLDER}/{SPARE}{number:08}.ext")
}

fn number_of(prefix: &str, name: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?.strip_suffix(".ext")?;
    let number = digits.parse().ok()?;
    // Only the one spelling, so that two files never have one number.
    (format!("{number:08}") == digits).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{EXTENT, SPARE, number_of};

    #[test]
    fn extent_names_have_one_spelling() {
        assert_eq!(number_of(EXTENT, "EXT-00000012.ext"), Some(12));
        assert_eq!(number_of(EXTENT, "EXT-123456789.ext"), Some(123_456_789));
        assert_eq!(number_of(SPARE, "SPARE-00000012.ext"), Some(12));
        assert_eq!(number_of(EXTENT, "SPARE-00000012.ext"), None);
        for bad in ["EXT-12.ext", "EXT-+0000012.ext", "EXT-.ext", "ext-00000012.ext", "x"] {
            assert_eq!(number_of(EXTENT, bad), None, "{bad}");
        }
    }
}
