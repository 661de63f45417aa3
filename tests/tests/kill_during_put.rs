//! Loss of the server at any moment of a put costs nothing but time.

use std::{collections::VecDeque, fs, path::Path, thread};

use custos_tests::{
    Cli, CliRun, Content, DevCluster, PutReceipt, Scratch, Seed, SeededRandom, SourceFile,
    assert_same_bytes,
};

/// Rounds in which the server must really have died under the put.
const ROUNDS: usize = 20;
/// Rounds at most, with those in which the put was over before the blow.
const ROUNDS_MAX: usize = 80;
/// After each round this many of the latest evidence are read again; at the end, all.
const LATEST_CHECKED: usize = 2;
const SIZE_MIN: u64 = 64 << 20;
const SIZE_SPREAD: u64 = 32 << 20;

/// Sealed evidence, as a function of its seed.
struct Sealed {
    content: Content,
    receipt: PutReceipt,
}

#[test]
fn i1_kill_9_at_any_moment_of_a_put_loses_nothing_that_was_acknowledged() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("kill-during-put");
    let mut cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();

    let first = random_file(&scratch, &mut random);
    let started = put(&cli, &first);
    let put_time = started.elapsed;
    let mut sealed =
        vec![Sealed { content: first.content, receipt: started.expect_receipt_of(&first) }];
    remove(&first.path);

    let mut latest: VecDeque<usize> = VecDeque::from([0]);
    let mut died_under_put = 0;
    for round in 1..=ROUNDS_MAX {
        if died_under_put == ROUNDS {
            break;
        }
        let file = random_file(&scratch, &mut random);
        let moment = put_time.mul_f64(random.fraction());
        let mut child = cli.spawn(["put".as_ref(), "--json".as_ref(), file.path.as_os_str()]);
        // The random moment is the fault itself.
        thread::sleep(moment);
        let was_over = child.has_ended();
        cluster.kill9();
        let back_after = cluster.restart();
        let run = child.wait();
        println!(
            "round {round}: killed after {moment:?} (over: {was_over}), ready again after \
             {back_after:?}, put took {:?}",
            run.elapsed
        );
        let receipt = run.expect_receipt_of(&file);
        if !was_over {
            died_under_put += 1;
        }
        remove(&file.path);

        sealed.push(Sealed { content: file.content, receipt });
        latest.push_back(sealed.len() - 1);
        if latest.len() > LATEST_CHECKED {
            latest.pop_front();
        }
        for &index in &latest {
            check_whole(&cli, &scratch, &sealed[index]);
        }
    }
    assert_eq!(died_under_put, ROUNDS, "rounds in which the server died under the put");

    for evidence in &sealed {
        check_whole(&cli, &scratch, evidence);
    }
    let mut listed = cli.list_ids();
    let mut expected: Vec<String> =
        sealed.iter().map(|evidence| evidence.receipt.evidence_id.clone()).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected, "each put is there once");
}

fn put(cli: &Cli, file: &SourceFile) -> CliRun {
    cli.run(["put".as_ref(), "--json".as_ref(), file.path.as_os_str()])
}

fn random_file(scratch: &Scratch, random: &mut SeededRandom) -> SourceFile {
    let content = Content { seed: random.next_u64(), size: SIZE_MIN + random.below(SIZE_SPREAD) };
    scratch.source_file("source.bin", content)
}

fn check_whole(cli: &Cli, scratch: &Scratch, evidence: &Sealed) {
    let expected = scratch.source_file("expected.bin", evidence.content);
    let copy = scratch.path().join("copy.bin");
    cli.get(&evidence.receipt.evidence_id, &copy);
    assert_same_bytes(&expected.path, &copy);
    remove(&expected.path);
    remove(&copy);
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
