use std::path::PathBuf;

use custos_core::ErrorKind;
use custos_ports::Entropy;

use super::{DataDir, LEDGER_FOLDER, Manifest, ManifestError};
use crate::{
    config::ServerConfig,
    durable_file::{self, FileError},
    keys::{Kek, KekError, KekId},
};

/// Who a node is, and the key that it seals under.
#[derive(Debug)]
pub struct Identity {
    pub(crate) manifest: Manifest,
    pub(crate) kek: Kek,
    pub(crate) stage: Stage,
}

/// How far a node got in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its first start is not finished: what is missing is to be made.
    Beginning,
    /// It has begun: what is missing is lost.
    Settled,
}

/// Why a node cannot be the one that its folder says it is.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is a ledger, but nothing says whose.
    #[error(
        "{} holds a ledger but no custosd.json: restore that from a copy; nothing was changed",
        dir.display()
    )]
    ManifestLost {
        /// The data folder.
        dir: PathBuf,
    },
    /// The key that everything here is sealed under is not there.
    #[error(
        "key file {} is missing: restore it from a copy, nothing that is sealed here can be read \
         without it",
        path.display()
    )]
    KeyLost {
        /// The key file.
        path: PathBuf,
    },
    /// The key is another one.
    #[error("key file {} holds key {found}, this store is sealed under key {expected}", path.display())]
    OtherKey {
        /// The key file.
        path: PathBuf,
        /// Key in the file.
        found: KekId,
        /// Key that the node began with.
        expected: KekId,
    },
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The key file cannot be used.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl IdentityError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ManifestLost { .. } | Self::OtherKey { .. } => ErrorKind::Integrity,
            Self::KeyLost { .. } => ErrorKind::Unavailable,
            Self::Manifest(error) => error.kind(),
            Self::Kek(error) => error.kind(),
            Self::File(error) => error.kind(),
        }
    }
}

impl Identity {
    /// Reads who the node in `data_dir` is, or begins a new one there.
    ///
    /// # Errors
    /// When the folder or the key do not fit what is asked for, or are damaged, or lost.
    pub fn establish(
        data_dir: &DataDir,
        config: &ServerConfig,
        entropy: &(dyn Entropy + 'static),
    ) -> Result<Self, IdentityError> {
        let dir = data_dir.path();
        let path = &config.key_file;
        if let Some(manifest) = Manifest::load(dir)? {
            manifest.check_profile(dir, config.profile)?;
            let kek = Kek::load(path)?
                .ok_or_else(|| IdentityError::KeyLost { path: path.clone() })
                .and_then(|kek| checked(kek, manifest.key_id, path))?;
            return Ok(Self { manifest, kek, stage: Stage::Settled });
        }
        let manifest = match Manifest::load_draft(dir)? {
            Some(draft) => {
                tracing::info!(dir = %dir.display(), "first start was cut short: going on with it");
                draft.check_profile(dir, config.profile)?;
                draft
            }
            None => Self::plan(data_dir, config, entropy)?,
        };
        let kek = match Kek::load(path)? {
            Some(kek) => checked(kek, manifest.key_id, path)?,
            None => {
                if let Some(folder) = path.parent() {
                    durable_file::create_dir(folder)?;
                }
                let kek = Kek::create(path, manifest.key_id, entropy)?;
                tracing::info!(
                    file = %path.display(), key = %kek.id(),
                    "new key-encryption key: keep a copy apart from the disks"
                );
                kek
            }
        };
        Ok(Self { manifest, kek, stage: Stage::Beginning })
    }

    fn plan(
        data_dir: &DataDir,
        config: &ServerConfig,
        entropy: &(dyn Entropy + 'static),
    ) -> Result<Manifest, IdentityError> {
        let dir = data_dir.path();
        if dir.join(LEDGER_FOLDER).exists() {
            return Err(IdentityError::ManifestLost { dir: dir.to_owned() });
        }
        // A key that its administrator made before is kept.
        let key_id = match Kek::load(&config.key_file)? {
            Some(kek) => kek.id(),
            None => KekId(entropy.array()),
        };
        let manifest = Manifest::plan(&config.cluster_name, config.profile, key_id, entropy);
        manifest.save_draft(dir)?;
        Ok(manifest)
    }
}

fn checked(kek: Kek, expected: KekId, path: &std::path::Path) -> Result<Kek, IdentityError> {
    let found = kek.id();
    if found == expected {
        return Ok(kek);
    }
    Err(IdentityError::OtherKey { path: path.to_owned(), found, expected })
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use custos_core::ErasureProfile;

    use super::*;
    use crate::{SystemEntropy, data_dir::Occupants, dev};

    struct Case {
        _folder: tempfile::TempDir,
        data_dir: DataDir,
        config: ServerConfig,
    }

    impl Case {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("tempdir");
            let data_dir = DataDir::lock(folder.path(), Occupants::Nobody).expect("free");
            let options = dev::DevOptions {
                data: folder.path().to_owned(),
                listen: "127.0.0.1:0".parse().expect("address"),
                metrics_listen: None,
                profile: ErasureProfile::P2_1,
            };
            let config = dev::configuration(&data_dir, &options);
            Self { _folder: folder, data_dir, config }
        }

        fn path(&self) -> &Path {
            self.data_dir.path()
        }

        fn establish(&self) -> Result<Identity, IdentityError> {
            Identity::establish(&self.data_dir, &self.config, &SystemEntropy)
        }
    }

    #[test]
    fn a_first_start_that_was_cut_short_goes_on_as_the_same_node() {
        let case = Case::new();
        let first = case.establish().expect("begun");
        assert_eq!(first.stage, Stage::Beginning);
        let again = case.establish().expect("goes on");
        assert_eq!((again.stage, &again.manifest), (Stage::Beginning, &first.manifest));
        // Cut between draft and key: the key is made with the name that was chosen for it.
        fs::remove_file(&case.config.key_file).expect("removed");
        let rekeyed = case.establish().expect("goes on");
        assert_eq!(rekeyed.kek.id(), first.manifest.key_id);
        first.manifest.save(case.path()).expect("saved");
        assert_eq!(case.establish().expect("settled").stage, Stage::Settled);
    }

    #[test]
    fn a_settled_node_never_gets_a_new_key() {
        let case = Case::new();
        case.establish().expect("begun").manifest.save(case.path()).expect("saved");
        fs::remove_file(&case.config.key_file).expect("removed");
        let error = case.establish().expect_err("lost");
        assert!(error.to_string().contains("is missing: restore it"), "{error}");
        assert!(!case.config.key_file.exists());
        Kek::create(&case.config.key_file, KekId([1; 8]), &SystemEntropy).expect("made");
        let error = case.establish().expect_err("another");
        assert!(error.to_string().contains("holds key 0101010101010101"), "{error}");
    }

    #[test]
    fn a_ledger_without_a_manifest_is_not_begun_anew() {
        let case = Case::new();
        fs::create_dir(case.path().join("meta")).expect("mkdir");
        assert!(matches!(case.establish(), Err(IdentityError::ManifestLost { .. })));
        assert!(!case.config.key_file.exists());
    }

    #[test]
    fn another_profile_is_refused_and_changes_nothing() {
        let mut case = Case::new();
        case.establish().expect("begun").manifest.save(case.path()).expect("saved");
        case.config.profile = ErasureProfile::P4_2;
        let error = case.establish().expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("2+1, not 4+2"), "{error}");
    }
}
