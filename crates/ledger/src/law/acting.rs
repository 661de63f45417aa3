//! Who acts, what they may do, and how an act is entered: what all acts of the law have in common.

use custos_core::{
    Act, EvidenceId, EvidenceRecord, LogIndex, Refusal, Rule, Timestamp,
    law::{
        Case, CaseState, Classification, Filing, LawPolicy, Person, Record, RecordKind, RecordName,
        Sign, Unit, Versioned,
    },
};
use sha2::{Digest, Sha256};

use super::who::Who;
use crate::{
    Envelope, Kv, KvRead, Outcome,
    custody::{self, NewEntry, Subject},
    stored::{
        evidence::{self, Life},
        law_record,
    },
};

/// Longest reason, purpose or other short text: 512 bytes.
pub(super) const REASON_BYTES_MAX: usize = 512;
/// Longest name for people: 256 bytes.
pub(super) const TITLE_BYTES_MAX: usize = 256;
/// Longest id of a unit, person, recorder or station, and longest role of a party: 64 bytes.
pub(super) const ID_BYTES_MAX: usize = 64;
/// Longest id of a case: 128 bytes.
pub(super) const CASE_BYTES_MAX: usize = 128;
/// Most levels of units.
pub(super) const UNIT_LEVELS_MAX: usize = 8;

/// An act under way: who acts, when, and under which policy.
pub(super) struct Acting<'a> {
    pub(super) who: Who<'a>,
    pub(super) envelope: &'a Envelope,
    /// Cluster time.
    pub(super) now: Timestamp,
    /// The time that retention and grace are judged by.
    pub(super) settled: Timestamp,
    pub(super) policy: LawPolicy,
}

impl<'a> Acting<'a> {
    /// Looks up who acts.
    ///
    /// # Errors
    /// As [`Who::new`].
    pub(super) fn new(
        kv: &impl KvRead,
        envelope: &'a Envelope,
        now: Timestamp,
        settled: Timestamp,
        policy: LawPolicy,
    ) -> Result<Self, Refusal> {
        let who = Who::new(kv, &envelope.actor)?;
        Ok(Self { who, envelope, now, settled, policy })
    }

    pub(super) fn sign(&self, reason: &str) -> Sign {
        let (by, role) = (self.who.name().to_owned(), self.who.role());
        Sign { by, role, at: self.now, reason: reason.to_owned() }
    }

    /// Enters the act, saves the record that it leaves, and says so.
    pub(super) fn done(
        &self,
        kv: &mut impl Kv,
        act: Act,
        evidence: Option<EvidenceId>,
        detail: String,
        record: Record,
    ) -> Outcome {
        let name = RecordName { kind: record.kind(), id: record.id().to_owned() };
        let log_index = self.enter(kv, act, evidence, Some(name), detail, 0);
        let by = custody::actor_name(&self.envelope.actor);
        let saved = law_record::save(kv, record, self.now, by, log_index);
        Outcome::LawDone { log_index, record: Some(Box::new(saved)) }
    }

    /// Enters something in the custody log. `part` tells the entries of one act apart, from 0 on.
    pub(super) fn enter(
        &self,
        kv: &mut impl Kv,
        act: Act,
        evidence_id: Option<EvidenceId>,
        record: Option<RecordName>,
        detail: String,
        part: u32,
    ) -> LogIndex {
        let salted;
        let envelope = match part {
            0 => self.envelope,
            _ => {
                let entry_salt = salt_of(self.envelope, part);
                salted = Envelope { entry_salt, ..self.envelope.clone() };
                &salted
            }
        };
        let time = self.now;
        let entry = NewEntry { envelope, time, act, evidence_id, record, detail, descriptor: None };
        custody::append(kv, &entry, |_| Subject::None)
    }
}

/// SHA-256(0x06 ‖ salt ‖ part), cut: whoever is shown one entry learns nothing about another.
fn salt_of(envelope: &Envelope, part: u32) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update([6])
        .chain_update(envelope.entry_salt)
        .chain_update(part.to_be_bytes())
        .finalize();
    *digest.first_chunk().expect("a digest has 32 bytes")
}

/// Whether `unit` is `above` or below it.
pub(crate) fn is_within(kv: &impl KvRead, unit: &str, above: &str) -> bool {
    line_of(kv, unit).iter().any(|one| one == above)
}

/// The agency of a unit: the topmost one above it.
pub(super) fn top_of(kv: &impl KvRead, unit: &str) -> String {
    line_of(kv, unit).pop().expect("a line has at least the unit")
}

/// A unit and those above it, the topmost last.
pub(super) fn line_of(kv: &impl KvRead, unit: &str) -> Vec<String> {
    let mut line = vec![unit.to_owned()];
    while line.len() <= UNIT_LEVELS_MAX {
        let last = line.last().expect("not empty");
        let Some(parent) = find_unit(kv, last).and_then(|unit| unit.parent) else { break };
        line.push(parent);
    }
    line
}

macro_rules! finders {
    ($($find:ident: $kind:ident => $record:ty),+ $(,)?) => {$(
        pub(crate) fn $find(kv: &impl KvRead, id: &str) -> Option<$record> {
            match law_record::load(kv, RecordKind::$kind, id)?.record {
                Record::$kind(record) => Some(record),
                _ => None,
            }
        }
    )+};
}

finders!(
    find_unit: Unit => Unit,
    find_person: Person => Person,
    find_station: Station => custos_core::law::Station,
    find_recorder: Recorder => custos_core::law::Recorder,
    find_case: Case => Case,
    find_hold: Hold => custos_core::law::Hold,
    find_grant: Grant => custos_core::law::Grant,
    find_disposition: Disposition => custos_core::law::Disposition,
);

/// A record that must be there.
pub(super) fn known<T>(
    found: Option<T>,
    rule: Rule,
    field: &str,
    kind: RecordKind,
    id: &str,
) -> Result<T, Refusal> {
    found.ok_or_else(|| Refusal::not_found(rule, field, format!("there is no {kind} {id:?}")))
}

/// A unit that is there and in use.
pub(super) fn active_unit(kv: &impl KvRead, field: &str, id: &str) -> Result<Unit, Refusal> {
    let unit = known(find_unit(kv, id), Rule::R26, field, RecordKind::Unit, id)?;
    if unit.active {
        return Ok(unit);
    }
    Err(Refusal::refused(Rule::R26, field, format!("unit {id} is out of use")))
}

/// A case that is there.
pub(super) fn known_case(kv: &impl KvRead, id: &str) -> Result<Case, Refusal> {
    known(find_case(kv, id), Rule::R1, "case", RecordKind::Case, id)
}

/// Evidence that is sealed and stands.
pub(crate) fn sealed(kv: &impl KvRead, id: EvidenceId) -> Result<EvidenceRecord, Refusal> {
    match evidence::load(kv, id) {
        Some(Life::Sealed(record)) => Ok(*record),
        Some(Life::Ended(_)) => {
            let reason = format!("evidence {id} has lawfully ended");
            Err(Refusal::refused(Rule::I3, "evidence", reason))
        }
        Some(Life::Open(_)) => {
            let reason = format!("evidence {id} is not sealed yet");
            Err(Refusal::refused(Rule::R6, "evidence", reason))
        }
        Some(Life::Aborted(_)) | None => {
            let reason = format!("no evidence has the id {id}");
            Err(Refusal::not_found(Rule::R6, "evidence", reason))
        }
    }
}

/// Where evidence is filed, in its latest version.
pub(crate) fn filing_of(kv: &impl KvRead, record: &EvidenceRecord) -> Filing {
    let id = record.evidence_id.to_string();
    match law_record::load(kv, RecordKind::Filing, &id).map(|it| it.record) {
        Some(Record::Filing(filing)) => filing,
        _ => unfiled(record),
    }
}

/// The filing of evidence that nothing was ever said about but by who put it.
pub(super) fn unfiled(record: &EvidenceRecord) -> Filing {
    Filing {
        id: record.evidence_id.to_string(),
        unit: None,
        case: None,
        stage: None,
        classification: record.descriptor.classification.unwrap_or(Classification::Ordinary),
        lower_to: None,
        lower_asked: None,
        retain_until: record.retain_until,
        descriptor: None,
        disposition: None,
        ordered_at: None,
        reason: None,
    }
}

/// The classification that counts: that of the evidence or of its case, whichever is higher.
pub(super) fn effective_classification(kv: &impl KvRead, filing: &Filing) -> Classification {
    let case = filing.case.as_deref().and_then(|case| find_case(kv, case));
    case.map_or(filing.classification, |case| case.classification.max(filing.classification))
}

/// Every version of where evidence was filed, the latest last; at least one.
pub(super) fn filings_of(kv: &impl KvRead, record: &EvidenceRecord) -> Vec<Filing> {
    let id = record.evidence_id.to_string();
    let found = law_record::history(kv, RecordKind::Filing, &id, 0, usize::MAX);
    // What belonged to no unit and no case when it was sealed has no version of that time.
    let is_whole = found.first().is_some_and(|first| first.log_index == record.seal_index);
    let mut filings: Vec<Filing> = Vec::with_capacity(found.len() + 1);
    filings.extend((!is_whole).then(|| unfiled(record)));
    filings.extend(found.into_iter().filter_map(|Versioned { record, .. }| match record {
        Record::Filing(filing) => Some(filing),
        _ => None,
    }));
    filings
}

/// Refuses what a case that is archived does not take.
pub(super) fn check_not_archived(case: &Case, field: &str) -> Result<(), Refusal> {
    if case.state != CaseState::Archived {
        return Ok(());
    }
    let reason = format!("case {} is archived: it must be reopened first", case.id);
    Err(Refusal::refused(Rule::R13, field, reason))
}

/// A text that must say something.
pub(super) fn check_said(rule: Rule, field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::refused(rule, field, "is empty"));
    }
    check_line(field, text, max)
}

/// A reason, which must say something.
pub(super) fn check_reason(reason: &str) -> Result<(), Refusal> {
    check_said(Rule::R26, "reason", reason, REASON_BYTES_MAX)
}

/// A text that may be absent, and says something otherwise.
pub(super) fn check_optional(field: &str, text: Option<&str>, max: usize) -> Result<(), Refusal> {
    text.map_or(Ok(()), |text| check_said(Rule::R26, field, text, max))
}

fn check_line(field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    check_len(field, text, max)?;
    if text.chars().any(char::is_control) {
        return Err(Refusal::refused(Rule::R26, field, "holds a control character"));
    }
    Ok(())
}

/// Refuses a text that is too long.
pub(super) fn check_len(field: &str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.len() <= max {
        return Ok(());
    }
    let reason = format!("{} bytes, at most {max} are allowed", text.len());
    Err(Refusal::refused(Rule::I10, field, reason))
}

/// An id that people can write.
pub(super) fn check_id(field: &str, id: &str, max: usize) -> Result<(), Refusal> {
    if id.is_empty() {
        return Err(Refusal::refused(Rule::R26, field, "is empty"));
    }
    check_len(field, id, max)?;
    let is_allowed = |c: char| c.is_alphanumeric() || "-_./:#@()[]〔〕（）【】".contains(c);
    match id.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(c) => {
            let reason =
                format!("{c:?} cannot stand in an id: letters, digits, brackets and -_./:#@ can");
            Err(Refusal::refused(Rule::R26, field, reason))
        }
    }
}

/// Refuses a list that is too long.
pub(super) fn check_count(field: &str, count: usize, max: usize) -> Result<(), Refusal> {
    if count <= max {
        return Ok(());
    }
    let reason = format!("{count} items, at most {max} are allowed");
    Err(Refusal::refused(Rule::I10, field, reason))
}
