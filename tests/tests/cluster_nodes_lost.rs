//! Storage nodes die or stop answering in the middle of puts: two of six cost nothing but time,
//! three stop writing until one is back.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use custos_tests::{
    Cli, CliChild, CliRun, Content, Member, NodeCluster, Scratch, Seed, SeededRandom, SourceFile,
    assert_same_bytes,
};

const PUTS: usize = 8;
const PUT_BYTES: u64 = 48 << 20;
/// The blow falls when this many shards are durable: a chunk of each put, on average.
const SHARDS_BEFORE: u64 = 6 * PUTS as u64;
/// For puts that lose nodes under way.
const PUT_LIMIT: Duration = Duration::from_secs(240);

/// A put that runs.
struct Put {
    file: SourceFile,
    /// The gateway that it goes over.
    gateway: usize,
    child: CliChild,
}

/// Evidence and the file that it was.
struct Sealed {
    file: SourceFile,
    evidence_id: String,
    /// The gateway that it was put over.
    gateway: usize,
}

#[test]
fn i1_two_storage_nodes_killed_in_the_middle_of_eight_puts_fail_none_and_cost_no_byte() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("two-nodes-killed");
    let mut cluster = NodeCluster::start(&scratch);
    let mut puts = start_puts(&cluster, &scratch, &mut random);
    wait_for_shards(&cluster, SHARDS_BEFORE);
    let killed = storage_nodes(&mut random, 2);
    for &node in &killed {
        cluster.daemon(node).kill9();
    }
    let cut = count_under_way(&mut puts);
    println!("killed {killed:?} under {cut} of {PUTS} puts");
    assert!(cut > 0, "every put was over before the blow");

    let sealed: Vec<Sealed> = puts.into_iter().map(expect_sealed).collect();
    check_all(&cluster, &scratch, &sealed);
    for &node in &killed {
        let ready_after = cluster.daemon(node).restart();
        println!("{node} was ready again after {ready_after:?}");
    }
    cluster.wait_until_whole(0);
    cluster.wait_until_whole(1);
    check_all(&cluster, &scratch, &sealed);
    expect_listed(&cluster, &sealed);
}

#[test]
fn i1_three_storage_nodes_killed_refuse_writes_clearly_until_one_returns() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("three-nodes-killed");
    let mut cluster = NodeCluster::start(&scratch);
    let before = source(&scratch, "before.bin", 20 << 20, &mut random);
    let before_id = cluster.cli(0).put(&before).evidence_id;

    let under_way = source(&scratch, "under-way.bin", 256 << 20, &mut random);
    let shards = cluster.status(0).expect("the cluster answers").shards();
    let mut child = cluster.cli(0).within(PUT_LIMIT).spawn(patient_put(&under_way));
    wait_for_shards(&cluster, shards + 12);
    let killed = storage_nodes(&mut random, 3);
    for &node in &killed {
        cluster.daemon(node).kill9();
    }
    println!("killed {killed:?}");
    assert!(!child.has_ended(), "the put was over before the blow");

    let refused = source(&scratch, "refused.bin", 5 << 20, &mut random);
    for gateway in [0, 1] {
        let run = cluster.cli(gateway).run(impatient_put(&refused));
        run.expect_exit(6).expect_message(&["3 of 6", "4 needed"]);
        assert!(run.stdout.is_empty(), "a receipt was printed");
        expect_right_or_refused(&cluster.cli(gateway), &before, &before_id);
    }
    assert!(!child.has_ended(), "the put that lost three nodes neither fails nor succeeds");
    assert_eq!(cluster.cli(1).list_ids(), [before_id.as_str()], "nothing is half sealed");

    let back = killed[0];
    cluster.daemon(back).restart();
    println!("{back} is back");
    let under_way_id = child.wait().expect_receipt_of(&under_way).evidence_id;
    let refused_id =
        cluster.cli(1).within(PUT_LIMIT).run(patient_put(&refused)).expect_receipt_of(&refused);
    let sealed = [
        Sealed { file: before, evidence_id: before_id, gateway: 0 },
        Sealed { file: under_way, evidence_id: under_way_id, gateway: 0 },
        Sealed { file: refused, evidence_id: refused_id.evidence_id, gateway: 1 },
    ];
    check_all(&cluster, &scratch, &sealed);
    for &node in &killed[1..] {
        cluster.daemon(node).restart();
    }
    cluster.wait_until_whole(0);
    check_all(&cluster, &scratch, &sealed);
    expect_listed(&cluster, &sealed);
}

#[test]
fn i1_puts_go_on_while_a_storage_node_hangs_and_all_is_well_when_it_goes_on() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("node-hangs");
    let mut cluster = NodeCluster::start(&scratch);
    let mut puts = start_puts(&cluster, &scratch, &mut random);
    wait_for_shards(&cluster, SHARDS_BEFORE);
    let hanging = storage_nodes(&mut random, 1)[0];
    cluster.daemon(hanging).pause();
    let cut = count_under_way(&mut puts);
    println!("{hanging} hangs under {cut} of {PUTS} puts");
    assert!(cut > 0, "every put was over before the blow");

    let sealed: Vec<Sealed> = puts.into_iter().map(expect_sealed).collect();
    check_all(&cluster, &scratch, &sealed);
    cluster.daemon(hanging).resume();
    cluster.wait_until_whole(0);
    cluster.wait_until_whole(1);
    check_all(&cluster, &scratch, &sealed);
    expect_listed(&cluster, &sealed);
}

/// Starts the puts, by turns over each gateway.
fn start_puts(cluster: &NodeCluster, scratch: &Scratch, random: &mut SeededRandom) -> Vec<Put> {
    let files: Vec<_> = (0..PUTS)
        .map(|number| source(scratch, &format!("put-{number}.bin"), PUT_BYTES, random))
        .collect();
    let puts = files.into_iter().enumerate().map(|(number, file)| {
        let gateway = number % 2;
        let child = cluster.cli(gateway).within(PUT_LIMIT).spawn(patient_put(&file));
        Put { file, gateway, child }
    });
    puts.collect()
}

fn count_under_way(puts: &mut [Put]) -> usize {
    puts.iter_mut().map(|put| usize::from(!put.child.has_ended())).sum()
}

fn expect_sealed(put: Put) -> Sealed {
    let run = put.child.wait();
    println!("{} took {:?}", run.command_line, run.elapsed);
    let evidence_id = run.expect_receipt_of(&put.file).evidence_id;
    Sealed { file: put.file, evidence_id, gateway: put.gateway }
}

/// Every byte reads back over the gateway that it was not put over.
fn check_all(cluster: &NodeCluster, scratch: &Scratch, sealed: &[Sealed]) {
    for evidence in sealed {
        let copy = scratch.path().join("copy.bin");
        cluster.cli(1 - evidence.gateway).get(&evidence.evidence_id, &copy);
        assert_same_bytes(&evidence.file.path, &copy);
        remove(&copy);
    }
}

fn expect_listed(cluster: &NodeCluster, sealed: &[Sealed]) {
    let listed = cluster.cli(0).list_ids();
    let expected: BTreeSet<_> = sealed.iter().map(|evidence| &evidence.evidence_id).collect();
    assert_eq!(listed.len(), expected.len(), "each put is there once");
    assert_eq!(listed.iter().collect::<BTreeSet<_>>(), expected, "each put is there");
}

/// With too few nodes evidence comes back right, or an error says why not; wrong bytes never.
fn expect_right_or_refused(cli: &Cli, file: &SourceFile, id: &str) {
    let run: CliRun = cli.run(["get", id]);
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

fn wait_for_shards(cluster: &NodeCluster, shards: u64) {
    let what = format!("{shards} durable shards");
    cluster.wait_for_status(1, &what, |status| status.shards() >= shards);
}

fn storage_nodes(random: &mut SeededRandom, count: usize) -> Vec<Member> {
    random.distinct(count, 6).into_iter().map(Member::Storage).collect()
}

fn source(scratch: &Scratch, name: &str, size: u64, random: &mut SeededRandom) -> SourceFile {
    scratch.source_file(name, Content { seed: random.next_u64(), size })
}

fn patient_put(file: &SourceFile) -> [&std::ffi::OsStr; 4] {
    ["put".as_ref(), "--json".as_ref(), "--retry-for=3m".as_ref(), file.path.as_os_str()]
}

fn impatient_put(file: &SourceFile) -> [&std::ffi::OsStr; 4] {
    ["put".as_ref(), "--json".as_ref(), "--retry-for=5s".as_ref(), file.path.as_os_str()]
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
