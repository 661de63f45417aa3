//! I1 with disks to spare: what fails in the middle of a put goes elsewhere, and is found there.

mod rig;

use std::time::Duration;

use custos_core::{ErasureProfile, ErrorKind, Receipt, Timestamp};
use custos_gateway::{GatewayOptions, upload::Upload};
use custos_ports::{ShardStore, ShardWrite, WritePurpose, fakes::Fault};
use rig::{CHUNK, Rig, footage, hash, options, push_from};

/// Two disks on each of six hosts: disks 0 … 5 are homes, disk i + 6 stands beside disk i.
fn six_hosts() -> Vec<String> {
    (0..12).map(|disk| format!("host {}", disk % 6)).collect()
}

fn fail_hosts(rig: &Rig, hosts: &[usize], fault: Fault) {
    for host in hosts {
        rig.fail(&[*host, host + 6], fault);
    }
}

/// Puts `bytes` and lets `break_something` happen after the first two chunks.
async fn put_through(
    rig: &Rig,
    key: u8,
    bytes: &[u8],
    break_something: impl FnOnce(),
) -> Result<Receipt, custos_gateway::GatewayError> {
    let mut upload = rig.open_new(key).await;
    push_from(&mut upload, &bytes[..2 * CHUNK], 0).await?;
    drain(&mut upload).await?;
    break_something();
    push_from(&mut upload, bytes, 2 * CHUNK).await?;
    upload.finish(bytes.len() as u64, hash(bytes)).await
}

async fn drain(upload: &mut Upload) -> Result<(), custos_gateway::GatewayError> {
    while upload.is_writing() {
        upload.next_durable().await?;
    }
    Ok(())
}

#[tokio::test]
async fn i1_two_of_six_hosts_die_in_mid_put_and_no_put_fails() {
    for fault in [Fault::Offline, Fault::Stuck] {
        let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
        let bytes = footage(5 * CHUNK + 77);
        let receipt = put_through(&rig, 1, &bytes, || fail_hosts(&rig, &[1, 4], fault)).await;
        let receipt = receipt.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let record =
            rig.gateway.evidence(&rig::officer(), receipt.evidence_id).await.expect("sealed");
        // Four chunks and the crown came after; two shards of each are not at home.
        assert_eq!(record.parts.missing_shards, 10, "{fault:?}");
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        assert!(got == bytes, "{fault:?}");
        // New uploads go on beside the dead hosts too.
        rig.put(2, &bytes).await.expect("puts");
    }
}

#[tokio::test]
async fn i1_eight_parallel_puts_go_on_when_two_hosts_die_under_them() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let files: Vec<Vec<u8>> = (1..=8).map(|number| footage(3 * CHUNK + number * 1000)).collect();
    let puts = (0..).zip(&files).map(|(key, bytes)| {
        // The first put takes the hosts away when it is halfway; the others are anywhere.
        let rig = &rig;
        let break_something = move || {
            if key == 0 {
                fail_hosts(rig, &[0, 5], Fault::Offline);
            }
        };
        put_through(rig, key, bytes, break_something)
    });
    let receipts = futures::future::join_all(puts).await;
    for (receipt, bytes) in receipts.into_iter().zip(&files) {
        let receipt = receipt.expect("no put fails");
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        assert!(got == *bytes, "{} bytes came back altered", bytes.len());
    }
}

#[tokio::test]
async fn i1_with_spares_written_the_loss_of_one_more_host_loses_nothing() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let bytes = footage(3 * CHUNK);
    fail_hosts(&rig, &[0, 3], Fault::Offline);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    for third in [1, 2, 4, 5] {
        fail_hosts(&rig, &[third], Fault::Offline);
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await;
        assert!(got.expect("four shards are left") == bytes);
        fail_hosts(&rig, &[third], Fault::None);
    }
}

#[tokio::test]
async fn i1_three_of_six_hosts_down_refuse_writes_clearly_until_one_returns() {
    for fault in [Fault::Offline, Fault::Stuck] {
        let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
        let bytes = footage(4 * CHUNK);
        let refused = put_through(&rig, 1, &bytes, || fail_hosts(&rig, &[0, 2, 5], fault)).await;
        let error = refused.expect_err("three hosts are gone");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        let said = error.to_string();
        let expected = "3 of 6 failure domains (host) of vault 0 in reach, 4 needed";
        assert!(said.contains(expected), "{fault:?}: {said}");

        fail_hosts(&rig, &[2], Fault::None);
        let mut upload = rig.open_new(1).await;
        let from = usize::try_from(upload.durable_offset()).expect("small");
        assert!(from >= 2 * CHUNK, "what was acknowledged is not asked for again");
        push_from(&mut upload, &bytes, from).await.expect("goes on");
        let receipt = upload.finish(bytes.len() as u64, hash(&bytes)).await.expect("seals");
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        assert!(got == bytes, "{fault:?}");
    }
}

#[tokio::test]
async fn a_full_home_sends_its_shards_to_a_spare() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    rig.fail(&[3], Fault::Full);
    let bytes = footage(2 * CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    assert_eq!(rig.stores[9].keys().len(), 3, "beside it, in the same failure domain");
    assert_eq!(rig.metrics.spare_shards.get(), 3);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}

#[tokio::test]
async fn strays_are_found_when_too_few_homes_answer() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    // Only disks fail, not hosts: three shards of each chunk go to the disk beside their home.
    rig.fail(&[0, 1, 5], Fault::Offline);
    let bytes = footage(2 * CHUNK + 5);
    let receipt = rig.put(1, &bytes).await.expect("every host has a disk left");
    rig.fail(&[2], Fault::Offline);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await;
    assert!(got.expect("two homes and three strays") == bytes);
}

/// Puts what one disk holds on another too.
async fn copy_shards(rig: &Rig, from: usize, to: usize) {
    for key in rig.stores[from].keys() {
        let read = rig.stores[from].read(&key, None).await.expect("reads");
        let copy = ShardWrite {
            key,
            retain_until: Timestamp::from_millis(0),
            purpose: WritePurpose::Backfill,
            header: read.header,
            payload: read.payload,
        };
        rig.stores[to].write(copy).await.expect("writes");
    }
}

#[tokio::test]
async fn a_shard_that_is_there_twice_counts_once() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let bytes = footage(2 * CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    // The fourth shard that is needed is on disk 9 alone; every other spare has only copies.
    copy_shards(&rig, 3, 9).await;
    for spare in [6, 7, 8, 10, 11] {
        for home in [0, 1, 2] {
            copy_shards(&rig, home, spare).await;
        }
    }
    rig.fail(&[3, 4, 5], Fault::Offline);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
    // Without it the chunk is out of reach, which is not to be taken for damage.
    rig.fail(&[9], Fault::Offline);
    let error = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect_err("three");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("3 of 4 needed shards"), "{error}");
}

#[tokio::test]
async fn a_copy_elsewhere_stands_in_for_a_home_that_lies() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let bytes = footage(2 * CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    copy_shards(&rig, 1, 8).await;
    rig.fail(&[1], Fault::Lies);
    rig.fail(&[4, 5], Fault::Offline);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}

#[tokio::test]
async fn an_upload_whose_shards_are_all_on_spares_resumes_when_its_homes_are_well_again() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let bytes = footage(3 * CHUNK);
    rig.fail(&[0, 1, 2, 3, 4, 5], Fault::Full);
    let mut upload = rig.open_new(1).await;
    push_from(&mut upload, &bytes[..2 * CHUNK], 0).await.expect("pushes");
    drain(&mut upload).await.expect("durable");
    drop(upload);
    rig.fail(&[0, 1, 2, 3, 4, 5], Fault::None);
    let mut upload = rig.open_new(1).await;
    assert_eq!(upload.durable_offset(), 2 * CHUNK as u64, "nothing is asked for again");
    push_from(&mut upload, &bytes, 2 * CHUNK).await.expect("pushes");
    let receipt = upload.finish(bytes.len() as u64, hash(&bytes)).await.expect("seals");
    let record = rig.gateway.evidence(&rig::officer(), receipt.evidence_id).await.expect("sealed");
    assert!(record.parts.missing_shards >= 12, "{}", record.parts.missing_shards);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}

#[tokio::test]
async fn an_upload_resumes_on_its_strays() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let bytes = footage(4 * CHUNK);
    fail_hosts(&rig, &[2, 3], Fault::Offline);
    let mut upload = rig.open_new(1).await;
    push_from(&mut upload, &bytes[..3 * CHUNK], 0).await.expect("pushes");
    drain(&mut upload).await.expect("durable");
    drop(upload);
    let mut upload = rig.open_new(1).await;
    assert_eq!(upload.durable_offset(), 3 * CHUNK as u64);
    push_from(&mut upload, &bytes, 3 * CHUNK).await.expect("pushes");
    let receipt = upload.finish(bytes.len() as u64, hash(&bytes)).await.expect("seals");
    let record = rig.gateway.evidence(&rig::officer(), receipt.evidence_id).await.expect("sealed");
    assert_eq!(record.parts.missing_shards, 10);
}

#[tokio::test]
async fn after_the_loss_of_two_hosts_a_resume_completes_chunks_and_asks_for_none_again() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let bytes = footage(3 * CHUNK);
    let mut upload = rig.open_new(1).await;
    push_from(&mut upload, &bytes[..2 * CHUNK], 0).await.expect("pushes");
    drain(&mut upload).await.expect("durable");
    drop(upload);
    fail_hosts(&rig, &[0, 4], Fault::Offline);
    let mut upload = rig.open_new(1).await;
    assert_eq!(upload.durable_offset(), 2 * CHUNK as u64, "coded again from what is left");
    push_from(&mut upload, &bytes, 2 * CHUNK).await.expect("pushes");
    let receipt = upload.finish(bytes.len() as u64, hash(&bytes)).await.expect("seals");
    fail_hosts(&rig, &[1], Fault::Offline);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes, "the completed chunks stand the loss of one more host");
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_on_spares_either() {
    let rig = Rig::with_hosts(ErasureProfile::P4_2, &six_hosts());
    let bytes = footage(2 * CHUNK);
    rig.fail(&[1], Fault::Full);
    let mut upload = rig.open_new(1).await;
    push_from(&mut upload, &bytes, 0).await.expect("pushes");
    drain(&mut upload).await.expect("durable");
    assert!(!rig.stores[7].keys().is_empty(), "a spare was used");
    upload.finish(1, hash(&bytes)).await.expect_err("another size");
    while rig.stores.iter().any(|store| !store.keys().is_empty()) {
        tokio::task::yield_now().await;
    }
}

fn probed_after(pause: Duration) -> Rig {
    let profile = ErasureProfile::P4_2;
    let probing = GatewayOptions { probe_after_min: pause, ..options(profile) };
    Rig::with_options(profile, &six_hosts(), probing)
}

#[tokio::test]
async fn a_suspect_store_gets_no_writes_before_its_next_probe() {
    let rig = probed_after(Duration::from_secs(3600));
    rig.fail(&[2], Fault::Offline);
    rig.put(1, &footage(10)).await.expect("puts");
    assert_eq!(rig.metrics.suspect_stores.get(), 1);
    rig.fail(&[2], Fault::None);
    rig.put(2, &footage(20)).await.expect("puts");
    assert!(rig.stores[2].keys().is_empty(), "it is spared though it is well again");
    assert_eq!(rig.stores[8].keys().len(), 2, "the disk beside it takes its shards");
}

#[tokio::test]
async fn a_suspect_store_comes_back_with_the_first_probe_that_goes_well() {
    let rig = probed_after(Duration::from_millis(20));
    rig.fail(&[2], Fault::Stuck);
    rig.put(1, &footage(10)).await.expect("puts");
    assert_eq!(rig.metrics.suspect_stores.get(), 1);
    rig.fail(&[2], Fault::None);
    let mut key = 2;
    while rig.metrics.suspect_stores.get() > 0 {
        rig.put(key, &footage(20)).await.expect("puts");
        key += 1;
    }
    let before = rig.stores[2].keys().len();
    rig.put(key, &footage(30)).await.expect("puts");
    assert_eq!(rig.stores[2].keys().len(), before + 1, "it takes its shards again");
}
