//! A file of 1 GiB comes back byte for byte.

use std::time::Duration;

use custos_tests::{Content, DevCluster, Scratch, assert_same_bytes};

#[test]
fn a_file_of_one_gib_comes_back_byte_for_byte() {
    let scratch = Scratch::new("one-gib");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli().within(Duration::from_secs(240));
    let file = scratch.source_file("source.bin", Content { seed: 1, size: 1 << 30 });
    let receipt = cli.put(&file);
    let copy = scratch.path().join("copy.bin");
    cli.get(&receipt.evidence_id, &copy);
    assert_same_bytes(&file.path, &copy);

    let (first, last) = ((512 << 20) - 1000, (512 << 20) + 70_000);
    let range = cli.get_range(&receipt.evidence_id, first, last);
    assert!(range == file.content.bytes(first..last + 1), "a range in the middle differs");
}
