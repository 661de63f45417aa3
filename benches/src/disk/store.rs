use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use bytes::Bytes;
use custos_core::{
    ChunkIndex, DiskId, EvidenceId, Salt, ShardKey, ShardSlot, ShardWrite, Timestamp, VaultId,
    WritePurpose,
};
use custos_shardstore::{LocalDisk, OpenMode, Options};
use tokio::task::spawn_blocking;

/// Bytes of a codec header, about what the gateway writes.
const HEADER_BYTES: usize = 200;

/// Opens the disk in `dir`, or makes it.
pub(super) async fn open(dir: &Path, mode: OpenMode) -> Result<Arc<LocalDisk>> {
    let options = Options::new(dir, "bench", mode);
    let disk = spawn_blocking(move || LocalDisk::open(options)).await?;
    Ok(Arc::new(disk.with_context(|| format!("a disk in {}", dir.display()))?))
}

/// The mode that makes the disk of this benchmark.
pub(super) fn create() -> OpenMode {
    OpenMode::Create { id: DiskId::from_bytes(*b"custos-bench-dsk") }
}

/// Shard number `number`: of its own chunk, a thousand chunks to each evidence item.
pub(super) fn shard(number: u64, payload: Bytes) -> ShardWrite {
    let mut evidence = [0; 16];
    evidence[..8].copy_from_slice(&(number / 1000).to_be_bytes());
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&number.to_le_bytes());
    ShardWrite {
        key: ShardKey {
            vault: VaultId(0),
            evidence_id: EvidenceId::from_bytes(evidence),
            chunk: ChunkIndex(u32::try_from(number % 1000).expect("below 1000")),
            slot: ShardSlot(0),
            salt: Salt(salt),
        },
        retain_until: Timestamp::from_millis(1_830_297_600_000),
        purpose: WritePurpose::Ingest,
        header: Bytes::from_static(&[0xab; HEADER_BYTES]),
        payload,
    }
}
