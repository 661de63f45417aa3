//! Up to m disks may be lost or lie; with more lost, reading fails and says so.

use std::{fs, path::Path};

use custos_tests::{
    Cli, CliRun, Content, DevCluster, Scratch, Seed, SourceFile, assert_same_bytes, flip_bytes,
    remove_disk,
};

/// More than two chunks, so that there is a crown, and a short last chunk.
const SIZE: u64 = (2 << 23) + 1_234_567;

#[test]
fn i2_two_disks_of_six_removed_while_it_runs_change_no_byte() {
    let scratch = Scratch::new("two-removed");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let files = put_files(&cli, &scratch, 1);
    for removed in [1, 4] {
        remove_disk(&cluster.disk_dir(removed));
        for (file, id) in &files {
            check_same(&cli, &scratch, file, id);
        }
    }
}

#[test]
fn i2_with_three_disks_of_six_removed_get_fails_and_leaves_no_file() {
    let scratch = Scratch::new("three-removed");
    let mut cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let files = put_files(&cli, &scratch, 2);
    for removed in [0, 2, 5] {
        remove_disk(&cluster.disk_dir(removed));
    }
    for (file, id) in &files {
        expect_refused_read(&cli, &scratch, file, id);
    }
    assert!(cluster.is_running(), "the server still runs");
    // What is known about evidence does not need its bytes.
    cli.run(["show", "--json", &files[0].1]).expect_exit(0);
}

#[test]
fn i2_flipped_bytes_on_two_disks_change_no_byte() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("two-flipped");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let files = put_files(&cli, &scratch, 3);
    for damaged in [0, 3] {
        flip_bytes(&cluster.disk_dir(damaged), &mut random);
        for (file, id) in &files {
            check_same(&cli, &scratch, file, id);
        }
    }
}

#[test]
fn i2_one_disk_removed_and_another_with_flipped_bytes_change_no_byte() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("removed-and-flipped");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let files = put_files(&cli, &scratch, 4);
    remove_disk(&cluster.disk_dir(5));
    flip_bytes(&cluster.disk_dir(4), &mut random);
    for (file, id) in &files {
        check_same(&cli, &scratch, file, id);
    }
}

#[test]
fn i2_flipped_bytes_on_three_disks_are_an_error_and_never_wrong_bytes() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("three-flipped");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let files = put_files(&cli, &scratch, 5);
    for damaged in [1, 2, 3] {
        flip_bytes(&cluster.disk_dir(damaged), &mut random);
    }
    for (file, id) in &files {
        expect_refused_read(&cli, &scratch, file, id);
    }
}

#[test]
fn i1_with_one_disk_of_six_removed_a_put_is_still_kept_whole() {
    let scratch = Scratch::new("put-degraded");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    remove_disk(&cluster.disk_dir(3));
    for (file, id) in &put_files(&cli, &scratch, 6) {
        check_same(&cli, &scratch, file, id);
    }
}

#[test]
fn i2_removed_disks_stay_harmless_over_a_restart() {
    let scratch = Scratch::new("removed-restart");
    let mut cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let files = put_files(&cli, &scratch, 7);
    for removed in [0, 1] {
        remove_disk(&cluster.disk_dir(removed));
    }
    cluster.kill9();
    cluster.restart();
    for (file, id) in &files {
        check_same(&cli, &scratch, file, id);
    }
}

fn put_files(cli: &Cli, scratch: &Scratch, seed: u64) -> Vec<(SourceFile, String)> {
    [SIZE, 100_000]
        .into_iter()
        .map(|size| {
            let file = scratch.source_file(&format!("{size}.bin"), Content { seed, size });
            let id = cli.put(&file).evidence_id;
            (file, id)
        })
        .collect()
}

fn check_same(cli: &Cli, scratch: &Scratch, file: &SourceFile, id: &str) {
    let copy = scratch.path().join("copy.bin");
    cli.get(id, &copy);
    assert_same_bytes(&file.path, &copy);
    fs::remove_file(&copy).expect("the copy is ours");
}

/// Reading fails as unavailable or for integrity, leaves nothing in the output folder, and what
/// went to standard output before is right.
fn expect_refused_read(cli: &Cli, scratch: &Scratch, file: &SourceFile, id: &str) {
    let folder = scratch.folder("output");
    let output = folder.join("copy.bin");
    let to_file = cli.run(["get".as_ref(), id.as_ref(), "-o".as_ref(), output.as_os_str()]);
    expect_lost(&to_file, id);
    assert_eq!(names_in(&folder), Vec::<String>::new(), "a failed get leaves nothing");

    let to_stdout = cli.run(["get", id]);
    expect_lost(&to_stdout, id);
    let len = to_stdout.stdout.len() as u64;
    assert!(to_stdout.stdout == file.content.bytes(0..len), "wrong bytes were handed out");
}

fn expect_lost(run: &CliRun, id: &str) {
    run.expect_exit_in(&[5, 6]).expect_message(&[id]);
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .expect("the folder is ours")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect()
}
