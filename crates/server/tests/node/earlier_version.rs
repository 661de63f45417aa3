//! A folder of version 0.1.0, whose disks were a vault by their order in `custosd.json`.

use std::{fs, path::Path, sync::Arc};

use custos_core::{Actor, ClusterMap, DiskId, Epoch, ErasureProfile, VaultId};
use custos_ledger::{
    Answer, Command, Envelope, IncompleteDescriptor, Policy, Query, RETENTION_DAYS_MIN,
};
use custos_metastore::{MetaStore, Options};
use custos_ports::Ledger;
use custos_server::{
    SystemClock, SystemEntropy,
    keys::{Kek, KekId},
};
use custos_shardstore::{LocalDisk, OpenMode};

use crate::node::{Node, custosd, dev_arguments, refused};

const ORIGIN: &str = "custos.dev/4168a606";
const KEY_ID: KekId = KekId([0xab; 8]);

/// Of the disk in each slot; not in the order of their numbers.
fn slots() -> [DiskId; 3] {
    [DiskId([9; 16]), DiskId([3; 16]), DiskId([6; 16])]
}

async fn ledger(data: &Path) -> custos_metastore::MetaStoreHandle {
    let options = Options::new(data.join("meta"), Arc::new(SystemClock));
    MetaStore::open(options).await.expect("opens")
}

/// Makes what the earlier version would have left behind.
async fn make_folder(data: &Path) {
    fs::create_dir_all(data.join("keys")).expect("mkdir");
    fs::create_dir_all(data.join("disks")).expect("mkdir");
    Kek::create(&data.join("keys/kek"), KEY_ID, &SystemEntropy).expect("made");
    for (slot, id) in slots().into_iter().enumerate() {
        let dir = data.join(format!("disks/{slot}"));
        let options =
            custos_shardstore::Options::new(&dir, format!("disk {slot}"), OpenMode::Create { id });
        LocalDisk::open(options).expect("made").close().await;
        let identity =
            format!("{{\"disk_id\": \"{id}\", \"format\": \"custos-disk\", \"version\": 1}}\n");
        fs::write(dir.join("disk.json"), identity).expect("write");
    }
    let ledger = ledger(data).await;
    let policy = Policy {
        incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
        retention_days_av: RETENTION_DAYS_MIN,
        retention_days_other: RETENTION_DAYS_MIN,
    };
    let command = Command::InitCluster { origin: ORIGIN.to_owned(), policy };
    let envelope =
        Envelope { request_id: [1; 16], actor: Actor::system(), entry_salt: [2; 16], command };
    ledger.submit(envelope).await.expect("begun");
    ledger.shutdown().await;
    let disks = slots().map(|id| format!("\"{id}\"")).join(", ");
    let manifest = format!(
        "{{\"format_version\": 1, \"origin\": \"{ORIGIN}\", \"profile\": \"2+1\", \
         \"key_id\": \"{KEY_ID}\", \"disks\": [{disks}]}}\n"
    );
    fs::write(data.join("custosd.json"), manifest).expect("write");
}

async fn map(data: &Path) -> ClusterMap {
    let ledger = ledger(data).await;
    let answer = ledger.query(Query::ClusterMap { newer_than: Epoch(0) }).await.expect("answers");
    ledger.shutdown().await;
    match answer {
        Answer::ClusterMap(map) => map.map_or_else(ClusterMap::default, |map| *map),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disks_of_an_earlier_version_become_vault_0_in_their_order() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    make_folder(&data).await;
    for start in 0..2 {
        let mut node = Node::dev(&data);
        node.ready();
        assert!(node.terminate().success(), "{}", node.log());
        assert!(!node.log().contains("out of service"), "{}", node.log());
        let manifest = fs::read_to_string(data.join("custosd.json")).expect("read");
        assert!(manifest.contains("\"format_version\": 2"), "start {start}: {manifest}");
        assert!(manifest.contains(ORIGIN) && manifest.contains(&KEY_ID.to_string()), "{manifest}");
        let map = map(&data).await;
        assert_eq!(map.vaults.len(), 1, "start {start}");
        let vault = map.vault(VaultId(0)).expect("the first");
        assert_eq!((vault.profile, &vault.slots[..]), (ErasureProfile::P2_1, &slots()[..]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_disk_of_an_earlier_version_is_named_and_not_made_anew() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    make_folder(&data).await;
    fs::rename(data.join("disks/1"), dir.path().join("away")).expect("renamed");
    let manifest = fs::read_to_string(data.join("custosd.json")).expect("read");
    let (code, message) = refused(custosd(dev_arguments(&data)));
    assert_eq!(code, 6, "{message}");
    let missing = format!("disk {} (slot 1) is not in service", slots()[1]);
    assert!(message.contains(&missing), "{message}");
    assert!(!data.join("disks/1").exists());
    assert_eq!(fs::read_to_string(data.join("custosd.json")).expect("read"), manifest);
    fs::rename(dir.path().join("away"), data.join("disks/1")).expect("renamed");
    Node::dev(&data).ready();
    assert_eq!(map_slots(&data).await, slots());
}

/// Of the vault, once the node that was started is gone.
async fn map_slots(data: &Path) -> Vec<DiskId> {
    map(data).await.vaults.remove(0).slots
}
