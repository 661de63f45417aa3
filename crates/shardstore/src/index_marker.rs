//! A file that says, from one opening to the next, that the index must be made anew: what is wrong
//! with an index mostly shows when it is read, and not when it is opened.

use std::io;

use custos_ports::Disk;

const FILE: &str = "index.damaged";
/// Longest reason that is kept.
const REASON_BYTES_MAX: usize = 1024;

/// Why the index must be made anew, if it must.
pub(crate) fn reason(disk: &dyn Disk) -> io::Result<Option<String>> {
    match disk.read_small(FILE, REASON_BYTES_MAX) {
        Ok(reason) => Ok(Some(String::from_utf8_lossy(&reason).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Says so durably.
pub(crate) fn set(disk: &dyn Disk, reason: &str) -> io::Result<()> {
    let reason: Vec<u8> = reason.bytes().take(REASON_BYTES_MAX).collect();
    disk.write_small(FILE, &reason)?;
    disk.sync_folder("")
}

/// The new index is durable.
pub(crate) fn clear(disk: &dyn Disk) -> io::Result<()> {
    disk.remove(FILE)?;
    disk.sync_folder("")
}
