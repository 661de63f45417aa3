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

/// Flips one bit in each stretch of this many bytes that holds a shard's payload, and says how many
/// bytes: heads of records stay whole.
///
/// # Panics
/// When the disk holds no payload of at least a block, or it cannot be written.
pub fn flip_payload_bytes(dir: &Path, every_bytes: u64, random: &mut SeededRandom) -> u64 {
    let mut flipped = 0;
    for path in extents(dir) {
        let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let block_bytes = usize::try_from(FLIP_EVERY_BYTES).expect("fits");
        let file = File::options().write(true).open(&path);
        let file = file.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut next = 0;
        for (number, block) in bytes.chunks(block_bytes).enumerate() {
            let start = number as u64 * FLIP_EVERY_BYTES;
            if start < next || !is_payload(block) {
                continue;
            }
            let at = usize::try_from(random.below(block.len() as u64)).expect("fits");
            let byte = block[at] ^ (1 << random.below(8));
            file.write_all_at(&[byte], start + at as u64)
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            next = start + every_bytes;
            flipped += 1;
        }
        file.sync_all().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
    assert!(flipped > 0, "{} holds no payload", dir.display());
    flipped
}

/// Payload is ciphertext, one byte in 256 is zero; heads and preallocated space are mostly zeros.
fn is_payload(block: &[u8]) -> bool {
    block.iter().filter(|byte| **byte == 0).count() < block.len() / 16
}

/// Copies a folder with everything in it, as `cp -r` does.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|e| panic!("{}: {e}", to.display()));
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let path = entry.unwrap_or_else(|e| panic!("{}: {e}", from.display())).path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
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

    #[test]
    fn only_payload_is_hit_once_in_each_stretch() {
        let scratch = Scratch::new("payload-faults");
        let path = scratch.folder("disk/extents").join("EXT-1.ext");
        let mut before = vec![0; 200 << 10];
        before[(60 << 10)..(164 << 10)].fill(0x11);
        fs::write(&path, &before).expect("the folder is ours");
        let disk = scratch.path().join("disk");
        assert_eq!(flip_payload_bytes(&disk, 64 << 10, &mut Seed(1).random()), 2);
        let after = fs::read(&path).expect("still there");
        let differs: Vec<usize> = (0..before.len()).filter(|&at| before[at] != after[at]).collect();
        assert_eq!(differs.len(), 2);
        assert!((60 << 10..64 << 10).contains(&differs[0]), "{differs:?}");
        assert!((124 << 10..128 << 10).contains(&differs[1]), "{differs:?}");
    }

    #[test]
    fn a_copied_folder_has_the_same_files() {
        let scratch = Scratch::new("copied");
        fs::write(scratch.folder("a/b").join("file"), "text").expect("the folder is ours");
        copy_folder(&scratch.path().join("a"), &scratch.path().join("c"));
        let copied = fs::read_to_string(scratch.path().join("c/b/file"));
        assert_eq!(copied.expect("it is there"), "text");
    }
}
