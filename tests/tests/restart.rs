//! A cluster ends cleanly, goes on where it stopped, and has its directory to itself.

use custos_tests::{Content, DevCluster, DevOptions, Scratch, assert_same_bytes, free_address};

#[test]
fn sigterm_ends_it_with_exit_code_0_and_the_same_directory_goes_on() {
    let scratch = Scratch::new("restart");
    let mut cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let before = scratch.source_file("before.bin", Content { seed: 1, size: 9 << 20 });
    let before_id = cli.put(&before).evidence_id;
    let checkpoint_before = cli.run(["log", "checkpoint", "--json"]).json();

    for _ in 0..3 {
        assert_eq!(cluster.terminate().code(), Some(0), "exit code of custosd");
        cluster.restart();
    }

    let copy = scratch.path().join("copy.bin");
    cli.get(&before_id, &copy);
    assert_same_bytes(&before.path, &copy);
    let after = scratch.source_file("after.bin", Content { seed: 2, size: 100 });
    let after_id = cli.put(&after).evidence_id;
    assert_eq!(cli.list_ids(), [before_id, after_id], "in order of opening");
    let checkpoint_after = cli.run(["log", "checkpoint", "--json"]).json();
    assert_eq!(checkpoint_before["origin"], checkpoint_after["origin"], "it is the same log");
}

#[test]
fn sigterm_during_a_put_ends_it_in_time_and_the_put_goes_on_afterwards() {
    let scratch = Scratch::new("restart-during-put");
    let mut cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let file = scratch.source_file("source.bin", Content { seed: 3, size: 256 << 20 });
    let child = cli
        .spawn(["put".as_ref(), "--json".as_ref(), file.path.as_os_str()])
        .wait_until_read(24 << 20);
    assert_eq!(cluster.terminate().code(), Some(0), "exit code of custosd");
    cluster.restart();
    let receipt = child.wait().expect_receipt_of(&file);
    let copy = scratch.path().join("copy.bin");
    cli.get(&receipt.evidence_id, &copy);
    assert_same_bytes(&file.path, &copy);
}

#[test]
fn a_second_server_on_one_directory_is_refused_by_name_and_does_no_harm() {
    let scratch = Scratch::new("two-servers");
    let cluster = DevCluster::start(&scratch);
    let first = cluster.options();
    let second = DevOptions {
        listen: free_address(),
        log: scratch.path().join("second.log"),
        ..first.clone()
    };
    let failed = DevCluster::try_start(second).expect_err("the directory is in use");
    failed.expect(6, &["in use", first.data_dir.to_str().expect("UTF-8")]);

    let file = scratch.source_file("source.bin", Content { seed: 4, size: 1 << 20 });
    cluster.cli().put(&file);
}
