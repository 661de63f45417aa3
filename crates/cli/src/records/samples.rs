//! Records to try the views on.

use custos_core::{
    Blake3Hash, EvidenceId, LogIndex, Role, Stage, Timestamp,
    law::{
        ActType, Case, CaseState, Classification, Disposition, DispositionState, EvidenceFilter,
        Filing, Grant, GrantScope, GrantState, Hold, HoldReason, IncompleteDescriptor, LawPolicy,
        MediaCopy, Note, Person, Record, Recorder, Relation, RelationKind, Sign, Station, Unit,
        Versioned,
    },
};

fn text(text: &str) -> String {
    text.to_owned()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn sign() -> Sign {
    Sign { by: text("zhao.min"), role: Role::Officer, at: at(3), reason: text("why") }
}

/// One of every kind.
pub(super) fn all() -> Vec<Record> {
    let names = [
        "unit",
        "person",
        "recorder",
        "station",
        "case",
        "filing",
        "note",
        "relation",
        "copy",
        "hold",
        "grant",
        "disposition",
        "policy",
    ];
    names.map(record).into()
}

/// Its second version.
pub(super) fn versioned(record: Record) -> Versioned {
    Versioned {
        version: 2,
        changed_at: at(5),
        changed_by: text("li.na (custodian)"),
        log_index: LogIndex(7),
        record,
    }
}

/// The record that goes by this name.
pub(super) fn record(name: &str) -> Record {
    let evidence = EvidenceId::from_bytes([0x11; 16]);
    let unit = text("traffic");
    match name {
        "unit" => {
            Record::Unit(Unit { id: unit, title: text("Traffic"), parent: None, active: true })
        }
        "person" => Record::Person(Person {
            id: text("li.na"),
            title: None,
            role: Role::Custodian,
            unit,
            certificate_no: None,
            clearance: Classification::Ordinary,
            active: true,
        }),
        "recorder" => Record::Recorder(Recorder {
            id: text("BWC-1"),
            model: None,
            unit,
            signing_key: None,
            issued_to: Some(text("zhao.min")),
            active: true,
        }),
        "station" => Record::Station(Station { id: text("dock-1"), unit, active: true }),
        "case" => Record::Case(Case {
            id: text("C-1"),
            act_type: ActType::Penalty,
            unit,
            title: Some(text("a stall")),
            place: None,
            officers: vec![text("110421")],
            parties: Vec::new(),
            custodian: text("li.na"),
            classification: Classification::Ordinary,
            lower_to: None,
            lower_asked: None,
            stage: Stage::Investigation,
            state: CaseState::Open,
            opened_at: at(1),
            closed_at: None,
            archive_due: None,
            archived_at: None,
            reason: None,
        }),
        "filing" => Record::Filing(Filing {
            id: evidence.to_string(),
            unit: Some(unit),
            case: Some(text("C-1")),
            stage: Some(Stage::Investigation),
            classification: Classification::Privacy,
            lower_to: None,
            lower_asked: None,
            retain_until: at(9),
            descriptor: None,
            disposition: None,
            ordered_at: None,
            reason: None,
        }),
        "note" => Record::Note(Note {
            id: format!("{evidence}/1"),
            evidence,
            author: text("li.na"),
            text: text("one\ntwo"),
            supersedes: None,
        }),
        "relation" => Record::Relation(Relation {
            id: text("r"),
            evidence,
            relation: RelationKind::DerivedFrom,
            to: evidence,
        }),
        "copy" => Record::Copy(MediaCopy {
            id: text("X1"),
            evidence,
            blake3: Blake3Hash([1; 32]),
            medium: text("disc 1"),
            place: text("shelf 3"),
            made: sign(),
        }),
        "hold" => Record::Hold(hold()),
        "hold asked" => Record::Hold(Hold { release_asked: Some(sign()), ..hold() }),
        "hold released" => Record::Hold(Hold { released: Some(sign()), ..hold() }),
        "grant" => Record::Grant(Grant {
            id: text("G1"),
            holder: text("zhao.min"),
            outside: None,
            scope: GrantScope::Copy,
            evidence: vec![evidence],
            case: None,
            range: None,
            purpose: text("appeal"),
            unit: Some(unit),
            applied: sign(),
            answer_due: at(8),
            state: GrantState::Approved,
            decided: Some(sign()),
            revoked: None,
            valid_until: Some(at(9)),
            uses_max: 3,
            uses: 1,
        }),
        "disposition" => Record::Disposition(Disposition {
            id: text("D1"),
            unit: Some(unit),
            evidence: vec![evidence],
            proposed: sign(),
            approvals: vec![sign()],
            state: DispositionState::Proposed,
            grace_until: None,
            stopped: None,
            ordered_at: None,
            ended: Vec::new(),
            struck: Vec::new(),
        }),
        "policy" => Record::Policy(LawPolicy {
            incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
            floor_days: 365,
            kinds: Vec::new(),
            classifications: Vec::new(),
            act_types: Vec::new(),
            late_after_hours: 24,
            clock_tolerance_seconds: 60,
            archive_days: 30,
            answer_days: 20,
            grant_days_max: 30,
            grace_days: 7,
            hold_review_days: 365,
            recorder_silent_days: 14,
            release_by_two: vec![HoldReason::Litigation],
        }),
        other => panic!("no sample is called {other}"),
    }
}

fn hold() -> Hold {
    Hold {
        id: text("H1"),
        reason: HoldReason::Complaint,
        text: None,
        reference: None,
        target: EvidenceFilter { case: Some(text("C-1")), ..EvidenceFilter::default() },
        unit: None,
        placed: sign(),
        review_at: at(9),
        release_asked: None,
        released: None,
    }
}
