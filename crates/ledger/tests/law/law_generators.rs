//! Any value of the law that the ledger encodes.

use custos_core::{
    Blake3Hash, EvidenceId, EvidenceKind, LogIndex, Role, Sha256Hash, Stage, Timestamp,
    law::{
        ActType, ActTypePolicy, AddNote, AddRelation, ApplyForGrant, ApproveDisposition,
        ArchiveCase, ByteSpan, Case, CaseName, CaseReport, CaseState, Classification,
        ClassificationPolicy, ClassifyCase, ClassifyEvidence, ClockAsked, ClockState, CloseCase,
        ConfirmClock, CorrectDescriptor, DecideGrant, Disposition, DispositionState,
        EvidenceFilter, EvidenceName, ExtendRetention, FileEvidence, Filing, Grant, GrantScope,
        GrantState, HistoryPage, Hold, HoldReason, IncompleteDescriptor, Keeping, KindPolicy,
        LawAnswer, LawCommand, LawPolicy, LawQuery, ListPage, MediaCopy, MoveCase, Note, OpenCase,
        OrderDisposition, OutsideParty, Party, Person, PlaceHold, ProposeDisposition, Record,
        RecordDisposal, RecordKind, RecordList, RecordName, RecordPage, Recorder, RegisterCopy,
        Relation, RelationKind, ReleaseHold, ReopenCase, ReportRefusal, RevokeGrant, SetPerson,
        SetPolicy, SetRecorder, SetStation, SetUnit, Sign, StageReport, Station, StopDisposition,
        Struck, Tombstone, Unit, UpdateCase, Versioned,
    },
};
use proptest::{
    arbitrary::any,
    collection::vec,
    option,
    prelude::{Strategy, prop_oneof},
    sample::select,
    strategy::BoxedStrategy,
};

use crate::generators::descriptors;

/// Where values come from: any at all, or such that name what is there now and then.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) texts: BoxedStrategy<String>,
    pub(crate) evidence: BoxedStrategy<EvidenceId>,
}

impl Source {
    /// Any text, any id.
    pub(crate) fn anything() -> Self {
        let evidence = any::<[u8; 16]>().prop_map(EvidenceId::from_bytes);
        Self { texts: ".{0,12}".boxed(), evidence: evidence.boxed() }
    }

    fn text(&self) -> BoxedStrategy<String> {
        self.texts.clone()
    }

    fn maybe(&self) -> BoxedStrategy<Option<String>> {
        option::of(self.text()).boxed()
    }

    fn texts(&self) -> BoxedStrategy<Vec<String>> {
        vec(self.text(), 0..3).boxed()
    }

    fn id(&self) -> BoxedStrategy<EvidenceId> {
        self.evidence.clone()
    }

    fn ids(&self) -> BoxedStrategy<Vec<EvidenceId>> {
        vec(self.id(), 0..3).boxed()
    }
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &[T]) -> BoxedStrategy<T> {
    select(all.to_vec()).boxed()
}

fn times() -> BoxedStrategy<Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis).boxed()
}

fn indexes() -> BoxedStrategy<LogIndex> {
    any::<u64>().prop_map(LogIndex).boxed()
}

fn hashes() -> BoxedStrategy<Blake3Hash> {
    any::<[u8; 32]>().prop_map(Blake3Hash).boxed()
}

/// `made!(Type { field: strategy, … })`: any value of a struct, field by field.
macro_rules! made {
    ($name:ident { $($field:ident: $of:expr),+ $(,)? }) => {
        made!(@nest $name [] $($field: $of,)+)
    };
    (@nest $name:ident [$($done:ident)*] $($field:ident: $of:expr,)+) => {{
        let all = made!(@all $($of,)+);
        all.prop_map(|made!(@names $($field,)+)| $name { $($field),+ }).boxed()
    }};
    (@all $first:expr, $($rest:expr,)*) => { ($first, made!(@all $($rest,)*)) };
    (@all) => { proptest::strategy::Just(()) };
    (@names $first:ident, $($rest:ident,)*) => { ($first, made!(@names $($rest,)*)) };
    (@names) => { () };
}

fn units(s: &Source) -> BoxedStrategy<Unit> {
    made!(Unit { id: s.text(), title: s.text(), parent: s.maybe(), active: any::<bool>() })
}

fn persons(s: &Source) -> BoxedStrategy<Person> {
    made!(Person {
        id: s.text(),
        title: s.maybe(),
        role: one_of(Role::ALL),
        unit: s.text(),
        certificate_no: s.maybe(),
        clearance: one_of(Classification::ALL),
        active: any::<bool>(),
    })
}

fn recorders(s: &Source) -> BoxedStrategy<Recorder> {
    made!(Recorder {
        id: s.text(),
        model: s.maybe(),
        unit: s.text(),
        signing_key: s.maybe(),
        issued_to: s.maybe(),
        active: any::<bool>(),
    })
}

fn stations(s: &Source) -> BoxedStrategy<Station> {
    made!(Station { id: s.text(), unit: s.text(), active: any::<bool>() })
}

fn parties(s: &Source) -> BoxedStrategy<Vec<Party>> {
    vec(made!(Party { name: s.text(), role: s.text() }), 0..3).boxed()
}

fn signs(s: &Source) -> BoxedStrategy<Sign> {
    made!(Sign { by: s.text(), role: one_of(Role::ALL), at: times(), reason: s.text() })
}

pub(crate) fn policies() -> BoxedStrategy<LawPolicy> {
    let kinds = made!(KindPolicy { kind: one_of(EvidenceKind::ALL), retention_days: any::<u32>() });
    let classifications = made!(ClassificationPolicy {
        classification: one_of(Classification::ALL),
        retention_days: any::<u32>(),
    });
    let act_types = made!(ActTypePolicy {
        act_type: one_of(ActType::ALL),
        stages: vec(one_of(Stage::ALL), 0..4),
        audio_visual: vec(one_of(Stage::ALL), 0..4),
        retention_days: any::<u32>(),
    });
    made!(LawPolicy {
        incomplete_descriptor: one_of(IncompleteDescriptor::ALL),
        floor_days: any::<u32>(),
        kinds: vec(kinds, 0..4),
        classifications: vec(classifications, 0..4),
        act_types: vec(act_types, 0..4),
        late_after_hours: any::<u32>(),
        clock_tolerance_seconds: any::<u32>(),
        archive_days: any::<u32>(),
        answer_days: any::<u32>(),
        grant_days_max: any::<u32>(),
        grace_days: any::<u32>(),
        hold_review_days: any::<u32>(),
        recorder_silent_days: any::<u32>(),
        release_by_two: vec(one_of(HoldReason::ALL), 0..4),
    })
}

fn cases(s: &Source) -> BoxedStrategy<Case> {
    made!(Case {
        id: s.text(),
        act_type: one_of(ActType::ALL),
        unit: s.text(),
        title: s.maybe(),
        place: s.maybe(),
        officers: s.texts(),
        parties: parties(s),
        custodian: s.text(),
        classification: one_of(Classification::ALL),
        lower_to: option::of(one_of(Classification::ALL)),
        lower_asked: option::of(signs(s)),
        stage: one_of(Stage::ALL),
        state: one_of(CaseState::ALL),
        opened_at: times(),
        closed_at: option::of(times()),
        archive_due: option::of(times()),
        archived_at: option::of(times()),
        reason: s.maybe(),
    })
}

fn filings(s: &Source) -> BoxedStrategy<Filing> {
    made!(Filing {
        id: s.text(),
        unit: s.maybe(),
        case: s.maybe(),
        stage: option::of(one_of(Stage::ALL)),
        classification: one_of(Classification::ALL),
        lower_to: option::of(one_of(Classification::ALL)),
        lower_asked: option::of(signs(s)),
        retain_until: times(),
        descriptor: option::of(descriptors()),
        disposition: s.maybe(),
        ordered_at: option::of(indexes()),
        reason: s.maybe(),
    })
}

fn filters(s: &Source) -> BoxedStrategy<EvidenceFilter> {
    made!(EvidenceFilter {
        evidence: option::of(s.id()),
        recording: s.maybe(),
        case: s.maybe(),
        stage: option::of(one_of(Stage::ALL)),
        unit: s.maybe(),
        recorder: s.maybe(),
        officer: s.maybe(),
        place: s.maybe(),
        kind: option::of(one_of(EvidenceKind::ALL)),
        from: option::of(times()),
        until: option::of(times()),
    })
}

fn holds(s: &Source) -> BoxedStrategy<Hold> {
    made!(Hold {
        id: s.text(),
        reason: one_of(HoldReason::ALL),
        text: s.maybe(),
        reference: s.maybe(),
        target: filters(s),
        unit: s.maybe(),
        placed: signs(s),
        review_at: times(),
        release_asked: option::of(signs(s)),
        released: option::of(signs(s)),
    })
}

fn spans() -> BoxedStrategy<ByteSpan> {
    made!(ByteSpan { start: any::<u64>(), end: any::<u64>() })
}

fn outsiders(s: &Source) -> BoxedStrategy<OutsideParty> {
    made!(OutsideParty { name: s.text(), contact: s.maybe(), standing: s.text() })
}

fn grants(s: &Source) -> BoxedStrategy<Grant> {
    made!(Grant {
        id: s.text(),
        holder: s.text(),
        outside: option::of(outsiders(s)),
        scope: one_of(GrantScope::ALL),
        evidence: s.ids(),
        case: s.maybe(),
        range: option::of(spans()),
        purpose: s.text(),
        unit: s.maybe(),
        applied: signs(s),
        answer_due: times(),
        state: one_of(GrantState::ALL),
        decided: option::of(signs(s)),
        revoked: option::of(signs(s)),
        valid_until: option::of(times()),
        uses_max: any::<u32>(),
        uses: any::<u32>(),
    })
}

fn dispositions(s: &Source) -> BoxedStrategy<Disposition> {
    made!(Disposition {
        id: s.text(),
        unit: s.maybe(),
        evidence: s.ids(),
        proposed: signs(s),
        approvals: vec(signs(s), 0..3),
        state: one_of(DispositionState::ALL),
        grace_until: option::of(times()),
        stopped: option::of(signs(s)),
        ordered_at: option::of(indexes()),
        ended: s.ids(),
        struck: vec(made!(Struck { evidence: s.id(), why: s.text() }), 0..3),
    })
}

pub(crate) fn records(s: &Source) -> BoxedStrategy<Record> {
    let notes = made!(Note {
        id: s.text(),
        evidence: s.id(),
        author: s.text(),
        text: s.text(),
        supersedes: option::of(any::<u32>()),
    });
    let relations = made!(Relation {
        id: s.text(),
        evidence: s.id(),
        relation: one_of(RelationKind::ALL),
        to: s.id(),
    });
    let copies = made!(MediaCopy {
        id: s.text(),
        evidence: s.id(),
        blake3: hashes(),
        medium: s.text(),
        place: s.text(),
        made: signs(s),
    });
    prop_oneof![
        units(s).prop_map(Record::Unit),
        persons(s).prop_map(Record::Person),
        recorders(s).prop_map(Record::Recorder),
        stations(s).prop_map(Record::Station),
        cases(s).prop_map(Record::Case),
        filings(s).prop_map(Record::Filing),
        notes.prop_map(Record::Note),
        relations.prop_map(Record::Relation),
        copies.prop_map(Record::Copy),
        holds(s).prop_map(Record::Hold),
        grants(s).prop_map(Record::Grant),
        dispositions(s).prop_map(Record::Disposition),
        policies().prop_map(Record::Policy),
    ]
    .boxed()
}

pub(crate) fn versions(s: &Source) -> BoxedStrategy<Versioned> {
    made!(Versioned {
        version: any::<u32>(),
        changed_at: times(),
        changed_by: s.text(),
        log_index: indexes(),
        record: records(s),
    })
}

/// `any_of!(made!(…), made!(…))`: any command of these.
macro_rules! any_of {
    ($($of:expr),+ $(,)?) => {
        proptest::strategy::Union::new(vec![$($of.prop_map(LawCommand::from).boxed()),+]).boxed()
    };
}

/// Any command of the law: every one of them is here.
pub(crate) fn law_commands(s: &Source) -> BoxedStrategy<LawCommand> {
    prop_oneof![on_registers(s), on_cases(s), on_evidence(s), on_use_and_end(s)].boxed()
}

fn on_registers(s: &Source) -> BoxedStrategy<LawCommand> {
    any_of!(
        made!(SetUnit { unit: units(s) }),
        made!(SetPerson { person: persons(s) }),
        made!(SetRecorder { recorder: recorders(s) }),
        made!(SetStation { station: stations(s) }),
        made!(SetPolicy { policy: policies(), based_on: any::<u32>() }),
        made!(ConfirmClock { reason: s.text() }),
        made!(ReportRefusal { attempt: s.text(), what: s.text() }),
    )
}

fn on_cases(s: &Source) -> BoxedStrategy<LawCommand> {
    any_of!(
        made!(OpenCase {
            case: s.text(),
            act_type: one_of(ActType::ALL),
            unit: s.text(),
            title: s.maybe(),
            place: s.maybe(),
            officers: s.texts(),
            parties: parties(s),
            custodian: s.text(),
            classification: one_of(Classification::ALL),
        }),
        made!(UpdateCase {
            case: s.text(),
            title: s.maybe(),
            place: s.maybe(),
            custodian: s.maybe(),
            add_officers: s.texts(),
            remove_officers: s.texts(),
            add_parties: parties(s),
            reason: s.text(),
        }),
        made!(MoveCase { case: s.text(), stage: one_of(Stage::ALL), reason: s.maybe() }),
        made!(CloseCase { case: s.text(), reason: s.text() }),
        made!(ArchiveCase { case: s.text(), despite: s.maybe() }),
        made!(ReopenCase { case: s.text(), stage: one_of(Stage::ALL), reason: s.text() }),
        made!(ClassifyCase { case: s.text(), to: one_of(Classification::ALL), reason: s.text() }),
    )
}

fn on_evidence(s: &Source) -> BoxedStrategy<LawCommand> {
    any_of!(
        made!(FileEvidence {
            evidence: s.id(),
            case: s.text(),
            stage: one_of(Stage::ALL),
            reason: s.maybe(),
        }),
        made!(AddNote { evidence: s.id(), text: s.text(), supersedes: option::of(any::<u32>()) }),
        made!(CorrectDescriptor { evidence: s.id(), descriptor: descriptors(), reason: s.text() }),
        made!(AddRelation { evidence: s.id(), relation: one_of(RelationKind::ALL), to: s.id() }),
        made!(ClassifyEvidence {
            evidence: s.id(),
            to: one_of(Classification::ALL),
            reason: s.text(),
        }),
        made!(ExtendRetention { evidence: s.id(), until: times(), reason: s.text() }),
        made!(RegisterCopy {
            evidence: s.id(),
            blake3: hashes(),
            medium: s.text(),
            place: s.text(),
            reason: s.text(),
        }),
        made!(PlaceHold {
            reason: one_of(HoldReason::ALL),
            text: s.maybe(),
            reference: s.maybe(),
            target: filters(s),
            review_at: option::of(times()),
        }),
        made!(ReleaseHold { hold: s.text(), reason: s.text() }),
    )
}

fn on_use_and_end(s: &Source) -> BoxedStrategy<LawCommand> {
    any_of!(
        made!(ApplyForGrant {
            outside: option::of(outsiders(s)),
            scope: one_of(GrantScope::ALL),
            evidence: s.ids(),
            case: s.maybe(),
            range: option::of(spans()),
            purpose: s.text(),
        }),
        made!(DecideGrant {
            grant: s.text(),
            approve: any::<bool>(),
            reason: s.text(),
            valid_until: option::of(times()),
            uses_max: any::<u32>(),
        }),
        made!(RevokeGrant { grant: s.text(), reason: s.text() }),
        made!(ProposeDisposition { evidence: s.ids(), reason: s.text() }),
        made!(ApproveDisposition { disposition: s.text(), reason: s.text() }),
        made!(StopDisposition { disposition: s.text(), reason: s.text() }),
        made!(OrderDisposition { disposition: s.text() }),
        made!(RecordDisposal { disposition: s.text(), evidence: s.id() }),
    )
}

pub(crate) fn law_queries(s: &Source) -> BoxedStrategy<LawQuery> {
    let kind = || one_of(RecordKind::ALL);
    prop_oneof![
        made!(RecordName { kind: kind(), id: s.text() }).prop_map(LawQuery::Record),
        made!(HistoryPage { kind: kind(), id: s.text(), after: any::<u32>(), limit: any::<u32>() })
            .prop_map(LawQuery::History),
        made!(ListPage {
            list: one_of(RecordList::ALL),
            kind: option::of(kind()),
            unit: s.maybe(),
            prefix: s.maybe(),
            after: s.maybe(),
            limit: any::<u32>(),
        })
        .prop_map(LawQuery::List),
        made!(EvidenceName { evidence: s.id() }).prop_map(LawQuery::Keeping),
        made!(CaseName { case: s.text() }).prop_map(LawQuery::Case),
        made!(ClockAsked { limit: any::<u32>() }).prop_map(LawQuery::Clock),
        made!(EvidenceName { evidence: s.id() }).prop_map(LawQuery::Tombstone),
    ]
    .boxed()
}

pub(crate) fn law_answers(s: &Source) -> BoxedStrategy<LawAnswer> {
    let keepings = made!(Keeping {
        evidence: s.id(),
        retain_until: times(),
        retained_for: s.text(),
        retention_over: any::<bool>(),
        holds: vec(versions(s), 0..3),
        disposition: s.maybe(),
    });
    let stages = made!(StageReport {
        stage: one_of(Stage::ALL),
        items: any::<u32>(),
        audio_visual: any::<u32>(),
        audio_visual_required: any::<bool>(),
    });
    let reports = made!(CaseReport {
        case: s.text(),
        stages: vec(stages, 0..4),
        missing: s.texts(),
        truncated: any::<bool>(),
    });
    let clocks = made!(ClockState {
        time: times(),
        settled: times(),
        unconfirmed_ms: any::<i64>(),
        confirmed_by: option::of(signs(s)),
    });
    let tombstones = made!(Tombstone {
        evidence: s.id(),
        size: any::<u64>(),
        blake3: hashes(),
        sha256: any::<[u8; 32]>().prop_map(Sha256Hash),
        sealed_at: times(),
        seal_index: indexes(),
        disposition: s.text(),
        order_index: indexes(),
        ended_at: times(),
        end_index: indexes(),
    });
    prop_oneof![
        made!(RecordPage { items: vec(versions(s), 0..4), next: s.maybe() })
            .prop_map(LawAnswer::Records),
        keepings.prop_map(LawAnswer::Keeping),
        reports.prop_map(LawAnswer::Case),
        clocks.prop_map(LawAnswer::Clock),
        tombstones.prop_map(LawAnswer::Tombstone),
    ]
    .boxed()
}
