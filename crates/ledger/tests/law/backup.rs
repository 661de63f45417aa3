//! The ledger is copied, and goes on from a copy.

use custos_core::{Act, ErrorKind, MetaId, MetaMember, MetaMemberState, Rule};
use custos_ledger::{Answer, Command, Outcome, Query, merkle};

use crate::{
    meta_members::{admit, members},
    world::{World, assert_refused, developer, query, station},
};

/// The folder `number` goes on from a backup.
pub(crate) fn restore(number: u8) -> Command {
    Command::RestoreLedger { token: [number; 16], source: "backup 2026-03-01".to_owned() }
}

fn restored(world: &mut World, command: Command) -> MetaMember {
    match world.act(&developer(), command) {
        Ok(Outcome::MetaAdmitted(member)) => member,
        other => panic!("{other:?}"),
    }
}

#[test]
fn i4_a_backup_is_on_record_each_time_with_who_took_it() {
    let mut world = World::begun();
    let Ok(Outcome::BackupRecorded(first)) = world.act(&developer(), Command::RecordBackup) else {
        panic!("recorded");
    };
    let entry = world.last_entry();
    assert_eq!((entry.index, entry.act, entry.evidence_id), (first, Act::ClusterChanged, None));
    assert_eq!(entry.detail.as_deref(), Some("a backup of the ledger is taken"));
    assert!(entry.actor.expect("named").contains(&developer().name));
    let envelope = world.envelope(&developer(), Command::RecordBackup);
    let second = world.apply(&envelope);
    assert!(matches!(second, Ok(Outcome::BackupRecorded(index)) if index > first));
    assert_eq!(world.apply(&envelope), second, "sent twice, it is one backup");
}

#[test]
fn r23_stations_take_no_backup_and_restore_nothing() {
    let mut world = World::begun();
    for command in [Command::RecordBackup, restore(9)] {
        let done = world.act(&station(), command);
        assert_refused(done, ErrorKind::Refused, Rule::R23, "actor");
    }
}

#[test]
fn a_restored_ledger_has_one_metadata_node_under_an_id_that_no_other_had() {
    let mut world = World::begun();
    for number in 1..=3 {
        world.act(&developer(), admit(number)).expect("admitted");
    }
    let member = restored(&mut world, restore(9));
    assert_eq!((member.id, member.name.as_str()), (MetaId(4), "restored-4"));
    let states: Vec<_> = members(&world.kv).iter().map(|it| (it.id.0, it.state)).collect();
    let (gone, here) = (MetaMemberState::Retired, MetaMemberState::Admitted);
    assert_eq!(states, [(1, gone), (2, gone), (3, gone), (4, here)]);
    let detail = world.last_entry().detail.expect("has one");
    assert!(detail.contains("from backup 2026-03-01: metadata node 4 keeps it"), "{detail}");
    assert!(
        detail.ends_with("retired for good: 1 \"meta-1\", 2 \"meta-2\", 3 \"meta-3\""),
        "{detail}"
    );

    assert_eq!(restored(&mut world, restore(9)), member, "once");
    assert_refused(world.act(&developer(), admit(2)), ErrorKind::Refused, Rule::R14, "token");
    // It then says its name and endpoint, which may be those of one that is gone.
    let token = [9; 16];
    let name = "meta-1".to_owned();
    let endpoint = "https://10.0.1.1:7400".to_owned();
    let known = restored(&mut world, Command::AdmitMeta { token, name, endpoint });
    assert_eq!((known.id, known.name.as_str()), (MetaId(4), "meta-1"));
}

#[test]
fn the_node_that_kept_a_ledger_alone_was_node_1_though_it_never_said_so() {
    let mut world = World::begun();
    assert_eq!(restored(&mut world, restore(9)).id, MetaId(2));
    let next = restored(&mut world, restore(8));
    assert_eq!(next.id, MetaId(3));
}

#[test]
fn a_restored_ledger_names_its_backup() {
    let mut world = World::begun();
    let command = Command::RestoreLedger { token: [9; 16], source: String::new() };
    let done = world.act(&developer(), command);
    assert_refused(done, ErrorKind::Invalid, Rule::R26, "reason");
}

#[test]
fn a_tree_that_grows_leaf_by_leaf_has_the_roots_of_the_stored_one() {
    let mut world = World::begun();
    let mut tree = merkle::GrowingTree::default();
    assert_eq!(tree.root(), merkle::empty_root());
    for _ in 0..70 {
        world.act(&developer(), Command::RecordBackup).expect("recorded");
        let log = world.log();
        for entry in log.iter().skip(usize::try_from(tree.size()).expect("small")) {
            tree.push(merkle::leaf_hash(&entry.leaf));
        }
        let Answer::Checkpoint(checkpoint) = query(&world.kv, &Query::Checkpoint) else {
            panic!("a checkpoint");
        };
        assert_eq!((tree.size(), tree.root()), (checkpoint.size, checkpoint.root));
    }
}
