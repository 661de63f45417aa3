use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use custos_core::{ChunkIndex, EvidenceId, LogIndex, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::{
    RemovalOrder, RemovalReason, ShardError, ShardKey, ShardRead, ShardStore, ShardWrite,
    WritePurpose,
};
use custos_shardstore::{DiskId, LocalDisk, OpenMode, Options};

pub(crate) const ID: DiskId = DiskId::from_bytes([0xd1; 16]);
pub(crate) const ORDER: RemovalOrder =
    RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: LogIndex(42) };

/// Pseudo-random numbers (SplitMix64) from a seed that failures print.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

pub(crate) fn bytes(seed: u64, len: usize) -> Bytes {
    let mut random = Random(seed);
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        out.extend_from_slice(&random.next().to_le_bytes());
    }
    out.truncate(len);
    out.into()
}

pub(crate) fn key(number: u64) -> ShardKey {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&number.to_le_bytes());
    ShardKey {
        vault: VaultId(3),
        evidence_id: EvidenceId::from_bytes([0xe1; 16]),
        chunk: ChunkIndex(u32::try_from(number / 4).expect("small")),
        slot: ShardSlot(u8::try_from(number % 4).expect("small")),
        salt: Salt(salt),
    }
}

/// Shard `number` with `len` bytes that depend on both.
pub(crate) fn shard(number: u64, len: usize) -> ShardWrite {
    ShardWrite {
        key: key(number),
        retain_until: Timestamp::from_millis(1_800_000_000_000),
        purpose: WritePurpose::Ingest,
        header: bytes(number ^ 0x4ead, 40 + usize::try_from(number % 400).expect("small")),
        payload: bytes(number.wrapping_mul(31) ^ len as u64, len),
    }
}

pub(crate) fn create(dir: &Path) -> LocalDisk {
    LocalDisk::open(Options::new(dir, "disk 0", OpenMode::Create { id: ID })).expect("made")
}

pub(crate) fn open(dir: &Path) -> LocalDisk {
    LocalDisk::open(Options::new(dir, "disk 0", OpenMode::Existing)).expect("opened")
}

pub(crate) fn remove_index(dir: &Path) {
    fs::remove_dir_all(dir.join("index")).expect("index removed");
}

pub(crate) fn extent(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("extents/EXT-{number:08}.ext"))
}

/// Names in the folder of the extents that begin with `prefix`.
pub(crate) fn files_named(dir: &Path, prefix: &str) -> Vec<String> {
    let entries = fs::read_dir(dir.join("extents")).expect("listed");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("text"));
    names.filter(|name| name.starts_with(prefix)).collect()
}

pub(crate) fn extent_count(dir: &Path) -> usize {
    files_named(dir, "EXT-").len()
}

/// A directory with the disk's identity and one extent, and no index.
pub(crate) fn disk_of(dir: &Path, first_extent: &[u8]) {
    fs::create_dir_all(dir.join("extents")).expect("made");
    let identity = format!(r#"{{"format":"custos-disk","version":1,"disk_id":"{ID}"}}"#);
    fs::write(dir.join("disk.json"), identity).expect("written");
    fs::write(extent(dir, 1), first_extent).expect("written");
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

pub(crate) fn flip(file: &Path, offset: usize) {
    let mut content = fs::read(file).expect("read");
    content[offset] ^= 0x40;
    fs::write(file, content).expect("written");
}

pub(crate) async fn read(store: &dyn ShardStore, number: u64) -> Result<ShardRead, ShardError> {
    store.read(&key(number), None).await
}

pub(crate) async fn assert_whole(store: &dyn ShardStore, expected: &ShardWrite) {
    let read = store.read(&expected.key, None).await.expect("readable");
    assert_eq!(read.header, expected.header);
    assert!(read.payload == expected.payload, "payload of {:?} differs", expected.key);
}

pub(crate) async fn assert_absent(store: &dyn ShardStore, number: u64) {
    let outcome = read(store, number).await;
    assert!(matches!(outcome, Err(ShardError::NotFound { .. })), "shard {number}: {outcome:?}");
}
