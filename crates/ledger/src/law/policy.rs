//! The parameters of the rules: set whole, in versions, each on top of the one that stands.

use custos_core::{
    Act, EvidenceKind, LogIndex, Refusal, Rule,
    law::{ActTypePolicy, KindPolicy, LawPolicy, Record, RecordKind, SetPolicy},
};

use super::{acting::Acting, rights::Right};
use crate::{Kv, KvRead, Outcome, Policy, RETENTION_DAYS_MIN, stored::law_record};

/// Longest period that a policy may set: 36,600 days, about a hundred years.
pub(super) const DAYS_MAX: u32 = 36_600;
const HOURS_PER_DAY: u32 = 24;
const SECONDS_PER_DAY: u32 = 86_400;

/// The policy that stands, and its version: 0 for the one that the cluster began with.
pub(crate) fn current(kv: &impl KvRead, genesis: &Policy) -> (u32, LawPolicy) {
    match law_record::load(kv, RecordKind::Policy, LawPolicy::ID) {
        Some(saved) => match saved.record {
            Record::Policy(policy) => (saved.version, policy),
            _ => (0, of_genesis(genesis)),
        },
        None => (0, of_genesis(genesis)),
    }
}

/// The policies that were in force at the entry `since` of the custody log or later, the first one
/// first. Several commands may have one time, never one entry.
pub(super) fn since(kv: &impl KvRead, genesis: &Policy, since: LogIndex) -> Vec<LawPolicy> {
    let versions = law_record::history(kv, RecordKind::Policy, LawPolicy::ID, 0, usize::MAX);
    let mut policies = vec![of_genesis(genesis)];
    for version in versions {
        if version.log_index < since {
            policies.clear();
        }
        if let Record::Policy(policy) = version.record {
            policies.push(policy);
        }
    }
    policies
}

/// What a cluster begins with.
fn of_genesis(genesis: &Policy) -> LawPolicy {
    let kinds = EvidenceKind::ALL.iter().map(|kind| KindPolicy {
        kind: *kind,
        retention_days: match kind.is_audio_visual() {
            true => genesis.retention_days_av,
            false => genesis.retention_days_other,
        },
    });
    LawPolicy {
        incomplete_descriptor: genesis.incomplete_descriptor,
        floor_days: RETENTION_DAYS_MIN,
        kinds: kinds.collect(),
        ..LawPolicy::standard()
    }
}

pub(super) fn set(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    genesis: &Policy,
    asked: &SetPolicy,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Register, None)?;
    let (version, stands) = current(kv, genesis);
    if asked.based_on != version {
        let reason = format!("version {version} stands, not {}: start from it", asked.based_on);
        return Err(Refusal::refused(Rule::I6, "based_on", reason));
    }
    check(&asked.policy, &stands)?;
    let detail = format!("policy version {}", version + 1);
    Ok(acting.done(kv, Act::PolicySet, None, detail, Record::Policy(asked.policy.clone())))
}

fn check(policy: &LawPolicy, stands: &LawPolicy) -> Result<(), Refusal> {
    let floor = policy.floor_days;
    let refused = |rule, field: &str, reason: String| Err(Refusal::refused(rule, field, reason));
    let least = stands.floor_days.max(RETENTION_DAYS_MIN);
    if floor < least {
        let reason = format!("{floor} days, and it is never less than {least}");
        return refused(Rule::R10, "floor_days", reason);
    }
    check_kinds(policy)?;
    let periods = (policy.kinds.iter().map(|it| ("kinds", it.retention_days)))
        .chain(policy.classifications.iter().map(|it| ("classifications", it.retention_days)))
        .chain(
            (policy.act_types.iter().filter(|it| it.retention_days > 0))
                .map(|it| ("act_types", it.retention_days)),
        );
    for (field, days) in periods {
        if days < floor {
            let reason = format!("{days} days, and the floor is {floor}");
            return refused(Rule::R10, field, reason);
        }
        check_days_max(field, days)?;
    }
    check_days_max("floor_days", floor)?;
    for (at, entry) in policy.classifications.iter().enumerate() {
        if policy.classifications[..at].iter().any(|it| it.classification == entry.classification) {
            let reason = format!("{} is named twice", entry.classification);
            return refused(Rule::R10, "classifications", reason);
        }
    }
    let bounded = [
        (Rule::R13, "archive_days", policy.archive_days, 30),
        (Rule::R27, "answer_days", policy.answer_days, 60),
        (Rule::R18, "grant_days_max", policy.grant_days_max, 366),
        (Rule::I8, "grace_days", policy.grace_days, 366),
        (Rule::R11, "hold_review_days", policy.hold_review_days, 3660),
        (Rule::R10, "recorder_silent_days", policy.recorder_silent_days, u32::MAX),
        (Rule::R3, "late_after_hours", policy.late_after_hours, u32::MAX),
        (Rule::R3, "clock_tolerance_seconds", policy.clock_tolerance_seconds, u32::MAX),
    ];
    for (rule, field, given, most) in bounded {
        if given == 0 || given > most {
            let reason = match most {
                u32::MAX => format!("{given}, at least 1 is needed"),
                _ => format!("{given} days, 1 to {most} are allowed"),
            };
            return refused(rule, field, reason);
        }
    }
    let longest = [
        ("recorder_silent_days", policy.recorder_silent_days),
        ("late_after_hours", policy.late_after_hours.div_ceil(HOURS_PER_DAY)),
        ("clock_tolerance_seconds", policy.clock_tolerance_seconds.div_ceil(SECONDS_PER_DAY)),
    ];
    for (field, days) in longest {
        check_days_max(field, days)?;
    }
    check_act_types(&policy.act_types)
}

fn check_days_max(field: &str, days: u32) -> Result<(), Refusal> {
    if days <= DAYS_MAX {
        return Ok(());
    }
    let reason = format!("{days} days, at most {DAYS_MAX} are allowed");
    Err(Refusal::refused(Rule::I10, field, reason))
}

fn check_kinds(policy: &LawPolicy) -> Result<(), Refusal> {
    for kind in EvidenceKind::ALL {
        let count = policy.kinds.iter().filter(|entry| entry.kind == *kind).count();
        if count != 1 {
            let reason = format!("{kind} is named {count} times, it must be named once");
            return Err(Refusal::refused(Rule::R10, "kinds", reason));
        }
    }
    Ok(())
}

fn check_act_types(act_types: &[ActTypePolicy]) -> Result<(), Refusal> {
    let refused = |rule, reason: String| Err(Refusal::refused(rule, "act_types", reason));
    for (at, entry) in act_types.iter().enumerate() {
        let name = entry.act_type;
        if act_types[..at].iter().any(|it| it.act_type == name) {
            return refused(Rule::R1, format!("{name} is named twice"));
        }
        if entry.stages.is_empty() || !entry.stages.is_sorted_by(|one, next| one < next) {
            let reason = format!("the stages of {name} are not one or more, each once, in order");
            return refused(Rule::R1, reason);
        }
        if let Some(stage) = entry.audio_visual.iter().find(|it| !entry.stages.contains(it)) {
            return refused(Rule::R9, format!("{name} has no stage {stage}"));
        }
    }
    Ok(())
}
