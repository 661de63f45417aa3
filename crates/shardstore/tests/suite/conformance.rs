//! A local disk under the promises that every shard store keeps.

use std::sync::Arc;

use custos_core::ChunkIndex;
use custos_ports::fakes::conformance::check;
use custos_ports::{OfflineStore, ShardStore};
use custos_shardstore::{LocalDisk, OpenMode, Options};

use crate::support::{ID, ORDER, create, key, shard};

#[tokio::test(flavor = "multi_thread")]
async fn a_local_disk_keeps_the_promises_of_a_shard_store() {
    let dir = tempfile::tempdir().expect("tempdir");
    check(Arc::new(create(dir.path()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_disk_with_tiny_extents_keeps_them_too() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut options = Options::new(dir.path(), "tiny", OpenMode::Create { id: ID });
    options.extent_bytes_max = 100 << 10;
    options.preallocate_bytes = 4096;
    check(Arc::new(LocalDisk::open(options).expect("opened"))).await;
}

#[tokio::test]
async fn an_offline_disk_says_why_at_every_call() {
    let disk = OfflineStore::new("disk 4 (/data/disks/4)", "its folder is missing");
    let vault = key(0).vault;
    let evidence = key(0).evidence_id;
    let errors = [
        disk.write(shard(1, 1)).await.err(),
        disk.read(&key(1), None).await.err(),
        disk.list(vault, evidence, None, 1).await.err(),
        disk.list_chunk(vault, evidence, ChunkIndex(0)).await.err(),
        disk.remove(&[key(1)], ORDER).await.err(),
    ];
    for error in errors {
        let text = error.expect("refused").to_string();
        assert_eq!(text, "disk 4 (/data/disks/4): out of service: its folder is missing");
    }
    assert_eq!(disk.status().await.offline.as_deref(), Some("its folder is missing"));
}
