//! The bytes of the law: one command, record, index key and custody leaf of each sort.

use std::{collections::BTreeSet, fmt::Write};

use custos_core::{
    Actor, Descriptor, EvidenceKind, Role, Stage, Timestamp,
    law::{
        ActType, AddNote, AddRelation, ApplyForGrant, ApproveDisposition, ArchiveCase, ByteSpan,
        Classification, ClassifyCase, ClassifyEvidence, CloseCase, ConfirmClock, CorrectDescriptor,
        DecideGrant, EvidenceFilter, ExtendRetention, FileEvidence, GrantScope, HoldReason,
        MoveCase, OpenCase, OrderDisposition, OutsideParty, Party, Person, PlaceHold,
        ProposeDisposition, RecordDisposal, Recorder, RegisterCopy, RelationKind, ReleaseHold,
        ReopenCase, ReportRefusal, RevokeGrant, SetPerson, SetPolicy, SetRecorder, SetStation,
        SetUnit, Station, StopDisposition, Unit, UpdateCase,
    },
};
use custos_ledger::{Command, Envelope, Outcome};
use data_encoding::HEXLOWER;

use crate::{
    agency::law,
    golden::check,
    world::{START_MS, World, complete, developer, id, open, parts, seal, station},
};

const DAY_MS: i64 = 86_400_000;

fn auditor() -> Actor {
    Actor { name: "he.ping".to_owned(), role: Role::Auditor, fingerprint: [3; 32] }
}

fn head() -> Actor {
    Actor { name: "wang.wei".to_owned(), role: Role::UnitHead, fingerprint: [4; 32] }
}

fn person(id: &str, role: Role, certificate_no: Option<&str>) -> Command {
    law(SetPerson {
        person: Person {
            id: id.to_owned(),
            title: Some("Inspector".to_owned()),
            role,
            unit: "market".to_owned(),
            certificate_no: certificate_no.map(str::to_owned),
            clearance: Classification::StateSecret,
            active: true,
        },
    })
}

fn unit(id: &str, parent: Option<&str>) -> Command {
    let unit = Unit {
        id: id.to_owned(),
        title: "市场科".to_owned(),
        parent: parent.map(str::to_owned),
        active: true,
    };
    law(SetUnit { unit })
}

fn case(id: &str) -> OpenCase {
    OpenCase {
        case: id.to_owned(),
        act_type: ActType::Penalty,
        unit: "market".to_owned(),
        title: Some("Stall".to_owned()),
        place: Some("Century Avenue 100".to_owned()),
        officers: vec!["310115-0001".to_owned(), "310115-0002".to_owned()],
        parties: vec![Party { name: "张三".to_owned(), role: "respondent".to_owned() }],
        custodian: "li.na".to_owned(),
        classification: Classification::Ordinary,
    }
}

fn hold(target: EvidenceFilter) -> Command {
    law(PlaceHold {
        reason: HoldReason::Attack,
        text: Some("a bottle".to_owned()),
        reference: Some("2026/117".to_owned()),
        target,
        review_at: None,
    })
}

fn registers() -> Vec<(Actor, Command)> {
    let dev = developer;
    let recorder = Recorder {
        id: "BWC-0042".to_owned(),
        model: Some("DSJ-9".to_owned()),
        unit: "market".to_owned(),
        signing_key: Some("0f".repeat(32)),
        issued_to: Some("chen.jie".to_owned()),
        active: true,
    };
    let station = Station { id: "station-7".to_owned(), unit: "market".to_owned(), active: true };
    let policy = custos_core::law::LawPolicy::standard();
    vec![
        (dev(), unit("city", None)),
        (dev(), unit("market", Some("city"))),
        (dev(), unit("market", Some("city"))),
        (dev(), person("li.na", Role::Custodian, None)),
        (dev(), person("chen.jie", Role::Officer, Some("310115-0001"))),
        (dev(), person("liu.yang", Role::Officer, Some("310115-0002"))),
        (dev(), person("wang.wei", Role::UnitHead, None)),
        (dev(), person("he.ping", Role::Auditor, None)),
        (dev(), law(SetRecorder { recorder })),
        (dev(), law(SetStation { station })),
        (dev(), law(SetPolicy { policy, based_on: 0 })),
    ]
}

fn matters() -> Vec<(Actor, Command)> {
    let dev = developer;
    let c1 = || "C-1".to_owned();
    let reason = || "a reason".to_owned();
    let update = UpdateCase {
        case: c1(),
        title: Some("Cart".to_owned()),
        place: None,
        custodian: None,
        add_officers: vec![],
        remove_officers: vec!["310115-0002".to_owned()],
        add_parties: vec![Party { name: "李四".to_owned(), role: "witness".to_owned() }],
        reason: reason(),
    };
    let join = UpdateCase {
        add_officers: vec!["310115-0002".to_owned()],
        remove_officers: vec![],
        add_parties: vec![],
        title: None,
        ..update.clone()
    };
    let back = MoveCase { case: c1(), stage: Stage::Initiation, reason: Some(reason()) };
    let stage = Stage::Investigation;
    vec![
        (dev(), law(case("C-1"))),
        (dev(), law(case("C-2"))),
        (dev(), law(update)),
        (dev(), law(join)),
        (dev(), law(MoveCase { case: c1(), stage, reason: None })),
        (dev(), law(back)),
        (dev(), law(CloseCase { case: c1(), reason: reason() })),
        (dev(), law(ArchiveCase { case: c1(), despite: Some(reason()) })),
        (dev(), law(ReopenCase { case: c1(), stage: Stage::Review, reason: reason() })),
        (dev(), law(CloseCase { case: c1(), reason: reason() })),
        (
            dev(),
            law(ClassifyCase {
                case: "C-2".to_owned(),
                to: Classification::Privacy,
                reason: reason(),
            }),
        ),
        (
            dev(),
            law(ClassifyCase {
                case: "C-2".to_owned(),
                to: Classification::Ordinary,
                reason: reason(),
            }),
        ),
    ]
}

fn evidence() -> Vec<(Actor, Command)> {
    let dev = developer;
    let reason = || "a reason".to_owned();
    let stage = Stage::Investigation;
    let segment = Descriptor {
        case: Some("C-2".to_owned()),
        recording: Some("R-1".to_owned()),
        sequence: Some(1),
        ..complete()
    };
    let photo = Descriptor::of_kind(EvidenceKind::Photo);
    let corrected = Descriptor { place: Some("Century Avenue 101".to_owned()), ..segment.clone() };
    let copy = RegisterCopy {
        evidence: id(1),
        blake3: parts(1000).blake3,
        medium: "disc 2026-014".to_owned(),
        place: "safe 2".to_owned(),
        reason: reason(),
    };
    let until = Timestamp::from_millis(START_MS + 4000 * DAY_MS);
    let (evidence, to) = (id(1), Classification::Privacy);
    let relation = RelationKind::DerivedFrom;
    let text = "Two\nlines.".to_owned();
    let mut all = Vec::new();
    for (number, descriptor) in [(1, segment), (2, photo.clone()), (3, photo.clone()), (4, photo)] {
        all.push((station(), open(number, descriptor)));
        all.push((station(), seal(number, parts(1000))));
    }
    all.extend([
        (dev(), law(FileEvidence { evidence: id(2), case: "C-2".to_owned(), stage, reason: None })),
        (dev(), law(AddNote { evidence, text, supersedes: None })),
        (dev(), law(CorrectDescriptor { evidence, descriptor: corrected, reason: reason() })),
        (dev(), law(AddRelation { evidence, relation, to: id(2) })),
        (dev(), law(ClassifyEvidence { evidence, to, reason: reason() })),
        (dev(), law(ExtendRetention { evidence, until, reason: reason() })),
        (dev(), law(copy)),
    ]);
    all
}

fn use_and_holds() -> Vec<(Actor, Command)> {
    let dev = developer;
    let reason = || "a reason".to_owned();
    let none = EvidenceFilter::default;
    let application = ApplyForGrant {
        outside: Some(OutsideParty {
            name: "张三".to_owned(),
            contact: Some("Lane 3".to_owned()),
            standing: "party".to_owned(),
        }),
        scope: GrantScope::Copy,
        evidence: vec![id(1)],
        case: None,
        range: Some(ByteSpan { start: 0, end: 100 }),
        purpose: "reconsideration".to_owned(),
    };
    let decide = DecideGrant {
        grant: "G1".to_owned(),
        approve: true,
        reason: reason(),
        valid_until: None,
        uses_max: 2,
    };
    let used = Command::RecordView {
        evidence_id: id(1),
        start: 0,
        end: 100,
        purpose: Some("case review".to_owned()),
        scope: GrantScope::Copy,
        grant: Some("G1".to_owned()),
    };
    let place = Some("Century Avenue 100".to_owned());
    vec![
        (dev(), hold(EvidenceFilter { evidence: Some(id(1)), ..none() })),
        (dev(), hold(EvidenceFilter { case: Some("C-2".to_owned()), ..none() })),
        (dev(), hold(EvidenceFilter { recording: Some("R-1".to_owned()), ..none() })),
        (dev(), hold(EvidenceFilter { place, kind: Some(EvidenceKind::Video), ..none() })),
        (dev(), law(ReleaseHold { hold: "H2".to_owned(), reason: reason() })),
        (head(), law(ReleaseHold { hold: "H2".to_owned(), reason: reason() })),
        (dev(), hold(EvidenceFilter { case: Some("C-2".to_owned()), ..none() })),
        (dev(), law(application.clone())),
        (head(), law(decide)),
        (dev(), used),
        (head(), law(RevokeGrant { grant: "G1".to_owned(), reason: reason() })),
        (dev(), law(application)),
        (dev(), law(ReportRefusal { attempt: "set_policy".to_owned(), what: reason() })),
    ]
}

/// Photo 3 ends; for photo 4 it is proposed, after it was proposed once and stopped.
fn end() -> Vec<(Actor, Command)> {
    let dev = developer;
    let reason = || "a reason".to_owned();
    let confirm = || law(ConfirmClock { reason: reason() });
    let propose = |number| law(ProposeDisposition { evidence: vec![id(number)], reason: reason() });
    let d1 = || "D1".to_owned();
    let approve = || law(ApproveDisposition { disposition: d1(), reason: reason() });
    let stop = StopDisposition { disposition: "D2".to_owned(), reason: reason() };
    vec![
        (auditor(), confirm()),
        (dev(), confirm()),
        (dev(), propose(3)),
        (head(), approve()),
        (auditor(), approve()),
        (auditor(), confirm()),
        (dev(), confirm()),
        (Actor::system(), law(OrderDisposition { disposition: d1() })),
        (Actor::system(), law(RecordDisposal { disposition: d1(), evidence: id(3) })),
        (dev(), propose(4)),
        (dev(), law(stop)),
        (dev(), propose(4)),
        (auditor(), confirm()),
    ]
}

/// Every sort of command of the law, in an order that leaves every sort of record behind; each with
/// its stamp. Commands that confirm the clock come after a jump.
fn commands(world: &mut World) -> Vec<(Envelope, Timestamp)> {
    let mut all = registers();
    all.extend(matters());
    all.extend(evidence());
    all.extend(use_and_holds());
    let before_the_end = all.len();
    all.extend(end());
    let mut stamp = START_MS;
    let jumps = [(before_the_end, 2000), (before_the_end + 5, 8), (before_the_end + 12, 1)];
    let envelope = |(number, (actor, command)): (usize, (Actor, Command))| {
        let days = jumps.iter().find(|(at, _)| *at == number).map_or(0, |(_, days)| *days);
        stamp += 1000 + days * DAY_MS;
        (world.envelope(&actor, command), Timestamp::from_millis(stamp))
    };
    all.into_iter().enumerate().map(envelope).collect()
}

fn applied() -> (World, Vec<Envelope>) {
    let mut world = World::begun();
    let commands = commands(&mut world);
    let mut envelopes = Vec::new();
    for (envelope, stamp) in commands {
        world.now = stamp;
        let done = world.apply(&envelope);
        assert!(done.is_ok(), "{envelope:?}: {done:?}");
        assert!(!matches!(done, Ok(Outcome::TimeKept)));
        envelopes.push(envelope);
    }
    (world, envelopes)
}

fn line(text: &mut String, left: &str, bytes: &[u8]) {
    writeln!(text, "{left} {}", HEXLOWER.encode(bytes)).expect("a string takes all");
}

#[test]
fn the_bytes_of_envelopes_of_the_law_stay() {
    let mut text = String::new();
    let mut sorts = BTreeSet::new();
    for envelope in applied().1 {
        let Command::Law(command) = &envelope.command else { continue };
        let debug = format!("{command:?}");
        let sort = debug.split('(').next().expect("named").to_owned();
        line(&mut text, &sort, &envelope.encode());
        sorts.insert(sort);
    }
    assert_eq!(sorts.len(), 31, "one of each sort: {sorts:?}");
    check("law_commands.txt", &text);
}

#[test]
fn the_custody_leaves_of_the_law_and_the_root_over_them_stay() {
    let world = applied().0;
    let mut text = String::new();
    for entry in world.log() {
        line(&mut text, &format!("{} {}", entry.index, entry.act), &entry.leaf);
    }
    line(&mut text, "root", &world.checkpoint().root);
    check("law_custody_leaves.txt", &text);
}

#[test]
fn the_keys_and_values_of_the_law_stay() {
    let world = applied().0;
    let mut text = String::new();
    let mut kinds = BTreeSet::new();
    let mut orders = BTreeSet::new();
    for (key, value) in &world.kv {
        let is_ended = || key[0] == 0x10 && value[0] == 0x22;
        match key[0] {
            0x02 | 0x20..=0x22 | 0x34 | 0x71 | 0x73 | 0x74 => {}
            0x10 if is_ended() => {}
            0x70 => drop(kinds.insert(key[1])),
            0x72 => drop(orders.insert(key[1])),
            _ => continue,
        }
        line(&mut text, &format!("{} =", HEXLOWER.encode(key)), value);
    }
    assert_eq!(kinds, (1..=13).collect(), "a record of each kind");
    assert_eq!(orders, (1..=12).collect(), "a key of each order");
    assert!(text.lines().any(|line| line.starts_with("10")), "something has ended");
    check("law_state.txt", &text);
}
