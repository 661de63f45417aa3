use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::seed::SeededRandom;

/// One byte in each piece of this size is flipped: it is the block of which records are made, so
/// that every record's head is hit.
const FLIP_EVERY_BYTES: u64 = 4 << 10;

/// Removes a disk's folder with everything in it, as if the disk had been pulled.
///
/// # Panics
/// When it cannot be removed.
pub fn remove_disk(dir: &Path) {
    // The server may be making files while we remove them: the folder goes away under its name
    // first, in one step.
    let gone = dir.with_extension("gone");
    fs::rename(dir, &gone).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    fs::remove_dir_all(&gone).unwrap_or_else(|e| panic!("{}: {e}", gone.display()));
}

/// Flips bits at random places all over the extents of a disk, and says how many bytes.
///
/// # Panics
/// When the disk has no extent, or it cannot be written.
pub fn flip_bytes(dir: &Path, random: &mut SeededRandom) -> u64 {
    let mut flipped = 0;
    for path in extents(dir) {
        let file = File::options().read(true).write(true).open(&path);
        let file = file.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let len = file.metadata().unwrap_or_else(|e| panic!("{}: {e}", path.display())).len();
        for start in (0..len).step_by(usize::try_from(FLIP_EVERY_BYTES).expect("fits")) {
            let at = start + random.below(FLIP_EVERY_BYTES.min(len - start));
            let mask = 1 << random.below(8);
            let mut byte = [0];
            file.read_exact_at(&mut byte, at)
                .and_then(|()| file.write_all_at(&[byte[0] ^ mask], at))
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            flipped += 1;
        }
        file.sync_all().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    assert!(flipped > 0, "{} holds no extent", dir.display());
    flipped
}

fn extents(dir: &Path) -> Vec<PathBuf> {
    let dir = dir.join("extents");
    fs::read_dir(&dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ext"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scratch, Seed};

    #[test]
    fn every_block_of_an_extent_is_hit_once() {
        let scratch = Scratch::new("faults");
        let extents = scratch.folder("disk/extents");
        let before = vec![0x11; 100_000];
        fs::write(extents.join("EXT-1.ext"), &before).expect("the folder is ours");
        let flipped = flip_bytes(&scratch.path().join("disk"), &mut Seed(1).random());
        assert_eq!(flipped, 25);
        let after = fs::read(extents.join("EXT-1.ext")).expect("still there");
        for (old, new) in before.chunks(4 << 10).zip(after.chunks(4 << 10)) {
            assert_eq!(old.iter().zip(new).filter(|(a, b)| a != b).count(), 1);
        }
    }
}
