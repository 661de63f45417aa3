//! What a read finds wrong is put on record and put right; and reads stay within their means.

mod rig;

use custos_core::{
    Act, Actor, ChunkIndex, DiskId, ErasureProfile, LogIndex, Salt, ShardDamage, ShardKey,
    ShardSlot, limits::PAGE_ITEMS_MAX,
};
use custos_ledger::{Answer, Command, Envelope, Query};
use custos_ports::{Cluster, Ledger, RemovalOrder, RemovalReason, ShardStore, fakes::Fault};
use rig::{CHUNK, Rig, footage};

async fn damage_on_record(rig: &Rig) -> Vec<DiskId> {
    let query = Query::ListDamage { after: None, limit: 0, evidence_id: None };
    match rig.ledger.query(query).await.expect("answers") {
        Answer::Damage { items, .. } => items.into_iter().map(|item| item.disk_id).collect(),
        other => panic!("{other:?}"),
    }
}

/// Reports a shard as a scrub does.
async fn report(rig: &Rig, disk_id: DiskId, key: ShardKey) {
    let damage = ShardDamage { key, what: "checksum of block 0".to_owned() };
    let envelope = Envelope {
        request_id: *blake3::hash(format!("{key:?}").as_bytes())
            .as_bytes()
            .first_chunk()
            .expect("32"),
        actor: Actor::system(),
        entry_salt: [9; 16],
        command: Command::ReportDamage { disk_id, damage },
    };
    rig.ledger.submit(envelope).await.expect("goes on record");
}

#[tokio::test]
async fn i9_a_read_mends_parity_shards_that_are_on_record_as_damaged() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(2 * CHUNK + 5);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    let other = rig.put(2, &footage(CHUNK)).await.expect("puts");
    let disk = rig.cluster.map().disks[5].disk_id;
    let spoilt = rig.stores[5].keys();
    for key in &spoilt {
        rig.stores[5].damage(*key);
        report(&rig, disk, *key).await;
    }
    rig.get(receipt.evidence_id, receipt.blake3, 0, Some(1)).await.expect("gets");
    let (mine, others): (Vec<ShardKey>, Vec<ShardKey>) =
        spoilt.iter().partition(|key| key.evidence_id == receipt.evidence_id);
    assert_eq!((mine.len(), others.len()), (4, 1), "three chunks and the crown; one chunk");
    while rig.metrics.repaired_shards.get() < mine.len() as u64 {
        tokio::task::yield_now().await;
    }
    for key in &mine {
        rig.stores[5].verify(key).await.expect("healed, though only the first byte was read");
    }
    assert_eq!(damage_on_record(&rig).await.len(), 1, "of the other evidence");
    rig.get(other.evidence_id, other.blake3, 0, None).await.expect("gets");
    while !damage_on_record(&rig).await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn i9_a_read_heals_a_corrupt_shard_and_both_are_on_record() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(2 * CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    // Of the crown, a reader needs no more than the first shard.
    let mut spoilt = rig.stores[1].keys();
    spoilt.retain(|key| key.chunk != ChunkIndex::CROWN);
    for key in &spoilt {
        rig.stores[1].damage(*key);
    }
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
    while rig.metrics.repaired_shards.get() < spoilt.len() as u64 {
        tokio::task::yield_now().await;
    }
    for key in &spoilt {
        rig.stores[1].verify(key).await.expect("healed");
    }
    assert!(damage_on_record(&rig).await.is_empty(), "the repair is on record");
    let entries = Query::Entries {
        from: LogIndex(0),
        limit: 0,
        evidence_id: Some(receipt.evidence_id),
        record: None,
    };
    let Answer::Entries { items, .. } = rig.ledger.query(entries).await.expect("answers") else {
        panic!("entries were asked for");
    };
    let count = |act| items.iter().filter(|entry| entry.act == act).count();
    assert_eq!(count(Act::DamageFound), spoilt.len());
    assert_eq!(count(Act::DamageRepaired), spoilt.len());
}

#[tokio::test]
async fn i9_a_read_brings_a_missing_shard_home() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let bytes = footage(3 * CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    let lost = rig.stores[0].keys();
    let order = RemovalOrder { reason: RemovalReason::Moved, ledger_index: LogIndex(0) };
    rig.stores[0].remove(&lost, order).await.expect("lost");
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
    while rig.stores[0].keys() != lost {
        tokio::task::yield_now().await;
    }
    // The other disks may go now, one at a time: what was lost is as good as the others.
    rig.fail(&[1], Fault::Offline);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}

#[tokio::test]
async fn i9_a_shard_of_evidence_that_was_sealed_with_others_missing_leaves_the_record_too() {
    let rig = Rig::new(ErasureProfile::P4_2);
    rig.fail(&[5], Fault::Offline);
    let receipt = rig.put(1, &footage(CHUNK)).await.expect("puts");
    let lost = rig.stores[1].keys();
    let order = RemovalOrder { reason: RemovalReason::Moved, ledger_index: LogIndex(0) };
    rig.stores[1].remove(&lost, order).await.expect("lost");
    let is_home = |key: &&ShardKey| key.slot == ShardSlot(1);
    let missing = *lost.iter().find(is_home).expect("slot 1");
    let [first, second] = [0, 1].map(|disk: usize| rig.cluster.map().disks[disk].disk_id);
    // So many before it that only a read that needs the shard comes upon it.
    for number in 0..PAGE_ITEMS_MAX {
        let salt = Salt(*blake3::hash(&number.to_be_bytes()).as_bytes().first_chunk().expect("32"));
        report(&rig, first, ShardKey { salt, ..missing }).await;
    }
    report(&rig, second, missing).await;
    while rig.metrics.repaired_shards.get() == 0 {
        rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        tokio::task::yield_now().await;
    }
    rig.stores[1].verify(&missing).await.expect("is home");
    let query = Query::ListDamage {
        after: Some((second, ShardKey { slot: ShardSlot(0), ..missing })),
        limit: 0,
        evidence_id: None,
    };
    let Ok(Answer::Damage { items, total, .. }) = rig.ledger.query(query).await else {
        panic!("damage was asked for");
    };
    assert_eq!((items.len(), total), (0, PAGE_ITEMS_MAX as u64), "it is off the record");
}

#[tokio::test]
async fn i3_a_repair_makes_nothing_of_shards_that_lie() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    let spoilt = rig.stores[0].keys();
    rig.stores[0].damage(spoilt[0]);
    rig.fail(&[4], Fault::Lies);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
    while rig.metrics.repaired_shards.get() == 0 {
        tokio::task::yield_now().await;
    }
    // The liar's neighbours and what was healed give the right bytes without the others.
    rig.fail(&[4, 5], Fault::Offline);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}

#[tokio::test]
async fn i10_hedges_stay_within_their_budget_however_slow_a_store_is() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(10);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    rig.fail(&[0], Fault::Stuck);
    let reads = 40;
    for _ in 0..reads {
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        assert!(got == bytes);
    }
    let hedged = rig.metrics.hedged_reads.get();
    assert!(hedged <= 16 + reads / 10, "{hedged} of {reads} reads were hedged");
}

#[tokio::test]
async fn a_vault_that_the_map_at_hand_does_not_know_yet_is_found_in_the_ledger() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let receipt = rig.put(1, &footage(10)).await.expect("puts");
    let mut map = (*rig.cluster.map()).clone();
    map.vaults.clear();
    rig.cluster.set_map(map.clone());
    rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("read anew");
    rig.cluster.set_map(map);
    rig.cluster.lag(usize::MAX);
    let error = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect_err("unknown");
    assert!(error.to_string().contains("vault 0"), "{error}");
}
