use std::{
    fs::File,
    io::{BufWriter, Write},
    ops::Range,
    path::Path,
};

/// Bytes per write of a generated file.
const BLOCK_BYTES: usize = 1 << 20;

/// A file's bytes as a function of seed and size: any part can be made again without keeping the
/// whole. Incompressible, and no two blocks are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Which bytes.
    pub seed: u64,
    /// How many.
    pub size: u64,
}

impl Content {
    /// The bytes in `range`.
    ///
    /// # Panics
    /// When the range is not within the content.
    #[must_use]
    pub fn bytes(&self, range: Range<u64>) -> Vec<u8> {
        assert!(range.start <= range.end && range.end <= self.size, "{range:?} of {self:?}");
        let len = usize::try_from(range.end - range.start).expect("fits memory");
        let mut bytes = vec![0; len];
        self.fill(range.start, &mut bytes);
        bytes
    }

    /// Writes the whole to `path`.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write_to(&self, path: &Path) {
        let file = File::create(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut file = BufWriter::with_capacity(BLOCK_BYTES, file);
        let mut block = vec![0; BLOCK_BYTES];
        let mut stream = self.stream();
        let mut rest = self.size;
        while rest > 0 {
            let len = BLOCK_BYTES.min(usize::try_from(rest).unwrap_or(BLOCK_BYTES));
            stream.fill(&mut block[..len]);
            file.write_all(&block[..len]).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            rest -= len as u64;
        }
        file.flush().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    fn fill(&self, start: u64, bytes: &mut [u8]) {
        let mut stream = self.stream();
        stream.set_position(start);
        stream.fill(bytes);
    }

    fn stream(&self) -> blake3::OutputReader {
        blake3::Hasher::new_derive_key("custos tests content")
            .update(&self.seed.to_le_bytes())
            .finalize_xof()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Scratch;

    #[test]
    fn a_part_made_again_equals_the_same_part_of_the_file() {
        let scratch = Scratch::new("content");
        let path = scratch.path().join("file.bin");
        let content = Content { seed: 1, size: (2 << 20) + 77 };
        content.write_to(&path);
        let file = fs::read(&path).expect("it was written");
        assert_eq!(file.len() as u64, content.size);
        let (start, end) = ((1 << 20) - 5, (1 << 20) + 100);
        assert!(content.bytes(start..end) == file[start as usize..end as usize]);
        assert_ne!(content.bytes(0..32), Content { seed: 2, ..content }.bytes(0..32));
    }
}
