//! Dispositions: the only way in which evidence ends.

use std::collections::BTreeSet;

use custos_core::{
    Actor, EvidenceId, Role, Rule,
    law::{
        ApproveDisposition, Disposition, DispositionState, OrderDisposition, ProposeDisposition,
        RecordDisposal, StopDisposition, Struck,
    },
};

use super::{Ended, Life, Model, Reasons, Right, perform::Seen};

const ITEMS_MAX: usize = 256;

impl Model {
    pub(super) fn judge_propose(&self, no: &mut Reasons, actor: &Actor, it: &ProposeDisposition) {
        no.text("reason", &it.reason, 512);
        self.check_role(no, actor, Right::Propose);
        let once: BTreeSet<&EvidenceId> = it.evidence.iter().collect();
        let is_count = (1..=ITEMS_MAX).contains(&it.evidence.len());
        no.when(!is_count || once.len() != it.evidence.len(), Rule::I8, "evidence");
        let mut units = BTreeSet::new();
        for id in &it.evidence {
            let Some(sealed) = self.check_sealed(no, "evidence", *id) else { continue };
            let unit = sealed.filing.unit.as_deref();
            self.check_right(no, actor, Right::Propose, unit);
            units.insert(unit);
            let is_high = self.classification_of(sealed) > self.clearance(actor);
            no.when(is_high, Rule::R19, "clearance");
            no.when(self.is_under_way(*id), Rule::I3, "evidence");
            no.when(!self.is_over(sealed), Rule::R10, "evidence");
            no.when(self.holds_on(*id).next().is_some(), Rule::R11, "evidence");
        }
        no.when(units.len() > 1, Rule::R26, "evidence");
    }

    /// Whether a disposition that is neither done nor stopped is about evidence.
    pub(crate) fn is_under_way(&self, id: EvidenceId) -> bool {
        self.dispositions.iter().any(|it| {
            let is_going = !matches!(it.state, DispositionState::Done | DispositionState::Stopped);
            is_going && it.evidence.contains(&id) && !it.struck.iter().any(|it| it.evidence == id)
        })
    }

    pub(super) fn do_propose(&mut self, actor: &Actor, it: &ProposeDisposition) -> Disposition {
        let first = self.sealed(it.evidence[0]).expect("judged before");
        let disposition = Disposition {
            id: format!("D{}", self.dispositions.len() + 1),
            unit: first.filing.unit.clone(),
            evidence: it.evidence.clone(),
            proposed: self.sign(actor, &it.reason),
            approvals: Vec::new(),
            state: DispositionState::Proposed,
            grace_until: None,
            stopped: None,
            ordered_at: None,
            ended: Vec::new(),
            struck: Vec::new(),
        };
        self.dispositions.push(disposition.clone());
        disposition
    }

    fn check_disposition(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        right: Right,
        id: &str,
    ) -> Option<&Disposition> {
        let found = self.disposition(id);
        match found {
            Some(found) => self.check_right(no, actor, right, found.unit.as_deref()),
            None => {
                self.check_role(no, actor, right);
                no.unknown("disposition");
            }
        }
        found
    }

    pub(super) fn judge_approve(&self, no: &mut Reasons, actor: &Actor, it: &ApproveDisposition) {
        no.text("reason", &it.reason, 512);
        let id = &it.disposition;
        let Some(found) = self.check_disposition(no, actor, Right::Approve, id) else { return };
        no.when(found.state != DispositionState::Proposed, Rule::I3, "disposition");
        let is_party = found.proposed.by == actor.name;
        let is_again = found
            .approvals
            .iter()
            .any(|approval| approval.by == actor.name || approval.role == actor.role);
        no.when(is_party || is_again, Rule::I8, "actor");
        let mut items = found.evidence.iter().filter_map(|id| self.sealed(*id));
        let is_high = items.any(|it| self.classification_of(it) > self.clearance(actor));
        no.when(is_high, Rule::R19, "clearance");
    }

    pub(super) fn do_approve(&mut self, actor: &Actor, it: &ApproveDisposition) -> Disposition {
        let sign = self.sign(actor, &it.reason);
        let grace_until = self.now.plus_days(self.policy().grace_days);
        let disposition = self.disposition_mut(&it.disposition);
        disposition.approvals.push(sign);
        if disposition.approvals.len() == 2 {
            disposition.state = DispositionState::Approved;
            disposition.grace_until = Some(grace_until);
        }
        disposition.clone()
    }

    fn disposition_mut(&mut self, id: &str) -> &mut Disposition {
        let position = Self::numbered('D', id).expect("judged before");
        &mut self.dispositions[position]
    }

    pub(super) fn judge_stop(&self, no: &mut Reasons, actor: &Actor, it: &StopDisposition) {
        no.text("reason", &it.reason, 512);
        let id = &it.disposition;
        let Some(found) = self.check_disposition(no, actor, Right::Stop, id) else { return };
        let can = matches!(found.state, DispositionState::Proposed | DispositionState::Approved);
        no.when(!can, Rule::I3, "disposition");
    }

    pub(super) fn do_stop(&mut self, actor: &Actor, it: &StopDisposition) -> Disposition {
        let sign = self.sign(actor, &it.reason);
        let disposition = self.disposition_mut(&it.disposition);
        disposition.state = DispositionState::Stopped;
        disposition.stopped = Some(sign);
        disposition.clone()
    }

    pub(super) fn judge_order(&self, no: &mut Reasons, actor: &Actor, it: &OrderDisposition) {
        let found = match actor.role {
            Role::System => {
                let found = self.disposition(&it.disposition);
                if found.is_none() {
                    no.unknown("disposition");
                }
                found
            }
            _ => self.check_disposition(no, actor, Right::Approve, &it.disposition),
        };
        let Some(found) = found else { return };
        let is_approved = found.state == DispositionState::Approved;
        let is_over = found.grace_until.is_some_and(|until| self.settled() >= until);
        no.when(is_approved && !is_over, Rule::I8, "disposition");
        no.when(!is_approved, Rule::I3, "disposition");
        let mut items = found.evidence.iter().filter_map(|id| self.sealed(*id));
        let is_high = items.any(|it| self.classification_of(it) > self.clearance(actor));
        no.when(is_high && actor.role != Role::System, Rule::R19, "clearance");
    }

    /// Whether evidence may end now.
    pub(crate) fn may_end(&self, id: EvidenceId) -> bool {
        let is_over = self.sealed(id).is_some_and(|sealed| self.is_over(sealed));
        is_over && self.holds_on(id).next().is_none()
    }

    pub(super) fn do_order(&mut self, it: &OrderDisposition, seen: &Seen<'_>) -> Disposition {
        let items = self.disposition(&it.disposition).expect("judged before").evidence.clone();
        let (end, stay): (Vec<_>, Vec<_>) = items.into_iter().partition(|id| self.may_end(*id));
        for id in &end {
            let over = self.keep_until(self.sealed(*id).expect("judged before"));
            let sealed = self.sealed_mut(*id);
            sealed.ordered_over = Some(over);
            sealed.filing.disposition = Some(it.disposition.clone());
            sealed.filing.ordered_at = seen.order_of(*id);
        }
        let struck = stay.into_iter().map(|id| Struck { evidence: id, why: seen.why_struck(id) });
        let disposition = self.disposition_mut(&it.disposition);
        disposition.struck = struck.collect();
        disposition.ordered_at = seen.ordered_at();
        disposition.state = match end.is_empty() {
            true => DispositionState::Done,
            false => DispositionState::Ordered,
        };
        disposition.clone()
    }

    pub(super) fn judge_dispose(&self, no: &mut Reasons, actor: &Actor, it: &RecordDisposal) {
        no.when(actor.role != Role::System, Rule::R23, "role");
        if !self.evidence.contains_key(&it.evidence) {
            no.unknown("evidence");
        }
        if self.sealed(it.evidence).is_none() {
            no.absent(Rule::R6, "evidence");
        }
        let Some(found) = self.disposition(&it.disposition) else {
            return no.unknown("disposition");
        };
        let is_ordered = found.state == DispositionState::Ordered
            && found.evidence.contains(&it.evidence)
            && !found.ended.contains(&it.evidence)
            && !found.struck.iter().any(|struck| struck.evidence == it.evidence);
        no.when(!is_ordered, Rule::I3, "evidence");
        no.when(found.state != DispositionState::Ordered, Rule::I3, "disposition");
    }

    pub(super) fn do_dispose(&mut self, it: &RecordDisposal) -> Disposition {
        let sealed = self.sealed(it.evidence).expect("judged before");
        let ended = Ended {
            record: sealed.record.clone(),
            disposition: it.disposition.clone(),
            ordered_at: sealed.filing.ordered_at,
            kept_until: sealed.ordered_over.expect("ordered"),
        };
        let evidence = self.evidence.get_mut(&it.evidence).expect("judged before");
        evidence.life = Life::Ended(Box::new(ended));
        let disposition = self.disposition_mut(&it.disposition);
        disposition.ended.push(it.evidence);
        if disposition.ended.len() + disposition.struck.len() == disposition.evidence.len() {
            disposition.state = DispositionState::Done;
        }
        disposition.clone()
    }
}
