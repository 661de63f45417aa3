//! Bad files, ranges, ids and descriptors: a clear message, the right exit code, nothing half-done.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use custos_tests::{Cli, CliRun, Content, DevCluster, FileDigests, Scratch, assert_same_bytes};
use rustix::process::Signal;

const UNUSED_ID: &str = "01900000-0000-7000-8000-000000000000";

#[test]
fn an_empty_file_is_kept_and_marked_as_empty() {
    let (scratch, cluster) = cluster("empty");
    let cli = cluster.cli();
    let file = scratch.source_file("empty.bin", Content { seed: 0, size: 0 });
    let receipt = cli.put(&file);
    assert!(receipt.empty, "the receipt marks it");
    let shown = cli.run(["show", "--json", &receipt.evidence_id]);
    shown.expect_exit(0);
    assert_eq!(shown.json()["empty"], true, "the catalogue marks it: {}", shown.json());
    let copy = scratch.path().join("copy.bin");
    cli.get(&receipt.evidence_id, &copy);
    assert_same_bytes(&file.path, &copy);
    let past = cli.run(["get", &receipt.evidence_id, "--bytes", "0-0"]);
    past.expect_exit(2).expect_message(&["0-0"]);
}

#[test]
fn ranges_that_name_no_byte_are_refused_by_name() {
    let (scratch, cluster) = cluster("ranges");
    let cli = cluster.cli();
    let size = 100_000;
    let id = cli.put(&scratch.source_file("source.bin", Content { seed: 1, size })).evidence_id;
    let output = scratch.folder("output");
    let file = output.join("part.bin");
    // Zero bytes long, backwards, one past the end, wholly past the end, no range at all.
    for range in
        ["10-9", "10-5", "0-100000", "99999-100000", "100000-", "200000-200001", "x-y", "7"]
    {
        let args = ["get", &id, "--bytes", range, "-o", file.to_str().expect("UTF-8")];
        let run = cli.run(args);
        run.expect_exit(2).expect_message(&[range]);
        assert_eq!(count(&output), 0, "{range}: an output file was left");
    }
    cli.expect_untroubled(&[&id], &scratch);
}

#[test]
fn an_id_that_does_not_exist_is_not_found_and_a_malformed_one_is_a_usage_error() {
    let (scratch, cluster) = cluster("ids");
    let cli = cluster.cli();
    let output = scratch.folder("output");
    let file = output.join("copy.bin");
    let file = file.to_str().expect("UTF-8");
    for (id, code) in [(UNUSED_ID, 4), ("not-an-id", 2), ("", 2)] {
        let commands: [&[&str]; 4] =
            [&["get", id, "-o", file], &["show", id], &["log", "show", id], &["log", "prove", id]];
        for command in commands {
            cli.run(command).expect_exit(code).expect_message(&[id]);
        }
    }
    assert_eq!(count(&output), 0, "an output file was left");
    cli.expect_untroubled(&[], &scratch);
}

#[test]
fn an_unknown_or_wrong_descriptor_field_is_refused_by_name() {
    let (scratch, cluster) = cluster("descriptor");
    let cli = cluster.cli();
    let file = scratch.source_file("clip.mp4", Content { seed: 2, size: 1000 });
    let too_long = format!(r#"{{"place": "{}"}}"#, "x".repeat(257));
    let cases = [
        (r#"{"case": "C-1", "colour": "red"}"#, "colour"),
        (r#"{"stage": "afterwards"}"#, "stage"),
        (r#"{"captured_at": "yesterday"}"#, "captured_at"),
        (r#"{"officers": "just one"}"#, "officers"),
        (r#"{"case": ""}"#, "case"),
        (r#"{"place": "a\nb"}"#, "place"),
        (&too_long, "place"),
        ("{", "descriptor.json"),
    ];
    for (json, named) in cases {
        let descriptor = scratch.text_file("descriptor.json", json);
        put_with(&cli, "--descriptor", &descriptor, &file.path)
            .expect_exit(2)
            .expect_message(&[named]);
    }
    let missing = scratch.path().join("no-descriptor.json");
    put_with(&cli, "--descriptor", &missing, &file.path)
        .expect_exit(2)
        .expect_message(&["no-descriptor.json"]);
    cli.expect_untroubled(&[], &scratch);
}

#[test]
fn r4_missing_fields_are_accepted_as_unfiled_and_named() {
    let (scratch, cluster) = cluster("unfiled");
    let cli = cluster.cli();
    let file = scratch.source_file("clip.mp4", Content { seed: 3, size: 1000 });
    let bare = cli.put(&file);
    for field in ["captured_at", "officers", "case", "stage"] {
        assert!(
            bare.missing_fields.iter().any(|name| name == field),
            "{field} is missing: {bare:?}"
        );
    }

    let descriptor = scratch.text_file(
        "descriptor.json",
        r#"{"kind": "video", "captured_at": "2026-03-01T08:30:00Z", "recorder": "BWC-7",
            "officers": ["110-1", "110-2"], "case": "C-2026-17", "stage": "investigation",
            "place": "Gate 3", "note": "Inspection of the store room"}"#,
    );
    let other = scratch.source_file("other.mp4", Content { seed: 4, size: 1000 });
    let full = put_with(&cli, "--descriptor", &descriptor, &other.path).expect_receipt_of(&other);
    assert_eq!(full.missing_fields, Vec::<String>::new());
    let shown = cli.run(["show", "--json", &full.evidence_id]).json();
    for (field, value) in [("case", "C-2026-17"), ("place", "Gate 3"), ("recorder", "BWC-7")] {
        assert!(
            shown[field] == value || shown["descriptor"][field] == value,
            "{field} is kept: {shown}"
        );
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_not_sealed() {
    let (scratch, cluster) = cluster("shrinks");
    let run = put_with_change_under_way(&cluster.cli(), &scratch, |file| {
        file.set_len(0).expect("the file can be cut");
    });
    run.expect_exit(5).expect_message(&["source.bin", "changed"]);
    cluster.cli().expect_untroubled(&[], &scratch);
}

#[test]
fn a_file_that_grows_while_it_is_read_is_not_sealed() {
    let (scratch, cluster) = cluster("grows");
    let run = put_with_change_under_way(&cluster.cli(), &scratch, |mut file| {
        file.write_all(&[0x55; 100_000]).expect("the file can be written");
    });
    run.expect_exit(5).expect_message(&["source.bin", "changed"]);
    cluster.cli().expect_untroubled(&[], &scratch);
}

#[test]
fn a_name_that_is_not_utf_8_does_not_keep_footage_out() {
    let (scratch, cluster) = cluster("name");
    let cli = cluster.cli();
    let file = scratch.source_file("plain.bin", Content { seed: 5, size: 5000 });
    let odd = scratch.path().join(OsStr::from_bytes(b"clip-\xff\xfe.mp4"));
    fs::rename(&file.path, &odd).expect("Linux takes any name");
    let run = cli.run(["put".as_ref(), "--json".as_ref(), odd.as_os_str()]);
    run.expect_message(&["UTF-8"]);
    let receipt = run.expect_receipt_of(&file);
    let bytes = cli.get_range(&receipt.evidence_id, 0, 4999);
    assert!(bytes == file.content.bytes(0..5000));
}

#[test]
fn three_hundred_megabytes_of_one_byte_come_back() {
    let (scratch, cluster) = cluster("monotone");
    let cli = cluster.cli();
    let path = scratch.path().join("monotone.bin");
    let mut file = File::create(&path).expect("the folder is ours");
    let block = [0xaa; 1_000_000];
    for _ in 0..300 {
        file.write_all(&block).expect("there is space");
    }
    drop(file);
    let receipt = cli.run(["put".as_ref(), "--json".as_ref(), path.as_os_str()]).receipt();
    let digests = FileDigests::of(&path);
    assert_eq!((receipt.size, receipt.blake3), (digests.size, digests.blake3));
    assert_eq!(receipt.sha256, digests.sha256);
    let copy = scratch.path().join("copy.bin");
    cli.get(&receipt.evidence_id, &copy);
    assert_same_bytes(&path, &copy);
}

#[test]
fn a_folder_or_a_missing_file_cannot_be_put() {
    let (scratch, cluster) = cluster("no-file");
    let cli = cluster.cli();
    let folder = scratch.folder("some-folder");
    let run = cli.run(["put".as_ref(), "--json".as_ref(), folder.as_os_str()]);
    run.expect_exit(2).expect_message(&["some-folder"]);
    assert!(run.stdout.is_empty(), "a receipt was printed");
    let missing = scratch.path().join("missing.mp4");
    let run = cli.run(["put".as_ref(), "--json".as_ref(), missing.as_os_str()]);
    run.expect_exit(2).expect_message(&["missing.mp4"]);
    cli.expect_untroubled(&[], &scratch);
}

#[test]
fn get_writes_over_no_file_and_names_a_folder_that_it_cannot_write_to() {
    let (scratch, cluster) = cluster("output");
    let cli = cluster.cli();
    let file = scratch.source_file("source.bin", Content { seed: 6, size: 5000 });
    let id = cli.put(&file).evidence_id;

    let output = scratch.folder("output");
    let existing = output.join("precious.bin");
    fs::write(&existing, b"precious").expect("the folder is ours");
    get_into(&cli, &id, &existing).expect_exit(2).expect_message(&["precious.bin"]);
    assert_eq!(fs::read(&existing).expect("it is still there"), b"precious");
    assert_eq!(count(&output), 1, "nothing is left beside it");

    get_into(&cli, &id, &scratch.path().join("nowhere/copy.bin"))
        .expect_exit(2)
        .expect_message(&["nowhere"]);
    get_into(&cli, &id, &existing.join("copy.bin")).expect_exit(2).expect_message(&["precious"]);
    get_into(&cli, &id, &output).expect_exit(2).expect_message(&["output"]);
    assert_eq!(count(&output), 1, "nothing is left");
}

#[test]
fn unknown_options_and_commands_are_usage_errors() {
    let (scratch, cluster) = cluster("usage");
    let cli = cluster.cli();
    for args in [&["put", "--colour", "red", "f"][..], &["fetch"], &[], &["get"]] {
        cli.run(args).expect_exit(2).expect_message(&["Usage"]);
    }
    cli.run(["--help"]).expect_exit(0);
    cli.expect_untroubled(&[], &scratch);
}

fn cluster(name: &str) -> (Scratch, DevCluster) {
    let scratch = Scratch::new(name);
    let cluster = DevCluster::start(&scratch);
    (scratch, cluster)
}

fn put_with(cli: &Cli, option: &str, value: &Path, file: &Path) -> CliRun {
    let args = ["put".as_ref(), "--json".as_ref(), option.as_ref(), value.as_ref(), file.as_ref()];
    cli.run::<&OsStr>(args)
}

fn get_into(cli: &Cli, id: &str, output: &Path) -> CliRun {
    cli.run(["get".as_ref(), id.as_ref(), "-o".as_ref(), output.as_os_str()])
}

/// Puts a large file and changes it when a part has been read: the client is stopped meanwhile,
/// so the change cannot come too late.
fn put_with_change_under_way(cli: &Cli, scratch: &Scratch, change: impl Fn(File)) -> CliRun {
    let path = scratch.path().join("source.bin");
    Content { seed: 7, size: 256 << 20 }.write_to(&path);
    let child =
        cli.spawn(["put".as_ref(), "--json".as_ref(), path.as_os_str()]).wait_until_read(16 << 20);
    child.process().signal(Signal::STOP);
    change(File::options().append(true).open(&path).expect("the file is ours"));
    child.process().signal(Signal::CONT);
    child.wait()
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).expect("the folder is ours").count()
}
