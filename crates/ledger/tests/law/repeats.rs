//! Commands that arrive more than once (invariant I6).

use std::collections::BTreeMap;

use custos_core::{
    Act, Actor, Epoch, ErrorKind, FailureDomain, Refusal, Rule, RunId, Timestamp,
    limits::OPEN_UPLOADS_PER_ACTOR_MAX,
};
use custos_ledger::{Command, Envelope, MemoryKv, Outcome, REQUEST_MEMORY_MS, apply};
use data_encoding::HEXLOWER;
use proptest::{collection::vec, prelude::*};

use crate::{
    cluster_world::{
        damage, disk_id, list_damage, map, new_vault, node_id, register_node, shard, with_nodes,
        with_vault,
    },
    meta_members::{admit, members, retire},
    sequences::{asked, beginning},
    world::{
        World, abort, assert_refused, complete, developer, id, open, other_station, parts, seal,
        station, view,
    },
};

/// Asserts that `envelope` is answered as `first` was, and that nothing at all changes.
fn assert_repeats(world: &mut World, envelope: &Envelope, first: &Result<Outcome, Refusal>) {
    let before = world.kv.clone();
    assert_eq!(&world.apply(envelope), first);
    assert_eq!(world.kv, before, "a repeated command stores nothing");
}

/// Keys of the memory of requests.
fn memory(kv: &MemoryKv) -> usize {
    kv.keys().filter(|key| matches!(key[0], 0x42 | 0x43)).count()
}

#[test]
fn i6_a_late_repeat_of_a_registration_does_not_bring_the_old_run_back() {
    let mut world = with_nodes(1);
    let started = |run: u8| match register_node(1) {
        Command::RegisterNode { node_id, name, endpoint, labels, .. } => {
            Command::RegisterNode { node_id, name, endpoint, labels, run: RunId([run; 16]) }
        }
        other => panic!("{other:?}"),
    };
    let old = world.envelope(&developer(), started(0xa));
    let first = world.apply(&old);
    world.act(&developer(), started(0xb)).expect("registered");
    assert_repeats(&mut world, &old, &first);
    let map = map(&world.kv);
    assert_eq!(map.node(node_id(1)).expect("registered").run, RunId([0xb; 16]));
}

#[test]
fn i6_damage_that_was_mended_is_not_reported_again_by_a_late_repeat() {
    let mut world = with_vault();
    let report = Command::ReportDamage { disk_id: disk_id(1), damage: damage(5, 0) };
    let repair = Command::ReportRepair { disk_id: disk_id(1), key: shard(5, 0) };
    let report = world.envelope(&developer(), report);
    let first = world.apply(&report);
    let repair = world.envelope(&developer(), repair);
    let second = world.apply(&repair);
    assert_repeats(&mut world, &report, &first);
    assert_repeats(&mut world, &repair, &second);
    assert!(list_damage(&world.kv).is_empty());
}

#[test]
fn i6_vaults_are_made_once_and_a_repeat_is_told_the_epoch_of_then() {
    let mut world = with_nodes(6);
    let planned_at = map(&world.kv).epoch;
    let vaults = vec![new_vault(FailureDomain::Host, &[1, 2, 3, 4, 5, 6])];
    let create = world.envelope(&developer(), Command::CreateVaults { vaults, planned_at });
    let first = world.apply(&create);
    assert_eq!(first, Ok(Outcome::MapChanged(Epoch(planned_at.0 + 1))));
    world.act(&developer(), register_node(7)).expect("registered");
    assert_repeats(&mut world, &create, &first);
}

#[test]
fn i6_a_metadata_node_is_told_what_it_was_told_first() {
    let mut world = World::begun();
    for command in [admit(1), admit(2), retire(1)] {
        let envelope = world.envelope(&developer(), command);
        let first = world.apply(&envelope);
        assert!(first.is_ok());
        world.act(&developer(), admit(9)).expect("admitted");
        assert_repeats(&mut world, &envelope, &first);
    }
    // A repeat of the admission of a member that was retired since brings nothing back.
    assert_eq!(members(&world.kv).len(), 3);
}

#[test]
fn i6_what_was_refused_stays_refused_to_its_repeats() {
    let mut world = with_nodes(1);
    let taken = match register_node(2) {
        Command::RegisterNode { node_id, endpoint, labels, run, .. } => {
            Command::RegisterNode { node_id, name: "node-1".to_owned(), endpoint, labels, run }
        }
        other => panic!("{other:?}"),
    };
    let envelope = world.envelope(&developer(), taken.clone());
    let first = world.apply(&envelope);
    assert!(first.is_err());
    let renamed = match register_node(1) {
        Command::RegisterNode { node_id, endpoint, labels, run, .. } => {
            Command::RegisterNode { node_id, name: "node-one".to_owned(), endpoint, labels, run }
        }
        other => panic!("{other:?}"),
    };
    world.act(&developer(), renamed).expect("registered");
    assert_repeats(&mut world, &envelope, &first);
    world.act(&developer(), taken).expect("asked anew, it is judged anew");
}

#[test]
fn i6_an_opening_that_was_refused_does_not_open_later() {
    let mut world = World::begun();
    for number in 0..OPEN_UPLOADS_PER_ACTOR_MAX {
        let mut command = open(0, complete());
        if let Command::OpenUpload { upload_key, evidence_id, .. } = &mut command {
            upload_key.0[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
            *evidence_id = custos_core::EvidenceId::from_bytes((number as u128).to_be_bytes());
        }
        world.act(&station(), command).expect("opened");
    }
    let envelope = world.envelope(&station(), open(0xee, complete()));
    let first = world.apply(&envelope);
    assert_refused(first.clone(), ErrorKind::Refused, Rule::I10, "actor");
    world.act(&station(), abort(0)).expect("given up");
    assert_repeats(&mut world, &envelope, &first);
    world.act(&station(), open(0xee, complete())).expect("asked anew, it is judged anew");
}

#[test]
fn i4_a_refused_attempt_that_is_repeated_is_on_record_once() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let attempts = [
        (other_station(), seal(1, parts(1))),
        (other_station(), abort(1)),
        (developer(), view(1, 0, 1)),
        (station(), seal(9, parts(1))),
    ];
    for (actor, command) in attempts {
        let envelope = world.envelope(&actor, command);
        let first = world.apply(&envelope);
        assert!(first.is_err());
        assert_eq!(world.last_entry().act, Act::Refused);
        assert_repeats(&mut world, &envelope, &first);
    }
    // Not even when it would be lawful by now.
    let mut world = World::begun();
    let early = world.envelope(&station(), seal(1, parts(1)));
    let first = world.apply(&early);
    world.open(&station(), 1, complete());
    assert_repeats(&mut world, &early, &first);
    assert!(world.upload(1).is_some());
}

#[test]
fn i6_the_commands_of_an_upload_are_found_by_their_content_and_cost_no_memory() {
    let mut world = World::begun();
    let opening = world.envelope(&station(), open(1, complete()));
    let opened = world.apply(&opening);
    assert_repeats(&mut world, &opening, &opened);
    let sealing = world.envelope(&station(), seal(1, parts(1000)));
    let sealed = world.apply(&sealing);
    assert_repeats(&mut world, &sealing, &sealed);
    // Where the upload is now, for whoever goes on with it.
    let record = world.evidence(1).expect("sealed");
    assert_repeats(&mut world, &opening, &Ok(Outcome::AlreadySealed(Box::new(record))));

    world.open(&station(), 2, complete());
    let giving_up = world.envelope(&station(), abort(2));
    let given_up = world.apply(&giving_up);
    assert_repeats(&mut world, &giving_up, &given_up);
    let opening = world.envelope(&station(), open(2, complete()));
    let refused = world.apply(&opening);
    assert_refused(refused.clone(), ErrorKind::Refused, Rule::I3, "upload_key");
    assert_repeats(&mut world, &opening, &refused);
    assert_eq!(memory(&world.kv), 0);
}

#[test]
fn r26_one_request_id_does_not_cover_two_commands() {
    let mut world = World::begun();
    world.sealed(&developer(), 1, complete());
    let mut envelope = world.envelope(&developer(), register_node(7));
    let first = world.apply(&envelope);
    let others = [
        (developer(), register_node(8)),
        (Actor::system(), register_node(7)),
        (developer(), Command::ReportDamage { disk_id: disk_id(1), damage: damage(1, 0) }),
        (station(), open(2, complete())),
    ];
    for (actor, command) in others {
        let other = Envelope { actor, command, ..envelope.clone() };
        let log = world.log();
        let done = world.apply(&other);
        assert_refused(done, ErrorKind::Invalid, Rule::R26, "request_id");
        assert_eq!(world.log(), log);
    }
    // An attempt on evidence is on record, whatever it is refused for.
    for command in [view(1, 0, 1), seal(1, parts(1000)), abort(1)] {
        let other = Envelope { command, ..envelope.clone() };
        let done = world.apply(&other);
        assert_refused(done, ErrorKind::Invalid, Rule::R26, "request_id");
        assert_eq!(world.last_entry().act, Act::Refused);
    }
    envelope.entry_salt = [0; 16];
    assert_repeats(&mut world, &envelope, &first);
}

#[test]
fn a_repeat_under_a_renewed_certificate_is_a_repeat() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    let mut envelope = world.envelope(&developer(), view(1, 0, 10));
    let first = world.apply(&envelope);
    envelope.actor.fingerprint = [0xcc; 32];
    assert_repeats(&mut world, &envelope, &first);
}

#[test]
fn i10_a_view_is_remembered_for_a_day_of_cluster_time() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    let old = world.envelope(&developer(), view(1, 0, 10));
    let first = world.apply(&old);
    let entered = world.now.as_millis();
    world.now = Timestamp::from_millis(entered + REQUEST_MEMORY_MS - 1);
    let next = world.envelope(&developer(), view(1, 0, 11));
    world.apply(&next).expect("entered");
    assert_repeats(&mut world, &old, &first);
    world.now = Timestamp::from_millis(entered + REQUEST_MEMORY_MS);
    assert_repeats(&mut world, &old, &first);
    // The next one to be remembered lets the old one go.
    world.act(&developer(), view(1, 0, 12)).expect("entered");
    assert_eq!(memory(&world.kv), 4);
    assert_ne!(world.apply(&old), first);
    assert_eq!(world.last_entry().act, Act::Viewed);
}

#[test]
fn a_view_that_an_earlier_version_entered_is_not_entered_again() {
    let golden = include_str!("../golden/state_with_view_retries.txt");
    let pairs = golden.lines().map(|line| {
        let (key, value) = line.split_once(" =").expect("a key and a value");
        let bytes = |text: &str| HEXLOWER.decode(text.trim().as_bytes()).expect("hexadecimal");
        (bytes(key), bytes(value))
    });
    let mut world = World::new();
    world.kv = pairs.collect();
    // As in the commands that left this state: the seventh, with its salt.
    let viewed = Envelope {
        request_id: 7u128.to_be_bytes(),
        actor: developer(),
        entry_salt: [0; 16],
        command: view(1, 0, 65_536),
    };
    let done = world.apply(&viewed).expect("entered before");
    let Outcome::ViewRecorded(index) = done else { panic!("{done:?}") };
    assert_eq!(world.log()[index.0 as usize].act, Act::Viewed);
    assert_repeats(&mut world, &viewed, &Ok(done));
    let other = Envelope { command: view(1, 0, 1), ..viewed };
    assert_refused(world.apply(&other), ErrorKind::Invalid, Rule::R26, "request_id");
    world.act(&developer(), view(1, 0, 65_536)).expect("a new view");
    assert_eq!(world.last_entry().evidence_id, Some(id(1)));
}

/// Commands in the order of their first arrival, each with how much later its repeats arrive.
fn arrivals() -> impl Strategy<Value = Vec<((Actor, Command), Vec<usize>)>> {
    let repeats = || vec(0usize..12, 0..3);
    let more = vec((asked(), repeats()), 1..40);
    (any::<bool>(), vec(repeats(), 4), more).prop_map(|(has_vault, repeats, more)| {
        let mut all: Vec<_> = beginning(has_vault).into_iter().zip(repeats).collect();
        all.extend(more);
        all
    })
}

/// What a repeat may answer. The one exception to "as the first did": an upload that is opened
/// again is answered as it is now.
fn is_lawful_repeat(first: &Result<Outcome, Refusal>, repeat: &Result<Outcome, Refusal>) -> bool {
    match (first, repeat) {
        _ if first == repeat => true,
        (Ok(Outcome::UploadOpen(opened)), Ok(Outcome::AlreadySealed(record))) => {
            opened.evidence_id == record.evidence_id
        }
        (Ok(Outcome::UploadOpen(_)), Err(refusal)) => is_about(refusal, "upload_key"),
        // Neither was opened: the key's own upload answers, as it is now.
        (Err(first), Err(repeat)) => {
            is_about(first, "descriptor") && is_about(repeat, "upload_key")
        }
        _ => false,
    }
}

fn is_about(refusal: &Refusal, field: &str) -> bool {
    (refusal.rule, refusal.field.as_str()) == (Rule::I3, field)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn i6_whatever_arrives_up_to_three_times_is_as_if_it_arrived_once(arrivals in arrivals()) {
        let stamp = |number: usize| Timestamp::from_millis(1_772_352_000_000 + number as i64 * 777);
        let envelopes: Vec<Envelope> = arrivals
            .iter()
            .enumerate()
            .map(|(number, ((actor, command), _))| Envelope {
                request_id: (number as u128).to_be_bytes(),
                actor: actor.clone(),
                entry_salt: (number as u128 + 1).to_be_bytes(),
                command: command.clone(),
            })
            .collect();
        // What arrives after each first arrival.
        let mut late: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, (_, delays)) in arrivals.iter().enumerate() {
            for delay in delays {
                let after = (number + delay).min(envelopes.len() - 1);
                late.entry(after).or_default().push(number);
            }
        }

        let (mut once, mut often) = (MemoryKv::new(), MemoryKv::new());
        let mut firsts = Vec::new();
        for (number, envelope) in envelopes.iter().enumerate() {
            let first = apply(&mut once, envelope, stamp(number));
            prop_assert_eq!(&apply(&mut often, envelope, stamp(number)), &first);
            firsts.push(first);
            for repeated in late.get(&number).into_iter().flatten() {
                let done = apply(&mut often, &envelopes[*repeated], stamp(number));
                let first = &firsts[*repeated];
                prop_assert!(is_lawful_repeat(first, &done), "{first:?}, then {done:?}");
            }
            prop_assert!(once == often, "state and log are as if nothing had been repeated");
        }
    }
}
