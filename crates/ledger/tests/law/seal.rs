use custos_core::{
    Act, Actor, Blake3Hash, Descriptor, ErrorKind, EvidenceKind, Role, Rule, Salt, SealedParts,
    Sha256Hash, Timestamp, limits::EVIDENCE_BYTES_MAX,
};
use custos_ledger::{CustodyLeaf, Outcome, Subject};
use sha2::{Digest, Sha256};

use crate::world::{
    World, abort, assert_refused, complete, developer, id, open, other_station, parts, seal,
    station,
};

fn empty_parts() -> SealedParts {
    SealedParts {
        size: 0,
        blake3: Blake3Hash(*blake3::hash(b"").as_bytes()),
        sha256: Sha256Hash(Sha256::digest(b"").into()),
        head_salt: None,
        missing_shards: 0,
    }
}

#[test]
fn sealing_fixes_the_record_and_enters_its_digests_in_the_log() {
    let mut world = World::begun();
    let session = world.open(&station(), 1, complete());
    let sealed_parts = SealedParts { missing_shards: 2, ..parts(123_456) };
    let done = world.act(&station(), seal(1, sealed_parts.clone()));
    let Ok(Outcome::Sealed(record)) = done else { panic!("{done:?}") };
    assert_eq!(record.parts, sealed_parts);
    assert_eq!(record.descriptor, complete());
    assert_eq!(record.actor, station());
    assert_eq!(record.opened_at, session.opened_at);
    assert_eq!(record.sealed_at, world.now);
    assert_eq!(record.retain_until, world.now.plus_days(730));
    assert_eq!(world.evidence(1), Some(*record.clone()));
    assert_eq!(world.upload(1), None);

    let entry = world.last_entry();
    assert_eq!((entry.index, entry.act), (record.seal_index, Act::Sealed));
    assert!(entry.detail.expect("stands").contains("2 shards missing"));
    let leaf = CustodyLeaf::decode(&entry.leaf).expect("canonical");
    let Subject::Sealed(subject) = leaf.subject else { panic!("{leaf:?}") };
    assert_eq!(subject.size, 123_456);
    assert_eq!(subject.blake3, sealed_parts.blake3);
    assert_eq!(subject.sha256, sealed_parts.sha256);
    assert_eq!(subject.retain_until, record.retain_until);
}

#[test]
fn r10_retention_is_by_kind_and_counts_from_sealing_and_is_never_shortened() {
    let mut world = World::begun();
    let photo = world.sealed(&station(), 1, Descriptor::of_kind(EvidenceKind::Photo));
    assert_eq!(photo.retain_until, photo.sealed_at.plus_days(365));
    let audio = world.sealed(&station(), 2, Descriptor::of_kind(EvidenceKind::Audio));
    assert_eq!(audio.retain_until, audio.sealed_at.plus_days(730));

    let session = world.open(&station(), 3, complete());
    world.now = Timestamp::from_millis(0);
    let done = world.act(&station(), seal(3, parts(1)));
    let Ok(Outcome::Sealed(record)) = done else { panic!("{done:?}") };
    assert!(record.retain_until >= session.retain_until);
}

#[test]
fn sealing_again_with_the_same_parts_gives_the_same_record_and_no_entry() {
    let mut world = World::begun();
    let record = world.sealed(&station(), 1, complete());
    let log = world.log();
    let done = world.act(&station(), seal(1, record.parts.clone()));
    assert_eq!(done, Ok(Outcome::Sealed(Box::new(record))));
    assert_eq!(world.log(), log);
}

#[test]
fn i3_sealing_again_with_any_other_part_is_refused_and_on_record() {
    let mut world = World::begun();
    let record = world.sealed(&station(), 1, complete());
    let same = &record.parts;
    let others = [
        SealedParts { size: same.size + 1, ..same.clone() },
        SealedParts { blake3: Blake3Hash([0; 32]), ..same.clone() },
        SealedParts { sha256: Sha256Hash([0; 32]), ..same.clone() },
        SealedParts { head_salt: Some(Salt([0; 16])), ..same.clone() },
        SealedParts { missing_shards: 1, ..same.clone() },
    ];
    for other in others {
        let done = world.act(&station(), seal(1, other));
        assert_refused(done, ErrorKind::Refused, Rule::I3, "parts");
        assert_eq!(world.last_entry().act, Act::Refused);
        assert_eq!(world.evidence(1).as_ref(), Some(&record));
    }
}

#[test]
fn r26_only_the_opener_seals_and_others_attempts_are_on_record() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    for actor in [other_station(), developer(), Actor { role: Role::System, ..station() }] {
        let done = world.act(&actor, seal(1, parts(1)));
        assert_refused(done, ErrorKind::Refused, Rule::R26, "actor");
        let entry = world.last_entry();
        assert_eq!((entry.act, entry.evidence_id), (Act::Refused, Some(id(1))));
        assert!(entry.actor.expect("stands").starts_with(&actor.name));
        assert!(entry.detail.expect("stands").starts_with("seal refused by rule R26: actor"));
    }
    let renewed = Actor { fingerprint: [1; 32], ..station() };
    assert!(world.act(&renewed, seal(1, parts(1))).is_ok());
}

#[test]
fn r6_empty_evidence_has_the_hashes_of_nothing_and_no_head() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let wrong = SealedParts { blake3: Blake3Hash([1; 32]), ..empty_parts() };
    assert_refused(world.act(&station(), seal(1, wrong)), ErrorKind::Invalid, Rule::R6, "blake3");
    let wrong = SealedParts { sha256: Sha256Hash([1; 32]), ..empty_parts() };
    assert_refused(world.act(&station(), seal(1, wrong)), ErrorKind::Invalid, Rule::R6, "sha256");
    let wrong = SealedParts { head_salt: Some(Salt([1; 16])), ..empty_parts() };
    let done = world.act(&station(), seal(1, wrong));
    assert_refused(done, ErrorKind::Invalid, Rule::R6, "head_salt");
    assert!(world.act(&station(), seal(1, empty_parts())).is_ok());
}

#[test]
fn r6_evidence_of_any_size_names_its_head() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let headless = SealedParts { head_salt: None, ..parts(1) };
    let done = world.act(&station(), seal(1, headless));
    assert_refused(done, ErrorKind::Invalid, Rule::R6, "head_salt");
}

#[test]
fn i10_evidence_of_more_than_a_tebibyte_is_refused() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let done = world.act(&station(), seal(1, parts(EVIDENCE_BYTES_MAX + 1)));
    assert_refused(done, ErrorKind::Invalid, Rule::I10, "size");
    assert!(world.upload(1).is_some(), "the upload is still open");
    assert!(world.act(&station(), seal(1, parts(EVIDENCE_BYTES_MAX))).is_ok());
}

#[test]
fn sealing_what_is_not_open_is_refused() {
    let mut world = World::begun();
    let done = world.act(&station(), seal(1, parts(1)));
    assert_refused(done, ErrorKind::NotFound, Rule::R6, "evidence_id");
    world.act(&station(), open(1, complete())).expect("opened");
    world.act(&station(), abort(1)).expect("aborted");
    let done = world.act(&station(), seal(1, parts(1)));
    assert_refused(done, ErrorKind::Refused, Rule::I3, "evidence_id");
}
