//! What may be said of sealed evidence: where it belongs, notes, relations, how long it is kept.

use custos_core::{
    Actor, EvidenceId, Rule,
    law::{
        AddNote, AddRelation, CaseState, ClassifyEvidence, CorrectDescriptor, ExtendRetention,
        FileEvidence, Filing, MediaCopy, Note, RegisterCopy, Relation,
    },
};

use super::{DAY_MS, Life, Model, Reasons, Right, Sealed, cases::classify, rights::Reach};

impl Model {
    /// The evidence, if it is sealed and has not ended.
    pub(super) fn check_evidence(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        right: Right,
        id: EvidenceId,
    ) -> Option<&Sealed> {
        let sealed = self.check_sealed(no, "evidence", id);
        match sealed {
            Some(sealed) => {
                self.check_right(no, actor, right, sealed.filing.unit.as_deref());
                let is_ordered = sealed.filing.disposition.is_some();
                no.when(is_ordered, Rule::I3, "evidence");
                let is_high = self.classification_of(sealed) > self.clearance(actor);
                no.when(is_high, Rule::R19, "clearance");
            }
            None => drop(self.check_role(no, actor, right)),
        }
        sealed
    }

    /// The evidence that a field names, if it is sealed and has not ended.
    pub(super) fn check_sealed(
        &self,
        no: &mut Reasons,
        field: &'static str,
        id: EvidenceId,
    ) -> Option<&Sealed> {
        let Some(found) = self.evidence.get(&id) else {
            no.unknown(field);
            return None;
        };
        match &found.life {
            Life::Sealed(sealed) => return Some(sealed),
            Life::Open | Life::Aborted => no.absent(Rule::R6, field),
            Life::Ended(_) => no.absent(Rule::I3, field),
        }
        None
    }

    pub(super) fn judge_file(&self, no: &mut Reasons, actor: &Actor, it: &FileEvidence) {
        no.text_if("reason", it.reason.as_deref(), 512);
        let case = self.cases.get(&it.case);
        match case {
            None => no.unknown("case"),
            Some(case) => {
                no.when(case.state == CaseState::Archived, Rule::R13, "case");
                no.when(!self.is_stage_of(case.act_type, it.stage), Rule::R1, "stage");
                if let Some(own) = self.unit_of(actor)
                    && self.agency_of(own) != self.agency_of(&case.unit)
                {
                    no.rule(Rule::R23, "case");
                    no.rule(Rule::R23, "unit");
                }
                let is_out = self.is_out_of(Reach::Unit, actor, Some(&case.unit));
                no.when(is_out, Rule::R23, "unit");
                let is_high = case.classification > self.clearance(actor);
                no.when(is_high, Rule::R19, "clearance");
            }
        }
        let Some(sealed) = self.check_evidence(no, actor, Right::Describe, it.evidence) else {
            return;
        };
        let filing = &sealed.filing;
        if let Some(stands) = &filing.case {
            let is_archived = self.cases[stands].state == CaseState::Archived;
            no.when(is_archived, Rule::R13, "evidence");
            let is_same = *stands == it.case && filing.stage == Some(it.stage);
            no.when(is_same, Rule::R26, "case");
            no.when(it.reason.is_none(), Rule::R26, "reason");
        }
    }

    pub(super) fn do_file(&mut self, it: &FileEvidence) -> Filing {
        let unit = self.cases[&it.case].unit.clone();
        let counted = self.classification_of(self.sealed(it.evidence).expect("judged before"));
        let sealed = self.sealed_mut(it.evidence);
        // Who moves it does not make it less secret.
        if counted != sealed.filing.classification {
            sealed.filing.classification = counted;
            sealed.filing.lower_to = None;
            sealed.filing.lower_asked = None;
            sealed.classes.insert(counted);
        }
        sealed.filing.unit = Some(unit);
        sealed.filing.case = Some(it.case.clone());
        sealed.filing.stage = Some(it.stage);
        sealed.filing.reason.clone_from(&it.reason);
        sealed.remember();
        sealed.filing.clone()
    }

    pub(super) fn judge_add_note(&self, no: &mut Reasons, actor: &Actor, it: &AddNote) {
        no.when(it.text.is_empty(), Rule::R26, "text");
        no.when(it.text.len() > 4096, Rule::I10, "text");
        let is_bad = |c: char| c.is_control() && c != '\n' && c != '\t';
        no.when(it.text.chars().any(is_bad), Rule::R26, "text");
        self.check_evidence(no, actor, Right::Note, it.evidence);
        if let Some(number) = it.supersedes {
            let is_there = number >= 1 && number <= self.notes_of(it.evidence);
            no.when(!is_there, Rule::R6, "supersedes");
        }
    }

    /// Notes on evidence.
    pub(crate) fn notes_of(&self, id: EvidenceId) -> u32 {
        let notes = self.notes.iter().filter(|note| note.evidence == id).count();
        u32::try_from(notes).expect("few")
    }

    pub(super) fn do_add_note(&mut self, actor: &Actor, it: &AddNote) -> Note {
        let note = Note {
            id: format!("{}/{:04}", it.evidence, self.notes_of(it.evidence) + 1),
            evidence: it.evidence,
            author: actor.name.clone(),
            text: it.text.clone(),
            supersedes: it.supersedes,
        };
        self.notes.push(note.clone());
        note
    }

    pub(super) fn judge_correct(&self, no: &mut Reasons, actor: &Actor, it: &CorrectDescriptor) {
        no.text("reason", &it.reason, 512);
        if let Err(refusal) = it.descriptor.check() {
            for field in DESCRIPTOR_FIELDS.iter().filter(|field| **field == refusal.field) {
                no.rule(refusal.rule, field);
            }
        }
        let Some(sealed) = self.check_evidence(no, actor, Right::Describe, it.evidence) else {
            return;
        };
        let (is, new) = (sealed.descriptor(), &it.descriptor);
        no.when(is.kind != new.kind, Rule::R6, "kind");
        no.when(is.case != new.case, Rule::R6, "case");
        no.when(is.stage != new.stage, Rule::R6, "stage");
        no.when(is.recording != new.recording, Rule::R6, "recording");
        no.when(is.sequence != new.sequence, Rule::R6, "sequence");
        no.when(is.classification != new.classification, Rule::R6, "classification");
        no.when(is == new, Rule::R6, "descriptor");
    }

    pub(super) fn do_correct(&mut self, it: &CorrectDescriptor) -> Filing {
        let sealed = self.sealed_mut(it.evidence);
        sealed.filing.descriptor = Some(it.descriptor.clone());
        sealed.filing.reason = Some(it.reason.clone());
        sealed.remember();
        sealed.filing.clone()
    }

    pub(super) fn judge_relate(&self, no: &mut Reasons, actor: &Actor, it: &AddRelation) {
        self.check_evidence(no, actor, Right::Describe, it.evidence);
        if let Some(to) = self.check_sealed(no, "to", it.to) {
            let own = self.unit_of(actor).map(|unit| self.agency_of(unit));
            let other = to.filing.unit.as_ref().map(|unit| self.agency_of(unit));
            no.when(own.is_some() && other.is_some() && own != other, Rule::R23, "to");
            let is_high = self.classification_of(to) > self.clearance(actor);
            no.when(is_high, Rule::R19, "to");
        }
        no.when(it.evidence == it.to, Rule::R6, "to");
        let id = relation_id(it);
        no.when(self.relations.iter().any(|there| there.id == id), Rule::R6, "relation");
    }

    pub(super) fn do_relate(&mut self, it: &AddRelation) -> Relation {
        let relation = Relation {
            id: relation_id(it),
            evidence: it.evidence,
            relation: it.relation,
            to: it.to,
        };
        self.relations.push(relation.clone());
        relation
    }

    pub(super) fn judge_classify_evidence(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        it: &ClassifyEvidence,
    ) {
        no.text("reason", &it.reason, 512);
        let Some(sealed) = self.check_evidence(no, actor, Right::Classify, it.evidence) else {
            return;
        };
        let filing = &sealed.filing;
        let asked = (filing.lower_to, filing.lower_asked.as_ref());
        let unit = filing.unit.as_deref();
        self.check_classify(no, actor, unit, filing.classification, asked, it.to);
    }

    pub(super) fn do_classify_evidence(&mut self, actor: &Actor, it: &ClassifyEvidence) -> Filing {
        let sign = self.sign(actor, &it.reason);
        let filing = &mut self.sealed_mut(it.evidence).filing;
        classify(
            &mut filing.classification,
            &mut filing.lower_to,
            &mut filing.lower_asked,
            it.to,
            sign,
        );
        filing.reason = Some(it.reason.clone());
        let sealed = self.sealed_mut(it.evidence);
        sealed.classes.insert(sealed.filing.classification);
        sealed.filing.clone()
    }

    pub(super) fn judge_extend(&self, no: &mut Reasons, actor: &Actor, it: &ExtendRetention) {
        no.text("reason", &it.reason, 512);
        let years_ms = 100 * 366 * DAY_MS;
        no.when(it.until.as_millis() > self.now.as_millis() + years_ms, Rule::I10, "until");
        let Some(sealed) = self.check_evidence(no, actor, Right::Extend, it.evidence) else {
            return;
        };
        no.when(it.until <= self.keep_until(sealed), Rule::R10, "until");
    }

    pub(super) fn do_extend(&mut self, it: &ExtendRetention) -> Filing {
        let sealed = self.sealed_mut(it.evidence);
        sealed.extended = Some(it.until);
        sealed.filing.retain_until = it.until;
        sealed.filing.reason = Some(it.reason.clone());
        sealed.filing.clone()
    }

    pub(super) fn judge_register_copy(&self, no: &mut Reasons, actor: &Actor, it: &RegisterCopy) {
        no.text("reason", &it.reason, 512);
        no.text("medium", &it.medium, 256);
        no.text("place", &it.place, 256);
        let Some(sealed) = self.check_evidence(no, actor, Right::Copy, it.evidence) else {
            return;
        };
        no.when(it.blake3 != sealed.record.parts.blake3, Rule::R20, "blake3");
    }

    pub(super) fn do_register_copy(&mut self, actor: &Actor, it: &RegisterCopy) -> MediaCopy {
        let copy = MediaCopy {
            id: format!("X{}", self.copies.len() + 1),
            evidence: it.evidence,
            blake3: it.blake3,
            medium: it.medium.clone(),
            place: it.place.clone(),
            made: self.sign(actor, &it.reason),
        };
        self.copies.push(copy.clone());
        copy
    }
}

const DESCRIPTOR_FIELDS: [&str; 4] = ["place", "sequence", "captured_until", "officers"];

fn relation_id(it: &AddRelation) -> String {
    format!("{}/{}/{}", it.evidence, it.relation, it.to)
}
