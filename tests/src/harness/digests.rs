use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read},
    path::Path,
    process::Command,
};

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

const BLOCK_BYTES: usize = 1 << 20;

/// Size and digests of a file, as the public tools print them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigests {
    /// Bytes.
    pub size: u64,
    /// What `b3sum` prints.
    pub blake3: String,
    /// What `sha256sum` prints.
    pub sha256: String,
}

impl FileDigests {
    /// Reads the file and computes its digests; where `b3sum` and `sha256sum` are installed they
    /// are asked too.
    ///
    /// # Panics
    /// When the file cannot be read, or a tool disagrees with our libraries.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let mut file = open(path);
        let mut blake3 = blake3::Hasher::new();
        let mut sha256 = Sha256::new();
        let mut block = vec![0; BLOCK_BYTES];
        let mut size = 0;
        loop {
            let len = file.read(&mut block).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            if len == 0 {
                break;
            }
            blake3.update(&block[..len]);
            sha256.update(&block[..len]);
            size += len as u64;
        }
        let digests = Self {
            size,
            blake3: blake3.finalize().to_hex().to_string(),
            sha256: HEXLOWER.encode(&sha256.finalize()),
        };
        for (tool, ours) in [("b3sum", &digests.blake3), ("sha256sum", &digests.sha256)] {
            if let Some(theirs) = ask_tool(tool, path) {
                assert_eq!(&theirs, ours, "{tool} {}", path.display());
            }
        }
        digests
    }
}

/// The digest that an installed tool prints; `None` when it is not installed.
fn ask_tool(tool: &str, path: &Path) -> Option<String> {
    let output = match Command::new(tool).arg(path).output() {
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        other => other.unwrap_or_else(|e| panic!("{tool}: {e}")),
    };
    assert!(output.status.success(), "{tool} {}: {}", path.display(), output.status);
    let text = String::from_utf8(output.stdout).expect("digests are printed as ASCII");
    // A name with odd characters makes the tools escape the line with a leading backslash.
    Some(text.split_whitespace().next()?.trim_start_matches('\\').to_owned())
}

/// Compares two files like `cmp`.
///
/// # Panics
/// At the first byte that differs, or where one ends before the other.
#[track_caller]
pub fn assert_same_bytes(left: &Path, right: &Path) {
    let (mut left_file, mut right_file) = (open(left), open(right));
    let (mut left_block, mut right_block) = (vec![0; BLOCK_BYTES], vec![0; BLOCK_BYTES]);
    let mut offset = 0;
    loop {
        let left_len = read_block(&mut left_file, &mut left_block, left);
        let right_len = read_block(&mut right_file, &mut right_block, right);
        let common = left_len.min(right_len);
        if let Some(at) =
            left_block[..common].iter().zip(&right_block[..common]).position(|(a, b)| a != b)
        {
            panic!("{} and {} differ at byte {}", left.display(), right.display(), offset + at);
        }
        assert_eq!(
            left_len,
            right_len,
            "one of {} and {} ends before the other, at byte {}",
            left.display(),
            right.display(),
            offset + common
        );
        if left_len == 0 {
            return;
        }
        offset += common;
    }
}

/// Bytes of a digest that JSON output may write in hexadecimal or base64.
///
/// # Panics
/// When it is neither.
#[must_use]
pub fn decode_digest_text(text: &str) -> Vec<u8> {
    HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .or_else(|_| BASE64.decode(text.as_bytes()))
        .unwrap_or_else(|e| panic!("neither hexadecimal nor base64 ({e}): {text:?}"))
}

fn open(path: &Path) -> BufReader<File> {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    BufReader::with_capacity(BLOCK_BYTES, file)
}

/// Reads until the block is full or the file ends.
fn read_block(file: &mut BufReader<File>, block: &mut [u8], path: &Path) -> usize {
    let mut filled = 0;
    while filled < block.len() {
        match file.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(len) => filled += len,
            Err(e) => panic!("{}: {e}", path.display()),
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scratch;

    #[test]
    fn digests_are_the_published_ones_of_abc() {
        let scratch = Scratch::new("digests");
        let digests = FileDigests::of(&scratch.text_file("abc", "abc"));
        assert_eq!(digests.size, 3);
        assert!(digests.blake3.starts_with("6437b3ac38465133"), "{}", digests.blake3);
        assert!(digests.sha256.starts_with("ba7816bf8f01cfea"), "{}", digests.sha256);
    }

    #[test]
    #[should_panic(expected = "differ at byte 1")]
    fn the_first_byte_that_differs_is_named() {
        let scratch = Scratch::new("digests");
        assert_same_bytes(&scratch.text_file("a", "abc"), &scratch.text_file("b", "axc"));
    }

    #[test]
    #[should_panic(expected = "ends before the other, at byte 2")]
    fn a_file_that_ends_early_is_not_the_same() {
        let scratch = Scratch::new("digests");
        assert_same_bytes(&scratch.text_file("a", "abc"), &scratch.text_file("b", "ab"));
    }

    #[test]
    fn digests_are_read_in_hexadecimal_and_in_base64() {
        let hash = [0xab; 32];
        assert_eq!(decode_digest_text(&HEXLOWER.encode(&hash)), hash);
        assert_eq!(decode_digest_text(&BASE64.encode(&hash)), hash);
    }
}
