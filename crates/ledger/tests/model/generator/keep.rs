//! Holds, grants, dispositions.

use custos_core::{
    EvidenceId, EvidenceKind, Role, Stage, Timestamp,
    law::{
        ApplyForGrant, ApproveDisposition, ByteSpan, DecideGrant, Disposition, DispositionState,
        EvidenceFilter, Grant, GrantScope, GrantState, Hold, HoldReason, OrderDisposition,
        OutsideParty, PlaceHold, ProposeDisposition, RecordDisposal, ReleaseHold, RevokeGrant,
        StopDisposition,
    },
};

use super::{Asked, Generator};
use crate::{
    deed::{Deed, View},
    reference::{DAY_MS, Model, Right},
    world::{PLACES, actor, size_of},
};

impl Generator {
    fn filter(&mut self, model: &Model) -> EvidenceFilter {
        let mut filter = EvidenceFilter::default();
        let cases: Vec<_> = model.cases.keys().cloned().collect();
        for _ in 0..=self.rng.below(2) {
            match self.rng.below(11) {
                0 | 1 if !model.evidence.is_empty() => {
                    filter.evidence = Some(self.any_evidence(model));
                }
                2 | 3 => filter.case = self.rng.pick(&cases).cloned(),
                4 => filter.stage = Some(self.rng.one(Stage::ALL)),
                5 => filter.unit = Some(self.any_unit(model)),
                6 => filter.recorder = Some("BWC-1".to_owned()),
                7 => filter.officer = Some(self.rng.one(&["N1", "N2", "M1"]).to_owned()),
                8 => filter.place = Some(self.rng.one(&PLACES).to_owned()),
                9 => filter.kind = Some(self.rng.one(EvidenceKind::ALL)),
                10 => filter.recording = Some(format!("rec-{}", self.rng.below(3))),
                _ => {
                    let from = model.now.as_millis() - self.rng.within(0, 20 * DAY_MS);
                    filter.from = Some(Timestamp::from_millis(from));
                    let until = from + self.rng.within(-2 * DAY_MS, 20 * DAY_MS);
                    filter.until = self.rng.chance(50).then(|| Timestamp::from_millis(until));
                }
            }
        }
        filter
    }

    pub(super) fn place_hold(&mut self, model: &Model) -> Asked {
        let target = self.filter(model);
        let of_case = target.case.as_ref().and_then(|case| model.cases.get(case));
        let of_item = target.evidence.and_then(|id| model.sealed(id));
        let unit = of_case
            .map(|case| case.unit.clone())
            .or_else(|| target.unit.clone())
            .or_else(|| of_item.and_then(|it| it.filing.unit.clone()));
        let actor = self.able(model, Right::Hold, unit.as_deref());
        let reason = self.rng.one(HoldReason::ALL);
        let has_text = reason == HoldReason::Other || self.rng.chance(30);
        let review_in_ms = self.rng.one(&[1, DAY_MS, 3650 * DAY_MS]);
        let command = PlaceHold {
            reason,
            text: has_text.then(|| self.reason()),
            reference: self.rng.chance(20).then(|| "2026-行初-7".to_owned()),
            target,
            review_at: self
                .rng
                .chance(40)
                .then(|| Timestamp::from_millis(model.now.as_millis() + review_in_ms)),
        };
        (actor, command.into())
    }

    pub(super) fn release_hold(&mut self, model: &Model) -> Option<Asked> {
        let is_any = self.rng.chance(10);
        let fit: Vec<&Hold> =
            model.holds.iter().filter(|hold| is_any || hold.released.is_none()).collect();
        let hold = *self.rng.pick(&fit)?;
        let mut actor = self.able(model, Right::Release, hold.unit.as_deref());
        if let Some(asked) = &hold.release_asked
            && self.rng.chance(15)
        {
            actor = crate::world::actor(&asked.by, asked.role);
        }
        Some((actor, ReleaseHold { hold: hold.id.clone(), reason: self.reason() }.into()))
    }

    /// Evidence of one agency, a few items.
    fn items(&mut self, model: &Model, count: usize) -> Vec<EvidenceId> {
        let mut items = vec![self.any_evidence(model)];
        for _ in 1..count {
            let other = self.any_evidence(model);
            if !items.contains(&other) {
                items.push(other);
            }
        }
        items
    }

    pub(super) fn apply(&mut self, model: &Model) -> Option<Asked> {
        if model.evidence.is_empty() {
            return None;
        }
        let cases: Vec<_> = model.cases.keys().cloned().collect();
        let case = self.rng.chance(25).then(|| self.rng.pick(&cases).cloned()).flatten();
        let count = self.rng.one(&[1, 1, 1, 2, 3]);
        let evidence = if case.is_some() { Vec::new() } else { self.items(model, count) };
        let unit = match (&case, evidence.first()) {
            (Some(case), _) => Some(model.cases[case].unit.clone()),
            (None, Some(id)) => model.sealed(*id).and_then(|it| it.filing.unit.clone()),
            (None, None) => None,
        };
        let actor = self.able(model, Right::Apply, unit.as_deref());
        let range = match evidence[..] {
            [id] if self.rng.chance(30) => {
                let end = size_of(id);
                let start = self.rng.any() % end;
                Some(ByteSpan { start, end: start + 1 + self.rng.any() % (end - start) })
            }
            _ => None,
        };
        let outside = OutsideParty {
            name: "钱七".to_owned(),
            contact: None,
            standing: "party of the case".to_owned(),
        };
        let command = ApplyForGrant {
            outside: self.rng.chance(20).then_some(outside),
            scope: self.rng.one(GrantScope::ALL),
            evidence,
            case,
            range,
            purpose: "reconsideration".to_owned(),
        };
        Some((actor, command.into()))
    }

    fn grant_in<'a>(&mut self, model: &'a Model, states: &[GrantState]) -> Option<&'a Grant> {
        let is_any = self.rng.chance(8);
        let fit: Vec<&Grant> =
            model.grants.iter().filter(|it| is_any || states.contains(&it.state)).collect();
        self.rng.pick(&fit).copied()
    }

    pub(super) fn decide(&mut self, model: &Model) -> Option<Asked> {
        let grant = self.grant_in(model, &[GrantState::Applied])?;
        let actor = self.able(model, Right::Decide, grant.unit.as_deref());
        let days = i64::from(model.policy().grant_days_max);
        let valid_ms = match self.rng.below(5) {
            0 => Some(days * DAY_MS),
            1 => Some(1),
            2 => Some(self.rng.within(1, 3_600_000)),
            _ => None,
        };
        let approve = self.rng.chance(85);
        let command = DecideGrant {
            grant: grant.id.clone(),
            approve,
            reason: self.reason(),
            valid_until: valid_ms
                .filter(|_| approve)
                .map(|ms| Timestamp::from_millis(model.now.as_millis() + ms)),
            uses_max: if approve { self.rng.one(&[0, 1, 2, 1000]) } else { 0 },
        };
        Some((actor, command.into()))
    }

    pub(super) fn revoke(&mut self, model: &Model) -> Option<Asked> {
        let grant = self.grant_in(model, &[GrantState::Applied, GrantState::Approved])?;
        let actor = match self.rng.chance(30) {
            true => actor(&grant.holder, grant.applied.role),
            false => self.able(model, Right::Revoke, grant.unit.as_deref()),
        };
        Some((actor, RevokeGrant { grant: grant.id.clone(), reason: self.reason() }.into()))
    }

    pub(super) fn view(&mut self, model: &Model) -> Option<Asked> {
        if model.evidence.is_empty() {
            return None;
        }
        if self.rng.chance(55)
            && let Some(grant) = self.grant_in(model, &[GrantState::Approved])
        {
            return Some(self.view_under(model, grant));
        }
        let evidence = self.any_evidence(model);
        let unit = model.sealed(evidence).and_then(|it| it.filing.unit.clone());
        let put_by = model.evidence.get(&evidence).map(|it| it.put_by.clone());
        let actor = match (self.rng.below(10), put_by) {
            (0..3, Some(put_by)) => put_by,
            (3..8, _) => self.able(model, Right::View, unit.as_deref()),
            _ => self.anyone(model),
        };
        let end = self.rng.any() % (size_of(evidence) + 1);
        let view = View {
            evidence,
            start: self.rng.any() % (end + 1),
            end,
            purpose: self.rng.chance(50).then(|| "case review".to_owned()),
            scope: match self.rng.chance(85) {
                true => GrantScope::View,
                false => self.rng.one(GrantScope::ALL),
            },
            grant: None,
        };
        Some((actor, Deed::View(view)))
    }

    pub(super) fn view_under(&mut self, model: &Model, grant: &Grant) -> Asked {
        let filed: Vec<EvidenceId> = match &grant.case {
            Some(case) => {
                let all = model.evidence.keys().filter_map(|id| Some((*id, model.sealed(*id)?)));
                all.filter(|it| it.1.filing.case.as_ref() == Some(case)).map(|it| it.0).collect()
            }
            None => grant.evidence.clone(),
        };
        let all: Vec<EvidenceId> = model.evidence.keys().copied().collect();
        let evidence = self.choose(&filed, &all, EvidenceId::from_bytes([0xee; 16]));
        let holder = actor(&grant.holder, grant.applied.role);
        let actor = match self.rng.below(10) {
            0..6 => holder,
            6..9 => actor("player", Role::Playback),
            _ => self.anyone(model),
        };
        let range = grant.range.unwrap_or(ByteSpan { start: 0, end: size_of(evidence) });
        let slip = u64::from(self.rng.chance(8));
        let view = View {
            evidence,
            start: range.start.saturating_sub(slip),
            end: (range.end + u64::from(self.rng.chance(5))).min(size_of(evidence)),
            purpose: None,
            scope: match self.rng.chance(70) {
                true => grant.scope,
                false => self.rng.one(GrantScope::ALL),
            },
            grant: Some(grant.id.clone()),
        };
        (actor, Deed::View(view))
    }

    pub(super) fn propose(&mut self, model: &Model) -> Option<Asked> {
        if model.evidence.is_empty() {
            return None;
        }
        let mut evidence: Vec<EvidenceId> = model
            .evidence
            .keys()
            .copied()
            .filter(|id| model.may_end(*id) && !model.is_under_way(*id))
            .collect();
        if evidence.is_empty() || self.rng.chance(15) {
            let count = self.rng.one(&[1, 2]);
            evidence = self.items(model, count);
        }
        self.propose_these(model, evidence)
    }

    pub(super) fn propose_these(
        &mut self,
        model: &Model,
        mut evidence: Vec<EvidenceId>,
    ) -> Option<Asked> {
        let unit_of = |id: &EvidenceId| model.sealed(*id).and_then(|it| it.filing.unit.clone());
        let first = evidence[self.rng.below(evidence.len())];
        let unit = unit_of(&first);
        if self.rng.chance(95) {
            evidence.retain(|id| unit_of(id) == unit);
        }
        let actor = self.able(model, Right::Propose, unit.as_deref());
        Some((actor, ProposeDisposition { evidence, reason: self.reason() }.into()))
    }

    fn disposition_in<'a>(
        &mut self,
        model: &'a Model,
        states: &[DispositionState],
    ) -> Option<&'a Disposition> {
        let is_any = self.rng.chance(8);
        let all = model.dispositions.iter();
        let fit: Vec<&Disposition> =
            all.filter(|it| is_any || states.contains(&it.state)).collect();
        self.rng.pick(&fit).copied()
    }

    pub(super) fn approve(&mut self, model: &Model) -> Option<Asked> {
        let found = self.disposition_in(model, &[DispositionState::Proposed])?;
        let actor = self.able(model, Right::Approve, found.unit.as_deref());
        let disposition = found.id.clone();
        Some((actor, ApproveDisposition { disposition, reason: self.reason() }.into()))
    }

    pub(super) fn stop(&mut self, model: &Model) -> Option<Asked> {
        let states = [DispositionState::Proposed, DispositionState::Approved];
        let found = self.disposition_in(model, &states)?;
        let actor = self.able(model, Right::Stop, found.unit.as_deref());
        let disposition = found.id.clone();
        Some((actor, StopDisposition { disposition, reason: self.reason() }.into()))
    }

    pub(super) fn order(&mut self, model: &Model) -> Option<Asked> {
        let found = self.disposition_in(model, &[DispositionState::Approved])?;
        self.order_this(model, found)
    }

    pub(super) fn order_this(&mut self, model: &Model, found: &Disposition) -> Option<Asked> {
        let actor = match self.rng.chance(50) {
            true => custos_core::Actor::system(),
            false => self.able(model, Right::Approve, found.unit.as_deref()),
        };
        Some((actor, OrderDisposition { disposition: found.id.clone() }.into()))
    }

    pub(super) fn dispose(&mut self, model: &Model) -> Option<Asked> {
        let found = self.disposition_in(model, &[DispositionState::Ordered])?;
        let actor = match self.rng.chance(92) {
            true => custos_core::Actor::system(),
            false => self.anyone(model),
        };
        let evidence = match self.rng.chance(95) {
            true => self.rng.one(&found.evidence),
            false => self.any_evidence(model),
        };
        Some((actor, RecordDisposal { disposition: found.id.clone(), evidence }.into()))
    }
}
