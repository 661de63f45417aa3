use custos_backup::{BackupManifest, BackupName, Pruned, Verified};
use data_encoding::HEXLOWER;
use serde::Serialize;

/// What `cluster backup` says of the backup that it took.
#[derive(Debug, Serialize)]
pub(crate) struct BackupTakenObject {
    #[serde(flatten)]
    backup: Facts,
    recorded_at: u64,
    sent_files: u64,
    sent_bytes: u64,
    pruned: Vec<String>,
    removed_files: u64,
    removed_bytes: u64,
}

/// What `cluster backup ls` says of one backup.
#[derive(Debug, Serialize)]
pub(crate) struct BackupObject {
    name: String,
    #[serde(flatten)]
    backup: Option<Facts>,
    damage: Option<String>,
}

/// What `cluster backup verify` says of one backup.
#[derive(Debug, Serialize)]
pub(crate) struct BackupVerifiedObject<'a> {
    name: String,
    files: Option<usize>,
    bytes: Option<u64>,
    whole: bool,
    damage: &'a [String],
}

#[derive(Debug, Serialize)]
struct Facts {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    cluster: String,
    taken: String,
    log_index: u64,
    custody_size: u64,
    custody_root: String,
    files: usize,
    bytes: u64,
}

impl Facts {
    fn of(manifest: &BackupManifest) -> Self {
        Self {
            name: None,
            cluster: manifest.custody.origin.clone(),
            taken: manifest.taken.to_string(),
            log_index: manifest.log_index,
            custody_size: manifest.custody.size,
            custody_root: HEXLOWER.encode(&manifest.custody.root),
            files: manifest.files.len(),
            bytes: manifest.bytes(),
        }
    }
}

impl BackupTakenObject {
    pub(crate) fn new(
        manifest: &BackupManifest,
        recorded_at: u64,
        (sent_files, sent_bytes): (u64, u64),
        pruned: &Pruned,
    ) -> Self {
        Self {
            backup: Facts { name: Some(manifest.name().to_string()), ..Facts::of(manifest) },
            recorded_at,
            sent_files,
            sent_bytes,
            pruned: pruned.backups.iter().map(ToString::to_string).collect(),
            removed_files: pruned.files,
            removed_bytes: pruned.bytes,
        }
    }
}

impl BackupObject {
    pub(crate) fn new(name: &BackupName, found: &Result<BackupManifest, String>) -> Self {
        Self {
            name: name.to_string(),
            backup: found.as_ref().ok().map(Facts::of),
            damage: found.as_ref().err().cloned(),
        }
    }
}

impl<'a> From<&'a Verified> for BackupVerifiedObject<'a> {
    fn from(verified: &'a Verified) -> Self {
        let manifest = verified.manifest.as_ref();
        Self {
            name: verified.name.to_string(),
            files: manifest.map(|manifest| manifest.files.len()),
            bytes: manifest.map(BackupManifest::bytes),
            whole: verified.damage.is_empty(),
            damage: &verified.damage,
        }
    }
}
