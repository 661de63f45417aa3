//! A small model of the law, written from `docs/law.md` and the domain's rules alone.
//!
//! What the text leaves open is read as follows:
//!
//! - Everybody's role is judged by the certificate, everybody's unit by the register.
//! - A unit whose parent became inactive may still be changed: the parent is looked at once.
//! - Whoever sets a recorder reaches the unit that it had and the one that it gets.
//! - Certificate numbers are unique among the persons as they are now, inactive ones too.
//! - A period of 0 days is one that is not given for act types alone.
//! - An officer stands in a case once. What a case lacks is anything under any stage of its act
//!   type, archiving too. Two officers are needed to close it, from whatever stage.
//! - From a stage that a later policy took away a case moves to any other, with two officers.
//! - Reopening leaves no day when the papers are due, and the days of closing and archiving.
//! - Raising a classification drops what was asked to be lower.
//! - Evidence is filed at its sealing only if its descriptor names both a case and a stage that the
//!   act type has by then.
//! - The periods of all classifications that evidence had count for retention; those of a case that
//!   it is filed under no more count too.
//! - Evidence that is ordered to end takes no other act by its name (I3, `evidence`); grants may
//!   still be applied for. What relates other evidence to it may be said.
//! - A correction that changes nothing is refused (R6, `descriptor`).
//! - Extending goes beyond everything that keeps the evidence, holds apart. Where 100 years
//!   end within a few days is not looked at, nor where 10 do.
//! - A hold covers evidence that ever was of its agency or of none; one of nobody's unit covers all.
//! - Once its release was asked for, a hold is released by another person, whatever the policy says
//!   by then. The developer is no auditor.
//! - A refusal of an application needs no clearance, and no limits of use.
//! - The clearance that counts under a grant is the holder's, and that of a person who uses it.
//! - A holder is known by name and role: who got another role since holds nothing.
//! - The store itself may put and view, but is handed neither copies nor originals.
//! - What is struck off a disposition is under way no more; evidence that is under way may be filed
//!   elsewhere, and is judged as it is when its end is ordered.
//! - Whoever may act at all may report a refusal.

mod cases;
mod dispositions;
mod evidence;
mod grants;
mod holds;
mod keeping;
mod perform;
mod policy;
mod put;
mod reasons;
mod registers;
mod rights;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use custos_core::{
    Actor, Descriptor, EvidenceId, EvidenceRecord, LogIndex, Role, Stage, Timestamp,
    law::{
        Case, Classification, Disposition, Filing, Grant, Hold, LawCommand, LawPolicy, MediaCopy,
        Note, Person, Record, Recorder, Relation, Sign, Station, Unit,
    },
};

pub(crate) use self::{cases::Lack, perform::Seen, reasons::Reasons, rights::Right};
use crate::deed::Deed;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;
/// Longest step of cluster time that counts at once.
pub(crate) const STEP_MS_MAX: i64 = 3_600_000;

/// All that the law decides by.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// Cluster time.
    pub(crate) now: Timestamp,
    /// How far cluster time moved in steps that nobody confirmed.
    pub(crate) unconfirmed_ms: i64,
    /// Who confirmed them, alone so far.
    pub(crate) confirmed_by: Option<Sign>,
    pub(crate) units: BTreeMap<String, Unit>,
    pub(crate) persons: BTreeMap<String, Person>,
    pub(crate) recorders: BTreeMap<String, Recorder>,
    pub(crate) stations: BTreeMap<String, Station>,
    /// Every policy that was in force, by version; what the cluster began with is the first.
    pub(crate) policies: Vec<LawPolicy>,
    pub(crate) cases: BTreeMap<String, Case>,
    /// Every classification that each case ever had.
    pub(crate) classes: BTreeMap<String, BTreeSet<Classification>>,
    pub(crate) evidence: BTreeMap<EvidenceId, Evidence>,
    pub(crate) notes: Vec<Note>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) copies: Vec<MediaCopy>,
    /// `H1` first.
    pub(crate) holds: Vec<Hold>,
    /// `G1` first.
    pub(crate) grants: Vec<Grant>,
    /// `D1` first.
    pub(crate) dispositions: Vec<Disposition>,
}

/// One evidence item from its upload on.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) id: EvidenceId,
    pub(crate) put_by: Actor,
    pub(crate) put: Descriptor,
    pub(crate) life: Life,
}

/// Where evidence is in its life.
#[derive(Debug, Clone)]
pub(crate) enum Life {
    Open,
    Aborted,
    Sealed(Box<Sealed>),
    Ended(Box<Ended>),
}

/// What is known of evidence that ended.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// As it was sealed.
    pub(crate) record: EvidenceRecord,
    pub(crate) disposition: String,
    /// The entry that ordered it.
    pub(crate) ordered_at: Option<LogIndex>,
    /// When it might end at the earliest.
    pub(crate) kept_until: Timestamp,
}

/// What is known of sealed evidence.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    /// As it was sealed.
    pub(crate) record: EvidenceRecord,
    /// As it is filed now.
    pub(crate) filing: Filing,
    /// What [`Model::policies`] was in force when it was sealed.
    pub(crate) since_policy: usize,
    /// What it was filed under and described as, from its sealing on; the last is now.
    pub(crate) past: Vec<Facts>,
    /// Every classification of its own that it ever had.
    pub(crate) classes: BTreeSet<Classification>,
    /// What `ExtendRetention` said last.
    pub(crate) extended: Option<Timestamp>,
    /// When its retention was over by what was in force when its end was ordered.
    pub(crate) ordered_over: Option<Timestamp>,
}

/// What a filter looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) case: Option<String>,
    pub(crate) stage: Option<Stage>,
    pub(crate) unit: Option<String>,
    pub(crate) descriptor: Descriptor,
}

impl Evidence {
    /// Whether its upload is open.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.life, Life::Open)
    }
}

impl Sealed {
    /// What it is described as now.
    pub(crate) fn descriptor(&self) -> &Descriptor {
        self.filing.descriptor.as_ref().unwrap_or(&self.record.descriptor)
    }

    /// Puts what it is filed under and described as now among what it ever was.
    pub(crate) fn remember(&mut self) {
        self.past.push(Facts {
            case: self.filing.case.clone(),
            stage: self.filing.stage,
            unit: self.filing.unit.clone(),
            descriptor: self.descriptor().clone(),
        });
    }
}

impl Model {
    /// Before anything is on the registers.
    pub(crate) fn beginning(now: Timestamp, policy: LawPolicy) -> Self {
        Self {
            now,
            unconfirmed_ms: 0,
            confirmed_by: None,
            units: BTreeMap::new(),
            persons: BTreeMap::new(),
            recorders: BTreeMap::new(),
            stations: BTreeMap::new(),
            policies: vec![policy],
            cases: BTreeMap::new(),
            classes: BTreeMap::new(),
            evidence: BTreeMap::new(),
            notes: Vec::new(),
            relations: Vec::new(),
            copies: Vec::new(),
            holds: Vec::new(),
            grants: Vec::new(),
            dispositions: Vec::new(),
        }
    }

    /// Moves cluster time, as every command does; whether by a step that must be confirmed.
    pub(crate) fn advance(&mut self, stamped: Timestamp) -> bool {
        let step_ms = stamped.as_millis() - self.now.as_millis();
        self.now = self.now.max(stamped);
        let is_jump = step_ms > STEP_MS_MAX;
        if is_jump {
            self.unconfirmed_ms += step_ms;
            self.confirmed_by = None;
        }
        is_jump
    }

    /// The time that retention and grace are judged by.
    pub(crate) fn settled(&self) -> Timestamp {
        Timestamp::from_millis(self.now.as_millis() - self.unconfirmed_ms)
    }

    /// The policy that stands.
    pub(crate) fn policy(&self) -> &LawPolicy {
        self.policies.last().expect("there is always one")
    }

    /// Every reason to refuse what is asked for; it is done if there is none.
    pub(crate) fn judge(&self, actor: &Actor, deed: &Deed) -> Reasons {
        let mut no = Reasons::default();
        match deed {
            // By who opened the upload alone.
            Deed::Seal(_) | Deed::Abort(_) => {}
            Deed::Put(_) | Deed::View(_) | Deed::Law(_) => self.check_actor(&mut no, actor),
        }
        match deed {
            Deed::Put(put) => self.judge_put(&mut no, actor, put),
            Deed::Seal(id) => self.judge_seal(&mut no, actor, *id),
            Deed::Abort(id) => self.judge_abort(&mut no, actor, *id),
            Deed::View(view) => self.judge_view(&mut no, actor, view),
            Deed::Law(command) => self.judge_law(&mut no, actor, command),
        }
        no
    }

    fn judge_law(&self, no: &mut Reasons, actor: &Actor, command: &LawCommand) {
        match command {
            LawCommand::SetUnit(it) => self.judge_set_unit(no, actor, &it.unit),
            LawCommand::SetPerson(it) => self.judge_set_person(no, actor, &it.person),
            LawCommand::SetRecorder(it) => self.judge_set_recorder(no, actor, &it.recorder),
            LawCommand::SetStation(it) => self.judge_set_station(no, actor, &it.station),
            LawCommand::SetPolicy(it) => self.judge_set_policy(no, actor, it),
            LawCommand::ConfirmClock(it) => self.judge_confirm_clock(no, actor, it),
            LawCommand::OpenCase(it) => self.judge_open_case(no, actor, it),
            LawCommand::UpdateCase(it) => self.judge_update_case(no, actor, it),
            LawCommand::MoveCase(it) => self.judge_move_case(no, actor, it),
            LawCommand::CloseCase(it) => self.judge_close_case(no, actor, it),
            LawCommand::ArchiveCase(it) => self.judge_archive_case(no, actor, it),
            LawCommand::ReopenCase(it) => self.judge_reopen_case(no, actor, it),
            LawCommand::ClassifyCase(it) => self.judge_classify_case(no, actor, it),
            LawCommand::FileEvidence(it) => self.judge_file(no, actor, it),
            LawCommand::AddNote(it) => self.judge_add_note(no, actor, it),
            LawCommand::CorrectDescriptor(it) => self.judge_correct(no, actor, it),
            LawCommand::AddRelation(it) => self.judge_relate(no, actor, it),
            LawCommand::ClassifyEvidence(it) => self.judge_classify_evidence(no, actor, it),
            LawCommand::ExtendRetention(it) => self.judge_extend(no, actor, it),
            LawCommand::RegisterCopy(it) => self.judge_register_copy(no, actor, it),
            LawCommand::PlaceHold(it) => self.judge_place_hold(no, actor, it),
            LawCommand::ReleaseHold(it) => self.judge_release_hold(no, actor, it),
            LawCommand::ApplyForGrant(it) => self.judge_apply(no, actor, it),
            LawCommand::DecideGrant(it) => self.judge_decide(no, actor, it),
            LawCommand::RevokeGrant(it) => self.judge_revoke(no, actor, it),
            LawCommand::ProposeDisposition(it) => self.judge_propose(no, actor, it),
            LawCommand::ApproveDisposition(it) => self.judge_approve(no, actor, it),
            LawCommand::StopDisposition(it) => self.judge_stop(no, actor, it),
            LawCommand::OrderDisposition(it) => self.judge_order(no, actor, it),
            LawCommand::RecordDisposal(it) => self.judge_dispose(no, actor, it),
            LawCommand::ReportRefusal(it) => {
                self.check_role(no, actor, Right::Register);
                no.id("attempt", &it.attempt, 64);
                no.text("what", &it.what, 512);
            }
        }
    }

    /// Sealed evidence that has not ended.
    pub(crate) fn sealed(&self, id: EvidenceId) -> Option<&Sealed> {
        match &self.evidence.get(&id)?.life {
            Life::Sealed(sealed) => Some(sealed),
            Life::Open | Life::Aborted | Life::Ended(_) => None,
        }
    }

    fn sealed_mut(&mut self, id: EvidenceId) -> &mut Sealed {
        match &mut self.evidence.get_mut(&id).expect("judged before").life {
            Life::Sealed(sealed) => sealed,
            life => unreachable!("judged before: {life:?}"),
        }
    }

    /// The person on the register that a certificate names, if its role is right and it may act.
    pub(crate) fn person(&self, actor: &Actor) -> Option<&Person> {
        let person = self.persons.get(&actor.name)?;
        (person.role == actor.role && person.active).then_some(person)
    }

    /// The highest classification that somebody may see.
    pub(crate) fn clearance(&self, actor: &Actor) -> Classification {
        let named = self.persons.get(&actor.name);
        match actor.role {
            Role::Developer => Classification::StateSecret,
            _ => named.map_or(Classification::Ordinary, |person| person.clearance),
        }
    }

    /// The unit that whoever acts belongs to.
    pub(crate) fn unit_of(&self, actor: &Actor) -> Option<&str> {
        match actor.role {
            Role::Station => self.stations.get(&actor.name).map(|it| it.unit.as_str()),
            _ => {
                let named = self.persons.get(&actor.name);
                named.filter(|it| it.role == actor.role).map(|it| it.unit.as_str())
            }
        }
    }

    /// The topmost unit over `unit`.
    pub(crate) fn agency_of<'a>(&'a self, unit: &'a str) -> &'a str {
        self.line_of(unit).last().expect("it begins with the unit")
    }

    /// Whether `unit` is `top` or below it.
    pub(crate) fn is_within(&self, unit: &str, top: &str) -> bool {
        self.line_of(unit).any(|above| above == top)
    }

    /// `unit` and all that it is a department of, upwards.
    pub(crate) fn line_of<'a>(&'a self, unit: &'a str) -> impl Iterator<Item = &'a str> {
        let parent = |unit: &&'a str| self.units.get(*unit)?.parent.as_deref();
        std::iter::successors(Some(unit), parent)
    }

    fn sign(&self, actor: &Actor, reason: &str) -> Sign {
        Sign { by: actor.name.clone(), role: actor.role, at: self.now, reason: reason.to_owned() }
    }

    /// Every record that should be there, in the order of [`Record::kind`] and id.
    pub(crate) fn records(&self) -> Vec<Record> {
        let mut all: Vec<Record> = Vec::new();
        all.extend(self.units.values().cloned().map(Record::Unit));
        all.extend(self.persons.values().cloned().map(Record::Person));
        all.extend(self.recorders.values().cloned().map(Record::Recorder));
        all.extend(self.stations.values().cloned().map(Record::Station));
        all.extend(self.cases.values().cloned().map(Record::Case));
        let sealed = self.evidence.keys().filter_map(|id| self.sealed(*id));
        all.extend(sealed.map(|it| Record::Filing(it.filing.clone())));
        let notes = self.notes.iter().filter(|note| self.sealed(note.evidence).is_some());
        all.extend(notes.cloned().map(Record::Note));
        let relations = self.relations.iter().filter(|it| self.sealed(it.evidence).is_some());
        all.extend(relations.cloned().map(Record::Relation));
        all.extend(self.copies.iter().cloned().map(Record::Copy));
        all.extend(self.holds.iter().cloned().map(Record::Hold));
        all.extend(self.grants.iter().cloned().map(Record::Grant));
        all.extend(self.dispositions.iter().cloned().map(Record::Disposition));
        all.push(Record::Policy(self.policy().clone()));
        all.sort_by(|one, other| (one.kind(), one.id()).cmp(&(other.kind(), other.id())));
        all
    }

    /// Position of `H1`, `G1` or `D1` in its list.
    fn numbered(prefix: char, id: &str) -> Option<usize> {
        id.strip_prefix(prefix)?.parse::<usize>().ok()?.checked_sub(1)
    }

    pub(crate) fn hold(&self, id: &str) -> Option<&Hold> {
        self.holds.get(Self::numbered('H', id)?)
    }

    pub(crate) fn grant(&self, id: &str) -> Option<&Grant> {
        self.grants.get(Self::numbered('G', id)?)
    }

    pub(crate) fn disposition(&self, id: &str) -> Option<&Disposition> {
        self.dispositions.get(Self::numbered('D', id)?)
    }
}
