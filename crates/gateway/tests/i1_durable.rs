//! I1: nothing is acknowledged before enough distinct stores have it, and an upload goes on from
//! what they show.

mod rig;

use custos_core::{ErasureProfile, ErrorKind};
use custos_gateway::upload::Opened;
use custos_ports::fakes::Fault;
use rig::{CHUNK, Rig, footage, hash, push_from};

#[tokio::test]
async fn i1_one_missing_store_is_put_on_record_and_two_refuse_the_put() {
    for fault in [Fault::Offline, Fault::Full, Fault::Stuck] {
        let rig = Rig::new(ErasureProfile::P4_2);
        let bytes = footage(2 * CHUNK);
        rig.fail(&[3], fault);
        let receipt = rig.put(1, &bytes).await.expect("the quorum of five stands");
        let record =
            rig.gateway.evidence(&rig::officer(), receipt.evidence_id).await.expect("sealed");
        // Two chunks and the crown, one shard of each.
        assert_eq!(record.parts.missing_shards, 3, "{fault:?}");
        rig.fail(&[3, 4], fault);
        let error = rig.put(2, &bytes).await.expect_err("four are too few");
        let expected =
            if fault == Fault::Full { ErrorKind::Exhausted } else { ErrorKind::Unavailable };
        assert_eq!(error.kind(), expected, "{fault:?}: {error}");
        rig.fail(&[3, 4], Fault::None);
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        assert!(got == bytes);
    }
}

#[tokio::test]
async fn i1_an_upload_goes_on_from_its_durable_offset_after_a_break() {
    let rig = Rig::new(ErasureProfile::P4_2);
    for (key, size) in [(1, 3 * CHUNK + 100), (2, CHUNK), (3, CHUNK + 1), (4, 5 * CHUNK)] {
        let bytes = footage(size);
        let mut upload = rig.open_new(key).await;
        let sent = size - size / 4;
        push_from(&mut upload, &bytes[..sent], 0).await.expect("pushes");
        while upload.is_writing() {
            upload.next_durable().await.expect("durable");
        }
        let durable = upload.durable_offset();
        drop(upload);

        let mut upload = rig.open_new(key).await;
        assert_eq!(upload.durable_offset(), durable, "nothing acknowledged is asked for again");
        assert_eq!(durable, (sent / CHUNK * CHUNK) as u64);
        let from = usize::try_from(durable).expect("small");
        push_from(&mut upload, &bytes, from).await.expect("pushes");
        let receipt = upload.finish(size as u64, hash(&bytes)).await.expect("seals");
        assert_eq!(receipt.blake3, hash(&bytes));
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        assert!(got == bytes, "{size}");
    }
}

#[tokio::test]
async fn i1_resumed_evidence_of_one_full_chunk_is_sealed_with_its_plain_hash() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(CHUNK);
    let mut upload = rig.open_new(1).await;
    push_from(&mut upload, &bytes, 0).await.expect("pushes");
    upload.next_durable().await.expect("durable");
    drop(upload);
    let upload = rig.open_new(1).await;
    assert_eq!(upload.durable_offset(), CHUNK as u64);
    let receipt = upload.finish(CHUNK as u64, hash(&bytes)).await.expect("seals");
    assert_eq!(receipt.blake3, hash(&bytes));
}

#[tokio::test]
async fn i10_a_store_that_hangs_holds_up_neither_uploads_nor_reads() {
    let rig = Rig::new(ErasureProfile::P4_2);
    // More chunks than the gateway has buffers: a store that hangs keeps those it was given.
    let bytes = footage(40 * CHUNK);
    rig.fail(&[2], Fault::Stuck);
    let receipt = rig.put(1, &bytes).await.expect("five stores are enough");
    let record = rig.gateway.evidence(&rig::officer(), receipt.evidence_id).await.expect("sealed");
    assert_eq!(record.parts.missing_shards, 41, "one of each chunk and of the crown");
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}

#[tokio::test]
async fn i1_an_upload_resumes_beside_a_store_that_hangs_and_keeps_what_is_missing_on_record() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(3 * CHUNK);
    rig.fail(&[1], Fault::Offline);
    let mut upload = rig.open_new(1).await;
    push_from(&mut upload, &bytes[..2 * CHUNK], 0).await.expect("pushes");
    while upload.is_writing() {
        upload.next_durable().await.expect("durable");
    }
    drop(upload);
    rig.fail(&[1], Fault::Stuck);
    let mut upload = rig.open_new(1).await;
    assert_eq!(upload.durable_offset(), 2 * CHUNK as u64);
    rig.fail(&[1], Fault::None);
    push_from(&mut upload, &bytes, 2 * CHUNK).await.expect("pushes");
    let receipt = upload.finish(bytes.len() as u64, hash(&bytes)).await.expect("seals");
    let record = rig.gateway.evidence(&rig::officer(), receipt.evidence_id).await.expect("sealed");
    assert_eq!(record.parts.missing_shards, 2, "those of the chunks before the break");
}

#[tokio::test]
async fn a_sealed_upload_answers_its_key_with_the_first_receipt() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let first = rig.put(1, &footage(1000)).await.expect("puts");
    assert!(!first.already_sealed);
    match rig.open(1).await.expect("opens") {
        Opened::Sealed(again) => {
            assert!(again.already_sealed);
            assert_eq!(again.evidence_id, first.evidence_id);
        }
        Opened::Upload(_) => panic!("must not be open again"),
    }
}

#[tokio::test]
async fn r6_other_bytes_than_the_client_read_are_not_kept() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(2 * CHUNK + 1);
    for (key, size, claimed) in
        [(1, bytes.len() as u64 + 1, hash(&bytes)), (2, bytes.len() as u64, hash(b"x"))]
    {
        let mut upload = rig.open_new(key).await;
        push_from(&mut upload, &bytes, 0).await.expect("pushes");
        let error = upload.finish(size, claimed).await.expect_err("mismatch");
        assert_eq!(error.kind(), ErrorKind::Integrity);
        // Nothing of it stays on the stores; the removal runs beside us.
        while rig.stores.iter().any(|store| !store.keys().is_empty()) {
            tokio::task::yield_now().await;
        }
        assert!(rig.open(key).await.is_err(), "the upload is given up for good");
    }
}

#[tokio::test]
async fn shards_of_attempts_that_the_seal_does_not_name_are_removed() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(CHUNK + 10);
    // Five stores take the first attempt at the last, short chunk; then the connection breaks
    // before the seal, and the resumed upload writes that chunk again.
    let mut upload = rig.open_new(1).await;
    push_from(&mut upload, &bytes, 0).await.expect("pushes");
    rig.fail(&[0, 1], Fault::Offline);
    upload.finish(bytes.len() as u64, hash(&bytes)).await.expect_err("too few stores");
    rig.fail(&[0, 1], Fault::None);
    let stale: Vec<_> = rig.stores[5].keys();
    assert!(stale.len() >= 2, "the first attempt is on the store");

    let mut upload = rig.open_new(1).await;
    let from = usize::try_from(upload.durable_offset()).expect("small");
    push_from(&mut upload, &bytes, from).await.expect("pushes");
    let receipt = upload.finish(bytes.len() as u64, hash(&bytes)).await.expect("seals");
    // Two chunks and a crown stay; the removal runs beside us and yields to nobody else.
    while rig.stores.iter().any(|store| store.keys().len() != 3) {
        tokio::task::yield_now().await;
    }
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}

#[tokio::test]
async fn bytes_that_do_not_continue_are_refused_by_offset() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let mut upload = rig.open_new(1).await;
    upload.push(0, b"abc").await.expect("pushes");
    let error = upload.push(7, b"def").await.expect_err("a gap");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("offset"), "{error}");
    assert!(upload.push(3, b"").await.is_err(), "nothing at all");
}

#[tokio::test]
async fn a_profile_that_no_vault_has_is_refused_with_what_to_do() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let open = custos_gateway::upload::OpenUpload {
        upload_key: custos_core::UploadKey([1; 32]),
        descriptor: custos_core::Descriptor::of_kind(custos_core::EvidenceKind::Video),
        profile: Some(ErasureProfile::P8_3),
    };
    let error = rig.gateway.open_upload(&rig::officer(), open).await.err().expect("refused");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("custos cluster vaults create --profile 8+3"), "{error}");
}
