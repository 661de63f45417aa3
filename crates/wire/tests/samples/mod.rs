//! One of everything, with every field that can be given.

use custos_core::{
    Blake3Hash, Descriptor, EvidenceId, EvidenceKind, LogIndex, Role, Sha256Hash, Stage, Timestamp,
    continuity::{Finding, FindingKind, Report},
    law::*,
};

fn text(text: &str) -> String {
    text.to_owned()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn evidence(byte: u8) -> EvidenceId {
    EvidenceId::from_bytes([byte; 16])
}

fn sign(by: &str) -> Sign {
    Sign { by: text(by), role: Role::UnitHead, at: at(5), reason: text("因此") }
}

pub(crate) fn descriptor() -> Descriptor {
    Descriptor {
        kind: EvidenceKind::Electronic,
        captured_at: Some(at(1)),
        recorder: some("BWC-7"),
        officers: vec![text("110-1"), text("110-2")],
        case: some("案-1"),
        stage: Some(Stage::Service),
        place: some("南门市场"),
        note: some("two\nlines"),
        file_name: some("a.eml"),
        media_type: some("message/rfc822"),
        captured_until: Some(at(2)),
        recording: some("R-1"),
        sequence: Some(0),
        notice_at_ms: Some(3),
        device_ahead_ms: Some(-4),
        station_at: Some(at(6)),
        classification: Some(Classification::Privacy),
        source: some("mail.example"),
    }
}

fn policy() -> LawPolicy {
    LawPolicy {
        incomplete_descriptor: IncompleteDescriptor::Refuse,
        floor_days: 365,
        kinds: vec![KindPolicy { kind: EvidenceKind::Video, retention_days: 400 }],
        classifications: vec![ClassificationPolicy {
            classification: Classification::StateSecret,
            retention_days: 900,
        }],
        act_types: vec![ActTypePolicy {
            act_type: ActType::Penalty,
            stages: vec![Stage::Initiation, Stage::Archiving],
            audio_visual: vec![Stage::Initiation],
            retention_days: 0,
        }],
        late_after_hours: 24,
        clock_tolerance_seconds: 60,
        archive_days: 30,
        answer_days: 20,
        grant_days_max: 30,
        grace_days: 7,
        hold_review_days: 365,
        recorder_silent_days: 14,
        release_by_two: vec![HoldReason::Litigation, HoldReason::Other],
    }
}

fn filter() -> EvidenceFilter {
    EvidenceFilter {
        evidence: Some(evidence(1)),
        recording: some("R-1"),
        case: some("C-1"),
        stage: Some(Stage::Review),
        unit: some("traffic"),
        recorder: some("BWC-7"),
        officer: some("110-1"),
        place: some("Gate 3"),
        kind: Some(EvidenceKind::Audio),
        from: Some(at(-1)),
        until: Some(at(9)),
    }
}

fn outside() -> OutsideParty {
    OutsideParty { name: text("Wei"), contact: some("by post"), standing: text("party") }
}

fn unit() -> Unit {
    Unit { id: text("traffic"), title: text("Traffic"), parent: some("city"), active: true }
}

fn person() -> Person {
    Person {
        id: text("li.na"),
        title: some("Li Na"),
        role: Role::Custodian,
        unit: text("traffic"),
        certificate_no: some("110-1"),
        clearance: Classification::TradeSecret,
        active: false,
    }
}

fn recorder() -> Recorder {
    Recorder {
        id: text("BWC-7"),
        model: some("M"),
        unit: text("traffic"),
        signing_key: some(&"ab".repeat(32)),
        issued_to: some("li.na"),
        active: true,
    }
}

fn station() -> Station {
    Station { id: text("dock-1"), unit: text("traffic"), active: true }
}

fn party() -> Party {
    Party { name: text("Wei"), role: text("respondent") }
}

pub(crate) fn records() -> Vec<Record> {
    let case = Case {
        id: text("案-1"),
        act_type: ActType::Penalty,
        unit: text("traffic"),
        title: some("a stall"),
        place: some("Gate 3"),
        officers: vec![text("110-1")],
        parties: vec![party()],
        custodian: text("li.na"),
        classification: Classification::Privacy,
        lower_to: Some(Classification::Ordinary),
        lower_asked: Some(sign("li.na")),
        stage: Stage::Archiving,
        state: CaseState::Archived,
        opened_at: at(1),
        closed_at: Some(at(2)),
        archive_due: Some(at(3)),
        archived_at: Some(at(4)),
        reason: some("done"),
    };
    let filing = Filing {
        id: evidence(1).to_string(),
        unit: some("traffic"),
        case: some("C-1"),
        stage: Some(Stage::Investigation),
        classification: Classification::Privacy,
        lower_to: Some(Classification::Ordinary),
        lower_asked: Some(sign("li.na")),
        retain_until: at(7),
        descriptor: Some(descriptor()),
        disposition: some("D1"),
        ordered_at: Some(LogIndex(8)),
        reason: some("moved"),
    };
    let hold = Hold {
        id: text("H1"),
        reason: HoldReason::Other,
        text: some("why"),
        reference: some("2026-1"),
        target: filter(),
        unit: some("traffic"),
        placed: sign("a"),
        review_at: at(4),
        release_asked: Some(sign("b")),
        released: Some(sign("c")),
    };
    let grant = Grant {
        id: text("G1"),
        holder: text("zhao.min"),
        outside: Some(outside()),
        scope: GrantScope::Original,
        evidence: vec![evidence(1), evidence(2)],
        case: some("C-1"),
        range: Some(ByteSpan { start: 0, end: 9 }),
        purpose: text("appeal"),
        unit: some("traffic"),
        applied: sign("a"),
        answer_due: at(3),
        state: GrantState::Revoked,
        decided: Some(sign("b")),
        revoked: Some(sign("c")),
        valid_until: Some(at(5)),
        uses_max: 3,
        uses: 1,
    };
    let disposition = Disposition {
        id: text("D1"),
        unit: some("traffic"),
        evidence: vec![evidence(1)],
        proposed: sign("a"),
        approvals: vec![sign("b"), sign("c")],
        state: DispositionState::Ordered,
        grace_until: Some(at(8)),
        stopped: Some(sign("d")),
        ordered_at: Some(LogIndex(9)),
        ended: vec![evidence(1)],
        struck: vec![Struck { evidence: evidence(2), why: text("H1") }],
    };
    let note = Note {
        id: format!("{}/2", evidence(1)),
        evidence: evidence(1),
        author: text("li.na"),
        text: text("two\nlines"),
        supersedes: Some(1),
    };
    let relation = Relation {
        id: text("x"),
        evidence: evidence(1),
        relation: RelationKind::DerivedFrom,
        to: evidence(2),
    };
    let copy = MediaCopy {
        id: text("X1"),
        evidence: evidence(1),
        blake3: Blake3Hash([7; 32]),
        medium: text("disc"),
        place: text("shelf"),
        made: sign("a"),
    };
    let all = vec![
        Record::Unit(unit()),
        Record::Person(person()),
        Record::Recorder(recorder()),
        Record::Station(station()),
        Record::Case(case),
        Record::Filing(filing),
        Record::Note(note),
        Record::Relation(relation),
        Record::Copy(copy),
        Record::Hold(hold),
        Record::Grant(grant),
        Record::Disposition(disposition),
        Record::Policy(policy()),
    ];
    let kinds: Vec<_> = all.iter().map(Record::kind).collect();
    assert_eq!(kinds, RecordKind::ALL, "one of every kind");
    all
}

pub(crate) fn versioned(record: Record) -> Versioned {
    Versioned {
        version: 3,
        changed_at: at(11),
        changed_by: text("li.na (custodian)"),
        log_index: LogIndex(12),
        record,
    }
}

pub(crate) fn commands() -> Vec<LawCommand> {
    let reason = || text("因此");
    let case = || text("C-1");
    let one = evidence(1);
    vec![
        SetUnit { unit: unit() }.into(),
        SetPerson { person: person() }.into(),
        SetRecorder { recorder: recorder() }.into(),
        SetStation { station: station() }.into(),
        SetPolicy { policy: policy(), based_on: 2 }.into(),
        ConfirmClock { reason: reason() }.into(),
        OpenCase {
            case: case(),
            act_type: ActType::Complaint,
            unit: text("traffic"),
            title: some("t"),
            place: some("p"),
            officers: vec![text("110-1")],
            parties: vec![party()],
            custodian: text("li.na"),
            classification: Classification::Ordinary,
        }
        .into(),
        UpdateCase {
            case: case(),
            title: some("t"),
            place: None,
            custodian: some("c"),
            add_officers: vec![text("1")],
            remove_officers: vec![text("2")],
            add_parties: vec![party()],
            reason: reason(),
        }
        .into(),
        MoveCase { case: case(), stage: Stage::Review, reason: None }.into(),
        CloseCase { case: case(), reason: reason() }.into(),
        ArchiveCase { case: case(), despite: some("lost") }.into(),
        ReopenCase { case: case(), stage: Stage::Service, reason: reason() }.into(),
        ClassifyCase { case: case(), to: Classification::Privacy, reason: reason() }.into(),
        FileEvidence { evidence: one, case: case(), stage: Stage::Review, reason: None }.into(),
        AddNote { evidence: one, text: text("a\nb"), supersedes: Some(1) }.into(),
        CorrectDescriptor { evidence: one, descriptor: descriptor(), reason: reason() }.into(),
        AddRelation { evidence: one, relation: RelationKind::AttachmentTo, to: evidence(2) }.into(),
        ClassifyEvidence { evidence: one, to: Classification::Privacy, reason: reason() }.into(),
        ExtendRetention { evidence: one, until: at(99), reason: reason() }.into(),
        RegisterCopy {
            evidence: one,
            blake3: Blake3Hash([1; 32]),
            medium: text("disc"),
            place: text("shelf"),
            reason: reason(),
        }
        .into(),
        PlaceHold {
            reason: HoldReason::Other,
            text: some("why"),
            reference: some("r"),
            target: filter(),
            review_at: Some(at(3)),
        }
        .into(),
        ReleaseHold { hold: text("H1"), reason: reason() }.into(),
        ApplyForGrant {
            outside: Some(outside()),
            scope: GrantScope::Copy,
            evidence: vec![one],
            case: None,
            range: Some(ByteSpan { start: 1, end: 2 }),
            purpose: text("appeal"),
        }
        .into(),
        DecideGrant {
            grant: text("G1"),
            approve: true,
            reason: reason(),
            valid_until: Some(at(8)),
            uses_max: 2,
        }
        .into(),
        RevokeGrant { grant: text("G1"), reason: reason() }.into(),
        ProposeDisposition { evidence: vec![one, evidence(2)], reason: reason() }.into(),
        ApproveDisposition { disposition: text("D1"), reason: reason() }.into(),
        StopDisposition { disposition: text("D1"), reason: reason() }.into(),
        OrderDisposition { disposition: text("D1") }.into(),
        RecordDisposal { disposition: text("D1"), evidence: one }.into(),
        ReportRefusal { attempt: text("set_policy"), what: text("R10: floor_days") }.into(),
    ]
}

pub(crate) fn queries() -> Vec<LawQuery> {
    vec![
        LawQuery::Record(RecordName { kind: RecordKind::Case, id: text("C-1") }),
        LawQuery::History(HistoryPage {
            kind: RecordKind::Recorder,
            id: text("BWC-7"),
            after: 2,
            limit: 3,
        }),
        LawQuery::List(ListPage {
            list: RecordList::All,
            kind: Some(RecordKind::Hold),
            unit: some("traffic"),
            prefix: some("H"),
            after: some("H1"),
            limit: 10,
        }),
        LawQuery::Keeping(EvidenceName { evidence: evidence(1) }),
        LawQuery::Case(CaseName { case: text("C-1") }),
        LawQuery::Clock(ClockAsked { limit: 1 }),
        LawQuery::Tombstone(EvidenceName { evidence: evidence(2) }),
    ]
}

pub(crate) fn answers() -> Vec<LawAnswer> {
    let items: Vec<_> = records().into_iter().map(versioned).collect();
    let stage = StageReport {
        stage: Stage::Initiation,
        items: 2,
        audio_visual: 1,
        audio_visual_required: true,
    };
    vec![
        LawAnswer::Records(RecordPage { items: items.clone(), next: some("H1") }),
        LawAnswer::Keeping(Keeping {
            evidence: evidence(1),
            retain_until: at(9),
            retained_for: text("video: 400 days"),
            retention_over: false,
            holds: items,
            disposition: some("D1"),
        }),
        LawAnswer::Case(CaseReport {
            case: text("C-1"),
            stages: vec![stage],
            missing: vec![text("R1: review")],
            truncated: true,
        }),
        LawAnswer::Clock(ClockState {
            time: at(5),
            settled: at(4),
            unconfirmed_ms: 1,
            confirmed_by: Some(sign("a")),
        }),
        LawAnswer::Tombstone(Tombstone {
            evidence: evidence(1),
            size: 7,
            blake3: Blake3Hash([1; 32]),
            sha256: Sha256Hash([2; 32]),
            sealed_at: at(1),
            seal_index: LogIndex(2),
            disposition: text("D1"),
            order_index: LogIndex(3),
            ended_at: at(4),
            end_index: LogIndex(5),
        }),
    ]
}

pub(crate) fn recording_report() -> Report {
    let findings = FindingKind::ALL.iter().map(|kind| Finding {
        kind: *kind,
        evidence: evidence(1),
        previous: Some(evidence(2)),
        duration_ms: Some(-3),
        first_number: Some(4),
        last_number: Some(5),
        text: kind.to_string(),
    });
    Report {
        segments: 7,
        captured_from: Some(at(1)),
        captured_until: None,
        findings: findings.collect(),
    }
}
