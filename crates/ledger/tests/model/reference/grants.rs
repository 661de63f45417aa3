//! Grants: applied for, decided by somebody else, taken back.

use custos_core::{
    Actor, EvidenceId, Rule,
    law::{ApplyForGrant, DecideGrant, Grant, GrantState, RevokeGrant},
};

use super::{Life, Model, Reasons, Right};

const ITEMS_MAX: usize = 64;
const USES_MAX: u32 = 1000;

impl Model {
    pub(super) fn judge_apply(&self, no: &mut Reasons, actor: &Actor, it: &ApplyForGrant) {
        let reach = self.check_role(no, actor, Right::Apply);
        no.when(it.purpose.is_empty(), Rule::R18, "purpose");
        no.when(it.purpose.len() > 512, Rule::I10, "purpose");
        no.when(it.purpose.chars().any(char::is_control), Rule::R26, "purpose");
        let is_either = it.evidence.is_empty() == it.case.is_some();
        no.when(!is_either || it.evidence.len() > ITEMS_MAX, Rule::R18, "evidence");
        if let Some(case) = &it.case {
            match self.cases.get(case) {
                None => no.unknown("case"),
                Some(case) => {
                    let is_out = self.is_out_of(reach, actor, Some(&case.unit));
                    no.when(is_out, Rule::R23, "unit");
                    no.when(is_out, Rule::R23, "case");
                }
            }
        }
        let mut units = Vec::new();
        let mut agencies = Vec::new();
        for id in &it.evidence {
            let Some(sealed) = self.check_sealed(no, "evidence", *id) else { continue };
            let unit = sealed.filing.unit.as_deref();
            if self.is_out_of(reach, actor, unit) {
                no.rule(Rule::R23, "unit");
                no.rule(Rule::R23, "evidence");
            }
            units.push(unit);
            agencies.extend(unit.map(|unit| self.agency_of(unit)));
        }
        no.when(agencies.windows(2).any(|pair| pair[0] != pair[1]), Rule::R23, "evidence");
        no.when(units.windows(2).any(|pair| pair[0] != pair[1]), Rule::R23, "evidence");
        if let Some(range) = it.range {
            let size = match it.evidence[..] {
                [id] => self.sealed(id).map(|sealed| sealed.record.parts.size),
                _ => Some(0),
            };
            // Of evidence that is not there, only what is there would be said.
            let end_max = size.unwrap_or(u64::MAX);
            no.when(range.start >= range.end || range.end > end_max, Rule::R18, "range");
        }
    }

    pub(super) fn do_apply(&mut self, actor: &Actor, it: &ApplyForGrant) -> Grant {
        let mut units: Vec<Option<String>> = Vec::new();
        for id in &it.evidence {
            units.push(self.sealed(*id).expect("judged before").filing.unit.clone());
        }
        units.extend(it.case.as_ref().map(|case| Some(self.cases[case].unit.clone())));
        units.dedup();
        let unit = units.first().cloned().flatten();
        let grant = Grant {
            id: format!("G{}", self.grants.len() + 1),
            holder: actor.name.clone(),
            outside: it.outside.clone(),
            scope: it.scope,
            evidence: it.evidence.clone(),
            case: it.case.clone(),
            range: it.range,
            purpose: it.purpose.clone(),
            unit,
            applied: self.sign(actor, &it.purpose),
            answer_due: self.now.plus_days(self.policy().answer_days),
            state: GrantState::Applied,
            decided: None,
            revoked: None,
            valid_until: None,
            uses_max: 0,
            uses: 0,
        };
        self.grants.push(grant.clone());
        grant
    }

    pub(super) fn judge_decide(&self, no: &mut Reasons, actor: &Actor, it: &DecideGrant) {
        no.text("reason", &it.reason, 512);
        // What it is allowed for counts where it is allowed.
        no.when(it.approve && it.uses_max > USES_MAX, Rule::I10, "uses_max");
        if let Some(until) = it.valid_until.filter(|_| it.approve) {
            let until_max = self.now.plus_days(self.policy().grant_days_max);
            no.when(until <= self.now || until > until_max, Rule::R18, "valid_until");
        }
        let Some(grant) = self.grant(&it.grant) else {
            self.check_role(no, actor, Right::Decide);
            return no.unknown("grant");
        };
        self.check_right(no, actor, Right::Decide, grant.unit.as_deref());
        no.when(grant.state != GrantState::Applied, Rule::R18, "grant");
        no.when(grant.holder == actor.name, Rule::I8, "actor");
        if !it.approve {
            return;
        }
        let has_ended = |id: &EvidenceId| matches!(self.evidence[id].life, Life::Ended(_));
        no.when(grant.evidence.iter().any(has_ended), Rule::I3, "evidence");
        let clearance = self.clearance(actor);
        let mut needed: Vec<_> = grant
            .evidence
            .iter()
            .filter_map(|id| self.sealed(*id))
            .map(|sealed| self.classification_of(sealed))
            .collect();
        if let Some(case) = &grant.case {
            needed.push(self.cases[case].classification);
        }
        no.when(needed.iter().any(|it| *it > clearance), Rule::R19, "clearance");
    }

    fn grant_mut(&mut self, id: &str) -> &mut Grant {
        let position = Self::numbered('G', id).expect("judged before");
        &mut self.grants[position]
    }

    pub(super) fn do_decide(&mut self, actor: &Actor, it: &DecideGrant) -> Grant {
        let sign = self.sign(actor, &it.reason);
        let until_max = self.now.plus_days(self.policy().grant_days_max);
        let grant = self.grant_mut(&it.grant);
        grant.decided = Some(sign);
        if it.approve {
            grant.state = GrantState::Approved;
            grant.valid_until = Some(it.valid_until.unwrap_or(until_max));
            grant.uses_max = if it.uses_max == 0 { USES_MAX } else { it.uses_max };
        } else {
            grant.state = GrantState::Refused;
        }
        grant.clone()
    }

    pub(super) fn judge_revoke(&self, no: &mut Reasons, actor: &Actor, it: &RevokeGrant) {
        no.text("reason", &it.reason, 512);
        let Some(grant) = self.grant(&it.grant) else {
            self.check_role(no, actor, Right::Revoke);
            return no.unknown("grant");
        };
        if grant.holder != actor.name || grant.applied.role != actor.role {
            self.check_right(no, actor, Right::Revoke, grant.unit.as_deref());
        }
        let is_over = matches!(grant.state, GrantState::Refused | GrantState::Revoked);
        no.when(is_over, Rule::R18, "grant");
    }

    pub(super) fn do_revoke(&mut self, actor: &Actor, it: &RevokeGrant) -> Grant {
        let sign = self.sign(actor, &it.reason);
        let grant = self.grant_mut(&it.grant);
        grant.state = GrantState::Revoked;
        grant.revoked = Some(sign);
        grant.clone()
    }
}
