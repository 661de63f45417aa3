//! What changes of sealed evidence: where it is filed, what it is described as, notes, relations,
//! classification, retention, copies. The sealed record itself never does.

use custos_core::{
    Act, Descriptor, EvidenceId, EvidenceRecord, Refusal, Rule, Timestamp,
    law::{
        AddNote, AddRelation, ClassifyEvidence, CorrectDescriptor, ExtendRetention, FileEvidence,
        Filing, MediaCopy, Note, Record, RecordKind, RegisterCopy, Relation,
    },
};

use super::{
    acting::{
        Acting, REASON_BYTES_MAX, TITLE_BYTES_MAX, check_len, check_not_archived, check_optional,
        check_reason, check_said, effective_classification, filing_of, find_case, known_case,
        sealed,
    },
    classify, keeping, policy,
    rights::Right,
};
use crate::{
    Kv, KvRead, Outcome, Policy,
    stored::{law_index, law_record, listing},
};

/// Longest note: 4 KiB.
const NOTE_BYTES_MAX: usize = 4096;
/// Most notes on one evidence item.
const NOTES_MAX: usize = 999;

/// Evidence on which somebody acts, who has the right to.
fn open(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    right: Right,
    id: EvidenceId,
) -> Result<(EvidenceRecord, Filing), Refusal> {
    let record = sealed(kv, id)?;
    let filing = filing_of(kv, &record);
    acting.who.check(kv, right, filing.unit.as_deref())?;
    acting.who.check_cleared(effective_classification(kv, &filing))?;
    check_not_ending(&filing)?;
    Ok((record, filing))
}

/// Refuses what is asked of evidence whose end is ordered.
pub(super) fn check_not_ending(filing: &Filing) -> Result<(), Refusal> {
    let Some(disposition) = &filing.disposition else { return Ok(()) };
    let reason = format!("disposition {disposition} has ordered its end");
    Err(Refusal::refused(Rule::I3, "evidence", reason))
}

pub(super) fn file(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &FileEvidence,
) -> Result<Outcome, Refusal> {
    let (record, mut filing) = open(kv, acting, Right::File, asked.evidence)?;
    check_optional("reason", asked.reason.as_deref(), REASON_BYTES_MAX)?;
    let case = known_case(kv, &asked.case)?;
    acting.who.check(kv, Right::File, Some(&case.unit))?;
    acting.who.check_cleared(case.classification)?;
    check_not_archived(&case, "case")?;
    if !acting.policy.stages_of(case.act_type).contains(&asked.stage) {
        let reason = format!("a {} has no stage {}", case.act_type, asked.stage);
        return Err(Refusal::refused(Rule::R1, "stage", reason));
    }
    if let Some(before) = &filing.case {
        if *before == asked.case && filing.stage == Some(asked.stage) {
            let reason = format!("it is filed there already, in {before}");
            return Err(Refusal::refused(Rule::R26, "case", reason));
        }
        if let Some(before) = find_case(kv, before) {
            check_not_archived(&before, "evidence")?;
        }
        if asked.reason.is_none() {
            let reason = format!("it is filed in {before}: say why it goes elsewhere");
            return Err(Refusal::refused(Rule::R26, "reason", reason));
        }
    }
    // Out of a secret case it is as secret as it was in it: two persons lower that, no filing does.
    let counted = effective_classification(kv, &filing);
    if counted > filing.classification {
        filing.classification = counted;
        (filing.lower_to, filing.lower_asked) = (None, None);
    }
    let from = filing.case.replace(asked.case.clone());
    let listed = from.as_deref().or(record.descriptor.case.as_deref());
    listing::move_to_case(kv, asked.evidence, listed, &asked.case);
    law_index::set_unfiled(kv, asked.evidence, false);
    filing.stage = Some(asked.stage);
    filing.unit = Some(case.unit);
    filing.reason.clone_from(&asked.reason);
    let mut detail = format!("filed under {} of {}", asked.stage, asked.case);
    if let Some(from) = &from {
        detail.push_str(&format!(", was in {from}"));
    }
    if let Some(reason) = &asked.reason {
        detail.push_str(&format!(": {reason}"));
    }
    Ok(acting.done(kv, Act::Filed, Some(asked.evidence), detail, Record::Filing(filing)))
}

pub(super) fn note(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &AddNote,
) -> Result<Outcome, Refusal> {
    open(kv, acting, Right::Note, asked.evidence)?;
    if asked.text.trim().is_empty() {
        return Err(Refusal::refused(Rule::R26, "text", "is empty"));
    }
    check_len("text", &asked.text, NOTE_BYTES_MAX)?;
    if asked.text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(Refusal::refused(Rule::R26, "text", "holds a control character"));
    }
    let prefix = format!("{}/", asked.evidence);
    let count = law_record::page(kv, RecordKind::Note, &prefix, None, NOTES_MAX + 1).len();
    if count >= NOTES_MAX {
        let reason = format!("it has {count} notes, {NOTES_MAX} at most");
        return Err(Refusal::refused(Rule::I10, "text", reason));
    }
    if let Some(number) = asked.supersedes
        && !(1..=count).contains(&usize::try_from(number).unwrap_or(usize::MAX))
    {
        let reason = format!("it has no note {number}");
        return Err(Refusal::refused(Rule::R6, "supersedes", reason));
    }
    let number = count + 1;
    let note = Note {
        id: format!("{prefix}{number:04}"),
        evidence: asked.evidence,
        author: acting.who.name().to_owned(),
        text: asked.text.clone(),
        supersedes: asked.supersedes,
    };
    let detail = match asked.supersedes {
        Some(before) => format!("note {number} in place of note {before}"),
        None => format!("note {number}"),
    };
    Ok(acting.done(kv, Act::Noted, Some(asked.evidence), detail, Record::Note(note)))
}

pub(super) fn describe(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &CorrectDescriptor,
) -> Result<Outcome, Refusal> {
    let (record, mut filing) = open(kv, acting, Right::File, asked.evidence)?;
    check_reason(&asked.reason)?;
    asked
        .descriptor
        .check()
        .map_err(|refusal| Refusal::refused(refusal.rule, refusal.field, refusal.reason))?;
    check_fixed(&record.descriptor, &asked.descriptor)?;
    if filing.descriptor.as_ref().unwrap_or(&record.descriptor) == &asked.descriptor {
        let reason = "it is described so already";
        return Err(Refusal::refused(Rule::R6, "descriptor", reason));
    }
    filing.descriptor = Some(asked.descriptor.clone());
    filing.reason = Some(asked.reason.clone());
    let detail = format!("described anew: {}", asked.reason);
    Ok(acting.done(kv, Act::Described, Some(asked.evidence), detail, Record::Filing(filing)))
}

/// What evidence is, and where it belongs, is not a matter of description.
fn check_fixed(sealed: &Descriptor, given: &Descriptor) -> Result<(), Refusal> {
    let fixed = [
        ("kind", sealed.kind == given.kind),
        ("case", sealed.case == given.case),
        ("stage", sealed.stage == given.stage),
        ("recording", sealed.recording == given.recording),
        ("sequence", sealed.sequence == given.sequence),
        ("classification", sealed.classification == given.classification),
    ];
    match fixed.into_iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((field, _)) => {
            let reason = "stays as it was sealed";
            Err(Refusal::refused(Rule::R6, field, reason))
        }
    }
}

pub(super) fn relate(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &AddRelation,
) -> Result<Outcome, Refusal> {
    open(kv, acting, Right::File, asked.evidence)?;
    if asked.evidence == asked.to {
        return Err(Refusal::refused(Rule::R6, "to", "evidence is not related to itself"));
    }
    let other =
        sealed(kv, asked.to).map_err(|refusal| Refusal { field: "to".into(), ..refusal })?;
    let filing = filing_of(kv, &other);
    acting.who.check_agency(kv, "to", filing.unit.as_deref())?;
    acting
        .who
        .check_cleared(effective_classification(kv, &filing))
        .map_err(|refusal| Refusal { field: "to".into(), ..refusal })?;
    let id = format!("{}/{}/{}", asked.evidence, asked.relation, asked.to);
    if law_record::load(kv, RecordKind::Relation, &id).is_some() {
        return Err(Refusal::refused(Rule::R6, "relation", "is on record already"));
    }
    let relation =
        Relation { id, evidence: asked.evidence, relation: asked.relation, to: asked.to };
    let detail = format!("{} {}", asked.relation, asked.to);
    Ok(acting.done(kv, Act::Related, Some(asked.evidence), detail, Record::Relation(relation)))
}

pub(super) fn classify(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &ClassifyEvidence,
) -> Result<Outcome, Refusal> {
    let (_, mut filing) = open(kv, acting, Right::Classify, asked.evidence)?;
    check_reason(&asked.reason)?;
    let unit = filing.unit.clone();
    let held = classify::Held {
        classification: &mut filing.classification,
        lower_to: &mut filing.lower_to,
        lower_asked: &mut filing.lower_asked,
    };
    let said = classify::classify(kv, acting, held, asked.to, unit.as_deref(), &asked.reason)?;
    filing.reason = Some(asked.reason.clone());
    let detail = format!("{said}: {}", asked.reason);
    Ok(acting.done(kv, Act::Classified, Some(asked.evidence), detail, Record::Filing(filing)))
}

pub(super) fn extend(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    genesis: &Policy,
    asked: &ExtendRetention,
) -> Result<Outcome, Refusal> {
    let (record, mut filing) = open(kv, acting, Right::Extend, asked.evidence)?;
    check_reason(&asked.reason)?;
    let (stands, why) = keeping::retain_until(kv, genesis, &record, &filing);
    if asked.until <= stands {
        let reason = format!("it is kept until {stands} ({why}): retention only grows");
        return Err(Refusal::refused(Rule::R10, "until", reason));
    }
    let latest: Timestamp = acting.now.plus_days(policy::DAYS_MAX);
    if asked.until > latest {
        let reason = format!("at most until {latest}");
        return Err(Refusal::refused(Rule::I10, "until", reason));
    }
    filing.retain_until = asked.until;
    filing.reason = Some(asked.reason.clone());
    let detail = format!("kept until {}, was {stands}: {}", asked.until, asked.reason);
    let evidence = Some(asked.evidence);
    Ok(acting.done(kv, Act::RetentionExtended, evidence, detail, Record::Filing(filing)))
}

pub(super) fn register_copy(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &RegisterCopy,
) -> Result<Outcome, Refusal> {
    let (record, _) = open(kv, acting, Right::Copy, asked.evidence)?;
    check_reason(&asked.reason)?;
    check_said(Rule::R26, "medium", &asked.medium, TITLE_BYTES_MAX)?;
    check_said(Rule::R26, "place", &asked.place, TITLE_BYTES_MAX)?;
    if asked.blake3 != record.parts.blake3 {
        let reason = "the copy that was read back is not the evidence";
        return Err(Refusal::refused(Rule::R20, "blake3", reason));
    }
    let copy = MediaCopy {
        id: law_record::next_id(kv, RecordKind::Copy),
        evidence: asked.evidence,
        blake3: asked.blake3,
        medium: asked.medium.clone(),
        place: asked.place.clone(),
        made: acting.sign(&asked.reason),
    };
    let detail = format!("copy {} on {}, at {}", copy.id, copy.medium, copy.place);
    Ok(acting.done(kv, Act::CopyRegistered, Some(asked.evidence), detail, Record::Copy(copy)))
}
