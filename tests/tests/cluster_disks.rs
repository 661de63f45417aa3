//! Disks of a running cluster: added, taken out, and scrubbed for what went bad on them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use custos_tests::{
    Cli, Content, DiskStatus, Member, NodeCluster, Scratch, Seed, SourceFile, assert_same_bytes,
    flip_payload_bytes,
};
use serde_json::Value;

/// Data shards of profile 4+2: slots from here on hold parity.
const DATA_SLOTS: u64 = 4;

#[test]
fn a_disk_is_added_to_a_running_node_and_one_that_holds_slots_is_not_removed_for_good() {
    let seed = Seed::draw();
    let scratch = Scratch::new("disk-added");
    let mut cluster = NodeCluster::start(&scratch);
    let cli = cluster.cli(0);
    let node = Member::Storage(3);
    let name = node.to_string();
    let file = scratch.source_file("source.bin", Content { seed: seed.0, size: 20 << 20 });
    let id = cli.put(&file).evidence_id;

    let folder = scratch.path().join("new-disk");
    let path = folder.to_str().expect("UTF-8");
    let without_create = cli.run(["disk", "add", "--node", &name, path]);
    without_create.expect_exit(4).expect_message(&[path]);
    let added = cli.run(["disk", "add", "--node", &name, path, "--create", "--json"]);
    let added_id = text(&added.expect_exit(0).json(), "disk_id");
    let status = cluster.wait_for_status(1, "the new disk to serve", |status| {
        status.disks().any(|disk| disk.disk_id == added_id && disk.serves())
    });
    assert_eq!(status.node(&name).disks.len(), 3, "disks of {name}");
    assert_eq!(status.disk(&added_id).slots, 0, "no vault knows it yet");

    // One that holds slots can rest, but not leave.
    let used = status.node(&name).disks.iter().find(|disk| disk.slots > 0);
    let used = used.expect("a disk with slots").disk_id.clone();
    let reason = "--reason=a try";
    let refused = cli.run(["disk", "remove", &used, "--for-good", reason]);
    refused.expect_exit(3).expect_message(&["vault"]);
    assert!(cluster.status(0).expect("an answer").disk(&used).serves(), "it is out of service");

    cli.run(["disk", "remove", &used]).expect_exit(0);
    cluster.wait_for_status(0, "the disk to rest", |status| !status.disk(&used).serves());
    check_same(&cluster.cli(1), &scratch, &file, &id);
    cluster.daemon(node).terminate();
    cluster.daemon(node).restart();
    cluster.wait_for_status(0, "the disk to serve again", |status| status.disk(&used).serves());

    // One without slots can leave for good; that is on record.
    cli.run(["disk", "remove", &added_id, "--for-good", reason]).expect_exit(0);
    let status = cluster.wait_for_status(1, "the new disk to have left", |status| {
        status.disks().all(|disk| disk.disk_id != added_id || !disk.is_in_service())
    });
    assert!(status.disk(&used).serves());
    check_same(&cluster.cli(1), &scratch, &file, &id);
}

#[test]
fn i2_the_scrub_finds_flipped_bytes_and_reading_repairs_them() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("scrub");
    let cluster = NodeCluster::start(&scratch);
    let cli = cluster.cli(0);
    let sealed: Vec<_> = (0..16)
        .map(|number| {
            let content = Content { seed: random.next_u64(), size: 1 << 20 };
            let file = scratch.source_file(&format!("{number}.bin"), content);
            let id = cli.put(&file).evidence_id;
            (file, id)
        })
        .collect();
    let status = cluster.status(0).expect("an answer");
    let disk = status.disks().max_by_key(|disk| disk.shards()).expect("a disk");
    let (disk_id, passed) = (disk.disk_id.clone(), pass_ended(disk));
    let flipped = flip_payload_bytes(&folder_of(&cluster, &disk_id), 64 << 10, &mut random);
    println!("{flipped} bytes flipped on disk {disk_id}");

    cli.run(["scrub", "set", "--disk", &disk_id, "--rate", "50MiB"]).expect_exit(0);
    cluster.wait_for_status(1, "the new pace", |status| {
        let scrub = status.disk(&disk_id).scrub();
        scrub.is_some_and(|scrub| scrub.bytes_per_second == 50 << 20)
    });
    cli.run(["scrub", "start", "--disk", &disk_id]).expect_exit(0);
    let status = cluster.wait_for_status(1, "a pass that puts damage on record", |status| {
        let disk = status.disk(&disk_id);
        let damaged = disk.scrub().map_or(0, |scrub| scrub.damaged);
        pass_ended(disk) > passed && damaged > 0 && status.damaged_shards == damaged
    });
    let passed = pass_ended(status.disk(&disk_id));

    let found = damage(&cli);
    assert_eq!(found.len() as u64, status.damaged_shards, "the status counts what is listed");
    assert!(found.iter().all(|item| text(item, "disk_id") == disk_id), "{found:?}");
    assert!(found.iter().any(is_data), "no data shard is damaged: {found:?}");

    for (file, id) in &sealed {
        check_same(&cluster.cli(1), &scratch, file, id);
    }
    cluster.wait_for_status(1, "the damage to end", |_| {
        let left = damage(&cli);
        for item in left.iter().filter(|item| is_data(item)) {
            cluster.cli(1).run(["get", &text(item, "evidence_id")]).expect_exit(0);
        }
        !left.iter().any(is_data)
    });
    // What was repaired is right on the disk as well: the next pass finds none of it.
    cli.run(["scrub", "start", "--disk", &disk_id]).expect_exit(0);
    cluster.wait_for_status(1, "a pass that finds only what is still on record", |status| {
        let disk = status.disk(&disk_id);
        let damaged = disk.scrub().map(|scrub| scrub.damaged);
        pass_ended(disk) > passed && damaged == Some(status.damaged_shards)
    });
    assert!(!damage(&cli).iter().any(is_data), "the next pass found what was repaired");
}

/// When the last whole pass ended, while none is under way; RFC 3339 in UTC sorts by time.
fn pass_ended(disk: &DiskStatus) -> Option<String> {
    disk.scrub().filter(|scrub| !scrub.under_way).and_then(|scrub| scrub.pass_ended.clone())
}

/// Every read needs the data shards; parity is read only when one of them is missing.
fn is_data(item: &Value) -> bool {
    item["slot"].as_u64().is_some_and(|slot| slot < DATA_SLOTS)
}

/// The damaged shards on record.
fn damage(cli: &Cli) -> Vec<Value> {
    let run = cli.run(["damage", "ls", "--json"]);
    run.expect_exit(0);
    run.json_lines()
}

/// Folder of a disk: `disk.json` names it (`docs/formats/shardstore.md`).
fn folder_of(cluster: &NodeCluster, disk_id: &str) -> PathBuf {
    let has_id = |folder: &&PathBuf| read_disk_id(folder) == disk_id;
    let nodes = cluster.storage_nodes();
    let folders = nodes.iter().flat_map(|&node| cluster.config(node).disks());
    folders.into_iter().find(has_id).expect("one of the folders").clone()
}

fn read_disk_id(folder: &Path) -> String {
    let path = folder.join("disk.json");
    let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let json = serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text(&json, "disk_id")
}

fn text(json: &Value, field: &str) -> String {
    let found = json.get(field).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text {field:?} in {json}")).to_owned()
}

fn check_same(cli: &Cli, scratch: &Scratch, file: &SourceFile, id: &str) {
    let copy = scratch.path().join("copy.bin");
    cli.get(id, &copy);
    assert_same_bytes(&file.path, &copy);
    fs::remove_file(&copy).expect("the copy is ours");
}
