//! What an act that is not refused changes.

use custos_core::{
    Act, Actor, EvidenceId, EvidenceRecord, LogIndex,
    law::{DispositionState, GrantScope, GrantState, LawCommand, Record},
};

use super::Model;
use crate::deed::Deed;

/// What the law's text leaves to the ledger: read back from it, and checked elsewhere.
pub(crate) struct Seen<'a> {
    /// The record that a seal made.
    pub(crate) sealed: Option<&'a EvidenceRecord>,
    /// Entries of the custody log that order the end of evidence, by evidence.
    pub(crate) orders: &'a [(EvidenceId, LogIndex)],
    /// The record that the act gave back.
    pub(crate) record: Option<&'a Record>,
}

impl Seen<'_> {
    pub(super) fn sealed(&self, id: EvidenceId) -> EvidenceRecord {
        let record = self.sealed.expect("a seal gives the record back");
        assert_eq!(record.evidence_id, id);
        record.clone()
    }

    pub(super) fn order_of(&self, id: EvidenceId) -> Option<LogIndex> {
        self.orders.iter().find(|(ordered, _)| *ordered == id).map(|(_, index)| *index)
    }

    pub(super) fn ordered_at(&self) -> Option<LogIndex> {
        match self.record {
            Some(Record::Disposition(it)) => it.ordered_at,
            _ => None,
        }
    }

    pub(super) fn why_struck(&self, id: EvidenceId) -> String {
        let Some(Record::Disposition(it)) = self.record else { return String::new() };
        let struck = it.struck.iter().find(|struck| struck.evidence == id);
        struck.map_or_else(|| "not struck".to_owned(), |struck| struck.why.clone())
    }
}

/// What an act must give back and enter.
#[derive(Debug)]
pub(crate) struct Expected {
    /// The record that it made or changed.
    pub(crate) record: Option<Record>,
    /// What its entry says was done.
    pub(crate) act: Act,
    /// The evidence that its entry is about, where it is about one.
    pub(crate) evidence: Option<EvidenceId>,
    /// Whether it may be entered once for each of several items.
    pub(crate) is_many: bool,
}

impl Model {
    /// Does what was judged.
    pub(crate) fn perform(&mut self, actor: &Actor, deed: &Deed, seen: &Seen<'_>) -> Expected {
        let (record, act, evidence) = match deed {
            Deed::Put(put) => {
                self.do_put(actor, put);
                (None, Act::UploadOpened, Some(put.evidence))
            }
            Deed::Seal(id) => {
                self.do_seal(*id, seen);
                (None, Act::Sealed, Some(*id))
            }
            Deed::Abort(id) => {
                self.do_abort(*id);
                (None, Act::UploadAborted, Some(*id))
            }
            Deed::View(view) => {
                self.do_view(view);
                let act = match view.scope {
                    GrantScope::View => Act::Viewed,
                    GrantScope::Copy => Act::Copied,
                    GrantScope::Original => Act::TakenOut,
                };
                (None, act, Some(view.evidence))
            }
            Deed::Law(command) => return self.perform_law(actor, command, seen),
        };
        Expected { record, act, evidence, is_many: false }
    }

    fn perform_law(&mut self, actor: &Actor, command: &LawCommand, seen: &Seen<'_>) -> Expected {
        let (record, act) = self
            .perform_register(actor, command)
            .or_else(|| self.perform_case(actor, command))
            .or_else(|| self.perform_evidence(actor, command))
            .or_else(|| self.perform_keeping(actor, command, seen))
            .unwrap_or((None, Act::Refused));
        let evidence = match command {
            LawCommand::FileEvidence(it) => Some(it.evidence),
            LawCommand::AddNote(it) => Some(it.evidence),
            LawCommand::CorrectDescriptor(it) => Some(it.evidence),
            LawCommand::AddRelation(it) => Some(it.evidence),
            LawCommand::ClassifyEvidence(it) => Some(it.evidence),
            LawCommand::ExtendRetention(it) => Some(it.evidence),
            LawCommand::RegisterCopy(it) => Some(it.evidence),
            LawCommand::RecordDisposal(it) => Some(it.evidence),
            LawCommand::PlaceHold(it) => it.target.evidence,
            LawCommand::ReleaseHold(it) => self.hold(&it.hold).and_then(|it| it.target.evidence),
            _ => None,
        };
        let is_many =
            matches!(record, Some(Record::Grant(_) | Record::Disposition(_) | Record::Relation(_)));
        Expected { record, act, evidence, is_many }
    }

    fn perform_register(
        &mut self,
        actor: &Actor,
        command: &LawCommand,
    ) -> Option<(Option<Record>, Act)> {
        let record = match command {
            LawCommand::SetUnit(it) => {
                self.units.insert(it.unit.id.clone(), it.unit.clone());
                Record::Unit(it.unit.clone())
            }
            LawCommand::SetPerson(it) => {
                self.persons.insert(it.person.id.clone(), it.person.clone());
                Record::Person(it.person.clone())
            }
            LawCommand::SetRecorder(it) => {
                self.recorders.insert(it.recorder.id.clone(), it.recorder.clone());
                Record::Recorder(it.recorder.clone())
            }
            LawCommand::SetStation(it) => {
                self.stations.insert(it.station.id.clone(), it.station.clone());
                Record::Station(it.station.clone())
            }
            LawCommand::SetPolicy(it) => {
                self.policies.push(it.policy.clone());
                return Some((Some(Record::Policy(it.policy.clone())), Act::PolicySet));
            }
            LawCommand::ConfirmClock(it) => {
                match self.confirmed_by.take() {
                    Some(_) => self.unconfirmed_ms = 0,
                    None => self.confirmed_by = Some(self.sign(actor, &it.reason)),
                }
                return Some((None, Act::ClockConfirmed));
            }
            _ => return None,
        };
        Some((Some(record), Act::RegisterChanged))
    }

    fn perform_case(
        &mut self,
        actor: &Actor,
        command: &LawCommand,
    ) -> Option<(Option<Record>, Act)> {
        let (case, act) = match command {
            LawCommand::OpenCase(it) => (self.do_open_case(it), Act::CaseOpened),
            LawCommand::UpdateCase(it) => (self.do_update_case(it), Act::CaseChanged),
            LawCommand::MoveCase(it) => (self.do_move_case(it), Act::CaseChanged),
            LawCommand::CloseCase(it) => (self.do_close_case(it), Act::CaseClosed),
            LawCommand::ArchiveCase(it) => (self.do_archive_case(it), Act::CaseArchived),
            LawCommand::ReopenCase(it) => (self.do_reopen_case(it), Act::CaseReopened),
            LawCommand::ClassifyCase(it) => (self.do_classify_case(actor, it), Act::Classified),
            _ => return None,
        };
        Some((Some(Record::Case(case)), act))
    }

    fn perform_evidence(
        &mut self,
        actor: &Actor,
        command: &LawCommand,
    ) -> Option<(Option<Record>, Act)> {
        let (record, act) = match command {
            LawCommand::FileEvidence(it) => (Record::Filing(self.do_file(it)), Act::Filed),
            LawCommand::AddNote(it) => (Record::Note(self.do_add_note(actor, it)), Act::Noted),
            LawCommand::CorrectDescriptor(it) => {
                (Record::Filing(self.do_correct(it)), Act::Described)
            }
            LawCommand::AddRelation(it) => (Record::Relation(self.do_relate(it)), Act::Related),
            LawCommand::ClassifyEvidence(it) => {
                (Record::Filing(self.do_classify_evidence(actor, it)), Act::Classified)
            }
            LawCommand::ExtendRetention(it) => {
                (Record::Filing(self.do_extend(it)), Act::RetentionExtended)
            }
            LawCommand::RegisterCopy(it) => {
                (Record::Copy(self.do_register_copy(actor, it)), Act::CopyRegistered)
            }
            _ => return None,
        };
        Some((Some(record), act))
    }

    fn perform_keeping(
        &mut self,
        actor: &Actor,
        command: &LawCommand,
        seen: &Seen<'_>,
    ) -> Option<(Option<Record>, Act)> {
        let (record, act) = match command {
            LawCommand::PlaceHold(it) => {
                (Record::Hold(self.do_place_hold(actor, it)), Act::HoldPlaced)
            }
            LawCommand::ReleaseHold(it) => {
                let hold = self.do_release_hold(actor, it);
                let is_released = hold.released.is_some();
                let act = if is_released { Act::HoldReleased } else { Act::HoldReleaseAsked };
                (Record::Hold(hold), act)
            }
            LawCommand::ApplyForGrant(it) => {
                (Record::Grant(self.do_apply(actor, it)), Act::GrantApplied)
            }
            LawCommand::DecideGrant(it) => {
                let grant = self.do_decide(actor, it);
                let is_approved = grant.state == GrantState::Approved;
                let act = if is_approved { Act::GrantApproved } else { Act::GrantRefused };
                (Record::Grant(grant), act)
            }
            LawCommand::RevokeGrant(it) => {
                (Record::Grant(self.do_revoke(actor, it)), Act::GrantRevoked)
            }
            LawCommand::ProposeDisposition(it) => {
                (Record::Disposition(self.do_propose(actor, it)), Act::DispositionProposed)
            }
            LawCommand::ApproveDisposition(it) => {
                (Record::Disposition(self.do_approve(actor, it)), Act::DispositionApproved)
            }
            LawCommand::StopDisposition(it) => {
                (Record::Disposition(self.do_stop(actor, it)), Act::DispositionStopped)
            }
            LawCommand::OrderDisposition(it) => {
                (Record::Disposition(self.do_order(it, seen)), Act::DispositionOrdered)
            }
            LawCommand::RecordDisposal(it) => {
                (Record::Disposition(self.do_dispose(it)), Act::Disposed)
            }
            _ => return None,
        };
        Some((Some(record), act))
    }

    /// Dispositions that wait for somebody.
    pub(crate) fn dispositions_in(
        &self,
        state: DispositionState,
    ) -> impl Iterator<Item = &custos_core::law::Disposition> {
        self.dispositions.iter().filter(move |it| it.state == state)
    }
}
