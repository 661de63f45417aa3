//! Storage nodes that keep shards in buckets of an S3 server, which is a process of its own: what
//! is there comes back, what is not right there is found, and a server that is away or refuses is
//! survived and named.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

use custos_tests::{
    BucketUsage, Cli, CliChild, ClusterStatus, Content, DiskStatus, Member, NodeCluster, S3Server,
    Scratch, Seed, SeededRandom, SourceFile, assert_same_bytes, round_trip::RoundTrip,
};
use serde_json::Value;

/// Data shards of profile 4+2: slots from here on hold parity.
const DATA_SLOTS: u64 = 4;
/// Bytes before the payload in a shard's object (`docs/formats/objectstore.md`).
const HEAD_BYTES: u64 = 8192;
/// For puts that lose the S3 server under way.
const PUT_LIMIT: Duration = Duration::from_secs(240);

#[test]
fn what_is_put_into_folders_and_buckets_comes_back_byte_for_byte() {
    let seed = Seed::draw();
    let scratch = Scratch::new("buckets-round-trip");
    let server = S3Server::start(&scratch);
    let mut cluster = NodeCluster::start_with_bucket(&scratch, server.bucket_like_a_folder());
    let clients = RoundTrip { scratch: &scratch, writer: cluster.cli(0), reader: cluster.cli(1) };
    clients.files_of_every_critical_size_come_back_byte_for_byte(seed);
    clients.any_byte_range_equals_the_same_range_of_the_file(seed);

    let status = cluster.wait_for_status(0, "every bucket to know what it holds", |status| {
        let objects = objects_by_node(&cluster, &server);
        status
            .nodes
            .iter()
            .all(|node| bucket_of(status, &node.name).shards() == objects[&node.name])
    });
    assert!(status.nodes.iter().all(|node| bucket_of(&status, &node.name).shards() > 0));

    let file = random_file(&scratch, "before.bin", 20 << 20, &mut seed.random());
    let id = cluster.cli(0).put(&file).evidence_id;
    for node in cluster.storage_nodes() {
        cluster.daemon(node).kill9();
        cluster.daemon(node).restart();
    }
    let again = cluster.wait_until_whole(1);
    for node in &status.nodes {
        let (before, after) = (bucket_of(&status, &node.name), bucket_of(&again, &node.name));
        assert_eq!(before.disk_id, after.disk_id, "the bucket of {}", node.name);
        assert!(after.generation > before.generation, "the bucket of {}", node.name);
    }
    check_same(&cluster.cli(1), &scratch, &file, &id);
}

#[test]
fn i1_puts_go_on_when_the_s3_server_dies_under_them_and_all_is_well_when_it_is_back() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("buckets-away");
    let mut server = S3Server::start(&scratch);
    let cluster = NodeCluster::start_with_bucket(&scratch, server.bucket_like_a_folder());
    let before: Vec<_> = (0..4)
        .map(|number| put_random(&cluster, &scratch, &format!("before-{number}.bin"), &mut random))
        .collect();

    let shards = cluster.status(0).expect("the cluster answers").shards();
    let mut puts: Vec<(SourceFile, CliChild)> = (0..6)
        .map(|number| {
            let file = random_file(&scratch, &format!("put-{number}.bin"), 64 << 20, &mut random);
            let cli = cluster.cli(number % 2).within(PUT_LIMIT);
            let child = cli.spawn(patient_put(&file));
            (file, child)
        })
        .collect();
    cluster.wait_for_status(1, "some durable shards", |status| status.shards() >= shards + 12);
    server.kill9();
    let cut: usize = puts.iter_mut().map(|(_, put)| usize::from(!put.has_ended())).sum();
    println!("the S3 server died under {cut} of {} puts", puts.len());
    assert!(cut > 0, "every put was over before the blow");
    let mut sealed: Vec<_> = puts
        .into_iter()
        .map(|(file, child)| {
            let run = child.wait();
            println!("{} took {:?}", run.command_line, run.elapsed);
            let id = run.expect_receipt_of(&file).evidence_id;
            (file, id)
        })
        .collect();

    // What is put now has no shard in a bucket, so it needs none.
    let away = random_file(&scratch, "away.bin", 20 << 20, &mut random);
    let run = cluster.cli(0).within(PUT_LIMIT).run(patient_put(&away));
    println!("{} took {:?}", run.command_line, run.elapsed);
    let away_id = run.expect_receipt_of(&away).evidence_id;
    check_same(&cluster.cli(1), &scratch, &away, &away_id);
    for (file, id) in before.iter().chain(&sealed) {
        expect_right_or_refused(&cluster.cli(1), file, id);
    }
    let status = cluster.status(0).expect("the cluster answers");
    assert!(!status.healthy, "nobody is told: {status:#?}");

    server.restart();
    cluster.wait_until_whole(0);
    cluster.wait_until_whole(1);
    sealed.extend(before);
    sealed.push((away, away_id));
    for (file, id) in &sealed {
        check_same(&cluster.cli(1), &scratch, file, id);
    }
    assert_eq!(cluster.cli(0).list_ids().len(), sealed.len(), "each put is there once");
}

#[test]
fn i2_altered_objects_are_found_by_the_scrub_survived_by_readers_and_repaired() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("buckets-altered");
    let server = S3Server::start(&scratch);
    let cluster = NodeCluster::start_with_bucket(&scratch, server.bucket_like_a_folder());
    let cli = cluster.cli(0);
    let sealed: Vec<_> = (0..12)
        .map(|number| {
            let file = random_file(&scratch, &format!("{number}.bin"), 1 << 20, &mut random);
            let id = cli.put(&file).evidence_id;
            (file, id)
        })
        .collect();
    let objects = objects_by_node(&cluster, &server);
    let (name, _) = objects.iter().max_by_key(|(_, count)| **count).expect("six nodes");
    let status = cluster.status(1).expect("an answer");
    let disk_id = bucket_of(&status, name).disk_id.clone();
    let passed = pass_ended(bucket_of(&status, name));
    let altered: Vec<PathBuf> = server.shards(name);
    altered.iter().for_each(|object| flip_payload_byte(object, &mut random));
    println!("{} objects of {name} altered", altered.len());

    cli.run(["scrub", "start", "--disk", &disk_id]).expect_exit(0);
    let status = cluster.wait_for_status(1, "a pass that finds each of them", |status| {
        let disk = status.disk(&disk_id);
        let damaged = disk.scrub().map(|scrub| scrub.damaged);
        pass_ended(disk) > passed && damaged == Some(altered.len() as u64)
    });
    let passed = pass_ended(status.disk(&disk_id));
    let found = damage(&cli);
    assert!(found.iter().all(|item| item["disk_id"] == disk_id.as_str()), "{found:?}");
    assert!(found.iter().any(is_data), "no data shard is damaged: {found:?}");

    for (file, id) in &sealed {
        check_same(&cluster.cli(1), &scratch, file, id);
    }
    cluster.wait_for_status(1, "the damage to end", |_| {
        let left = damage(&cli);
        for item in left.iter().filter(|item| is_data(item)) {
            let id = item["evidence_id"].as_str().expect("a text");
            cluster.cli(1).run(["get", id]).expect_exit(0);
        }
        !left.iter().any(is_data)
    });
    cli.run(["scrub", "start", "--disk", &disk_id]).expect_exit(0);
    cluster.wait_for_status(1, "a pass that finds only what is still on record", |status| {
        let disk = status.disk(&disk_id);
        let damaged = disk.scrub().map(|scrub| scrub.damaged);
        pass_ended(disk) > passed && damaged == Some(status.damaged_shards)
    });
    assert!(!damage(&cli).iter().any(is_data), "the next pass found what was repaired");
}

#[test]
fn shards_of_a_disk_in_two_parts_move_to_the_bucket_and_are_read_from_there() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("buckets-cold");
    let mut server = S3Server::start(&scratch);
    let bucket = server.bucket(BucketUsage::Cold { after_days: 0 });
    let mut cluster = NodeCluster::start_with_bucket(&scratch, bucket);
    let kinds = |status: &ClusterStatus| {
        let kinds = status.disks().filter_map(|disk| disk.report.as_ref());
        kinds.map(|report| report.kind.clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&cluster.status(0).expect("an answer")), ["tiered"; 6]);
    let mut sealed: Vec<_> = (0..3)
        .map(|number| put_random(&cluster, &scratch, &format!("{number}.bin"), &mut random))
        .collect();
    wait_until_all_is_cold(&cluster, &server);
    for (file, id) in &sealed {
        check_same(&cluster.cli(1), &scratch, file, id);
    }

    // Nothing is left in the folders: without the bucket it cannot be read.
    server.kill9();
    for (file, id) in &sealed {
        let run = cluster.cli(0).run(["get", id]);
        assert_ne!(run.exit_code, Some(0), "{} came from somewhere else", file.path.display());
        run.expect_exit(6).expect_message(&[id.as_str()]);
    }
    // The folders take new footage meanwhile.
    let away = random_file(&scratch, "away.bin", 10 << 20, &mut random);
    let run = cluster.cli(0).within(PUT_LIMIT).run(patient_put(&away));
    println!("{} took {:?}", run.command_line, run.elapsed);
    sealed.push((away.clone(), run.expect_receipt_of(&away).evidence_id));
    server.restart();
    cluster.wait_until_whole(0);
    cluster.wait_until_whole(1);
    for (file, id) in &sealed {
        check_same(&cluster.cli(1), &scratch, file, id);
    }

    for node in cluster.storage_nodes() {
        cluster.daemon(node).terminate();
    }
    for node in cluster.storage_nodes() {
        cluster.daemon(node).restart();
    }
    cluster.wait_until_whole(0);
    cluster.wait_until_whole(1);
    sealed.push(put_random(&cluster, &scratch, "after.bin", &mut random));
    wait_until_all_is_cold(&cluster, &server);
    for (file, id) in &sealed {
        check_same(&cluster.cli(1), &scratch, file, id);
    }
}

#[test]
fn a_bucket_that_refuses_or_is_missing_is_out_of_service_and_says_what_to_do() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("buckets-refused");
    let server = S3Server::start(&scratch);
    let mut cluster = NodeCluster::start(&scratch);
    let right = server.bucket_like_a_folder();
    let (refused, missing) = (Member::Storage(0), Member::Storage(1));
    for (node, bucket) in [
        (refused, right.clone().with_wrong_secret()),
        (missing, right.clone().with_bucket("nowhere")),
    ] {
        cluster.daemon(node).terminate();
        cluster.set_bucket(node, Some(bucket));
        cluster.daemon(node).restart();
    }
    let refusal = ["s3://footage/s0", "out of service", "check access key and secret"];
    let absence = ["s3://nowhere/s1", "out of service", "there is no bucket nowhere", "create it"];
    cluster.wait_for_status(0, "both buckets to be named", |status| {
        status.has_trouble("s0", &refusal) && status.has_trouble("s1", &absence)
    });
    for node in [refused, missing] {
        assert!(!cluster.daemon(node).log().contains("not-the-secret"), "a secret is in the log");
    }
    let folders_only = put_random(&cluster, &scratch, "folders-only.bin", &mut random);

    // The bucket is made while the node runs; other credentials need a new start.
    server.make_bucket("nowhere");
    cluster.daemon(refused).terminate();
    cluster.set_bucket(refused, Some(right.clone()));
    cluster.daemon(refused).restart();
    let status = cluster.wait_for_status(1, "both buckets to serve", |status| {
        let buckets = status.disks().filter(|disk| disk.serves() && kind(disk) == "s3");
        buckets.count() == 2 && status.is_whole() && status.healthy
    });
    let bucket_id = bucket_of(&status, "s0").disk_id.clone();

    // One that has served is known by its id, whatever comes.
    cluster.daemon(refused).terminate();
    cluster.set_bucket(refused, Some(right.clone().with_wrong_secret()));
    cluster.daemon(refused).restart();
    let status = cluster.wait_for_status(1, "the bucket to be out of service", |status| {
        !status.disk(&bucket_id).serves() && status.has_trouble("s0", &refusal[1..])
    });
    let report = status.disk(&bucket_id).report.as_ref().expect("its node has it");
    let why = report.offline.as_deref().expect("out of service");
    assert!(why.contains("refuses the credentials"), "{why}");
    check_same(&cluster.cli(0), &scratch, &folders_only.0, &folders_only.1);
    let (file, id) = put_random(&cluster, &scratch, "without.bin", &mut random);
    check_same(&cluster.cli(1), &scratch, &file, &id);

    cluster.daemon(refused).terminate();
    cluster.set_bucket(refused, Some(right));
    cluster.daemon(refused).restart();
    cluster.wait_for_status(0, "the bucket to serve again", |status| {
        status.disk(&bucket_id).serves() && status.is_whole()
    });
}

/// Waits until each shard is an object, and nowhere else: one that is in both parts counts twice.
fn wait_until_all_is_cold(cluster: &NodeCluster, server: &S3Server) {
    cluster.wait_for_status(0, "all shards to be in the bucket and nowhere else", |status| {
        let objects: u64 = objects_by_node(cluster, server).values().sum();
        objects > 0 && status.shards() == objects
    });
}

fn objects_by_node(cluster: &NodeCluster, server: &S3Server) -> BTreeMap<String, u64> {
    let names = cluster.storage_nodes().into_iter().map(|node| node.to_string());
    names
        .map(|name| {
            let count = server.shards(&name).len() as u64;
            (name, count)
        })
        .collect()
}

/// The only bucket of a node.
#[track_caller]
fn bucket_of<'a>(status: &'a ClusterStatus, node: &str) -> &'a DiskStatus {
    let disks = &status.node(node).disks;
    let found = disks.iter().find(|disk| kind(disk) == "s3");
    found.unwrap_or_else(|| panic!("{node} has no bucket: {disks:?}"))
}

fn kind(disk: &DiskStatus) -> &str {
    disk.report.as_ref().map_or("", |report| report.kind.as_str())
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

fn flip_payload_byte(object: &Path, random: &mut SeededRandom) {
    let shown = object.display();
    let file = File::options().read(true).write(true).open(object);
    let file = file.unwrap_or_else(|e| panic!("{shown}: {e}"));
    let len = file.metadata().unwrap_or_else(|e| panic!("{shown}: {e}")).len();
    let at = HEAD_BYTES + random.below(len - HEAD_BYTES);
    let mut byte = [0];
    file.read_exact_at(&mut byte, at)
        .and_then(|()| file.write_all_at(&[byte[0] ^ (1 << random.below(8))], at))
        .unwrap_or_else(|e| panic!("{shown}: {e}"));
}

fn random_file(scratch: &Scratch, name: &str, size: u64, random: &mut SeededRandom) -> SourceFile {
    scratch.source_file(name, Content { seed: random.next_u64(), size })
}

fn put_random(
    cluster: &NodeCluster,
    scratch: &Scratch,
    name: &str,
    random: &mut SeededRandom,
) -> (SourceFile, String) {
    let size = 1 + random.below(20 << 20);
    let file = random_file(scratch, name, size, random);
    let id = cluster.cli(0).put(&file).evidence_id;
    (file, id)
}

fn patient_put(file: &SourceFile) -> [&std::ffi::OsStr; 4] {
    ["put".as_ref(), "--json".as_ref(), "--retry-for=3m".as_ref(), file.path.as_os_str()]
}

fn check_same(cli: &Cli, scratch: &Scratch, file: &SourceFile, id: &str) {
    let copy = scratch.path().join("copy.bin");
    cli.get(id, &copy);
    assert_same_bytes(&file.path, &copy);
    fs::remove_file(&copy).expect("the copy is ours");
}

/// Without the bucket evidence comes back right, or an error says why not; wrong bytes never.
fn expect_right_or_refused(cli: &Cli, file: &SourceFile, id: &str) {
    let run = cli.run(["get", id]);
    run.expect_exit_in(&[0, 5, 6]);
    let len = run.stdout.len() as u64;
    assert!(len <= file.size(), "more bytes than there are");
    assert!(run.stdout == file.content.bytes(0..len), "wrong bytes were handed out");
    if run.exit_code == Some(0) {
        assert_eq!(len, file.size(), "a short read looks like the end");
    } else {
        run.expect_message(&[id]);
    }
}
