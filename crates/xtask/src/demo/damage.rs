//! What happens to disks in real life, done on purpose.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Distance between two bytes that are flipped: records start at multiples of it, so that none is
/// spared, however small.
const STEP_BYTES: u64 = 4 << 10;
/// First byte that is flipped: after the extent's own header.
const FIRST_BYTE: u64 = STEP_BYTES + 40;

/// Flips one byte in every 4 KiB of every extent on a disk; returns how many.
pub(super) fn flip_bytes(disk: &Path) -> Result<u64> {
    let extents = disk.join("extents");
    let mut flipped = 0;
    for entry in std::fs::read_dir(&extents).with_context(|| format!("{}", extents.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ext") {
            flipped += flip_in_file(&path).with_context(|| format!("{}", path.display()))?;
        }
    }
    if flipped == 0 {
        bail!("there is nothing to damage in {}", extents.display());
    }
    Ok(flipped)
}

fn flip_in_file(path: &Path) -> Result<u64> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut flipped = 0;
    let mut at = FIRST_BYTE;
    while at < length {
        let mut byte = [0];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut byte)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&[!byte[0]])?;
        flipped += 1;
        at += STEP_BYTES;
    }
    file.sync_all()?;
    Ok(flipped)
}
