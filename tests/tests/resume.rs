//! A put that was broken off goes on from the last acknowledged offset and sends nothing twice
//! that was acknowledged.

use custos_tests::{Content, DevCluster, Scratch, SourceFile, assert_same_bytes};

const SIZE: u64 = 384 << 20;
/// The blow falls when this much of the file has been read.
const READ_BEFORE: u64 = 256 << 20;
/// Read by the client but not acknowledged yet, at most: flow-control windows, chunks that are
/// being sealed and written, and what any program reads when it starts.
const UNACKNOWLEDGED_MAX: u64 = 96 << 20;

#[test]
fn a_put_goes_on_from_the_last_acknowledged_offset_when_the_server_comes_back() {
    let scratch = Scratch::new("resume-server");
    let mut cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let file = source(&scratch);
    let child = cli.spawn(put(&file)).wait_until_read(READ_BEFORE);
    cluster.kill9();
    cluster.restart();
    let run = child.wait();
    let id = run.expect_receipt_of(&file).evidence_id;
    println!("read {} MiB of a file of {} MiB", run.bytes_read >> 20, SIZE >> 20);
    assert!(
        run.bytes_read < SIZE + UNACKNOWLEDGED_MAX,
        "{} bytes were read for a file of {SIZE}: acknowledged bytes were sent again",
        run.bytes_read
    );
    check_whole(&cluster, &scratch, &file, &id);
}

#[test]
fn the_same_put_given_again_goes_on_where_a_client_that_was_killed_stopped() {
    let scratch = Scratch::new("resume-client");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let file = source(&scratch);
    let mut child = cli.spawn(put(&file)).wait_until_read(READ_BEFORE);
    child.kill9();
    assert_eq!(cli.list_ids(), Vec::<String>::new(), "what is not sealed is not evidence");

    let receipt = cli.run(put(&file)).expect_receipt_of(&file);
    assert!(
        receipt.resumed_from >= READ_BEFORE - UNACKNOWLEDGED_MAX,
        "went on from {} of {READ_BEFORE}",
        receipt.resumed_from
    );
    check_whole(&cluster, &scratch, &file, &receipt.evidence_id);

    // And once more: it is sealed, so the first receipt comes back and nothing is put twice.
    let again = cli.run(put(&file)).expect_receipt_of(&file);
    assert_eq!(again.evidence_id, receipt.evidence_id);
    assert_eq!(again.log_index, receipt.log_index);
    assert_eq!(cli.list_ids(), [receipt.evidence_id]);
}

#[test]
fn i2_a_receipt_of_other_bytes_is_never_given_for_a_file() {
    let scratch = Scratch::new("other-content");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let file = scratch.source_file("clip.bin", Content { seed: 1, size: 70_000 });
    let first = cli.put(&file);

    // Another card at the same place: the same name, size and time, other bytes.
    let modified = std::fs::metadata(&file.path).and_then(|data| data.modified()).expect("time");
    let mut bytes = std::fs::read(&file.path).expect("ours");
    bytes[12_345] ^= 1;
    let handle = std::fs::File::options().write(true).open(&file.path).expect("ours");
    std::os::unix::fs::FileExt::write_all_at(&handle, &bytes, 0).expect("ours");
    handle.set_modified(modified).expect("ours");
    drop(handle);

    let run = cli.run(put(&file));
    run.expect_exit(5).expect_message(&["other bytes", &first.evidence_id]);
    assert!(run.stdout.is_empty(), "a receipt was printed");
    assert_eq!(cli.list_ids(), [first.evidence_id]);
}

fn source(scratch: &Scratch) -> SourceFile {
    scratch.source_file("source.bin", Content { seed: 11, size: SIZE })
}

fn put(file: &SourceFile) -> [&std::ffi::OsStr; 3] {
    ["put".as_ref(), "--json".as_ref(), file.path.as_os_str()]
}

fn check_whole(cluster: &DevCluster, scratch: &Scratch, file: &SourceFile, id: &str) {
    let copy = scratch.path().join("copy.bin");
    cluster.cli().get(id, &copy);
    assert_same_bytes(&file.path, &copy);
}
