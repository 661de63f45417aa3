//! Every process of a cluster is ended and started again, one after the other, as an upgrade does
//! it: nothing is lost and evidence can be read all the time.

use std::fs;

use custos_tests::{Content, Member, NodeCluster, Scratch, Seed, SourceFile, assert_same_bytes};

#[test]
fn every_process_restarted_in_turn_loses_nothing_and_reading_goes_on() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("rolling-restart");
    let mut cluster = NodeCluster::start(&scratch);
    let mut sealed = Vec::new();
    for (name, size) in [("small.bin", 70_000), ("large.bin", 20 << 20)] {
        let file = scratch.source_file(name, Content { seed: random.next_u64(), size });
        let id = cluster.cli(0).put(&file).evidence_id;
        sealed.push((file, id));
    }
    let before = cluster.status(0).expect("the cluster answers");
    let log_before = cluster.cli(0).run(["log", "checkpoint", "--json"]).json();

    for member in cluster.members() {
        let ended = cluster.daemon(member).terminate();
        assert_eq!(ended.code(), Some(0), "exit code of {member}");
        // Who reads meanwhile goes over the other gateway; without the ledger nobody reads, as
        // reading goes on record first.
        if member != Member::Meta {
            let over = usize::from(member == Member::Gateway(0));
            check_all(&cluster, &scratch, &sealed, over);
        }
        let ready_after = cluster.daemon(member).restart();
        println!("{member} was ready again after {ready_after:?}");
        cluster.wait_until_whole(0);
        cluster.wait_until_whole(1);
    }

    check_all(&cluster, &scratch, &sealed, 0);
    check_all(&cluster, &scratch, &sealed, 1);
    let after = cluster.status(1).expect("the cluster answers");
    assert_eq!(after.vaults, before.vaults, "vaults");
    assert!(after.epoch > before.epoch, "restarts change the map");
    for disk in before.disks() {
        let now = after.disk(&disk.disk_id);
        assert!(now.serves(), "{now:?}");
        assert!(now.generation > disk.generation, "each start is a generation: {now:?}");
        assert_eq!(now.slots, disk.slots, "slots on {}", disk.disk_id);
        assert_eq!(now.shards(), disk.shards(), "shards on {}", disk.disk_id);
    }
    let log_after = cluster.cli(1).run(["log", "checkpoint", "--json"]).json();
    assert_eq!(log_after["origin"], log_before["origin"], "it is the same log");

    let file = scratch.source_file("after.bin", Content { seed: random.next_u64(), size: 9 << 20 });
    let id = cluster.cli(1).put(&file).evidence_id;
    check_all(&cluster, &scratch, &[(file, id)], 0);
}

fn check_all(
    cluster: &NodeCluster,
    scratch: &Scratch,
    sealed: &[(SourceFile, String)],
    gateway: usize,
) {
    for (file, id) in sealed {
        let copy = scratch.path().join("copy.bin");
        cluster.cli(gateway).get(id, &copy);
        assert_same_bytes(&file.path, &copy);
        fs::remove_file(&copy).expect("the copy is ours");
    }
}
