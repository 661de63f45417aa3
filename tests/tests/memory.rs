//! Memory does not grow with what is put.

use std::time::Duration;

use custos_tests::{Content, DevCluster, Scratch};

const CLIENTS: usize = 8;
const SIZE: u64 = 1 << 30;
const MEMORY_MAX_BYTES: u64 = 512 << 20;
/// Eight times 1 GiB in 4+2, the source, and room to breathe.
const SPACE_NEEDED_BYTES: u64 = 15 << 30;

#[test]
fn i10_eight_clients_of_one_gib_each_keep_the_server_under_512_mib() {
    let scratch = Scratch::new("memory");
    let stat = rustix::fs::statvfs(scratch.path()).expect("the folder is there");
    let free = stat.f_bavail * stat.f_frsize;
    assert!(free >= SPACE_NEEDED_BYTES, "{free} bytes free, the test needs {SPACE_NEEDED_BYTES}");

    let cluster = DevCluster::start(&scratch);
    let at_rest = cluster.process().memory_peak_bytes();
    let cli = cluster.cli().within(Duration::from_secs(480));
    let file = scratch.source_file("source.bin", Content { seed: 8, size: SIZE });
    let children: Vec<_> = (0..CLIENTS)
        .map(|n| {
            let note = format!("--note=client {n}");
            let args = ["put".as_ref(), "--json".as_ref(), note.as_ref(), file.path.as_os_str()];
            cli.spawn(args)
        })
        .collect();
    let mut ids: Vec<String> = children
        .into_iter()
        .map(|child| child.wait().expect_receipt_of(&file).evidence_id)
        .collect();
    let peak = cluster.process().memory_peak_bytes();
    println!("memory: {} MiB at rest, {} MiB at most", at_rest >> 20, peak >> 20);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), CLIENTS, "each client has evidence of its own");
    assert!(peak < MEMORY_MAX_BYTES, "custosd took {} MiB", peak >> 20);
}
