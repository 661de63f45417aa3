use std::path::{Path, PathBuf};

use custos_core::{ErasureProfile, ErrorKind};
use custos_ports::Entropy;
use custos_shardstore::DiskId;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::{
    durable_file::{self, FileError, Readers},
    keys::KekId,
};

const FORMAT: u64 = 1;
pub(super) const MANIFEST_FILE: &str = "custosd.json";
const DRAFT: &str = "custosd.json.draft";

/// Identity of a node, in `custosd.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Origin line of the cluster's custody log.
    pub origin: String,
    /// Erasure profile that the cluster was begun with.
    pub profile: ErasureProfile,
    /// Name of its key-encryption key.
    pub key_id: KekId,
    /// Its disks, in the order of the vault's slots.
    pub disks: Vec<DiskId>,
}

/// Why the identity of a node cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Written by a newer version of this software.
    #[error(
        "{} was written by a newer custosd (format {found}, this one knows {FORMAT}): use that one; \
         nothing was changed",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// It cannot be understood.
    #[error("{} is damaged ({reason}): restore it from a copy; nothing was changed", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// It was begun with another profile.
    #[error(
        "{} was begun with profile {stored}, not {given}: start it with {stored}, or choose another \
         folder",
        dir.display()
    )]
    OtherProfile {
        /// The data folder.
        dir: PathBuf,
        /// Profile on disk.
        stored: ErasureProfile,
        /// Profile that was asked for.
        given: ErasureProfile,
    },
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ManifestError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NewerFormat { .. } | Self::OtherProfile { .. } => ErrorKind::Invalid,
            Self::Damaged { .. } => ErrorKind::Integrity,
            Self::File(error) => error.kind(),
        }
    }
}

impl Manifest {
    /// Chooses the identity of a new node.
    pub fn plan(
        cluster_name: &str,
        profile: ErasureProfile,
        key_id: KekId,
        entropy: &(dyn Entropy + 'static),
    ) -> Self {
        let origin = format!("{cluster_name}/{}", HEXLOWER.encode(&entropy.array::<4>()));
        let disks = (0..profile.total()).map(|_| DiskId::from_bytes(entropy.array())).collect();
        Self { origin, profile, key_id, disks }
    }

    /// Reads the identity of a node; `None` when its first start was not finished.
    ///
    /// # Errors
    /// When it is damaged or of a newer format.
    pub fn load(dir: &Path) -> Result<Option<Self>, ManifestError> {
        load(&dir.join(MANIFEST_FILE))
    }

    /// Reads the identity that a first start chose before it was cut short.
    ///
    /// # Errors
    /// When it is damaged or of a newer format.
    pub fn load_draft(dir: &Path) -> Result<Option<Self>, ManifestError> {
        load(&dir.join(DRAFT))
    }

    /// Writes the draft, before anything else of a first start is made.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save_draft(&self, dir: &Path) -> Result<(), ManifestError> {
        Ok(durable_file::replace(&dir.join(DRAFT), self.text().as_bytes(), Readers::Everyone)?)
    }

    /// Writes the identity, after everything else of a first start is made.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn save(&self, dir: &Path) -> Result<(), ManifestError> {
        durable_file::replace(&dir.join(MANIFEST_FILE), self.text().as_bytes(), Readers::Everyone)?;
        Ok(durable_file::remove(&dir.join(DRAFT))?)
    }

    /// Makes sure that a start asks for the profile that the node has.
    ///
    /// # Errors
    /// When it asks for another.
    pub fn check_profile(&self, dir: &Path, given: ErasureProfile) -> Result<(), ManifestError> {
        if self.profile == given {
            return Ok(());
        }
        Err(ManifestError::OtherProfile { dir: dir.to_owned(), stored: self.profile, given })
    }

    fn text(&self) -> String {
        let stored = Stored {
            format_version: FORMAT,
            origin: self.origin.clone(),
            profile: self.profile.to_string(),
            key_id: self.key_id.to_string(),
            disks: self.disks.iter().map(DiskId::to_string).collect(),
        };
        let mut text = serde_json::to_string_pretty(&stored).expect("plain strings");
        text.push('\n');
        text
    }

    fn from_stored(stored: Stored) -> Result<Self, &'static str> {
        let profile: ErasureProfile =
            stored.profile.parse().map_err(|_unknown| "profile is not a known one")?;
        let disks: Option<Vec<_>> =
            stored.disks.iter().map(|id| hex(id).map(DiskId::from_bytes)).collect();
        let disks = disks.ok_or("a disk id is not 32 hexadecimal digits")?;
        if disks.len() != profile.total() {
            return Err("it does not name as many disks as its profile has shards");
        }
        let key_id = hex(&stored.key_id).map(KekId).ok_or("key_id is not 16 hexadecimal digits")?;
        Ok(Self { origin: stored.origin, profile, key_id, disks })
    }
}

/// The one field that every format, older or newer, has.
#[derive(Deserialize)]
struct FormatOnly {
    format_version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format_version: u64,
    origin: String,
    profile: String,
    key_id: String,
    disks: Vec<String>,
}

fn load(path: &Path) -> Result<Option<Manifest>, ManifestError> {
    let Some(text) = durable_file::read_text(path)? else { return Ok(None) };
    let damaged = |reason: String| ManifestError::Damaged { path: path.to_owned(), reason };
    // The version is looked at alone first: a newer file may differ in all else.
    let FormatOnly { format_version: found } =
        serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    if found > FORMAT {
        return Err(ManifestError::NewerFormat { path: path.to_owned(), found });
    }
    if found == 0 {
        return Err(damaged("there is no format 0".to_owned()));
    }
    let stored = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    Manifest::from_stored(stored).map(Some).map_err(|reason| damaged(reason.to_owned()))
}

fn hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::SystemEntropy;

    fn manifest() -> Manifest {
        let key_id = KekId([7; 8]);
        Manifest::plan("custos.dev", ErasureProfile::P4_2, key_id, &SystemEntropy)
    }

    #[test]
    fn an_identity_survives_its_file_and_the_draft_goes_with_it() {
        let dir = tempfile::tempdir().expect("tempdir");
        assert_eq!(Manifest::load(dir.path()).expect("fine"), None);
        let manifest = manifest();
        manifest.save_draft(dir.path()).expect("saved");
        assert_eq!(Manifest::load(dir.path()).expect("fine"), None);
        assert_eq!(Manifest::load_draft(dir.path()).expect("fine").as_ref(), Some(&manifest));
        manifest.save(dir.path()).expect("saved");
        assert_eq!(Manifest::load(dir.path()).expect("fine").as_ref(), Some(&manifest));
        assert_eq!(Manifest::load_draft(dir.path()).expect("fine"), None);
        assert_eq!(manifest.origin.len(), "custos.dev/".len() + 8);
        assert_eq!(manifest.disks.len(), 6);
    }

    #[test]
    fn newer_and_damaged_identities_are_named() {
        let dir = tempfile::tempdir().expect("tempdir");
        let load = |text: &str| {
            fs::write(dir.path().join(MANIFEST_FILE), text).expect("write");
            Manifest::load(dir.path()).expect_err("refused")
        };
        let newer = load(r#"{"format_version": 2, "shape": "another"}"#);
        assert_eq!(newer.kind(), ErrorKind::Invalid);
        let text = newer.to_string();
        assert!(text.contains("newer custosd (format 2, this one knows 1)"), "{text}");
        let good = manifest().text();
        let cut = &good[..good.len() / 2];
        let fewer = good.replacen("  \"disks\": [\n", "  \"disks\": [],\n  \"x\": [\n", 1);
        let other = good.replace("4+2", "9+9");
        let zero = good.replace(": 1,", ": 0,");
        for text in ["", "[]", "{}", cut, fewer.as_str(), other.as_str(), zero.as_str()] {
            assert_eq!(load(text).kind(), ErrorKind::Integrity, "{text}");
        }
    }

    #[test]
    fn another_profile_than_the_one_begun_with_is_refused() {
        let manifest = manifest();
        manifest.check_profile(Path::new("d"), ErasureProfile::P4_2).expect("the same");
        let error =
            manifest.check_profile(Path::new("d"), ErasureProfile::P2_1).expect_err("other");
        assert!(error.to_string().contains("begun with profile 4+2, not 2+1"), "{error}");
    }
}
