//! Random operations on a disk and on a map that must always agree.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use custos_ports::{ShardError, ShardKey, ShardStore, ShardWrite};
use custos_shardstore::{LocalDisk, OpenMode, Options};

use crate::support::{ID, ORDER, Random, assert_whole, bytes, key, remove_index, shard};

const STEPS: u64 = 600;
const KEYS: u64 = 40;

fn options(dir: &std::path::Path, mode: OpenMode) -> Options {
    let mut options = Options::new(dir, "model", mode);
    options.extent_bytes_max = 1 << 20;
    options.preallocate_bytes = 64 << 10;
    options
}

#[tokio::test]
async fn a_disk_agrees_with_a_map_through_writes_removals_and_reopenings() {
    for seed in 1..=3 {
        run(seed).await;
    }
}

async fn run(seed: u64) {
    let context = |step: u64| format!("seed {seed}, step {step}");
    let dir = tempfile::tempdir().expect("tempdir");
    let mut random = Random(seed);
    let mut model: BTreeMap<ShardKey, ShardWrite> = BTreeMap::new();
    let open = |mode| LocalDisk::open(options(dir.path(), mode)).expect("opened");
    let mut disk = open(OpenMode::Create { id: ID });
    for step in 0..STEPS {
        let number = random.below(KEYS);
        let len = usize::try_from(random.below(150_000)).expect("small") + 1;
        match random.below(100) {
            0..50 => {
                let write = ShardWrite { payload: bytes(random.next(), len), ..shard(number, 1) };
                let outcome = disk.write(write.clone()).await;
                match model.entry(write.key) {
                    Entry::Occupied(_) => {
                        let refused = matches!(outcome, Err(ShardError::Conflict { .. }));
                        assert!(refused, "{}", context(step));
                    }
                    Entry::Vacant(vacant) => {
                        outcome.unwrap_or_else(|error| panic!("{}: {error}", context(step)));
                        vacant.insert(write);
                    }
                }
            }
            50..60 => {
                if let Some(write) = model.get(&key(number)) {
                    disk.write(write.clone()).await.expect("the same again");
                }
            }
            60..75 => {
                let keys = [key(number), key(random.below(KEYS))];
                disk.remove(&keys, ORDER).await.expect("removed");
                keys.iter().for_each(|key| drop(model.remove(key)));
            }
            75..95 => match model.get(&key(number)) {
                Some(write) => assert_whole(&disk, write).await,
                None => {
                    let outcome = disk.read(&key(number), None).await;
                    let absent = matches!(outcome, Err(ShardError::NotFound { .. }));
                    assert!(absent, "{}", context(step));
                }
            },
            kind => {
                drop(disk);
                if kind >= 98 {
                    remove_index(dir.path());
                }
                disk = open(OpenMode::Existing);
                agree(&disk, &model, &context(step)).await;
            }
        }
    }
    agree(&disk, &model, &context(STEPS)).await;
}

async fn agree(disk: &LocalDisk, model: &BTreeMap<ShardKey, ShardWrite>, context: &str) {
    let page = disk.list(key(0).vault, key(0).evidence_id, None, 1000).await.expect("page");
    let listed: Vec<_> = page.items.iter().map(|entry| (entry.key, entry.payload_len)).collect();
    let expected: Vec<_> =
        model.values().map(|write| (write.key, write.payload.len() as u64)).collect();
    assert_eq!(listed, expected, "{context}");
    let status = disk.status().await;
    assert_eq!(status.shards, model.len() as u64, "{context}");
    let bytes: u64 = expected.iter().map(|(_, len)| len).sum();
    assert_eq!(status.payload_bytes, bytes, "{context}");
    for write in model.values() {
        assert_whole(disk, write).await;
    }
}
