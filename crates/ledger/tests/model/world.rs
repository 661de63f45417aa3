//! Two agencies, their people and things: where every sequence begins.

use custos_core::{
    Actor, Blake3Hash, EvidenceId, EvidenceKind, Role, Stage, Timestamp,
    law::{
        ActType, ActTypePolicy, Classification, ClassificationPolicy, HoldReason,
        IncompleteDescriptor, KindPolicy, LawPolicy, Person, Recorder, SetPerson, SetPolicy,
        SetRecorder, SetStation, SetUnit, Station, Unit,
    },
};

use crate::deed::{Deed, Step};

/// 2026-03-01T08:00:00Z.
pub(crate) const START_MS: i64 = 1_772_352_000_000;

/// Places that evidence is captured at.
pub(crate) const PLACES: [&str; 3] = ["Century Avenue 100", "码头 3", "Market Hall"];

/// Bytes of evidence.
pub(crate) fn size_of(id: EvidenceId) -> u64 {
    1000 + u64::from(id.as_bytes()[15])
}

/// BLAKE3 of evidence.
pub(crate) fn blake3_of(id: EvidenceId) -> Blake3Hash {
    Blake3Hash([id.as_bytes()[15] ^ 0xb3; 32])
}

/// Who acts, by name and role.
pub(crate) fn actor(name: &str, role: Role) -> Actor {
    Actor { name: name.to_owned(), role, fingerprint: [1; 32] }
}

/// The user of development mode.
pub(crate) fn developer() -> Actor {
    actor("dev", Role::Developer)
}

/// The policy that stands when the sequences begin.
pub(crate) fn policy() -> LawPolicy {
    let kinds = [(EvidenceKind::Video, 730), (EvidenceKind::Audio, 400)];
    let days_of = |kind: EvidenceKind| kinds.iter().find(|it| it.0 == kind).map_or(365, |it| it.1);
    LawPolicy {
        incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
        floor_days: 365,
        kinds: EvidenceKind::ALL
            .iter()
            .map(|kind| KindPolicy { kind: *kind, retention_days: days_of(*kind) })
            .collect(),
        classifications: vec![ClassificationPolicy {
            classification: Classification::StateSecret,
            retention_days: 1200,
        }],
        act_types: vec![
            // The shortest matter: one stage to investigate, one to file.
            ActTypePolicy {
                act_type: ActType::Inspection,
                stages: vec![Stage::Investigation, Stage::Archiving],
                audio_visual: vec![Stage::Investigation],
                retention_days: 0,
            },
            ActTypePolicy {
                act_type: ActType::Compulsion,
                stages: vec![Stage::Initiation, Stage::Investigation, Stage::Archiving],
                audio_visual: Vec::new(),
                retention_days: 900,
            },
        ],
        late_after_hours: 24,
        clock_tolerance_seconds: 30,
        archive_days: 30,
        answer_days: 15,
        grant_days_max: 60,
        grace_days: 7,
        hold_review_days: 180,
        recorder_silent_days: 30,
        release_by_two: vec![HoldReason::Litigation, HoldReason::Other],
    }
}

const UNITS: [(&str, Option<&str>); 6] = [
    ("city", None),
    ("traffic", Some("city")),
    ("east", Some("traffic")),
    ("market", Some("city")),
    ("port", None),
    ("dock", Some("port")),
];

/// Name, role, unit, certificate number, clearance.
type Entry = (&'static str, Role, &'static str, Option<&'static str>, Classification);

const PERSONS: [Entry; 20] = {
    use Classification::{Ordinary, Privacy, StateSecret, TradeSecret};
    [
        ("adm.one", Role::Administrator, "city", None, Ordinary),
        ("adm.two", Role::Administrator, "port", None, Ordinary),
        ("aud.city", Role::Auditor, "city", None, StateSecret),
        ("aud.east", Role::Auditor, "east", None, Privacy),
        ("aud.port", Role::Auditor, "port", None, StateSecret),
        ("head.city", Role::UnitHead, "city", None, StateSecret),
        ("head.traffic", Role::UnitHead, "traffic", None, TradeSecret),
        ("head.port", Role::UnitHead, "port", None, StateSecret),
        ("cust.city", Role::Custodian, "city", None, StateSecret),
        ("cust.traffic", Role::Custodian, "traffic", None, TradeSecret),
        ("cust.port", Role::Custodian, "port", None, StateSecret),
        ("off.a", Role::Officer, "traffic", Some("N1"), Privacy),
        ("off.b", Role::Officer, "traffic", Some("N2"), TradeSecret),
        ("off.c", Role::Officer, "east", Some("N3"), Ordinary),
        ("off.old", Role::Officer, "traffic", Some("N9"), Privacy),
        ("off.port", Role::Officer, "port", Some("M1"), Privacy),
        ("off.dock", Role::Officer, "dock", Some("M2"), Ordinary),
        ("aux.a", Role::Auxiliary, "traffic", None, Privacy),
        ("rev.city", Role::Reviewer, "city", None, TradeSecret),
        ("cust.old", Role::Custodian, "market", None, Privacy),
    ]
};

const STATIONS: [(&str, &str, bool); 3] =
    [("st.traffic", "traffic", true), ("st.port", "port", true), ("st.old", "city", false)];

const RECORDERS: [(&str, &str); 2] = [("BWC-1", "traffic"), ("BWC-2", "dock")];

/// Who is on no register.
pub(crate) fn strangers() -> Vec<Actor> {
    vec![
        developer(),
        actor("st.free", Role::Station),
        actor("player", Role::Playback),
        Actor::system(),
    ]
}

/// The first steps of every sequence, each a second after the one before.
pub(crate) fn beginning() -> Vec<Step> {
    let mut deeds: Vec<Deed> = Vec::new();
    deeds.push(SetPolicy { policy: policy(), based_on: 0 }.into());
    for (id, parent) in UNITS {
        let unit = Unit {
            id: id.to_owned(),
            title: format!("Unit {id}"),
            parent: parent.map(str::to_owned),
            active: true,
        };
        deeds.push(SetUnit { unit }.into());
    }
    for (id, role, unit, number, clearance) in PERSONS {
        let person = Person {
            id: id.to_owned(),
            title: None,
            role,
            unit: unit.to_owned(),
            certificate_no: number.map(str::to_owned),
            clearance,
            active: !id.ends_with(".old"),
        };
        deeds.push(SetPerson { person }.into());
    }
    for (id, unit, active) in STATIONS {
        let station = Station { id: id.to_owned(), unit: unit.to_owned(), active };
        deeds.push(SetStation { station }.into());
    }
    for (id, unit) in RECORDERS {
        let recorder = Recorder {
            id: id.to_owned(),
            model: None,
            unit: unit.to_owned(),
            signing_key: None,
            issued_to: None,
            active: true,
        };
        deeds.push(SetRecorder { recorder }.into());
    }
    let step = |(number, deed)| Step {
        stamped: Timestamp::from_millis(START_MS + 1000 * number),
        actor: developer(),
        deed,
        repeated: false,
    };
    (1i64..).zip(deeds).map(step).collect()
}
