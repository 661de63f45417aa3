//! A copy of a disk and a second process with the identity of a node: told from the original,
//! named, and harmless.

use std::{fs, time::Duration};

use custos_tests::{
    ClusterStatus, Content, DiskStatus, Member, NodeCluster, NodeStatus, Scratch, Seed,
    SeededRandom, SourceFile, assert_same_bytes, copy_folder, wait_until,
};

/// For a process to see that another has its identity: it looks at the map every few seconds.
const NOTICE_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn a_copy_of_a_disk_in_another_node_is_refused_by_name_and_the_original_serves_on() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("disk-copied");
    let mut cluster = NodeCluster::start(&scratch);
    let sealed = put_some(&cluster, &scratch, &mut random);

    let (owner, other) = (Member::Storage(0), Member::Storage(1));
    let original = cluster.config(owner).disks()[0].clone();
    let copy = scratch.path().join("copied-disk");
    cluster.daemon(owner).terminate();
    copy_folder(&original, &copy);
    cluster.daemon(owner).restart();
    let before = cluster.wait_until_whole(0);
    assert!(before.nodes.iter().all(|node| node.disks.len() == 2), "{before:?}");

    cluster.daemon(other).terminate();
    let own_disks = cluster.config(other).disks().to_vec();
    let mut disks = own_disks.clone();
    disks.push(copy.clone());
    cluster.set_disks(other, disks);
    cluster.daemon(other).restart();
    let name = copy.to_str().expect("UTF-8").to_owned();
    wait_until("the copy to be named", NOTICE_LIMIT, || {
        let log = cluster.daemon(other).log();
        log.lines().any(|line| line.contains(&name) && line.contains("copy"))
    });

    // The status may show the copy beside the original, under the same id.
    cluster.wait_for_status(0, "every disk to serve where it was", |after| {
        before.nodes.iter().all(|node| {
            let now = &after.node(&node.name).disks;
            node.disks
                .iter()
                .all(|disk| now.iter().any(|now| now.disk_id == disk.disk_id && now.serves()))
        })
    });
    check_all(&cluster, &scratch, &sealed);
    cluster.cli(0).put(&random_file(&scratch, "after.bin", &mut random));

    cluster.daemon(other).terminate();
    cluster.set_disks(other, own_disks);
    cluster.daemon(other).restart();
    cluster.wait_until_whole(0);
    check_all(&cluster, &scratch, &sealed);
}

#[test]
fn a_copy_of_a_disk_in_service_is_refused_by_name_and_serves_once_the_disk_is_released() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("disk-in-service-copied");
    let mut cluster = NodeCluster::start(&scratch);
    let sealed = put_some(&cluster, &scratch, &mut random);
    let (owner, other) = (Member::Storage(0), Member::Storage(1));
    let (owner_name, other_name) = (owner.to_string(), other.to_string());
    let before = cluster.wait_until_whole(0);

    // While its node runs: nothing on the copy tells it from the disk.
    let copy = scratch.path().join("live-copy");
    copy_folder(&cluster.config(owner).disks()[0], &copy);
    let path = copy.to_str().expect("UTF-8").to_owned();
    cluster.daemon(other).terminate();
    let mut disks = cluster.config(other).disks().to_vec();
    disks.push(copy);
    cluster.set_disks(other, disks);
    cluster.daemon(other).restart();
    let says = [path.as_str(), "is in service in node", owner_name.as_str(), "custos disk release"];
    wait_until("the copy to be named", NOTICE_LIMIT, || {
        let log = cluster.daemon(other).log();
        log.lines().any(|line| says.iter().all(|word| line.contains(word)))
    });
    let refused =
        cluster.wait_for_status(0, "the copy to be shown and all disks to serve", |now| {
            let all_serve = now.disks().all(DiskStatus::serves) && now.disks().count() == 12;
            all_serve && now.has_trouble(&other_name, &says)
        });
    for node in &before.nodes {
        assert_eq!(ids(refused.node(&node.name)), ids(node), "every disk is where it was");
    }
    check_all(&cluster, &scratch, &sealed);
    let meanwhile = put_some(&cluster, &scratch, &mut random);

    // The orderly move of the same disk.
    let cli = cluster.cli(0);
    let name = format!("{owner_name}/disk 0");
    cli.run(["disk", "release", &name]).expect_exit(2);
    let run = cli.run(["disk", "release", &name, "--reason", "moves", "--json"]);
    let released = run.expect_exit(0).json();
    let moved = released["disk_id"].as_str().expect("an id").to_owned();
    cluster.wait_for_status(1, "the disk to be given up", |now| {
        now.disk(&moved).state == "released" && now.has_trouble(&owner_name, &["was released"])
    });
    check_all(&cluster, &scratch, &sealed);
    cli.run(["disk", "add", "--node", &other_name, &path]).expect_exit(0);
    let is_there = |now: &ClusterStatus| {
        let here = &now.node(&other_name).disks;
        here.iter().any(|disk| disk.disk_id == moved && disk.serves() && disk.shards() > 0)
    };
    cluster.wait_for_status(1, "the disk to serve where it is now", is_there);

    // The folder that it was copied from is a copy of it now.
    cluster.daemon(owner).terminate();
    cluster.daemon(owner).restart();
    cluster.wait_for_status(0, "the old place to be refused", |now| {
        is_there(now) && now.has_trouble(&owner_name, &["copy"])
    });
    check_all(&cluster, &scratch, &meanwhile);
    // With two hosts away every shard is needed, those of the moved disk too.
    for gone in [Member::Storage(2), Member::Storage(3)] {
        cluster.daemon(gone).terminate();
    }
    check_all(&cluster, &scratch, &sealed);
}

#[test]
fn a_copy_of_a_running_node_does_not_start_and_the_original_serves_on() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("node-copied");
    let mut cluster = NodeCluster::start(&scratch);
    let sealed = put_some(&cluster, &scratch, &mut random);

    let node = Member::Storage(2);
    cluster.daemon(node).terminate();
    let copy = cluster.copy_of(node, "copied-node");
    cluster.daemon(node).restart();
    let before = cluster.wait_until_whole(0);
    let listen = cluster.daemon(node).listen().to_string();

    let refused = copy.prepare().spawn().wait_until_ready().expect_err("a copy has started");
    let copy_listen = copy.listen.to_string();
    refused.expect(3, &["two nodes have one identity", &listen, &copy_listen, "node folders"]);
    assert!(!cluster.daemon(node).has_ended(), "the original has ended");
    let after = cluster.wait_until_whole(0);
    let [after, before] = [&after, &before].map(|status| status.node(&node.to_string()));
    assert_eq!((&after.endpoint, ids(after)), (&before.endpoint, ids(before)));
    check_all(&cluster, &scratch, &sealed);
    let meanwhile = put_some(&cluster, &scratch, &mut random);

    // Killed, and back at its own address: nobody is asked, nothing is waited for.
    cluster.daemon(node).kill9();
    cluster.daemon(node).restart();
    let after = cluster.wait_until_whole(0);
    assert!(after.node(&node.to_string()).endpoint.contains(&listen), "the original is back");
    check_all(&cluster, &scratch, &sealed);
    check_all(&cluster, &scratch, &meanwhile);
}

fn ids(node: &NodeStatus) -> Vec<&str> {
    node.disks.iter().map(|disk| disk.disk_id.as_str()).collect()
}

fn put_some(
    cluster: &NodeCluster,
    scratch: &Scratch,
    random: &mut SeededRandom,
) -> Vec<(SourceFile, String)> {
    let files = (0..4).map(|_| {
        let name = format!("{:016x}.bin", random.next_u64());
        random_file(scratch, &name, random)
    });
    files
        .map(|file| {
            let id = cluster.cli(0).put(&file).evidence_id;
            (file, id)
        })
        .collect()
}

fn random_file(scratch: &Scratch, name: &str, random: &mut SeededRandom) -> SourceFile {
    let size = 1 + random.below(12 << 20);
    scratch.source_file(name, Content { seed: random.next_u64(), size })
}

fn check_all(cluster: &NodeCluster, scratch: &Scratch, sealed: &[(SourceFile, String)]) {
    for (file, id) in sealed {
        let copy = scratch.path().join("copy.bin");
        cluster.cli(1).get(id, &copy);
        assert_same_bytes(&file.path, &copy);
        fs::remove_file(&copy).expect("the copy is ours");
    }
}
