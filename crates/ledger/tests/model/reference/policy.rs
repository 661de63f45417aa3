//! The parameters of the rules.

use std::collections::BTreeSet;

use custos_core::{
    Actor, EvidenceKind, Rule, Stage,
    law::{ActType, Classification, LawPolicy, SetPolicy},
};

use super::{Model, Reasons, Right};

const DAYS_MAX: u32 = 36_600;

impl Model {
    pub(super) fn judge_set_policy(&self, no: &mut Reasons, actor: &Actor, it: &SetPolicy) {
        self.check_role(no, actor, Right::Register);
        let SetPolicy { policy, based_on } = it;
        let stands = self.policies.len() - 1;
        no.when(*based_on as usize != stands, Rule::I6, "based_on");
        let floor_min = self.policy().floor_days.max(365);
        no.when(policy.floor_days < floor_min, Rule::R10, "floor_days");
        no.when(policy.floor_days > DAYS_MAX, Rule::I10, "floor_days");

        let named = |kind: &EvidenceKind| policy.kinds.iter().filter(|it| it.kind == *kind).count();
        no.when(EvidenceKind::ALL.iter().any(|kind| named(kind) != 1), Rule::R10, "kinds");
        let kinds = policy.kinds.iter().map(|it| it.retention_days);
        check_days(no, "kinds", policy.floor_days, kinds);
        let classes = policy.classifications.iter().map(|it| it.retention_days);
        check_days(no, "classifications", policy.floor_days, classes);
        let act_types = policy.act_types.iter().map(|it| it.retention_days);
        check_days(no, "act_types", policy.floor_days, act_types.filter(|days| *days != 0));
        check_act_types(no, policy);

        let spans = [
            ("archive_days", policy.archive_days, 30, Rule::R13),
            ("answer_days", policy.answer_days, 60, Rule::R27),
            ("grant_days_max", policy.grant_days_max, 366, Rule::R18),
            ("grace_days", policy.grace_days, 366, Rule::I8),
            ("hold_review_days", policy.hold_review_days, 3660, Rule::R11),
        ];
        for (field, days, days_max, rule) in spans {
            no.when(!(1..=days_max).contains(&days), rule, field);
            no.when(days > DAYS_MAX, Rule::I10, field);
        }
        no.when(policy.recorder_silent_days == 0, Rule::R10, "recorder_silent_days");
        no.when(policy.recorder_silent_days > DAYS_MAX, Rule::I10, "recorder_silent_days");
        no.when(policy.late_after_hours == 0, Rule::R3, "late_after_hours");
        no.when(policy.clock_tolerance_seconds == 0, Rule::R3, "clock_tolerance_seconds");
    }

    /// The stages of an act type in order, as the policy that stands has them.
    pub(crate) fn stages_of(&self, act_type: ActType) -> Vec<Stage> {
        let named = self.policy().act_types.iter().find(|it| it.act_type == act_type);
        named.map_or_else(|| Stage::ALL.to_vec(), |it| it.stages.clone())
    }

    /// Stages that must be recorded in sound and picture.
    pub(crate) fn audio_visual_stages_of(&self, act_type: ActType) -> &[Stage] {
        let named = self.policy().act_types.iter().find(|it| it.act_type == act_type);
        named.map_or(&[], |it| &it.audio_visual)
    }
}

fn check_days(
    no: &mut Reasons,
    field: &'static str,
    floor: u32,
    mut days: impl Iterator<Item = u32> + Clone,
) {
    no.when(days.clone().any(|days| days < floor), Rule::R10, field);
    no.when(days.any(|days| days > DAYS_MAX), Rule::I10, field);
}

fn check_act_types(no: &mut Reasons, policy: &LawPolicy) {
    let named = |it: &ActType| policy.act_types.iter().filter(|at| at.act_type == *it).count();
    no.when(ActType::ALL.iter().any(|it| named(it) > 1), Rule::R1, "act_types");
    for it in &policy.act_types {
        let is_in_order = it.stages.windows(2).all(|pair| pair[0] < pair[1]);
        no.when(it.stages.is_empty() || !is_in_order, Rule::R1, "act_types");
        let is_unknown = |stage: &Stage| !it.stages.contains(stage);
        no.when(it.audio_visual.iter().any(is_unknown), Rule::R9, "act_types");
    }
}

/// The longest period that a policy gives, in days.
pub(super) fn days_of(
    policy: &LawPolicy,
    kind: EvidenceKind,
    classes: &BTreeSet<Classification>,
    act_types: &[ActType],
    is_filed: bool,
) -> u32 {
    let kinds = policy.kinds.iter().filter(|it| !is_filed || it.kind == kind);
    let classes = policy.classifications.iter().filter(|it| classes.contains(&it.classification));
    let cases = policy.act_types.iter().filter(|it| act_types.contains(&it.act_type));
    let all = kinds
        .map(|it| it.retention_days)
        .chain(classes.map(|it| it.retention_days))
        .chain(cases.map(|it| it.retention_days));
    all.max().unwrap_or(0).max(policy.floor_days)
}
