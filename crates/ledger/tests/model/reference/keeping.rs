//! Until when evidence is kept, and what holds it.

use std::collections::BTreeSet;

use custos_core::{
    EvidenceId, Stage, Timestamp,
    law::{ActType, Classification, EvidenceFilter, Hold},
};

use super::{DAY_MS, Facts, Model, Sealed, policy::days_of};

impl Model {
    /// How much of evidence is to be kept from whom: the higher of its own and its case's.
    pub(crate) fn classification_of(&self, sealed: &Sealed) -> Classification {
        let own = sealed.filing.classification;
        let case = sealed.filing.case.as_ref().map(|case| self.cases[case].classification);
        own.max(case.unwrap_or(own))
    }

    /// When evidence may end at the earliest, whatever the holds.
    pub(crate) fn keep_until(&self, sealed: &Sealed) -> Timestamp {
        let kind = sealed.record.descriptor.kind;
        let cases: BTreeSet<&String> =
            sealed.past.iter().filter_map(|it| it.case.as_ref()).collect();
        let of_cases = cases.iter().flat_map(|case| &self.classes[*case]);
        let classes: BTreeSet<Classification> = of_cases.chain(&sealed.classes).copied().collect();
        let act_types: Vec<ActType> = cases.iter().map(|case| self.cases[*case].act_type).collect();
        let is_filed = sealed.filing.case.is_some();
        let since = &self.policies[sealed.since_policy..];
        let days = since.iter().map(|it| days_of(it, kind, &classes, &act_types, is_filed)).max();
        let days = i64::from(days.expect("one is in force"));
        let period = Timestamp::from_millis(sealed.record.sealed_at.as_millis() + days * DAY_MS);
        let extended = sealed.extended.unwrap_or(period);
        period.max(sealed.record.retain_until).max(extended)
    }

    /// Whether retention is over.
    pub(crate) fn is_over(&self, sealed: &Sealed) -> bool {
        self.settled() >= self.keep_until(sealed)
    }

    /// The holds that stand and cover evidence.
    pub(crate) fn holds_on(&self, id: EvidenceId) -> impl Iterator<Item = &Hold> {
        let standing = self.holds.iter().filter(|hold| hold.released.is_none());
        standing.filter(move |hold| self.covers(hold, id))
    }

    /// Whether evidence is of the agency of the hold, or of none, and its filter fits.
    fn covers(&self, hold: &Hold, id: EvidenceId) -> bool {
        let Some(sealed) = self.sealed(id) else { return false };
        let agency = hold.unit.as_ref().map(|unit| self.agency_of(unit));
        let is_of = |it: &Facts| match (&it.unit, agency) {
            (Some(unit), Some(agency)) => self.agency_of(unit) == agency,
            _ => true,
        };
        sealed.past.iter().any(is_of) && self.fits(&hold.target, id, sealed)
    }

    /// The unit of the evidence, case or unit that a filter names.
    pub(super) fn unit_held<'a>(&'a self, filter: &'a EvidenceFilter) -> Option<&'a str> {
        let of_evidence = filter.evidence.and_then(|id| self.sealed(id)?.filing.unit.as_deref());
        let case = filter.case.as_ref().and_then(|case| self.cases.get(case));
        of_evidence.or(case.map(|case| case.unit.as_str())).or(filter.unit.as_deref())
    }

    /// Whether every field that is given fits what the evidence was sealed as, or filed under or
    /// described as at any time since: each field for itself.
    fn fits(&self, filter: &EvidenceFilter, id: EvidenceId, sealed: &Sealed) -> bool {
        let ever = |fits: &dyn Fn(&Facts) -> bool| sealed.past.iter().any(fits);
        filter.evidence.is_none_or(|wanted| wanted == id)
            && ever(&|it| fits(&filter.recording, &it.descriptor.recording))
            && ever(&|it| fits(&filter.case, &it.case) || fits(&filter.case, &it.descriptor.case))
            && ever(&|it| {
                let is = |stage: Option<Stage>| stage == filter.stage;
                filter.stage.is_none() || is(it.stage) || is(it.descriptor.stage)
            })
            && ever(&|it| {
                let top = filter.unit.as_ref();
                top.is_none_or(|top| it.unit.as_ref().is_some_and(|it| self.is_within(it, top)))
            })
            && ever(&|it| fits(&filter.recorder, &it.descriptor.recorder))
            && ever(&|it| {
                filter.officer.as_ref().is_none_or(|no| it.descriptor.officers.contains(no))
            })
            && ever(&|it| fits(&filter.place, &it.descriptor.place))
            && ever(&|it| filter.kind.is_none_or(|kind| kind == it.descriptor.kind))
            && ever(&|it| {
                let time = it.descriptor.captured_at.unwrap_or(sealed.record.sealed_at);
                filter.from.is_none_or(|from| time >= from)
                    && filter.until.is_none_or(|until| time < until)
            })
    }
}

fn fits(wanted: &Option<String>, is: &Option<String>) -> bool {
    wanted.is_none() || wanted == is
}
