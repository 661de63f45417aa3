use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use custos_core::ErrorKind;

/// Largest table: 64 MiB, several hundred thousand lines.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Why a table cannot be imported, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is too large.
    #[error("{path}: larger than {} MiB; divide it", FILE_BYTES_MAX >> 20)]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// It is no text, or in another encoding.
    #[error("{path}: line {line} is not UTF-8; save the table as `CSV UTF-8`")]
    NotUtf8 {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// Lines cannot be read; each was named.
    #[error("{path}: {faults} found, nothing was imported", faults = counted(*faults, "fault"))]
    Faulty {
        /// Which.
        path: PathBuf,
        /// How many faults.
        faults: usize,
    },
    /// Lines were refused; each was named.
    #[error("{path}: {refused} of {total} lines {were} refused", were = were(*refused, *is_dry))]
    Refused {
        /// Which.
        path: PathBuf,
        /// Lines that were refused.
        refused: u64,
        /// Lines of the file.
        total: u64,
        /// Nothing was done.
        is_dry: bool,
    },
}

impl ImportError {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. }
            | Self::TooLarge { .. }
            | Self::NotUtf8 { .. }
            | Self::Faulty { .. } => ErrorKind::Invalid,
            Self::Refused { .. } => ErrorKind::Refused,
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { " was" } else { "s were" })
}

fn were(count: u64, is_dry: bool) -> &'static str {
    match (is_dry, count) {
        (true, _) => "would be",
        (false, 1) => "was",
        (false, _) => "were",
    }
}

/// Reads a table as text.
pub(super) fn read(path: &Path) -> Result<String, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ImportError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        ImportError::NotUtf8 { path: path.to_owned(), line }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("units.csv");
        std::fs::write(&path, bytes).expect("written");
        (folder, path)
    }

    #[test]
    fn a_table_in_another_encoding_is_refused_by_its_line() {
        // 交通 in GBK.
        let (_folder, path) = written(b"id,title\na,A\nb,\xbd\xbb\xcd\xa8\n");
        let error = read(&path).expect_err("not UTF-8");
        assert!(error.to_string().contains("units.csv: line 3 is not UTF-8"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_folder_or_nothing_is_bad_input() {
        let folder = tempfile::tempdir().expect("temporary folder");
        for path in [folder.path().to_owned(), folder.path().join("gone.csv")] {
            assert_eq!(read(&path).expect_err("no table").kind(), ErrorKind::Invalid);
        }
    }
}
