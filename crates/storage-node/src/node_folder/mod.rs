//! The node's folder: `node.json` (who it is), `disks.json` (which disk stands where) and
//! `scrub/<disk>.json` (how far the scrub is). Layouts: `docs/formats/storage-node.md`.

mod places;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use custos_core::{DiskId, ErrorKind, NodeId};
use custos_ports::Entropy;
use serde_json::{Value, json};

pub(crate) use places::{Origin, Place, Places};

use crate::{StartError, small_file};

/// Newest version of the node's files that is read, and the one that is written.
const VERSION: u64 = 1;
const FORMAT: &str = "custos-node";

/// A node's folder, in use by this process alone.
#[derive(Debug)]
pub(crate) struct NodeFolder {
    dir: PathBuf,
    node_id: NodeId,
    // Held until the node ends.
    _lock: File,
}

impl NodeFolder {
    /// Opens the folder, or makes it with a new identity when it is missing or has none. Blocks
    /// the thread.
    pub(crate) fn open(dir: &Path, entropy: &dyn Entropy) -> Result<Self, StartError> {
        let scrub = dir.join("scrub");
        fs::create_dir_all(&scrub).map_err(StartError::io("create", &scrub))?;
        let lock = lock(dir)?;
        let file = dir.join("node.json");
        let found = small_file::read(&file).map_err(StartError::io("read", &file))?;
        let node_id = match found {
            Some(text) => parse(&text).map_err(|unreadable| unreadable.at(&file))?,
            None => {
                let node_id = NodeId(entropy.array());
                small_file::replace(&file, render(node_id).as_bytes())
                    .map_err(StartError::io("write", &file))?;
                node_id
            }
        };
        Ok(Self { dir: dir.to_owned(), node_id, _lock: lock })
    }

    pub(crate) fn node_id(&self) -> NodeId {
        self.node_id
    }

    /// Where the scrub of a disk keeps its place.
    pub(crate) fn scrub_file(&self, disk: DiskId) -> PathBuf {
        self.dir.join("scrub").join(format!("{disk}.json"))
    }

    /// Which disks stand where, as last recorded. Blocks the thread.
    pub(crate) fn places(&self) -> Result<Places, StartError> {
        Places::load(&self.dir.join("disks.json"))
    }
}

fn lock(dir: &Path) -> Result<File, StartError> {
    let path = dir.join("lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(StartError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(StartError::io("lock", &path)(error)),
    }
}

fn render(node_id: NodeId) -> String {
    let identity = json!({ "format": FORMAT, "node_id": node_id.to_string(), "version": VERSION });
    format!("{identity:#}\n")
}

fn parse(text: &[u8]) -> Result<NodeId, Unreadable> {
    let value = parse_versioned(text, FORMAT)?;
    let id = value["node_id"].as_str().and_then(|id| id.parse().ok());
    Ok(id.ok_or("node_id is not 32 hexadecimal digits")?)
}

/// Why a file of the node cannot be used.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) reason: String,
    /// `Invalid` when a newer version wrote it, otherwise `Integrity`.
    pub(crate) kind: ErrorKind,
}

impl Unreadable {
    /// The same, with the file.
    pub(crate) fn at(self, file: &Path) -> StartError {
        let Self { reason, kind } = self;
        StartError::BadFile { file: file.to_owned(), reason, kind }
    }
}

impl<T: Into<String>> From<T> for Unreadable {
    fn from(reason: T) -> Self {
        Self { reason: reason.into(), kind: ErrorKind::Integrity }
    }
}

/// Reads a JSON object that names its format and version.
pub(crate) fn parse_versioned(text: &[u8], format: &str) -> Result<Value, Unreadable> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|error| format!("it is damaged ({error}): restore it from a copy"))?;
    if value["format"] != format {
        return Err(format!("its format is not {format}").into());
    }
    match value["version"].as_u64() {
        Some(version) if version <= VERSION => Ok(value),
        Some(version) => Err(Unreadable {
            reason: format!(
                "it has version {version}, this software reads up to {VERSION}: use a newer custosd"
            ),
            kind: ErrorKind::Invalid,
        }),
        None => Err("it has no version".into()),
    }
}

#[cfg(test)]
mod tests {
    use custos_ports::fakes::CountingEntropy;

    use super::*;

    #[test]
    fn a_node_keeps_its_identity_and_its_folder_serves_one_process() {
        let dir = tempfile::tempdir().expect("tempdir");
        let entropy = CountingEntropy::default();
        let folder = NodeFolder::open(dir.path(), &entropy).expect("made");
        let node_id = folder.node_id();
        let second = NodeFolder::open(dir.path(), &entropy).expect_err("in use");
        assert!(matches!(second, StartError::InUse { .. }), "{second}");
        drop(folder);
        assert_eq!(NodeFolder::open(dir.path(), &entropy).expect("there").node_id(), node_id);
    }

    #[test]
    fn a_damaged_or_newer_identity_is_named_and_not_replaced() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = dir.path().join("node.json");
        for (text, says) in [
            ("", "it is damaged"),
            ("[]", "its format is not custos-node"),
            (r#"{"format":"custos-node"}"#, "it has no version"),
            (r#"{"format":"custos-node","version":2}"#, "use a newer custosd"),
            (r#"{"format":"custos-node","version":1,"node_id":"5a"}"#, "node_id is not"),
        ] {
            fs::write(&file, text).expect("written");
            let refused = NodeFolder::open(dir.path(), &CountingEntropy::default());
            let refused = refused.expect_err("refused").to_string();
            assert!(refused.contains(says), "{text}: {refused}");
            assert_eq!(fs::read_to_string(&file).expect("read"), text);
        }
    }

    #[test]
    fn the_identity_file_reads_as_its_page_says() {
        let text = "{\n  \"format\": \"custos-node\",\n  \
                    \"node_id\": \"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\",\n  \"version\": 1\n}\n";
        assert_eq!(render(NodeId([0x5a; 16])), text);
        assert_eq!(parse(text.as_bytes()).expect("readable"), NodeId([0x5a; 16]));
    }
}
