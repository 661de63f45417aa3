use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

/// Bytes generated and written at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Pseudo-random bytes: the same seed gives the same ones, and no compression shrinks them.
pub(crate) struct Content(blake3::OutputReader);

impl Content {
    pub(crate) fn new(seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("custos-bench content");
        hasher.update(&seed.to_le_bytes());
        Self(hasher.finalize_xof())
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound`, which must not be 0. Too slightly uneven to matter for a load.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound
    }

    /// Writes a new file of `size` bytes.
    pub(crate) fn write_file(&mut self, path: &Path, size: u64) -> io::Result<()> {
        let mut file = File::create_new(path)?;
        let mut piece = vec![0; PIECE_BYTES];
        let mut left = size;
        while left > 0 {
            let len = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
            self.fill(&mut piece[..len]);
            file.write_all(&piece[..len])?;
            left -= len as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_bytes_and_another_one_others() {
        let bytes = |seed| Content::new(seed).bytes(100);
        assert_eq!(bytes(1), bytes(1));
        assert_ne!(bytes(1), bytes(2));
        let mut content = Content::new(3);
        assert!((0..1000).all(|_| content.below(7) < 7));
    }

    #[test]
    fn a_file_has_exactly_the_size_that_was_asked_for() {
        let dir = tempfile::tempdir().expect("tempdir");
        for size in [0, 1, (1 << 20) + 1] {
            let path = dir.path().join(size.to_string());
            Content::new(size).write_file(&path, size).expect("written");
            assert_eq!(path.metadata().expect("there").len(), size);
        }
    }
}
