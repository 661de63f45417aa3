//! Reading evidence: with the right to, or under a grant.

use custos_core::{
    Actor, Role, Rule,
    law::{Grant, GrantScope, GrantState},
};

use super::{Evidence, Life, Model, Reasons, Right, Sealed, rights::Reach};
use crate::deed::View;

impl Model {
    pub(super) fn judge_view(&self, no: &mut Reasons, actor: &Actor, view: &View) {
        if let Some(purpose) = &view.purpose {
            no.when(purpose.len() > 512, Rule::I10, "purpose");
            no.when(purpose.chars().any(char::is_control), Rule::R26, "purpose");
        }
        let grant = view.grant.as_ref().map(|id| self.grant(id));
        if matches!(grant, Some(None)) {
            no.unknown("grant");
        }
        let found = self.evidence.get(&view.evidence);
        let Some((evidence, sealed)) = found.and_then(|it| match &it.life {
            Life::Sealed(sealed) => Some((it, sealed)),
            Life::Open | Life::Aborted | Life::Ended(_) => None,
        }) else {
            no.unknown("evidence_id");
            if found.is_some_and(|it| matches!(it.life, Life::Ended(_))) {
                no.rule(Rule::I3, "evidence_id");
            }
            return;
        };
        no.when(sealed.filing.disposition.is_some(), Rule::I3, "evidence_id");
        let size = sealed.record.parts.size;
        no.when(view.start > view.end || view.end > size, Rule::R6, "range");
        match grant {
            Some(Some(grant)) => self.check_use(no, actor, view, sealed, grant),
            Some(None) => {
                let is_high = self.classification_of(sealed) > self.clearance(actor);
                no.when(is_high, Rule::R19, "clearance");
            }
            None => self.check_sight(no, actor, view, evidence, sealed),
        }
    }

    /// What a grant must be for this.
    fn check_use(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        view: &View,
        sealed: &Sealed,
        grant: &Grant,
    ) {
        let is_over = grant.valid_until.is_some_and(|until| self.now >= until);
        let is_of = match &grant.case {
            Some(case) => sealed.filing.case.as_ref() == Some(case),
            None => grant.evidence.contains(&view.evidence),
        };
        let is_used_up = grant.uses >= grant.uses_max;
        let is_by = actor.role == Role::Playback
            || (actor.name == grant.holder && actor.role == grant.applied.role);
        let is_good = grant.state == GrantState::Approved
            && !is_over
            && !is_used_up
            && is_of
            && view.scope <= grant.scope
            && is_by;
        no.when(!is_good, Rule::R18, "grant");
        if let Some(range) = grant.range {
            let is_out = view.start < range.start || view.end > range.end;
            no.when(is_out, Rule::R18, "range");
        }
        let holder = Actor {
            name: grant.holder.clone(),
            role: grant.applied.role,
            fingerprint: actor.fingerprint,
        };
        let is_out = actor != &holder && self.is_unknown(&holder);
        no.when(is_out, Rule::R18, "grant");
        let is_high = self.classification_of(sealed) > self.clearance(&holder);
        no.when(is_high, Rule::R19, "clearance");
        let is_above = self.classification_of(sealed) > self.clearance(actor);
        no.when(is_above && actor.role.is_person(), Rule::R19, "clearance");
        let has_copy = self.copies.iter().any(|copy| copy.evidence == view.evidence);
        no.when(view.scope == GrantScope::Original && !has_copy, Rule::R20, "grant");
    }

    /// Who may read without a grant.
    fn check_sight(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        view: &View,
        evidence: &Evidence,
        sealed: &Sealed,
    ) {
        if actor.role == Role::Developer {
            return;
        }
        no.when(view.scope != GrantScope::View, Rule::R18, "grant");
        if actor.role == Role::System {
            return;
        }
        if actor.role == Role::Station {
            let is_own = evidence.put_by.role == actor.role && evidence.put_by.name == actor.name;
            no.when(!is_own, Rule::R23, "role");
            return;
        }
        let is_high = self.classification_of(sealed) > self.clearance(actor);
        if is_high && actor.role.is_person() {
            // Before any other reason.
            no.without(Rule::R18, "grant");
            return no.rule(Rule::R19, "clearance");
        }
        match self.check_role(no, actor, Right::View) {
            Reach::Own => no.when(!self.is_own(actor, evidence, sealed), Rule::R23, "unit"),
            reach => {
                let is_out = self.is_out_of(reach, actor, sealed.filing.unit.as_deref());
                no.when(is_out, Rule::R23, "unit");
            }
        }
    }

    /// What a person put, what shows the person, what is filed under a case of the person.
    pub(crate) fn is_own(&self, actor: &Actor, evidence: &Evidence, sealed: &Sealed) -> bool {
        if evidence.put_by.name == actor.name && evidence.put_by.role == actor.role {
            return true;
        }
        let Some(number) = self.person(actor).and_then(|it| it.certificate_no.as_ref()) else {
            return false;
        };
        let case = sealed.filing.case.as_ref().map(|case| &self.cases[case]);
        sealed.record.descriptor.officers.contains(number)
            || case.is_some_and(|case| case.officers.contains(number))
    }

    pub(super) fn do_view(&mut self, view: &View) {
        if let Some(id) = &view.grant {
            let position = Self::numbered('G', id).expect("judged before");
            self.grants[position].uses += 1;
        }
    }
}
