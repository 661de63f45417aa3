use custos_core::{
    Act, Actor, ChunkSize, Descriptor, ErasureProfile, ErrorKind, EvidenceId, EvidenceKind, Rule,
    Timestamp, UploadKey, VaultId,
    law::{SetStation, Station},
    limits::OPEN_UPLOADS_PER_ACTOR_MAX,
};
use custos_ledger::{Command, IncompleteDescriptor, Outcome, Policy};

use crate::world::{
    START_MS, World, abort, assert_refused, complete, id, law_of, open, other_station, parts,
    policy, seal, station,
};

#[test]
fn a_new_upload_is_kept_as_asked_and_entered_in_the_log() {
    let mut world = World::begun();
    let session = world.open(&station(), 1, complete());
    assert_eq!(session.evidence_id, id(1));
    assert_eq!(session.actor, station());
    assert_eq!(session.descriptor, complete());
    assert_eq!(session.profile, ErasureProfile::P4_2);
    assert_eq!(session.chunk_size, ChunkSize::DEFAULT);
    assert_eq!(session.vault, VaultId(3));
    assert_eq!(session.opened_at, world.now);
    assert_eq!(session.retain_until, world.now.plus_days(730));
    assert_eq!(world.upload(1), Some(session));
    assert_eq!(world.evidence(1), None);

    let entry = world.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::UploadOpened, Some(id(1))));
    assert_eq!(entry.actor.as_deref(), Some("station-7 (station)"));
}

#[test]
fn the_same_key_finds_the_upload_again_whatever_id_and_layout_are_proposed() {
    let mut world = World::begun();
    let session = world.open(&station(), 1, complete());
    let before = world.log();
    let again = Command::OpenUpload {
        upload_key: UploadKey([1; 32]),
        evidence_id: id(99),
        descriptor: complete(),
        profile: ErasureProfile::P2_1,
        chunk_size: ChunkSize::MAX,
        vault: VaultId(9),
        wrapped_key: vec![1],
    };
    let renewed = Actor { fingerprint: [0xee; 32], ..station() };
    let done = world.act(&renewed, again);
    assert_eq!(done, Ok(Outcome::UploadOpen(Box::new(session))));
    assert_eq!(world.log(), before);
    assert_eq!(world.upload(99), None);
}

#[test]
fn the_key_of_sealed_evidence_gives_its_record() {
    let mut world = World::begun();
    let record = world.sealed(&station(), 1, complete());
    let before = world.log();
    let done = world.act(&station(), open(1, complete()));
    assert_eq!(done, Ok(Outcome::AlreadySealed(Box::new(record))));
    assert_eq!(world.log(), before);
}

#[test]
fn r26_the_key_of_another_actor_is_refused_in_every_state() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let steal = |world: &mut World| {
        let done = world.act(&other_station(), open(1, complete()));
        assert_refused(done, ErrorKind::Refused, Rule::R26, "actor");
    };
    steal(&mut world);
    world.act(&station(), seal(1, parts(1))).expect("sealed");
    steal(&mut world);
    let same_name = Actor { role: custos_core::Role::Developer, ..station() };
    let done = world.act(&same_name, open(1, complete()));
    assert_refused(done, ErrorKind::Refused, Rule::R26, "actor");
}

#[test]
fn i3_another_descriptor_under_one_key_is_refused() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let other = Descriptor { place: Some("elsewhere".to_owned()), ..complete() };
    let done = world.act(&station(), open(1, other.clone()));
    assert_refused(done, ErrorKind::Refused, Rule::I3, "descriptor");
    world.act(&station(), seal(1, parts(1))).expect("sealed");
    let done = world.act(&station(), open(1, other));
    assert_refused(done, ErrorKind::Refused, Rule::I3, "descriptor");
}

#[test]
fn i3_neither_the_key_nor_the_id_of_an_upload_is_used_again() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    world.act(&station(), abort(1)).expect("aborted");
    let done = world.act(&station(), open(1, complete()));
    let refusal = assert_refused(done, ErrorKind::Refused, Rule::I3, "upload_key");
    assert!(refusal.reason.contains("given up"), "{refusal}");

    world.open(&station(), 2, complete());
    world.sealed(&station(), 3, complete());
    for taken in [1, 2, 3] {
        let Command::OpenUpload { descriptor, profile, chunk_size, vault, wrapped_key, .. } =
            open(9, complete())
        else {
            unreachable!("open makes an OpenUpload");
        };
        let command = Command::OpenUpload {
            upload_key: UploadKey([9; 32]),
            evidence_id: id(taken),
            descriptor,
            profile,
            chunk_size,
            vault,
            wrapped_key,
        };
        let done = world.act(&station(), command);
        assert_refused(done, ErrorKind::Refused, Rule::I3, "evidence_id");
    }
}

#[test]
fn r4_missing_fields_are_refused_by_name_if_the_policy_says_so() {
    let strict = Policy { incomplete_descriptor: IncompleteDescriptor::Refuse, ..policy() };
    let mut world = World::begun_under(strict);
    let before = law_of(&world.kv);
    let lacking = Descriptor { recorder: None, case: None, ..complete() };
    let done = world.act(&station(), open(1, lacking));
    let refusal = assert_refused(done, ErrorKind::Refused, Rule::R4, "recorder");
    assert!(refusal.reason.contains("recorder, case"), "{refusal}");
    assert_eq!(law_of(&world.kv), before, "nothing of a refused upload is stored");
    world.open(&station(), 1, complete());
}

#[test]
fn r4_missing_fields_are_accepted_and_noted_if_the_policy_says_so() {
    let mut world = World::begun();
    world.open(&station(), 1, Descriptor { recorder: None, ..complete() });
    let detail = world.last_entry().detail.expect("the private part stands");
    assert!(detail.contains("lacks recorder"), "{detail}");
}

#[test]
fn r3_a_capture_time_in_the_future_is_kept_as_a_claim() {
    let mut world = World::begun();
    let claim = Some(Timestamp::from_millis(START_MS * 2));
    let session = world.open(&station(), 1, Descriptor { captured_at: claim, ..complete() });
    assert_eq!(session.descriptor.captured_at, claim);
    assert_eq!(session.opened_at, world.now);
}

#[test]
fn i10_values_past_their_limits_are_refused_by_name() {
    let mut world = World::begun();
    let long = Descriptor { place: Some("x".repeat(257)), ..complete() };
    let done = world.act(&station(), open(1, long));
    assert_refused(done, ErrorKind::Invalid, Rule::I10, "place");
    let with_key = |bytes: usize| {
        let mut command = open(1, complete());
        if let Command::OpenUpload { wrapped_key, .. } = &mut command {
            *wrapped_key = vec![0; bytes];
        }
        command
    };
    let done = world.act(&station(), with_key(257));
    assert_refused(done, ErrorKind::Invalid, Rule::I10, "wrapped_key");
    let done = world.act(&station(), with_key(0));
    assert_refused(done, ErrorKind::Invalid, Rule::R10, "wrapped_key");
    assert!(world.act(&station(), with_key(256)).is_ok());
}

#[test]
fn i10_an_actor_has_only_so_many_uploads_open() {
    let mut world = World::begun();
    let numbered = |number: usize| {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        Command::OpenUpload {
            upload_key: UploadKey(name),
            evidence_id: EvidenceId::from_slice(&name[..16]).expect("16 bytes"),
            descriptor: Descriptor::of_kind(EvidenceKind::Photo),
            profile: ErasureProfile::P4_2,
            chunk_size: ChunkSize::DEFAULT,
            vault: VaultId(0),
            wrapped_key: vec![1],
        }
    };
    for number in 0..OPEN_UPLOADS_PER_ACTOR_MAX {
        world.act(&station(), numbered(number)).expect("opened");
    }
    let one_more = numbered(OPEN_UPLOADS_PER_ACTOR_MAX);
    let done = world.act(&station(), one_more.clone());
    assert_refused(done, ErrorKind::Refused, Rule::I10, "actor");
    // Found again, and another actor's, they do not count.
    assert!(world.act(&station(), numbered(0)).is_ok());
    world.open(&other_station(), 0xff, complete());
    // One given up makes room for one, one sealed for another.
    let Command::OpenUpload { evidence_id, .. } = numbered(5) else {
        unreachable!("numbered makes an OpenUpload");
    };
    let give_up = Command::AbortUpload { evidence_id, reason: String::new() };
    world.act(&station(), give_up.clone()).expect("aborted");
    world.act(&station(), give_up).expect("aborted already");
    world.act(&station(), one_more).expect("opened");
    let last = numbered(OPEN_UPLOADS_PER_ACTOR_MAX + 1);
    let done = world.act(&station(), last.clone());
    assert_refused(done, ErrorKind::Refused, Rule::I10, "actor");
    let Command::OpenUpload { evidence_id, .. } = numbered(6) else {
        unreachable!("numbered makes an OpenUpload");
    };
    let sealed = Command::Seal { evidence_id, parts: parts(1) };
    world.act(&station(), sealed.clone()).expect("sealed");
    world.act(&station(), sealed).expect("sealed already");
    world.act(&station(), last).expect("opened");
    let done = world.act(&station(), numbered(OPEN_UPLOADS_PER_ACTOR_MAX + 2));
    assert_refused(done, ErrorKind::Refused, Rule::I10, "actor");
}

#[test]
fn i1_who_may_open_no_upload_any_more_goes_on_with_those_that_are_open() {
    let mut agency = crate::agency::Agency::new();
    let first = open(1, complete());
    let opened = agency.act(&station(), first.clone()).expect("opened");
    let idle = Station { active: false, ..crate::agency::station_of("market") };
    agency.done(&crate::agency::administrator(), SetStation { station: idle });
    assert_eq!(agency.act(&station(), first.clone()), Ok(opened));
    let new = agency.act(&station(), open(2, complete()));
    assert_refused(new, ErrorKind::Refused, Rule::R26, "actor");
    agency.act(&station(), seal(1, parts(1000))).expect("sealed");
    let again = agency.act(&station(), first);
    assert!(matches!(again, Ok(Outcome::AlreadySealed(_))), "{again:?}");
}
