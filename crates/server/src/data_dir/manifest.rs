use std::path::{Path, PathBuf};

use custos_core::{DiskId, ErasureProfile, ErrorKind};
use custos_ports::Entropy;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::{
    durable_file::{self, FileError, Readers},
    keys::KekId,
};

const FORMAT: u64 = 2;
pub(super) const MANIFEST_FILE: &str = "custosd.json";
const DRAFT: &str = "custosd.json.draft";

/// What a process remembers of the cluster that it belongs to, in `custosd.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Origin line of the cluster's custody log.
    pub origin: String,
    /// Erasure profile of the first vault, of a process that made it of its own disks.
    pub profile: Option<ErasureProfile>,
    /// Name of the key-encryption key that a gateway here has worked with.
    pub key_id: Option<KekId>,
    /// Of a folder in format 1: its disks in the order of vault 0, which the cluster map takes over
    /// at the next start. Written in format 2 no more.
    pub vault_0: Option<Vec<DiskId>>,
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
    /// Chooses the identity of a new cluster.
    pub fn plan(
        cluster_name: &str,
        profile: Option<ErasureProfile>,
        key_id: Option<KekId>,
        entropy: &(dyn Entropy + 'static),
    ) -> Self {
        let origin = format!("{cluster_name}/{}", HEXLOWER.encode(&entropy.array::<4>()));
        Self { origin, profile, key_id, vault_0: None }
    }

    /// Belonging to a cluster that there is.
    #[must_use]
    pub fn of_cluster(origin: String) -> Self {
        Self { origin, profile: None, key_id: None, vault_0: None }
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

    /// Makes sure that a start asks for the profile that the first vault was made with.
    ///
    /// # Errors
    /// When it asks for another.
    pub fn check_profile(&self, dir: &Path, given: ErasureProfile) -> Result<(), ManifestError> {
        match self.profile {
            Some(stored) if stored != given => {
                Err(ManifestError::OtherProfile { dir: dir.to_owned(), stored, given })
            }
            _ => Ok(()),
        }
    }

    fn text(&self) -> String {
        let stored = Stored {
            format_version: FORMAT,
            origin: self.origin.clone(),
            profile: self.profile.map(|profile| profile.to_string()),
            key_id: self.key_id.map(|key_id| key_id.to_string()),
        };
        let mut text = serde_json::to_string_pretty(&stored).expect("plain strings");
        text.push('\n');
        text
    }

    fn from_stored(stored: Stored) -> Result<Self, &'static str> {
        let Stored { format_version: _, origin, profile, key_id } = stored;
        let profile = profile.as_deref().map(profile_from).transpose()?;
        let key_id = key_id.as_deref().map(key_id_from).transpose()?;
        Ok(Self { origin, profile, key_id, vault_0: None })
    }

    fn from_format_1(stored: StoredFormat1) -> Result<Self, &'static str> {
        let profile = profile_from(&stored.profile)?;
        let disks: Option<Vec<_>> = stored.disks.iter().map(|id| hex(id).map(DiskId)).collect();
        let disks = disks.ok_or("a disk id is not 32 hexadecimal digits")?;
        if disks.len() != profile.total() {
            return Err("it does not name as many disks as its profile has shards");
        }
        Ok(Self {
            origin: stored.origin,
            profile: Some(profile),
            key_id: Some(key_id_from(&stored.key_id)?),
            vault_0: Some(disks),
        })
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFormat1 {
    #[serde(rename = "format_version")]
    _format_version: u64,
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
    let unreadable = |error: serde_json::Error| damaged(error.to_string());
    let manifest = match found {
        1 => Manifest::from_format_1(serde_json::from_str(&text).map_err(unreadable)?),
        _ => Manifest::from_stored(serde_json::from_str(&text).map_err(unreadable)?),
    };
    manifest.map(Some).map_err(|reason| damaged(reason.to_owned()))
}

fn profile_from(text: &str) -> Result<ErasureProfile, &'static str> {
    text.parse().map_err(|_unknown| "profile is not a known one")
}

fn key_id_from(digits: &str) -> Result<KekId, &'static str> {
    hex(digits).map(KekId).ok_or("key_id is not 16 hexadecimal digits")
}

fn hex<const N: usize>(digits: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::SystemEntropy;

    /// As written by version 0.1.0.
    const FORMAT_1: &str = r#"{
  "format_version": 1,
  "origin": "custos.dev/4168a606",
  "profile": "2+1",
  "key_id": "ae24740c885da77a",
  "disks": [
    "b66aeee9a2caead87760226e4b8e08ef",
    "00000000000000000000000000000001",
    "00000000000000000000000000000002"
  ]
}
"#;

    fn manifest() -> Manifest {
        let (profile, key_id) = (ErasureProfile::P4_2, KekId([7; 8]));
        Manifest::plan("custos.dev", Some(profile), Some(key_id), &SystemEntropy)
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
        let bare = Manifest::of_cluster("custos.example/00000001".to_owned());
        bare.save(dir.path()).expect("saved");
        assert_eq!(Manifest::load(dir.path()).expect("fine"), Some(bare));
    }

    #[test]
    fn the_file_of_an_earlier_version_is_read_with_its_vault() {
        let dir = tempfile::tempdir().expect("tempdir");
        fs::write(dir.path().join(MANIFEST_FILE), FORMAT_1).expect("write");
        let manifest = Manifest::load(dir.path()).expect("fine").expect("there");
        assert_eq!(manifest.origin, "custos.dev/4168a606");
        assert_eq!(manifest.profile, Some(ErasureProfile::P2_1));
        assert_eq!(manifest.key_id.map(|id| id.to_string()).as_deref(), Some("ae24740c885da77a"));
        let disks = manifest.vault_0.clone().expect("its disks");
        assert_eq!(disks[0].to_string(), "b66aeee9a2caead87760226e4b8e08ef");
        assert_eq!(disks[2], DiskId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]));
        manifest.save(dir.path()).expect("saved");
        let newer = Manifest::load(dir.path()).expect("fine").expect("there");
        assert_eq!(newer, Manifest { vault_0: None, ..manifest });
    }

    #[test]
    fn the_file_reads_as_its_page_says() {
        let manifest = Manifest {
            origin: "custos.dev/4168a606".to_owned(),
            profile: Some(ErasureProfile::P4_2),
            key_id: Some(KekId([0xab; 8])),
            vault_0: None,
        };
        let text = "{\n  \"format_version\": 2,\n  \"origin\": \"custos.dev/4168a606\",\n  \
                    \"profile\": \"4+2\",\n  \"key_id\": \"abababababababab\"\n}\n";
        assert_eq!(manifest.text(), text);
    }

    #[test]
    fn newer_and_damaged_identities_are_named() {
        let dir = tempfile::tempdir().expect("tempdir");
        let load = |text: &str| {
            fs::write(dir.path().join(MANIFEST_FILE), text).expect("write");
            Manifest::load(dir.path()).expect_err("refused")
        };
        let newer = load(r#"{"format_version": 3, "shape": "another"}"#);
        assert_eq!(newer.kind(), ErrorKind::Invalid);
        let text = newer.to_string();
        assert!(text.contains("newer custosd (format 3, this one knows 2)"), "{text}");
        let good = manifest().text();
        let cut = &good[..good.len() / 2];
        let fewer = FORMAT_1.replace("\"00000000000000000000000000000001\",", "");
        let other = good.replace("4+2", "9+9");
        let unknown = good.replace("profile", "colour");
        let zero = good.replace(": 2,", ": 0,");
        let wrong = ["", "[]", "{}", cut, &fewer, &other, &unknown, &zero];
        for text in wrong {
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
        let any = Manifest::of_cluster("custos.example/00000001".to_owned());
        any.check_profile(Path::new("d"), ErasureProfile::P2_1).expect("it has none");
    }
}
