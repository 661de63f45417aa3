//! `disk.json`: which disk a folder is, and how often it was taken into service.

use std::io;

use custos_core::{DiskGeneration, RunId};
use custos_ports::Disk;
use serde_json::{Map, Value, json};

use crate::error::OpenError;
use crate::extents::EXTENTS_FOLDER;
use crate::{DiskId, OpenMode};

/// Newest format of a disk's folder that this version reads, and the one it writes. Version 1 has
/// no generation.
pub(crate) const FORMAT_VERSION: u64 = 2;
const FILE_NAME: &str = "disk.json";
const FORMAT_NAME: &str = "custos-disk";
/// Far more than there is to say.
const FILE_BYTES_MAX: usize = 64 << 10;

/// What a disk says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: DiskId,
    /// As last taken into service; 0 before the first time.
    pub(crate) generation: DiskGeneration,
    /// A taking into service that was begun and not finished.
    pub(crate) opening: Option<Opening>,
}

/// A claim to the next generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) generation: DiskGeneration,
    /// Tells this claim from that of a copy of the disk.
    pub(crate) run: RunId,
}

/// Checks that the folder can be opened as asked, and changes nothing.
pub(crate) fn check(
    disk: &dyn Disk,
    mode: OpenMode,
    expected_id: Option<DiskId>,
) -> Result<Option<Identity>, OpenError> {
    let dir = disk.locate("");
    let found = load(disk)?;
    match (mode, found) {
        (OpenMode::Create { .. }, Some(found)) => Err(OpenError::Exists { dir, found: found.id }),
        (OpenMode::Create { .. }, None) => {
            let listed = disk.list(EXTENTS_FOLDER);
            let listed = listed.map_err(OpenError::io("list", disk.locate(EXTENTS_FOLDER)))?;
            // A probe that was cut short is no extent.
            match listed.iter().all(|name| name.starts_with('.')) {
                true => Ok(None),
                false => Err(OpenError::Orphaned { dir }),
            }
        }
        (OpenMode::Existing, None) => Err(OpenError::NoIdentity { dir }),
        (OpenMode::Existing, Some(found)) => match expected_id {
            Some(expected) if expected != found.id => {
                Err(OpenError::WrongIdentity { dir, expected, found: found.id })
            }
            _ => Ok(Some(found)),
        },
    }
}

/// The identity of a disk that is there, or that is made now.
pub(crate) fn establish(
    disk: &dyn Disk,
    mode: OpenMode,
    expected_id: Option<DiskId>,
) -> Result<Identity, OpenError> {
    match (check(disk, mode, expected_id)?, mode) {
        (Some(found), _) => Ok(found),
        (None, OpenMode::Create { id }) => {
            let identity = Identity { id, generation: DiskGeneration(0), opening: None };
            // It comes last and at once, so that a disk made half-way is not taken for one.
            store(disk, &identity)?;
            Ok(identity)
        }
        (None, OpenMode::Existing) => unreachable!("checked: an existing disk has an identity"),
    }
}

/// Writes the identity durably, in place of the one that is there.
pub(crate) fn store(disk: &dyn Disk, identity: &Identity) -> Result<(), OpenError> {
    let mut value = Map::new();
    // In order of name, whatever order a map keeps.
    value.insert("disk_id".into(), identity.id.to_string().into());
    value.insert("format".into(), FORMAT_NAME.into());
    value.insert("generation".into(), identity.generation.0.into());
    if let Some(Opening { generation, run }) = identity.opening {
        let opening = json!({ "generation": generation.0, "run": run.to_string() });
        value.insert("opening".into(), opening);
    }
    value.insert("version".into(), FORMAT_VERSION.into());
    let value = Value::Object(value);
    disk.replace_small(FILE_NAME, format!("{value:#}\n").as_bytes())
        .map_err(OpenError::io("write", disk.locate(FILE_NAME)))
}

fn load(disk: &dyn Disk) -> Result<Option<Identity>, OpenError> {
    let file = disk.locate(FILE_NAME);
    let text = match disk.read_small(FILE_NAME, FILE_BYTES_MAX) {
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
        let dir = disk.locate("");
        return Err(OpenError::NewerFormat { dir, found: version, supported: FORMAT_VERSION });
    }
    let id = value["disk_id"].as_str().and_then(|text| text.parse().ok());
    let id = id.ok_or_else(|| bad("disk_id is not 32 hexadecimal digits"))?;
    if version == 1 {
        return Ok(Some(Identity { id, generation: DiskGeneration(0), opening: None }));
    }
    let generation = value["generation"].as_u64().ok_or_else(|| bad("it has no generation"))?;
    let opening = match &value["opening"] {
        Value::Null => None,
        opening => Some(Opening {
            generation: DiskGeneration(
                opening["generation"].as_u64().ok_or_else(|| bad("its opening is damaged"))?,
            ),
            run: opening["run"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| bad("its opening is damaged"))?,
        }),
    };
    Ok(Some(Identity { id, generation: DiskGeneration(generation), opening }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::folder_disk::FolderDisk;

    const ID: DiskId = DiskId::from_bytes([0x5a; 16]);

    #[test]
    fn a_disk_is_made_once_and_recognised_afterwards() {
        let dir = tempfile::tempdir().expect("tempdir");
        let disk = FolderDisk::at(dir.path());
        disk.make_folder(EXTENTS_FOLDER).expect("made");
        let made = establish(&disk, OpenMode::Create { id: ID }, None).expect("made");
        assert_eq!((made.id, made.generation, made.opening), (ID, DiskGeneration(0), None));
        assert!(matches!(
            establish(&disk, OpenMode::Create { id: ID }, None),
            Err(OpenError::Exists { found: ID, .. })
        ));
        assert_eq!(establish(&disk, OpenMode::Existing, Some(ID)).expect("there"), made);
        let other = DiskId::from_bytes([1; 16]);
        assert!(matches!(
            establish(&disk, OpenMode::Existing, Some(other)),
            Err(OpenError::WrongIdentity { found: ID, .. })
        ));
    }

    #[test]
    fn an_opening_stands_on_the_disk_until_it_is_finished() {
        let dir = tempfile::tempdir().expect("tempdir");
        let disk = FolderDisk::at(dir.path());
        let opening = Opening { generation: DiskGeneration(8), run: RunId::from_bytes([7; 16]) };
        for opening in [Some(opening), None] {
            let identity = Identity { id: ID, generation: DiskGeneration(7), opening };
            store(&disk, &identity).expect("stored");
            assert_eq!(load(&disk).expect("readable"), Some(identity));
        }
    }

    #[test]
    fn an_empty_directory_is_not_taken_for_a_disk() {
        let dir = tempfile::tempdir().expect("tempdir");
        assert!(matches!(
            establish(&FolderDisk::at(dir.path()), OpenMode::Existing, None),
            Err(OpenError::NoIdentity { .. })
        ));
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 0, "nothing was changed");
    }

    #[test]
    fn extents_without_an_identity_are_left_alone() {
        let dir = tempfile::tempdir().expect("tempdir");
        fs::create_dir(dir.path().join("extents")).expect("mkdir");
        fs::write(dir.path().join("extents/EXT-00000001.ext"), b"?").expect("write");
        assert!(matches!(
            establish(&FolderDisk::at(dir.path()), OpenMode::Create { id: ID }, None),
            Err(OpenError::Orphaned { .. })
        ));
    }

    #[test]
    fn newer_and_damaged_identities_are_named() {
        let dir = tempfile::tempdir().expect("tempdir");
        let disk = FolderDisk::at(dir.path());
        let open = |text: &str| {
            fs::write(dir.path().join(FILE_NAME), text).expect("write");
            establish(&disk, OpenMode::Existing, None).expect_err("refused").to_string()
        };
        let newer = open(r#"{"format":"custos-disk","version":9}"#);
        assert!(newer.contains("disk format 9, this version reads up to 2"), "{newer}");
        for text in ["", "{", "[]", r#"{"format":"x"}"#, r#"{"format":"custos-disk"}"#] {
            assert!(open(text).contains("disk.json is damaged"), "{text}");
        }
        let no_id = open(r#"{"format":"custos-disk","version":1,"disk_id":"5a"}"#);
        assert!(no_id.contains("disk_id"), "{no_id}");
        for rest in [r#""x":0"#, r#""generation":-1"#, r#""generation":3,"opening":{}"#] {
            let text = format!(r#"{{"format":"custos-disk","version":2,"disk_id":"{ID}",{rest}}}"#);
            assert!(open(&text).contains("disk.json is damaged"), "{text}");
        }
    }
}
