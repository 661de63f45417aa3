//! Holds: placed by many, released by few.

use custos_core::{
    Actor, Role, Rule,
    law::{Hold, HoldReason, PlaceHold, ReleaseHold},
};

use super::{DAY_MS, Model, Reasons, Right};

impl Model {
    pub(super) fn judge_place_hold(&self, no: &mut Reasons, actor: &Actor, it: &PlaceHold) {
        let target = &it.target;
        let reach = self.check_role(no, actor, Right::Hold);
        no.when(target.is_empty(), Rule::R11, "target");
        if let (Some(from), Some(until)) = (target.from, target.until) {
            no.when(until <= from, Rule::R11, "target");
        }
        no.when(it.reason == HoldReason::Other && it.text.is_none(), Rule::R11, "text");
        no.text_if("text", it.text.as_deref(), 512);
        no.text_if("reference", it.reference.as_deref(), 256);
        if let Some(case) = &target.case {
            match self.cases.get(case) {
                None => {
                    no.unknown("case");
                    no.unknown("target");
                }
                Some(case) => {
                    no.when(self.is_out_of(reach, actor, Some(&case.unit)), Rule::R23, "unit");
                }
            }
        }
        if let Some(unit) = &target.unit {
            match self.units.get(unit) {
                None => {
                    no.unknown("unit");
                    no.unknown("target");
                }
                Some(_) => no.when(self.is_out_of(reach, actor, Some(unit)), Rule::R23, "unit"),
            }
        }
        if let Some(id) = target.evidence
            && let Some(sealed) = self.check_sealed(no, "evidence", id)
        {
            let unit = sealed.filing.unit.as_deref();
            no.when(self.is_out_of(reach, actor, unit), Rule::R23, "unit");
            no.when(sealed.filing.disposition.is_some(), Rule::I3, "evidence");
        }
        if let Some(review_at) = it.review_at {
            let years_ms = 10 * 366 * DAY_MS;
            let is_far = review_at.as_millis() > self.now.as_millis() + years_ms;
            no.when(is_far || review_at <= self.now, Rule::R11, "review_at");
        }
    }

    pub(super) fn do_place_hold(&mut self, actor: &Actor, it: &PlaceHold) -> Hold {
        let days = self.policy().hold_review_days;
        let hold = Hold {
            id: format!("H{}", self.holds.len() + 1),
            reason: it.reason,
            text: it.text.clone(),
            reference: it.reference.clone(),
            target: it.target.clone(),
            unit: self.unit_held(&it.target).or(self.unit_of(actor)).map(str::to_owned),
            placed: self.sign(actor, it.reason.name()),
            review_at: it.review_at.unwrap_or(self.now.plus_days(days)),
            release_asked: None,
            released: None,
        };
        self.holds.push(hold.clone());
        hold
    }

    pub(super) fn judge_release_hold(&self, no: &mut Reasons, actor: &Actor, it: &ReleaseHold) {
        no.text("reason", &it.reason, 512);
        let Some(hold) = self.hold(&it.hold) else {
            self.check_role(no, actor, Right::Release);
            return no.unknown("hold");
        };
        self.check_right(no, actor, Right::Release, hold.unit.as_deref());
        no.when(hold.released.is_some(), Rule::R11, "hold");
        let is_audit = hold.placed.role == Role::Auditor && actor.role != Role::Auditor;
        no.when(is_audit, Rule::R11, "actor");
        if let Some(asked) = &hold.release_asked {
            no.when(asked.by == actor.name, Rule::I8, "actor");
        }
    }

    /// Whether two persons must release a hold, by the policy that stands.
    fn needs_two(&self, hold: &Hold) -> bool {
        self.policy().release_by_two.contains(&hold.reason)
    }

    pub(super) fn do_release_hold(&mut self, actor: &Actor, it: &ReleaseHold) -> Hold {
        let sign = self.sign(actor, &it.reason);
        let stands = self.hold(&it.hold).expect("judged before");
        let is_request = self.needs_two(stands) && stands.release_asked.is_none();
        let position = Self::numbered('H', &it.hold).expect("judged before");
        let hold = &mut self.holds[position];
        match is_request {
            true => hold.release_asked = Some(sign),
            false => hold.released = Some(sign),
        }
        hold.clone()
    }
}
