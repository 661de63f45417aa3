//! How evidence comes in.

use custos_core::{
    Actor, Descriptor, EvidenceId, Role, Rule, Stage,
    law::{CaseState, Classification, Filing, IncompleteDescriptor},
};

use super::{Evidence, Life, Model, Reasons, Right, Sealed, perform::Seen, rights::Reach};
use crate::deed::Put;

impl Model {
    pub(super) fn judge_put(&self, no: &mut Reasons, actor: &Actor, put: &Put) {
        let is_station = actor.role == Role::Station;
        match actor.role {
            Role::Station | Role::System => {}
            _ => drop(self.check_role(no, actor, Right::Put)),
        }
        let descriptor = &put.descriptor;
        if self.policy().incomplete_descriptor == IncompleteDescriptor::Refuse {
            for field in descriptor.missing_fields() {
                no.rule(Rule::R4, field);
            }
        }
        no.when(self.evidence.contains_key(&put.evidence), Rule::I3, "evidence_id");
        let Some(case) = descriptor.case.as_ref().and_then(|case| self.cases.get(case)) else {
            return;
        };
        no.when(case.state == CaseState::Archived, Rule::R13, "case");
        if let Some(stage) = descriptor.stage {
            no.when(!self.is_stage_of(case.act_type, stage), Rule::R1, "stage");
        }
        if let Some(own) = self.unit_of(actor) {
            let is_other = self.agency_of(own) != self.agency_of(&case.unit);
            no.when(is_other, Rule::R23, "case");
            // The table says how far a person reaches; a station is of the agency.
            let is_out = !is_station && self.is_out_of(Reach::Unit, actor, Some(&case.unit));
            no.when(is_out, Rule::R23, "unit");
        }
    }

    pub(super) fn do_put(&mut self, actor: &Actor, put: &Put) {
        let evidence = Evidence {
            id: put.evidence,
            put_by: actor.clone(),
            put: put.descriptor.clone(),
            life: Life::Open,
        };
        self.evidence.insert(put.evidence, evidence);
    }

    /// What an upload must be for its opener to go on with it.
    fn check_upload(&self, no: &mut Reasons, actor: &Actor, id: EvidenceId) -> Option<&Evidence> {
        let found = self.evidence.get(&id);
        match found {
            None => no.unknown("evidence_id"),
            Some(found) => {
                let is_other = found.put_by.name != actor.name || found.put_by.role != actor.role;
                no.when(is_other, Rule::R26, "actor");
            }
        }
        found
    }

    pub(super) fn judge_seal(&self, no: &mut Reasons, actor: &Actor, id: EvidenceId) {
        let Some(found) = self.check_upload(no, actor, id) else { return };
        // The generator seals with the same parts always: again changes nothing.
        let is_over = matches!(found.life, Life::Aborted | Life::Ended(_));
        no.when(is_over, Rule::I3, "evidence_id");
    }

    pub(super) fn judge_abort(&self, no: &mut Reasons, actor: &Actor, id: EvidenceId) {
        let Some(found) = self.check_upload(no, actor, id) else { return };
        let is_sealed = matches!(found.life, Life::Sealed(_) | Life::Ended(_));
        no.when(is_sealed, Rule::I3, "evidence_id");
    }

    pub(super) fn do_abort(&mut self, id: EvidenceId) {
        self.evidence.get_mut(&id).expect("judged before").life = Life::Aborted;
    }

    pub(super) fn do_seal(&mut self, id: EvidenceId, seen: &Seen<'_>) {
        let evidence = &self.evidence[&id];
        if !matches!(evidence.life, Life::Open) {
            return;
        }
        let descriptor = &evidence.put;
        let record = seen.sealed(id);
        let (case, stage) = match self.place_of(&evidence.put_by, descriptor) {
            Some((case, stage)) => (Some(case), Some(stage)),
            None => (None, None),
        };
        let unit = match &case {
            Some(case) => Some(self.cases[case].unit.clone()),
            None => self.origin_of(&evidence.put_by, descriptor),
        };
        let filing = Filing {
            id: id.to_string(),
            unit,
            case,
            stage,
            classification: descriptor.classification.unwrap_or(Classification::Ordinary),
            lower_to: None,
            lower_asked: None,
            retain_until: record.retain_until,
            descriptor: None,
            disposition: None,
            ordered_at: None,
            reason: None,
        };
        let since_policy = self.policies.len() - 1;
        let mut sealed = Sealed {
            record,
            classes: [filing.classification].into(),
            filing,
            since_policy,
            past: Vec::new(),
            extended: None,
            ordered_over: None,
        };
        sealed.remember();
        self.evidence.get_mut(&id).expect("opened before").life = Life::Sealed(Box::new(sealed));
    }

    /// Where evidence is filed when it is sealed: under the case and stage that its descriptor
    /// names, if they can take it.
    fn place_of(&self, put_by: &Actor, descriptor: &Descriptor) -> Option<(String, Stage)> {
        let case = self.cases.get(descriptor.case.as_ref()?)?;
        let stage = descriptor.stage?;
        let can = case.state != CaseState::Archived && self.is_stage_of(case.act_type, stage);
        let agency = self.unit_of(put_by).map(|unit| self.agency_of(unit));
        let is_own = agency.is_none_or(|agency| agency == self.agency_of(&case.unit));
        (can && is_own).then(|| (case.id.clone(), stage))
    }

    /// The unit of what evidence came from: the station or person who put it, or the recorder.
    fn origin_of(&self, put_by: &Actor, descriptor: &Descriptor) -> Option<String> {
        let recorder = || self.recorders.get(descriptor.recorder.as_ref()?).map(|it| &*it.unit);
        self.unit_of(put_by).or_else(recorder).map(str::to_owned)
    }
}
