use std::path::{Path, PathBuf};

use custos_core::ErrorKind;
use custos_ports::Entropy;

use super::{DataDir, LEDGER_FOLDER, Manifest, ManifestError};
use crate::{
    config::{GatewayConfig, MetaConfig, ServerConfig},
    durable_file::{self, FileError},
    keys::{Kek, KekError, KekId},
};

/// What a process knows of itself from its own folder, before it has asked anybody.
#[derive(Debug)]
pub struct Identity {
    /// `None` of a process that does not begin a cluster and has not met one yet.
    pub(crate) manifest: Option<Manifest>,
    /// The key that a gateway seals under. `None` without the role, and of a gateway that has no
    /// key yet: whether one may be made is for the ledger to say.
    pub(crate) kek: Option<Kek>,
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
        /// Key that the gateway began with.
        expected: KekId,
    },
    /// An earlier version had all roles here; its vault must become part of the map first.
    #[error(
        "{} was written by an earlier custosd with all roles in one process: start this version \
         there once with the same roles and disks, and without expect_nodes",
        dir.display()
    )]
    OldWhole {
        /// The data folder.
        dir: PathBuf,
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
            Self::OldWhole { .. } => ErrorKind::Invalid,
            Self::Manifest(error) => error.kind(),
            Self::Kek(error) => error.kind(),
            Self::File(error) => error.kind(),
        }
    }
}

impl Identity {
    /// Reads who the process in `data_dir` is, or begins a new cluster there if it has the role
    /// `meta` and joins no group.
    ///
    /// # Errors
    /// When the folder or the key do not fit what is asked for, or are damaged, or lost.
    pub fn establish(
        data_dir: &DataDir,
        config: &ServerConfig,
        entropy: &(dyn Entropy + 'static),
    ) -> Result<Self, IdentityError> {
        let dir = data_dir.path();
        if let Some(manifest) = Manifest::load(dir)? {
            check(&manifest, dir, config)?;
            let kek = match &config.gateway {
                Some(gateway) => settled_key(gateway, manifest.key_id)?,
                None => None,
            };
            return Ok(Self { manifest: Some(manifest), kek, stage: Stage::Settled });
        }
        // Who joins a group belongs to a cluster that there is already.
        let founding = config
            .meta
            .as_ref()
            .filter(|meta| meta.group.as_ref().is_none_or(|group| group.join.is_empty()));
        let Some(meta) = founding else {
            let kek = match &config.gateway {
                Some(gateway) => Kek::load(&gateway.key_file)?,
                None => None,
            };
            return Ok(Self { manifest: None, kek, stage: Stage::Beginning });
        };
        let manifest = match Manifest::load_draft(dir)? {
            Some(draft) => {
                tracing::info!(dir = %dir.display(), "first start was cut short: going on with it");
                check(&draft, dir, config)?;
                // Its disks were chosen and perhaps not made: those that are there count.
                Manifest { vault_0: None, ..draft }
            }
            None => plan(dir, config, meta, entropy)?,
        };
        let kek = match (&config.gateway, manifest.key_id) {
            (Some(gateway), Some(key_id)) => Some(first_key(gateway, key_id, entropy)?),
            _ => None,
        };
        Ok(Self { manifest: Some(manifest), kek, stage: Stage::Beginning })
    }
}

/// Makes sure that what the folder was begun with is what the configuration asks for.
fn check(manifest: &Manifest, dir: &Path, config: &ServerConfig) -> Result<(), IdentityError> {
    let own_profile = config.own_vault_profile();
    if let Some(profile) = own_profile {
        manifest.check_profile(dir, profile)?;
    } else if manifest.vault_0.is_some() {
        return Err(IdentityError::OldWhole { dir: dir.to_owned() });
    }
    Ok(())
}

/// Chooses who the cluster is that begins here.
fn plan(
    dir: &Path,
    config: &ServerConfig,
    meta: &MetaConfig,
    entropy: &(dyn Entropy + 'static),
) -> Result<Manifest, IdentityError> {
    if dir.join(LEDGER_FOLDER).exists() {
        return Err(IdentityError::ManifestLost { dir: dir.to_owned() });
    }
    let key_id = match &config.gateway {
        // A key that its administrator made before is kept.
        Some(gateway) => match Kek::load(&gateway.key_file)? {
            Some(kek) => Some(kek.id()),
            None => Some(KekId(entropy.array())),
        },
        None => None,
    };
    let profile = config.own_vault_profile();
    let manifest = Manifest::plan(&meta.cluster_name, profile, key_id, entropy);
    manifest.save_draft(dir)?;
    Ok(manifest)
}

/// The key of a gateway that has worked before, if it has.
fn settled_key(
    gateway: &GatewayConfig,
    key_id: Option<KekId>,
) -> Result<Option<Kek>, IdentityError> {
    let path = &gateway.key_file;
    match (Kek::load(path)?, key_id) {
        (Some(kek), Some(expected)) => checked(kek, expected, path).map(Some),
        (None, Some(_)) => Err(IdentityError::KeyLost { path: path.clone() }),
        (kek, None) => Ok(kek),
    }
}

/// The key of a cluster that begins.
fn first_key(
    gateway: &GatewayConfig,
    key_id: KekId,
    entropy: &(dyn Entropy + 'static),
) -> Result<Kek, IdentityError> {
    let path = &gateway.key_file;
    match Kek::load(path)? {
        Some(kek) => checked(kek, key_id, path),
        None => Ok(make_key(path, key_id, entropy)?),
    }
}

/// Makes a new key and its file.
pub(crate) fn make_key(
    path: &Path,
    key_id: KekId,
    entropy: &(dyn Entropy + 'static),
) -> Result<Kek, KekError> {
    if let Some(folder) = path.parent() {
        durable_file::create_dir(folder)?;
    }
    let kek = Kek::create(path, key_id, entropy)?;
    tracing::info!(
        file = %path.display(), key = %kek.id(),
        "new key-encryption key: keep a copy apart from the disks"
    );
    Ok(kek)
}

fn checked(kek: Kek, expected: KekId, path: &Path) -> Result<Kek, IdentityError> {
    let found = kek.id();
    if found == expected {
        return Ok(kek);
    }
    Err(IdentityError::OtherKey { path: path.to_owned(), found, expected })
}

#[cfg(test)]
mod tests {
    use std::fs;

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
                days_ahead: 0,
                profile: ErasureProfile::P2_1,
            };
            let config = dev::configuration(&data_dir, &options);
            Self { _folder: folder, data_dir, config }
        }

        fn path(&self) -> &Path {
            self.data_dir.path()
        }

        fn key_file(&self) -> &Path {
            &self.config.gateway.as_ref().expect("dev has every role").key_file
        }

        fn establish(&self) -> Result<Identity, IdentityError> {
            Identity::establish(&self.data_dir, &self.config, &SystemEntropy)
        }

        /// Begins, and is done with it.
        fn settle(&self) -> Manifest {
            let manifest = self.establish().expect("begun").manifest.expect("chosen");
            manifest.save(self.path()).expect("saved");
            manifest
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
        fs::remove_file(case.key_file()).expect("removed");
        let rekeyed = case.establish().expect("goes on");
        let manifest = first.manifest.expect("chosen");
        assert_eq!(rekeyed.kek.map(|kek| kek.id()), manifest.key_id);
        manifest.save(case.path()).expect("saved");
        assert_eq!(case.establish().expect("settled").stage, Stage::Settled);
    }

    #[test]
    fn a_settled_node_never_gets_a_new_key() {
        let case = Case::new();
        case.settle();
        fs::remove_file(case.key_file()).expect("removed");
        let error = case.establish().expect_err("lost");
        assert!(error.to_string().contains("is missing: restore it"), "{error}");
        assert!(!case.key_file().exists());
        Kek::create(case.key_file(), KekId([1; 8]), &SystemEntropy).expect("made");
        let error = case.establish().expect_err("another");
        assert!(error.to_string().contains("holds key 0101010101010101"), "{error}");
    }

    #[test]
    fn a_ledger_without_a_manifest_is_not_begun_anew() {
        let case = Case::new();
        fs::create_dir(case.path().join("meta")).expect("mkdir");
        assert!(matches!(case.establish(), Err(IdentityError::ManifestLost { .. })));
        assert!(!case.key_file().exists());
    }

    #[test]
    fn another_profile_is_refused_and_changes_nothing() {
        let mut case = Case::new();
        case.settle();
        case.config.meta.as_mut().expect("dev has every role").profile = ErasureProfile::P4_2;
        let error = case.establish().expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("2+1, not 4+2"), "{error}");
    }

    #[test]
    fn a_process_without_the_ledger_chooses_nothing_by_itself() {
        let mut case = Case::new();
        case.config.meta = None;
        for _start in 0..2 {
            let identity = case.establish().expect("fine");
            assert_eq!(identity.stage, Stage::Beginning);
            assert!(identity.manifest.is_none() && identity.kek.is_none());
        }
        assert!(!case.key_file().exists());
        // A key that was copied there is taken along.
        fs::create_dir_all(case.key_file().parent().expect("a folder")).expect("mkdir");
        Kek::create(case.key_file(), KekId([1; 8]), &SystemEntropy).expect("made");
        let identity = case.establish().expect("fine");
        assert_eq!(identity.kek.map(|kek| kek.id()), Some(KekId([1; 8])));
    }

    #[test]
    fn the_folder_of_an_earlier_version_needs_all_its_roles_once() {
        let mut case = Case::new();
        let manifest = case.settle();
        let old = format!(
            "{{\"format_version\": 1, \"origin\": \"{}\", \"profile\": \"2+1\", \"key_id\": \"{}\", \
             \"disks\": [\"{1}{1}\", \"{1}{1}\", \"{1}{1}\"]}}",
            manifest.origin,
            manifest.key_id.expect("has a key"),
        );
        fs::write(case.path().join("custosd.json"), old).expect("write");
        let identity = case.establish().expect("fine");
        let disks = identity.manifest.and_then(|manifest| manifest.vault_0);
        assert_eq!(disks.map(|disks| disks.len()), Some(3));
        case.config.storage = None;
        let error = case.establish().expect_err("refused");
        assert!(error.to_string().contains("with the same roles and disks"), "{error}");
    }
}
