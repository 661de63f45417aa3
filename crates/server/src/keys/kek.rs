//! The file of a key-encryption key. Four lines of text, so that it can be kept on paper too:
//!
//! ```text
//! custos key-encryption key, format 1
//! id 0011223344556677
//! key (64 hexadecimal digits)
//! check (16 hexadecimal digits: the first 8 bytes of the SHA-256 of the three lines above)
//! ```

use std::{
    fmt, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use custos_core::ErrorKind;
use custos_ports::Entropy;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::durable_file::{self, FileError, Readers};

const FORMAT: u32 = 1;
const TITLE: &str = "custos key-encryption key, format ";

/// Names a key-encryption key; every wrapped data key says which one it is wrapped under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KekId(pub [u8; 8]);

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// A key-encryption key, from a file that only its owner may read.
pub struct Kek {
    id: KekId,
    key: Zeroizing<[u8; 32]>,
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KekError {
    /// Others than the owner may read or write it.
    #[error(
        "key file {} can be read by others (mode {mode:03o}): run `chmod 600` on it, and think of \
         who may have copied it",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no key file, or was altered.
    #[error("key file {} is damaged ({reason}): restore it from a copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Written by a newer version of this software.
    #[error(
        "key file {} was written by a newer custosd (format {found}, this one knows {FORMAT})",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl KekError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Exposed { .. } | Self::NewerFormat { .. } => ErrorKind::Invalid,
            Self::Damaged { .. } => ErrorKind::Integrity,
            Self::File(error) => error.kind(),
        }
    }
}

impl Kek {
    /// Makes a new key and its file; durable when it returns.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path, id: KekId, entropy: &dyn Entropy) -> Result<Self, KekError> {
        let mut key = Zeroizing::new([0; 32]);
        entropy.fill(key.as_mut_slice());
        let kek = Self { id, key };
        durable_file::replace(path, kek.text().as_bytes(), Readers::OwnerOnly)?;
        Ok(kek)
    }

    /// Reads the key from its file; `None` when there is no such file.
    ///
    /// # Errors
    /// When others may read the file, or it is damaged or of a newer format.
    pub fn load(path: &Path) -> Result<Option<Self>, KekError> {
        let Some(text) = durable_file::read_text(path)?.map(Zeroizing::new) else {
            return Ok(None);
        };
        let mode = fs::metadata(path).map_err(FileError::on("look at", path))?.permissions().mode()
            & 0o777;
        if mode & 0o077 != 0 {
            return Err(KekError::Exposed { path: path.to_owned(), mode });
        }
        Self::parse(path, &text).map(Some)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KekId {
        self.id
    }

    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.key
    }

    fn text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(HEXLOWER.encode(self.key.as_slice()));
        let body = Zeroizing::new(format!("{TITLE}{FORMAT}\nid {}\nkey {}\n", self.id, *key));
        Zeroizing::new(format!("{}check {}\n", *body, check(&body)))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, KekError> {
        let damaged = |reason| KekError::Damaged { path: path.to_owned(), reason };
        let format = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(TITLE))
            .and_then(|format| format.parse::<u32>().ok())
            .ok_or_else(|| damaged("its first line is not that of a key file"))?;
        if format > FORMAT {
            return Err(KekError::NewerFormat { path: path.to_owned(), found: format });
        }
        let (body, checked) = text
            .rfind("check ")
            .map(|at| text.split_at(at))
            .ok_or_else(|| damaged("its check line is missing"))?;
        if checked.trim_end() != format!("check {}", check(body)) {
            return Err(damaged("its check line does not match"));
        }
        let id = hex_line(body, "id ").ok_or_else(|| damaged("its id is not 16 digits"))?;
        let key = hex_line(body, "key ").ok_or_else(|| damaged("its key is not 64 digits"))?;
        Ok(Self { id: KekId(id), key: Zeroizing::new(key) })
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kek").field("id", &self.id).finish_non_exhaustive()
    }
}

fn check(body: &str) -> String {
    let digest = digest::digest(&digest::SHA256, body.as_bytes());
    HEXLOWER.encode(&digest.as_ref()[..8])
}

fn hex_line<const N: usize>(body: &str, name: &str) -> Option<[u8; N]> {
    let digits = body.lines().find_map(|line| line.strip_prefix(name))?;
    let bytes = Zeroizing::new(HEXLOWER.decode(digits.as_bytes()).ok()?);
    bytes.as_slice().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    const ID: KekId = KekId([0xab; 8]);

    #[test]
    fn a_key_survives_its_file_which_only_the_owner_may_read() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("kek");
        assert!(Kek::load(&path).expect("no file is fine").is_none());
        let made = Kek::create(&path, ID, &SystemEntropy).expect("made");
        let mode = fs::metadata(&path).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = Kek::load(&path).expect("read").expect("there");
        assert_eq!((read.id(), read.expose()), (ID, made.expose()));
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("kek");
        Kek::create(&path, ID, &SystemEntropy).expect("made");
        for mode in [0o640, 0o604, 0o666] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
            let error = Kek::load(&path).expect_err("refused");
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn every_altered_or_cut_character_of_a_key_file_is_noticed() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("kek");
        Kek::create(&path, ID, &SystemEntropy).expect("made");
        let text = fs::read_to_string(&path).expect("read");
        // The last byte is the line's end: without it nothing is lost.
        for at in 0..text.len() - 1 {
            let mut altered = text.clone().into_bytes();
            altered[at] ^= 1;
            let altered = String::from_utf8(altered).expect("still ASCII");
            assert!(Kek::parse(&path, &altered).is_err(), "character {at}");
            assert!(Kek::parse(&path, &text[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_newer_key_file_is_named_as_such() {
        let newer = format!("{TITLE}2\nwhatever\n");
        let error = Kek::parse(Path::new("kek"), &newer).expect_err("newer");
        assert!(error.to_string().contains("newer custosd (format 2, this one knows 1)"));
    }

    #[test]
    fn a_key_is_not_printed() {
        let dir = tempfile::tempdir().expect("tempdir");
        let kek = Kek::create(&dir.path().join("kek"), ID, &SystemEntropy).expect("made");
        let digits = HEXLOWER.encode(kek.expose());
        assert!(!format!("{kek:?}").contains(&digits[..8]));
    }
}
