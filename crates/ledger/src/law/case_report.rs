//! What a case has on record, and what it lacks (rules R1, R9).

use custos_core::{
    EvidenceId, Rule, Stage,
    law::{Case, CaseReport, LawPolicy, StageReport},
};

use super::acting::filing_of;
use crate::{
    KvRead,
    stored::{
        evidence::{self, Life},
        listing,
    },
};

/// Most evidence items of a case that are looked at.
const ITEMS_MAX: usize = 10_000;
/// Items that are listed at once.
const PAGE_ITEMS: usize = 1000;

/// What a case lacks.
pub(super) struct Lacks(Vec<(Rule, String)>);

impl Lacks {
    /// The rule that it lacks something by: R1 if any evidence is missing.
    pub(super) fn rule(&self) -> Option<Rule> {
        self.0.iter().map(|(rule, _)| *rule).min()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.iter().map(|(_, line)| line.clone()).collect()
    }
}

/// What a case lacks by the policy.
pub(super) fn lacks(kv: &impl KvRead, policy: &LawPolicy, case: &Case) -> Lacks {
    let (stages, _) = count(kv, policy, case);
    Lacks(missing(&stages))
}

/// The whole report.
pub(crate) fn report(kv: &impl KvRead, policy: &LawPolicy, case: &Case) -> CaseReport {
    let (stages, truncated) = count(kv, policy, case);
    let line = |(rule, line): (Rule, String)| format!("{rule}: {line}");
    let missing = missing(&stages).into_iter().map(line).collect();
    CaseReport { case: case.id.clone(), stages, missing, truncated }
}

fn missing(stages: &[StageReport]) -> Vec<(Rule, String)> {
    let mut missing = Vec::new();
    for stage in stages {
        if stage.items == 0 {
            missing.push((Rule::R1, format!("nothing is on record of {}", stage.stage)));
        } else if stage.audio_visual_required && stage.audio_visual == 0 {
            let line = format!("{} has no sound and picture on record", stage.stage);
            missing.push((Rule::R9, line));
        }
    }
    missing
}

fn count(kv: &impl KvRead, policy: &LawPolicy, case: &Case) -> (Vec<StageReport>, bool) {
    let required = policy.act_type(case.act_type).map(|it| it.audio_visual.as_slice());
    let mut stages: Vec<StageReport> = policy
        .stages_of(case.act_type)
        .into_iter()
        .map(|stage| StageReport {
            stage,
            items: 0,
            audio_visual: 0,
            audio_visual_required: required.unwrap_or_default().contains(&stage),
        })
        .collect();
    let (mut after, mut looked_at) = (None, 0);
    loop {
        let ids = listing::page(kv, Some(&case.id), after, PAGE_ITEMS);
        let Some(last) = ids.last().copied() else { return (stages, false) };
        if looked_at >= ITEMS_MAX {
            return (stages, true);
        }
        looked_at += ids.len();
        after = Some(last);
        for id in ids {
            enter(kv, case, id, &mut stages);
        }
    }
}

fn enter(kv: &impl KvRead, case: &Case, id: EvidenceId, stages: &mut [StageReport]) {
    let Some(Life::Sealed(record)) = evidence::load(kv, id) else { return };
    let filing = filing_of(kv, &record);
    let stage: Option<Stage> = filing.stage.filter(|_| filing.case.as_deref() == Some(&case.id));
    if let Some(report) = stages.iter_mut().find(|report| Some(report.stage) == stage) {
        report.items += 1;
        report.audio_visual += u32::from(record.descriptor.kind.is_audio_visual());
    }
}
