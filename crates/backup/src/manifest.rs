use std::fmt::Write;

use custos_core::{Blake3Hash, Checkpoint, MetaId, Timestamp};
use std::collections::HashSet;

use crate::{BackupError, BackupName};

const TITLE: &str = "custos ledger backup, format ";
/// Format that is written, and the newest that is read.
const FORMAT: u64 = 1;
/// Most files of one backup.
pub(crate) const FILES_MAX: usize = 1_000_000;
/// Longest name of a file in bytes.
const FILE_NAME_BYTES_MAX: usize = 100;

/// What a backup is of and which files it has: a text that people can read, with its own checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupManifest {
    /// Wall clock of the meta node that it was taken on.
    pub taken: Timestamp,
    /// That meta node.
    pub taken_by: MetaId,
    /// Term of the last entry of the Raft log in it.
    pub log_term: u64,
    /// Who made that entry.
    pub log_node: u64,
    /// Its number.
    pub log_index: u64,
    /// The custody log in it; its origin line names the cluster.
    pub custody: Checkpoint,
    /// Its files.
    pub files: Vec<ManifestFile>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its name in the ledger's state.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// What it is kept under.
    pub blake3: Blake3Hash,
}

/// A line that is not as it must be.
struct Wrong(&'static str);

impl BackupManifest {
    /// What the backup is called.
    #[must_use]
    pub fn name(&self) -> BackupName {
        BackupName::new(self.taken, self.log_index)
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add)
    }

    /// First part of the cluster's origin line: the name that its configuration gave it.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        self.custody.origin.rsplit_once('/').map_or(&self.custody.origin, |(name, _)| name)
    }

    /// The text as it is kept.
    #[must_use]
    pub fn encode(&self) -> String {
        let Self { taken, taken_by, log_term, log_node, log_index, custody, files } = self;
        let mut text = format!("{TITLE}{FORMAT}\n");
        let mut line = |args: std::fmt::Arguments<'_>| {
            text.write_fmt(args).expect("a string takes all");
            text.push('\n');
        };
        line(format_args!("cluster {}", custody.origin));
        line(format_args!("taken {taken}"));
        line(format_args!("by {taken_by}"));
        line(format_args!("log {log_term} {log_node} {log_index}"));
        line(format_args!("custody {} {}", custody.size, Blake3Hash(custody.root)));
        for ManifestFile { name, bytes, blake3 } in files {
            line(format_args!("file {bytes} {blake3} {name}"));
        }
        let check = Blake3Hash(blake3::hash(text.as_bytes()).into());
        text + &format!("check {check}\n")
    }

    /// Reads what [`encode`](Self::encode) wrote of the backup `name`.
    ///
    /// # Errors
    /// A newer format, or what is damaged.
    pub fn decode(name: &BackupName, bytes: &[u8]) -> Result<Self, BackupError> {
        let damaged = |what: &str| BackupError::damaged(name, format!("its manifest {what}"));
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("is no text"))?;
        // The format is looked at alone first: a newer one may differ in all else.
        let title = text.split('\n').next().and_then(|line| line.strip_prefix(TITLE));
        let found: u64 = title
            .and_then(|format| format.parse().ok())
            .ok_or_else(|| damaged("does not begin with its format"))?;
        if found > FORMAT {
            let name = name.to_string();
            return Err(BackupError::NewerFormat { name, found, supported: FORMAT });
        }
        let end = text.strip_suffix('\n').and_then(|text| text.rfind('\n'));
        let (body, check) =
            end.map(|end| text.split_at(end + 1)).ok_or_else(|| damaged("is cut short"))?;
        let check = check.strip_prefix("check ").and_then(|hash| hash.trim_end().parse().ok());
        let check: Blake3Hash = check.ok_or_else(|| damaged("is cut short"))?;
        if check.0 != *blake3::hash(body.as_bytes()).as_bytes() {
            return Err(damaged("was altered: its checksum differs"));
        }
        let manifest = parse(body).map_err(|Wrong(what)| damaged(what))?;
        match manifest.name() == *name {
            true => Ok(manifest),
            false => Err(damaged(&format!("is that of {}", manifest.name()))),
        }
    }
}

fn parse(body: &str) -> Result<BackupManifest, Wrong> {
    let mut lines = body.lines().skip(1);
    let mut field = |name: &str, wrong: &'static str| {
        lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' ')).ok_or(Wrong(wrong))
    };
    let origin = field("cluster", "names no cluster")?.to_owned();
    let taken = field("taken", "has no time")?.parse().map_err(|_| Wrong("has no time"))?;
    let taken_by = MetaId(number(field("by", "names no meta node")?)?);
    let [log_term, log_node, log_index] = numbers(field("log", "has no log position")?)?;
    let custody = field("custody", "has no custody log")?;
    let (size, root) = custody.split_once(' ').ok_or(Wrong("has no root of the custody log"))?;
    let root: Blake3Hash = root.parse().map_err(|_| Wrong("has no root of the custody log"))?;
    let custody = Checkpoint { origin, size: number(size)?, root: root.0 };
    let mut files = Vec::new();
    let mut names = HashSet::new();
    for line in lines {
        if files.len() == FILES_MAX {
            return Err(Wrong("names too many files"));
        }
        let file = file(line)?;
        if !names.insert(file.name.clone()) {
            return Err(Wrong("names a file twice"));
        }
        files.push(file);
    }
    Ok(BackupManifest { taken, taken_by, log_term, log_node, log_index, custody, files })
}

fn file(line: &str) -> Result<ManifestFile, Wrong> {
    let wrong = || Wrong("has a line that names no file");
    let line = line.strip_prefix("file ").ok_or_else(wrong)?;
    let mut parts = line.splitn(3, ' ');
    let mut part = || parts.next().ok_or_else(wrong);
    let (bytes, blake3, name) = (number(part()?)?, part()?, part()?);
    if !is_plain_name(name) {
        return Err(Wrong("names a file that could lie elsewhere"));
    }
    let blake3 = blake3.parse().map_err(|_| wrong())?;
    Ok(ManifestFile { name: name.to_owned(), bytes, blake3 })
}

/// Whether a name leads nowhere else than into its folder.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty()
        && name.len() <= FILE_NAME_BYTES_MAX
        && !name.starts_with('.')
        && name.chars().all(is_plain)
}

fn numbers<const N: usize>(text: &str) -> Result<[u64; N], Wrong> {
    let numbers: Vec<u64> = text.split(' ').map(number).collect::<Result<_, _>>()?;
    numbers.try_into().map_err(|_| Wrong("has a line with too few numbers"))
}

fn number(text: &str) -> Result<u64, Wrong> {
    text.parse().map_err(|_| Wrong("has a number that is none"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use custos_core::ErrorKind;

    use super::*;

    fn example() -> BackupManifest {
        let file = |name: &str, bytes, byte| ManifestFile {
            name: name.to_owned(),
            bytes,
            blake3: Blake3Hash([byte; 32]),
        };
        BackupManifest {
            taken: Timestamp::from_millis(1_772_352_000_250),
            taken_by: MetaId(2),
            log_term: 3,
            log_node: 1,
            log_index: 5000,
            custody: Checkpoint {
                origin: "custos.test/0123abcd".to_owned(),
                size: 812,
                root: [0x5a; 32],
            },
            files: vec![
                file("000012.sst", 4_194_304, 0xa1),
                file("CURRENT", 16, 0xb2),
                file("MANIFEST-000004", 0, 0xc3),
            ],
        }
    }

    fn decode(bytes: &[u8]) -> Result<BackupManifest, BackupError> {
        BackupManifest::decode(&example().name(), bytes)
    }

    /// `CUSTOS_BLESS=1` writes it anew.
    #[test]
    fn the_format_of_a_manifest_is_the_one_that_was_promised() {
        let path = Path::new("tests/golden/manifest-v1.txt");
        let text = example().encode();
        if std::env::var_os("CUSTOS_BLESS").is_some() {
            std::fs::write(path, &text).expect("the golden file can be written");
        }
        let golden = std::fs::read_to_string(path).expect("golden file");
        assert_eq!(text, golden);
        assert_eq!(decode(golden.as_bytes()).expect("whole"), example());
    }

    #[test]
    fn any_flipped_or_missing_byte_of_a_manifest_is_caught() {
        let bytes = example().encode().into_bytes();
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 0x01;
            assert!(decode(&flipped).is_err(), "byte {position} flipped");
            let cut = decode(&bytes[..position]).expect_err("cut");
            assert_eq!(cut.kind(), ErrorKind::Integrity, "cut at {position}");
        }
    }

    fn with_check(body: &str) -> String {
        format!("{body}check {}\n", Blake3Hash(blake3::hash(body.as_bytes()).into()))
    }

    #[test]
    fn a_manifest_cannot_name_files_outside_its_folder_nor_one_twice() {
        for name in ["..", "../x", "/etc/passwd", ".hidden", "a b", "CURRENT\nfile 1"] {
            let mut manifest = example();
            manifest.files[0].name = name.to_owned();
            assert!(decode(manifest.encode().as_bytes()).is_err(), "{name:?}");
        }
        let mut manifest = example();
        manifest.files[0].name = "CURRENT".to_owned();
        let error = decode(manifest.encode().as_bytes()).expect_err("twice");
        assert!(error.to_string().contains("names a file twice"), "{error}");
    }

    #[test]
    fn a_newer_format_and_the_manifest_of_another_backup_are_named() {
        let newer = decode(b"custos ledger backup, format 2\nwhatever").expect_err("newer");
        assert_eq!(newer.kind(), ErrorKind::Invalid);
        assert!(newer.to_string().contains("has format 2, this version reads up to 1"), "{newer}");
        let other: BackupName = "2020-01-01T000000.000Z-1".parse().expect("a name");
        let error = BackupManifest::decode(&other, example().encode().as_bytes());
        let error = error.expect_err("another");
        assert!(error.to_string().contains("is that of 2026-03-01T080000.250Z-5000"), "{error}");
        let error = decode(with_check("custos ledger backup, format 1\n").as_bytes());
        assert!(error.expect_err("empty").to_string().contains("names no cluster"));
    }
}
