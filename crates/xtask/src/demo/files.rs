//! Comparing files, and making text fit to be shown.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

/// Bytes compared at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// Whether `copy` holds exactly the bytes of `range` of `source`.
pub(super) fn equals_range(copy: &Path, source: &Path, range: Range<u64>) -> Result<bool> {
    let mut copy_file = File::open(copy).with_context(|| format!("{}", copy.display()))?;
    if copy_file.metadata()?.len() != range.end - range.start {
        return Ok(false);
    }
    let mut source_file = File::open(source).with_context(|| format!("{}", source.display()))?;
    source_file.seek(SeekFrom::Start(range.start))?;
    let (mut got, mut wanted) = (vec![0; BLOCK_BYTES], vec![0; BLOCK_BYTES]);
    let mut left = range.end - range.start;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
        copy_file.read_exact(&mut got[..part])?;
        source_file.read_exact(&mut wanted[..part])?;
        if got[..part] != wanted[..part] {
            return Ok(false);
        }
        left -= part as u64;
    }
    Ok(true)
}

/// SHA-256 of a file by the system's own tool: a witness that is not ours.
pub(super) fn sha256(file: &Path) -> Result<String> {
    let mut command = if process::on_path("sha256sum").is_some() {
        Command::new("sha256sum")
    } else {
        let mut shasum = Command::new("shasum");
        shasum.args(["-a", "256"]);
        shasum
    };
    let printed = process::stdout_of(command.arg(file))?;
    // A name with odd characters makes sha256sum start the line with a backslash.
    let digest = printed.split_whitespace().next().context("sha256sum printed nothing")?;
    Ok(digest.trim_start_matches('\\').to_owned())
}

/// The text without terminal colours.
pub(super) fn without_colour(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match (inside, c) {
            (false, '\x1b') => inside = true,
            (false, _) => plain.push(c),
            (true, _) => inside = !c.is_ascii_alphabetic(),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_equal_only_when_length_and_bytes_are() {
        let folder = std::env::temp_dir().join(format!("custos-compare-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (source, copy) = (folder.join("source"), folder.join("copy"));
        std::fs::write(&source, b"0123456789").unwrap();
        std::fs::write(&copy, b"345").unwrap();
        let outcomes = [3..6, 3..7, 4..7, 2..4].map(|range| equals_range(&copy, &source, range));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(outcomes.map(Result::unwrap), [true, false, false, false]);
    }

    #[test]
    fn colours_are_taken_out_of_text() {
        assert_eq!(without_colour("\x1b[33m WARN\x1b[0m disk"), " WARN disk");
    }
}
