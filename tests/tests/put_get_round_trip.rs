//! What is put comes back byte for byte, and its digests are the ones that public tools print.

use custos_tests::{Content, DevCluster, Scratch, Seed, assert_same_bytes};

const FRAME: u64 = 64 << 10;
const CHUNK: u64 = 8 << 20;

#[test]
fn files_of_every_critical_size_come_back_byte_for_byte() {
    let seed = Seed::draw();
    let scratch = Scratch::new("round-trip");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let sizes = [
        0,
        1,
        FRAME - 1,
        FRAME,
        FRAME + 1,
        CHUNK - 1,
        CHUNK,
        CHUNK + 1,
        3 * CHUNK,
        3 * CHUNK + 5 * FRAME + 7,
    ];
    for size in sizes {
        let content = Content { seed: seed.0 ^ size, size };
        let file = scratch.source_file(&format!("{size}.bin"), content);
        let receipt = cli.put(&file);
        assert_eq!(receipt.empty, size == 0, "empty evidence is marked, {size} bytes");
        let copy = scratch.path().join(format!("{size}.copy"));
        cli.get(&receipt.evidence_id, &copy);
        assert_same_bytes(&file.path, &copy);
    }
    assert_eq!(cli.list_ids().len(), sizes.len(), "the catalogue lists each put once");
}

#[test]
fn any_byte_range_equals_the_same_range_of_the_file() {
    let seed = Seed::draw();
    let scratch = Scratch::new("ranges");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let size = 2 * CHUNK + 3 * FRAME + 11;
    let content = Content { seed: seed.0, size };
    let file = scratch.source_file("source.bin", content);
    let id = cli.put(&file).evidence_id;

    let edges = [0, 1, FRAME - 1, FRAME, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, size - 1];
    let mut ranges: Vec<(u64, u64)> = edges.iter().map(|&at| (at, at)).collect();
    ranges.extend([(0, size - 1), (CHUNK - 1, CHUNK), (FRAME, 2 * FRAME - 1), (CHUNK, size - 1)]);
    let mut random = seed.random();
    for _ in 0..24 {
        let first = random.below(size);
        ranges.push((first, first + random.below((size - first).min(CHUNK + FRAME))));
    }
    for (first, last) in ranges {
        let bytes = cli.get_range(&id, first, last);
        assert!(bytes == content.bytes(first..last + 1), "bytes {first}-{last} differ");
    }

    let from = random.below(size);
    let open_end = cli.run(["get", &id, "--bytes", &format!("{from}-")]);
    open_end.expect_exit(0);
    assert!(open_end.stdout == content.bytes(from..size), "bytes {from}- differ");
}

#[test]
fn a_range_goes_into_an_output_file_too() {
    let scratch = Scratch::new("range-file");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let content = Content { seed: 5, size: 3 * FRAME };
    let id = cli.put(&scratch.source_file("source.bin", content)).evidence_id;
    let copy = scratch.path().join("part.bin");
    let output = copy.to_str().expect("UTF-8");
    cli.run(["get", &id, "-o", output, "--bytes", "100-150000"]).expect_exit(0);
    assert!(std::fs::read(&copy).expect("written") == content.bytes(100..150_001));
}

#[test]
fn without_an_output_file_the_bytes_go_to_standard_output() {
    let scratch = Scratch::new("standard-output");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let content = Content { seed: 6, size: CHUNK + 1 };
    let id = cli.put(&scratch.source_file("source.bin", content)).evidence_id;
    let run = cli.run(["get", &id]);
    run.expect_exit(0);
    assert!(run.stdout == content.bytes(0..content.size), "the bytes differ");
}

#[test]
fn several_files_in_one_put_give_one_receipt_each() {
    let scratch = Scratch::new("several");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let files: Vec<_> = (1..=4)
        .map(|n| {
            let content = Content { seed: n, size: n * 1_000_003 };
            scratch.source_file(&format!("clip-{n}.bin"), content)
        })
        .collect();
    let mut args = vec!["put".as_ref(), "--json".as_ref()];
    args.extend(files.iter().map(|file| file.path.as_os_str()));
    let run = cli.run(args);
    run.expect_exit(0);
    let mut receipts: Vec<String> = run
        .json_lines()
        .iter()
        .map(|line| line["blake3"].as_str().expect("a receipt names the hash").to_owned())
        .collect();
    let mut expected: Vec<String> = files.iter().map(|f| f.digests.blake3.clone()).collect();
    receipts.sort();
    expected.sort();
    assert_eq!(receipts, expected);
}
