use custos_core::{Act, InclusionProof, LogIndex};
use custos_ledger::{Answer, ConsistencyProof, CustodyLeaf, Query, merkle};

use crate::world::{
    World, abort, complete, developer, id, law_of, open, query, seal, station, view,
};

/// A log with an entry of every sort.
fn busy_world() -> World {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    world.open(&station(), 2, complete());
    world.act(&station(), abort(2)).expect("aborted");
    world.act(&developer(), view(1, 0, 1000)).expect("recorded");
    world.act(&developer(), view(3, 0, 1)).expect_err("no such evidence");
    world
}

fn inclusion(world: &World, index: u64) -> Option<InclusionProof> {
    match query(&world.kv, &Query::ProveInclusion(LogIndex(index))) {
        Answer::Inclusion(proof) => proof.map(|proof| *proof),
        other => panic!("{other:?}"),
    }
}

fn consistency(world: &World, old: u64) -> Option<ConsistencyProof> {
    match query(&world.kv, &Query::ProveConsistency { old }) {
        Answer::Consistency(proof) => proof,
        other => panic!("{other:?}"),
    }
}

#[test]
fn i4_every_act_is_an_entry_in_order() {
    let acts: Vec<Act> = busy_world().log().iter().map(|entry| entry.act).collect();
    let expected = [
        Act::Genesis,
        Act::UploadOpened,
        Act::Sealed,
        Act::UploadOpened,
        Act::UploadAborted,
        Act::Viewed,
        Act::Refused,
    ];
    assert_eq!(acts, expected);
}

#[test]
fn i4_every_entry_is_proven_under_the_checkpoint() {
    let world = busy_world();
    let checkpoint = world.checkpoint();
    for entry in world.log() {
        let proof = inclusion(&world, entry.index.0).expect("in the log");
        assert_eq!(proof.leaf, entry.leaf);
        assert_eq!(proof.checkpoint, checkpoint);
        let (index, size) = (entry.index.0, checkpoint.size);
        let verified =
            merkle::verify_inclusion(&proof.leaf, index, size, &proof.path, &checkpoint.root);
        assert_eq!(verified, Ok(()));
    }
    assert_eq!(inclusion(&world, checkpoint.size), None);
    assert_eq!(inclusion(&world, u64::MAX), None);
}

#[test]
fn i4_any_two_checkpoints_are_provably_consistent() {
    let mut world = World::begun();
    let mut checkpoints = vec![world.checkpoint()];
    for number in 1..=20 {
        world.sealed(&station(), number, complete());
        checkpoints.push(world.checkpoint());
    }
    let now = world.checkpoint();
    for old in &checkpoints {
        let proof = consistency(&world, old.size).expect("a prefix");
        assert_eq!(proof.checkpoint, now);
        let verified =
            merkle::verify_consistency(old.size, &old.root, now.size, &now.root, &proof.path);
        assert_eq!(verified, Ok(()));
    }
    assert_eq!(consistency(&world, now.size + 1), None);
}

#[test]
fn the_leaf_holds_no_name_place_or_reason() {
    let world = busy_world();
    let private = ["station-7", "dev", "Century", "310115", "BWC", "case review", "camera test"];
    for entry in world.log() {
        let leaf = String::from_utf8_lossy(&entry.leaf);
        for text in private {
            assert!(!leaf.contains(text), "{text} in entry {}", entry.index);
        }
    }
}

#[test]
fn an_entry_stands_when_its_private_part_has_ended() {
    let mut world = busy_world();
    let before = (world.checkpoint(), inclusion(&world, 5), world.log());
    let private_of_5 = [&[0x31][..], &5u64.to_be_bytes()].concat();
    world.kv.remove(&private_of_5).expect("stored under this key");

    let entry = &world.log()[5];
    assert_eq!((entry.act, entry.evidence_id), (Act::Viewed, Some(id(1))));
    assert_eq!((&entry.actor, &entry.detail), (&None, &None));
    assert_eq!(entry.leaf, before.2[5].leaf);
    assert_eq!((world.checkpoint(), inclusion(&world, 5)), (before.0, before.1));
}

#[test]
fn the_commitment_hides_what_is_private_under_a_salt() {
    let commitment = |salt: u8, purpose: &str| {
        let mut world = World::begun();
        world.sealed(&station(), 1, complete());
        let mut command = view(1, 0, 1);
        if let custos_ledger::Command::RecordView { purpose: stated, .. } = &mut command {
            *stated = Some(purpose.to_owned());
        }
        let mut envelope = world.envelope(&developer(), command);
        envelope.entry_salt = [salt; 16];
        world.apply(&envelope).expect("recorded");
        CustodyLeaf::decode(&world.last_entry().leaf).expect("canonical").private_commitment
    };
    assert_eq!(commitment(1, "a"), commitment(1, "a"));
    assert_ne!(commitment(1, "a"), commitment(2, "a"));
    assert_ne!(commitment(1, "a"), commitment(1, "b"));
}

#[test]
fn a_leaf_is_read_back_as_written_and_in_no_other_encoding() {
    for entry in busy_world().log() {
        let leaf = CustodyLeaf::decode(&entry.leaf).expect("canonical");
        assert_eq!(leaf.encode(), entry.leaf);
        assert_eq!((leaf.index, leaf.act, leaf.time), (entry.index, entry.act, entry.time));
        // An unknown field, and the version given twice.
        for extra in [&[0xf8, 0x01, 0x00][..], &[0x08, 0x01]] {
            let padded = [&entry.leaf[..], extra].concat();
            assert!(CustodyLeaf::decode(&padded).is_err());
        }
    }
}

#[test]
fn refused_openings_and_beginnings_enter_nothing() {
    let mut world = World::begun();
    let before = law_of(&world.kv);
    let mut nameless = complete();
    nameless.place = Some(String::new());
    world.act(&station(), open(1, nameless)).expect_err("refused");
    assert_eq!(law_of(&world.kv), before);
    world.act(&station(), seal(1, crate::world::parts(1))).expect_err("refused");
    assert_eq!(world.checkpoint().size, 2, "an attempt on evidence is on record");
}
