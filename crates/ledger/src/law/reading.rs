//! Who may read what is on record: the right to, how far it reaches, and clearance (rules R19, R23).
//! The bytes of evidence are another matter: `grants.rs`.

use custos_core::{
    Act, Actor, CustodyEntry, EvidenceId, EvidenceRecord, Refusal, Role, Rule,
    law::{Filing, Record, RecordKind},
};

use super::{
    acting::{effective_classification, filing_of, find_case, find_person, find_station},
    rights::{Reach, Right},
    who::Who,
};
use crate::{
    KvRead, custody,
    stored::{
        evidence::{self, Life},
        law_record,
    },
};

/// Somebody who reads.
pub(crate) struct Reader<'a> {
    who: Who<'a>,
    /// As the custody log names them.
    name: String,
}

impl<'a> Reader<'a> {
    /// Looks up who reads.
    ///
    /// # Errors
    /// As [`Who::new`].
    pub(crate) fn new(kv: &impl KvRead, actor: &'a Actor) -> Result<Self, Refusal> {
        Ok(Self { who: Who::new(kv, actor)?, name: custody::actor_name(actor) })
    }

    /// Whether what the catalogue says of evidence may be read.
    ///
    /// # Errors
    /// R19 above one's clearance, R23 without the right or out of reach.
    pub(crate) fn check_evidence(
        &self,
        kv: &impl KvRead,
        record: &EvidenceRecord,
    ) -> Result<(), Refusal> {
        let filing = filing_of(kv, record);
        if !is_own(kv, &self.who, record, &filing) {
            self.who.check(kv, Right::Read, filing.unit.as_deref())?;
        }
        self.who.check_cleared(effective_classification(kv, &filing))
    }

    /// Whether what was said of evidence may be read, wherever it is in its life.
    ///
    /// # Errors
    /// As [`check_evidence`](Self::check_evidence).
    pub(crate) fn check_evidence_id(
        &self,
        kv: &impl KvRead,
        id: EvidenceId,
    ) -> Result<(), Refusal> {
        if self.who.role() == Role::Station {
            // It reads what it put, not what was said of that afterwards.
            return self.who.check(kv, Right::Read, None);
        }
        let life = evidence::load(kv, id);
        if let Some(Life::Sealed(record)) = &life {
            return self.check_evidence(kv, record);
        }
        let (classification, unit) = match &life {
            Some(Life::Open(session)) => {
                let named = session.descriptor.case.as_deref();
                let of_case =
                    named.and_then(|case| find_case(kv, case)).map(|it| it.classification);
                (session.descriptor.classification.max(of_case), unit_of(kv, &session.actor))
            }
            Some(Life::Ended(ended)) => (Some(ended.classification), ended.unit.clone()),
            Some(Life::Aborted(aborted)) => (None, unit_of(kv, &aborted.actor)),
            Some(Life::Sealed(_)) | None => (None, None),
        };
        if !life.is_some_and(|it| self.is(it.actor())) {
            self.who.check(kv, Right::Read, unit.as_deref())?;
        }
        classification.map_or(Ok(()), |it| self.who.check_cleared(it))
    }

    /// Whether a record of the law may be read.
    ///
    /// # Errors
    /// As [`check_evidence`](Self::check_evidence).
    pub(crate) fn check_record(&self, kv: &impl KvRead, record: &Record) -> Result<(), Refusal> {
        match record {
            // What binds everybody may be read by everybody.
            Record::Policy(_) => Ok(()),
            Record::Filing(it) => match it.id.parse() {
                Ok(id) => self.check_evidence_id(kv, id),
                Err(_) => self.who.check(kv, Right::Read, None),
            },
            Record::Note(it) => self.check_evidence_id(kv, it.evidence),
            Record::Relation(it) => self.check_evidence_id(kv, it.evidence),
            Record::Copy(it) => self.check_evidence_id(kv, it.evidence),
            Record::Case(it) => {
                self.who.check(kv, Right::Read, Some(&it.unit))?;
                self.who.check_cleared(it.classification)
            }
            Record::Unit(_)
            | Record::Person(_)
            | Record::Recorder(_)
            | Record::Station(_)
            | Record::Hold(_)
            | Record::Grant(_)
            | Record::Disposition(_) => self.who.check(kv, Right::Read, unit_of_record(record)),
        }
    }

    /// Leaves of an entry of the custody log what may be read: the public part, which proves it, is
    /// everybody's; who acted and what was said is read by who may read what it is about, and by who
    /// acted.
    pub(crate) fn redact(&self, kv: &impl KvRead, entry: &mut CustodyEntry) {
        let is_own = entry.actor.as_ref() == Some(&self.name);
        if is_own || self.check_subject(kv, entry).is_ok() {
            return;
        }
        (entry.actor, entry.detail) = (None, None);
    }

    fn check_subject(&self, kv: &impl KvRead, entry: &CustodyEntry) -> Result<(), Refusal> {
        if let Some(id) = entry.evidence_id.filter(|id| evidence::load(kv, *id).is_some()) {
            return self.check_evidence_id(kv, id);
        }
        let named = entry.record.as_deref().and_then(|path| path.split_once('/'));
        let found =
            named.and_then(|(kind, id)| law_record::load(kv, RecordKind::from_name(kind)?, id));
        match (found, entry.act) {
            (Some(found), _) => self.check_record(kv, &found.record),
            // Of persons, whom leaves do not name, and of what was refused and is not there: of the
            // unit of who acted.
            (None, Act::RegisterChanged | Act::Refused) => {
                let unit = entry.actor.as_deref().and_then(|name| unit_of_named(kv, name));
                match unit {
                    Some(unit) => self.who.check(kv, Right::Read, Some(&unit)),
                    None => self.check_reads_everywhere(),
                }
            }
            (None, _) => self.who.check(kv, Right::Read, None),
        }
    }

    fn check_reads_everywhere(&self) -> Result<(), Refusal> {
        if Right::Read.reach(self.who.role()) == Reach::Anywhere {
            return Ok(());
        }
        let reason = format!("{} reads what is of the own agency", self.name);
        Err(Refusal::refused(Rule::R23, "unit", reason))
    }

    /// The same of a person by name; who is not on the register is nobody's but the registers'.
    ///
    /// # Errors
    /// As [`check_evidence`](Self::check_evidence).
    pub(crate) fn check_person(&self, kv: &impl KvRead, name: &str) -> Result<(), Refusal> {
        match law_record::load(kv, RecordKind::Person, name) {
            Some(found) => self.check_record(kv, &found.record),
            None => self.check_reads_everywhere(),
        }
    }

    /// The same of a case by its id; a claim of one that is not on record is nobody's secret.
    ///
    /// # Errors
    /// As [`check_evidence`](Self::check_evidence).
    pub(crate) fn check_case(&self, kv: &impl KvRead, id: &str) -> Result<(), Refusal> {
        let found = law_record::load(kv, RecordKind::Case, id);
        found.map_or(Ok(()), |found| self.check_record(kv, &found.record))
    }

    /// Whether there is anything of the law that may be read at all.
    ///
    /// # Errors
    /// R23 for a role that has no right to.
    pub(crate) fn check_reads(&self, kv: &impl KvRead) -> Result<(), Refusal> {
        self.who.check(kv, Right::Read, None)
    }

    fn is(&self, actor: &Actor) -> bool {
        actor.name == self.who.name() && actor.role == self.who.role()
    }
}

/// The unit that a record says it is of.
pub(crate) fn unit_of_record(record: &Record) -> Option<&str> {
    match record {
        Record::Unit(it) => Some(&it.id),
        Record::Person(it) => Some(&it.unit),
        Record::Recorder(it) => Some(&it.unit),
        Record::Station(it) => Some(&it.unit),
        Record::Case(it) => Some(&it.unit),
        Record::Filing(it) => it.unit.as_deref(),
        Record::Hold(it) => it.unit.as_deref(),
        Record::Grant(it) => it.unit.as_deref(),
        Record::Disposition(it) => it.unit.as_deref(),
        Record::Note(_) | Record::Relation(_) | Record::Copy(_) | Record::Policy(_) => None,
    }
}

/// The unit of whoever acted, if the register knows them.
fn unit_of(kv: &impl KvRead, actor: &Actor) -> Option<String> {
    match actor.role {
        Role::Station => find_station(kv, &actor.name).map(|it| it.unit),
        role if role.is_person() => find_person(kv, &actor.name).map(|it| it.unit),
        _ => None,
    }
}

/// The same by the name that the custody log gives them, `li.na (custodian)`.
fn unit_of_named(kv: &impl KvRead, name: &str) -> Option<String> {
    let (name, role) = name.strip_suffix(')')?.rsplit_once(" (")?;
    let actor = Actor { name: name.to_owned(), role: Role::from_name(role)?, fingerprint: [0; 32] };
    unit_of(kv, &actor)
}

/// Whether evidence is of the actor's own work: put, recorded, or of a case that is the actor's.
pub(super) fn is_own(
    kv: &impl KvRead,
    who: &Who<'_>,
    record: &EvidenceRecord,
    filing: &Filing,
) -> bool {
    let works = matches!(who.role(), Role::Officer | Role::Auxiliary | Role::Station);
    let put_it = record.actor.name == who.name() && record.actor.role == who.role();
    let number = who.person.as_ref().and_then(|person| person.certificate_no.as_ref());
    let shown = number.is_some_and(|number| record.descriptor.officers.contains(number));
    let case = filing.case.as_deref().and_then(|case| find_case(kv, case));
    let runs_it =
        number.is_some_and(|number| case.is_some_and(|case| case.officers.contains(number)));
    works && (put_it || shown || runs_it)
}
