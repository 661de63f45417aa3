//! `disk.json`: which disk a directory is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::error::OpenError;
use crate::{DiskId, OpenMode};

/// Newest format of a disk's directory that this version reads, and the one it writes.
pub(crate) const FORMAT_VERSION: u64 = 1;
const FILE_NAME: &str = "disk.json";
const FORMAT_NAME: &str = "custos-disk";

/// Makes the directory and its identity, or checks the ones that are there.
pub(crate) fn establish(
    dir: &Path,
    mode: OpenMode,
    expected_id: Option<DiskId>,
) -> Result<DiskId, OpenError> {
    match mode {
        OpenMode::Create { id } => create(dir, id),
        OpenMode::Existing => {
            if !dir.is_dir() {
                return Err(OpenError::Missing { dir: dir.to_owned() });
            }
            let found = load(dir)?.ok_or_else(|| OpenError::NoIdentity { dir: dir.to_owned() })?;
            match expected_id {
                Some(expected) if expected != found => {
                    Err(OpenError::WrongIdentity { dir: dir.to_owned(), expected, found })
                }
                _ => Ok(found),
            }
        }
    }
}

fn create(dir: &Path, id: DiskId) -> Result<DiskId, OpenError> {
    let extents = dir.join("extents");
    fs::create_dir_all(&extents).map_err(OpenError::io("create", &extents))?;
    if let Some(found) = load(dir)? {
        return Err(OpenError::Exists { dir: dir.to_owned(), found });
    }
    let mut entries = fs::read_dir(&extents).map_err(OpenError::io("list", &extents))?;
    if entries.next().is_some() {
        return Err(OpenError::Orphaned { dir: dir.to_owned() });
    }
    // The identity comes last and at once, so that a disk made half-way is not taken for one.
    write(dir, id).map_err(OpenError::io("write disk.json in", dir))?;
    Ok(id)
}

fn write(dir: &Path, id: DiskId) -> io::Result<()> {
    let text = format!(
        "{:#}\n",
        json!({ "disk_id": id.to_string(), "format": FORMAT_NAME, "version": FORMAT_VERSION })
    );
    let temporary = dir.join("disk.json.new");
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, dir.join(FILE_NAME))?;
    sync_dir(dir)?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn load(dir: &Path) -> Result<Option<DiskId>, OpenError> {
    let file = dir.join(FILE_NAME);
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io("read", file)(error)),
    };
    let bad = |reason: &str| OpenError::BadIdentity { file: file.clone(), reason: reason.into() };
    let value: Value = serde_json::from_slice(&text).map_err(|error| bad(&error.to_string()))?;
    if value["format"] != FORMAT_NAME {
        return Err(bad("its format is not custos-disk"));
    }
    let version = value["version"].as_u64().ok_or_else(|| bad("it has no version"))?;
    if version > FORMAT_VERSION {
        let supported = FORMAT_VERSION;
        return Err(OpenError::NewerFormat { dir: dir.to_owned(), found: version, supported });
    }
    let id = value["disk_id"].as_str().and_then(DiskId::parse);
    id.ok_or_else(|| bad("disk_id is not 32 hexadecimal digits")).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: DiskId = DiskId::from_bytes([0x5a; 16]);

    #[test]
    fn a_disk_is_made_once_and_recognised_afterwards() {
        let dir = tempfile::tempdir().expect("tempdir");
        let dir = dir.path().join("disk");
        assert!(matches!(
            establish(&dir, OpenMode::Existing, None),
            Err(OpenError::Missing { .. })
        ));
        assert_eq!(establish(&dir, OpenMode::Create { id: ID }, None).expect("made"), ID);
        assert!(matches!(
            establish(&dir, OpenMode::Create { id: ID }, None),
            Err(OpenError::Exists { found: ID, .. })
        ));
        assert_eq!(establish(&dir, OpenMode::Existing, Some(ID)).expect("there"), ID);
        let other = DiskId::from_bytes([1; 16]);
        assert!(matches!(
            establish(&dir, OpenMode::Existing, Some(other)),
            Err(OpenError::WrongIdentity { found: ID, .. })
        ));
    }

    #[test]
    fn an_empty_directory_is_not_taken_for_a_disk() {
        let dir = tempfile::tempdir().expect("tempdir");
        assert!(matches!(
            establish(dir.path(), OpenMode::Existing, None),
            Err(OpenError::NoIdentity { .. })
        ));
    }

    #[test]
    fn extents_without_an_identity_are_left_alone() {
        let dir = tempfile::tempdir().expect("tempdir");
        fs::create_dir(dir.path().join("extents")).expect("mkdir");
        fs::write(dir.path().join("extents/EXT-00000001.ext"), b"?").expect("write");
        assert!(matches!(
            establish(dir.path(), OpenMode::Create { id: ID }, None),
            Err(OpenError::Orphaned { .. })
        ));
    }

    #[test]
    fn newer_and_damaged_identities_are_named() {
        let dir = tempfile::tempdir().expect("tempdir");
        let open = |text: &str| {
            fs::write(dir.path().join(FILE_NAME), text).expect("write");
            establish(dir.path(), OpenMode::Existing, None).expect_err("refused").to_string()
        };
        let newer = open(r#"{"format":"custos-disk","version":9}"#);
        assert!(newer.contains("disk format 9, this version reads up to 1"), "{newer}");
        for text in ["", "{", "[]", r#"{"format":"x"}"#, r#"{"format":"custos-disk"}"#] {
            assert!(open(text).contains("disk.json is damaged"), "{text}");
        }
        let no_id = open(r#"{"format":"custos-disk","version":1,"disk_id":"5a"}"#);
        assert!(no_id.contains("disk_id"), "{no_id}");
    }
}
