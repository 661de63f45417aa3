//! Every act of the law, handed to the room that judges it.

use custos_core::{
    Act, EvidenceId, Refusal,
    law::{LawCommand, RecordKind, RecordName},
};

use super::{
    acting::{Acting, ID_BYTES_MAX, REASON_BYTES_MAX, check_id, check_said},
    cases, confirm_clock, dispositions, filing, grants, holds, policy, registers,
    rights::Right,
};
use crate::{Kv, Outcome, Policy, stored::clock::Clock};

pub(super) fn act(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    genesis: &Policy,
    clock: &mut Clock,
    command: &LawCommand,
) -> Result<Outcome, Refusal> {
    match command {
        LawCommand::SetUnit(it) => registers::set_unit(kv, acting, &it.unit),
        LawCommand::SetPerson(it) => registers::set_person(kv, acting, &it.person),
        LawCommand::SetRecorder(it) => registers::set_recorder(kv, acting, &it.recorder),
        LawCommand::SetStation(it) => registers::set_station(kv, acting, &it.station),
        LawCommand::SetPolicy(it) => policy::set(kv, acting, genesis, it),
        LawCommand::ConfirmClock(it) => confirm_clock::confirm_clock(kv, acting, clock, &it.reason),
        LawCommand::OpenCase(it) => cases::open(kv, acting, it),
        LawCommand::UpdateCase(it) => cases::update(kv, acting, it),
        LawCommand::MoveCase(it) => {
            cases::r#move(kv, acting, &it.case, it.stage, it.reason.as_deref())
        }
        LawCommand::CloseCase(it) => cases::close(kv, acting, &it.case, &it.reason),
        LawCommand::ArchiveCase(it) => cases::archive(kv, acting, &it.case, it.despite.as_deref()),
        LawCommand::ReopenCase(it) => cases::reopen(kv, acting, it),
        LawCommand::ClassifyCase(it) => cases::classify(kv, acting, it),
        LawCommand::FileEvidence(it) => filing::file(kv, acting, it),
        LawCommand::AddNote(it) => filing::note(kv, acting, it),
        LawCommand::CorrectDescriptor(it) => filing::describe(kv, acting, it),
        LawCommand::AddRelation(it) => filing::relate(kv, acting, it),
        LawCommand::ClassifyEvidence(it) => filing::classify(kv, acting, it),
        LawCommand::ExtendRetention(it) => filing::extend(kv, acting, genesis, it),
        LawCommand::RegisterCopy(it) => filing::register_copy(kv, acting, it),
        LawCommand::PlaceHold(it) => holds::place(kv, acting, it),
        LawCommand::ReleaseHold(it) => holds::release(kv, acting, &it.hold, &it.reason),
        LawCommand::ApplyForGrant(it) => grants::apply(kv, acting, it),
        LawCommand::DecideGrant(it) => grants::decide(kv, acting, it),
        LawCommand::RevokeGrant(it) => grants::revoke(kv, acting, &it.grant, &it.reason),
        LawCommand::ProposeDisposition(it) => dispositions::propose(kv, acting, genesis, it),
        LawCommand::ApproveDisposition(it) => {
            dispositions::approve(kv, acting, &it.disposition, &it.reason)
        }
        LawCommand::StopDisposition(it) => {
            dispositions::stop(kv, acting, &it.disposition, &it.reason)
        }
        LawCommand::OrderDisposition(it) => {
            dispositions::order(kv, acting, genesis, &it.disposition)
        }
        LawCommand::RecordDisposal(it) => {
            dispositions::record_disposal(kv, acting, &it.disposition, it.evidence)
        }
        LawCommand::ReportRefusal(it) => {
            // What an administrator's policy file was refused for, before it could become a command.
            acting.who.check(kv, Right::Register, None)?;
            check_id("attempt", &it.attempt, ID_BYTES_MAX)?;
            check_said(custos_core::Rule::R26, "what", &it.what, REASON_BYTES_MAX)?;
            let detail = format!("{} {}", it.attempt, it.what);
            let log_index = acting.enter(kv, Act::Refused, None, None, detail, 0);
            Ok(Outcome::LawDone { log_index, record: None })
        }
    }
}

/// Name of an act, and what it is about, for the entry that says it was refused.
pub(super) fn attempted(
    command: &LawCommand,
) -> (&'static str, Option<EvidenceId>, Option<RecordName>) {
    let named = |kind, id: &str| {
        // What is no id is not made part of a key.
        check_id("id", id, 128).is_ok().then(|| RecordName { kind, id: id.to_owned() })
    };
    let case = |id: &str| named(RecordKind::Case, id);
    let of = |kind, id: &str| named(kind, id);
    let one = |evidence: &[EvidenceId]| evidence.first().copied().filter(|_| evidence.len() == 1);
    match command {
        LawCommand::SetUnit(it) => ("set_unit", None, of(RecordKind::Unit, &it.unit.id)),
        LawCommand::SetPerson(it) => ("set_person", None, of(RecordKind::Person, &it.person.id)),
        LawCommand::SetRecorder(it) => {
            ("set_recorder", None, of(RecordKind::Recorder, &it.recorder.id))
        }
        LawCommand::SetStation(it) => {
            ("set_station", None, of(RecordKind::Station, &it.station.id))
        }
        LawCommand::SetPolicy(_) => ("set_policy", None, of(RecordKind::Policy, "policy")),
        LawCommand::ConfirmClock(_) => ("confirm_clock", None, None),
        LawCommand::OpenCase(it) => ("open_case", None, case(&it.case)),
        LawCommand::UpdateCase(it) => ("update_case", None, case(&it.case)),
        LawCommand::MoveCase(it) => ("move_case", None, case(&it.case)),
        LawCommand::CloseCase(it) => ("close_case", None, case(&it.case)),
        LawCommand::ArchiveCase(it) => ("archive_case", None, case(&it.case)),
        LawCommand::ReopenCase(it) => ("reopen_case", None, case(&it.case)),
        LawCommand::ClassifyCase(it) => ("classify_case", None, case(&it.case)),
        LawCommand::FileEvidence(it) => ("file_evidence", Some(it.evidence), case(&it.case)),
        LawCommand::AddNote(it) => ("add_note", Some(it.evidence), None),
        LawCommand::CorrectDescriptor(it) => ("correct_descriptor", Some(it.evidence), None),
        LawCommand::AddRelation(it) => ("add_relation", Some(it.evidence), None),
        LawCommand::ClassifyEvidence(it) => ("classify_evidence", Some(it.evidence), None),
        LawCommand::ExtendRetention(it) => ("extend_retention", Some(it.evidence), None),
        LawCommand::RegisterCopy(it) => ("register_copy", Some(it.evidence), None),
        LawCommand::PlaceHold(it) => {
            ("place_hold", it.target.evidence, it.target.case.as_deref().and_then(case))
        }
        LawCommand::ReleaseHold(it) => ("release_hold", None, of(RecordKind::Hold, &it.hold)),
        LawCommand::ApplyForGrant(it) => {
            ("apply_for_grant", one(&it.evidence), it.case.as_deref().and_then(case))
        }
        LawCommand::DecideGrant(it) => ("decide_grant", None, of(RecordKind::Grant, &it.grant)),
        LawCommand::RevokeGrant(it) => ("revoke_grant", None, of(RecordKind::Grant, &it.grant)),
        LawCommand::ProposeDisposition(it) => ("propose_disposition", one(&it.evidence), None),
        LawCommand::ApproveDisposition(it) => {
            ("approve_disposition", None, of(RecordKind::Disposition, &it.disposition))
        }
        LawCommand::StopDisposition(it) => {
            ("stop_disposition", None, of(RecordKind::Disposition, &it.disposition))
        }
        LawCommand::OrderDisposition(it) => {
            ("order_disposition", None, of(RecordKind::Disposition, &it.disposition))
        }
        LawCommand::RecordDisposal(it) => {
            let disposition = of(RecordKind::Disposition, &it.disposition);
            ("record_disposal", Some(it.evidence), disposition)
        }
        LawCommand::ReportRefusal(_) => ("report_refusal", None, None),
    }
}
