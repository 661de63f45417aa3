use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    time::{Duration, Instant},
};

use rustix::fs::{FallocateFlags, OFlags, fallocate};

use crate::content::Content;

/// What direct I/O wants memory and offsets to be a multiple of.
const ALIGN: usize = 4096;

/// How the raw writer writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    /// Bytes of one write.
    pub(super) write_bytes: usize,
    /// Writes between two `fdatasync`.
    pub(super) writes_per_sync: u64,
    /// Space that is allocated at a time, as the store does.
    pub(super) allocate_bytes: u64,
}

/// Writes one file from its beginning on with direct I/O, in this rhythm, until `each` is over;
/// returns the bytes and the time that they took, to the last sync.
pub(super) fn write(path: &Path, rhythm: Rhythm, each: Duration) -> io::Result<(u64, Duration)> {
    let Rhythm { write_bytes, writes_per_sync, allocate_bytes } = rhythm;
    let mut memory = Content::new(7).bytes(write_bytes + ALIGN);
    let offset = memory.as_ptr().align_offset(ALIGN);
    let piece = &mut memory[offset..offset + write_bytes];
    let flags = i32::try_from(OFlags::DIRECT.bits()).expect("an open flag fits an int");
    let file = File::options().write(true).create_new(true).custom_flags(flags).open(path)?;
    let start = Instant::now();
    let (mut written, mut allocated) = (0, 0);
    while start.elapsed() < each {
        for _ in 0..writes_per_sync {
            // No two writes alike: nothing below us may save itself the work.
            piece[..8].copy_from_slice(&u64::to_le_bytes(written));
            while allocated < written + write_bytes as u64 {
                fallocate(&file, FallocateFlags::empty(), allocated, allocate_bytes)?;
                allocated += allocate_bytes;
            }
            file.write_all_at(piece, written)?;
            written += write_bytes as u64;
        }
        file.sync_data()?;
    }
    Ok((written, start.elapsed()))
}
