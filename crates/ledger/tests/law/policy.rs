//! The parameters of the rules: what may be set, on top of what.

use custos_core::{
    Act, EvidenceKind, Rule, Stage,
    law::{
        ActType, ActTypePolicy, Classification, ClassificationPolicy, IncompleteDescriptor,
        KindPolicy, LawPolicy, Record, RecordKind, SetPolicy,
    },
};

use crate::{
    agency::{Agency, administrator, harbour_administrator},
    world::{assert_refused, complete, policy as genesis, station},
};

/// Refuses what `change` makes of the policy that stands.
fn refuses(agency: &mut Agency, rule: Rule, field: &str, change: impl FnOnce(&mut LawPolicy)) {
    let (mut policy, based_on) = agency.policy();
    change(&mut policy);
    agency.refused(&administrator(), SetPolicy { policy, based_on }, rule, field);
}

fn of_kind(policy: &mut LawPolicy, kind: EvidenceKind) -> &mut KindPolicy {
    policy.kinds.iter_mut().find(|it| it.kind == kind).expect("named")
}

#[test]
fn the_policy_that_the_cluster_began_with_is_version_0() {
    let agency = Agency::new();
    let (policy, version) = agency.policy();
    assert_eq!(version, 0);
    assert_eq!(policy.floor_days, 365);
    assert_eq!(policy.days_of_kind(EvidenceKind::Video), genesis().retention_days_av);
    assert_eq!(policy.days_of_kind(EvidenceKind::Photo), genesis().retention_days_other);
    assert!(agency.history(RecordKind::Policy, LawPolicy::ID).is_empty());
}

#[test]
fn a_policy_is_set_in_versions_each_of_which_is_an_entry() {
    let mut agency = Agency::new();
    let first = agency.set_policy(|policy| policy.grace_days = 14);
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::PolicySet, Some("policy/policy")));
    assert_eq!(entry.detail.as_deref(), Some("policy version 1"));
    let second = agency.set_policy(|policy| policy.grace_days = 7);
    assert_eq!((first.version, second.version), (1, 2));
    let days = |record: &Record| match record {
        Record::Policy(policy) => policy.grace_days,
        other => panic!("{other:?}"),
    };
    assert_eq!((days(&first.record), days(&second.record)), (14, 7));
    assert_eq!(agency.policy().0.grace_days, 7);
}

#[test]
fn i6_a_policy_is_made_from_the_one_that_stands() {
    let mut agency = Agency::new();
    let (policy, _) = agency.policy();
    let on = |based_on| SetPolicy { policy: policy.clone(), based_on };
    agency.refused(&administrator(), on(1), Rule::I6, "based_on");
    agency.done(&administrator(), on(0));
    agency.refused(&harbour_administrator(), on(0), Rule::I6, "based_on");
    agency.refused(&harbour_administrator(), on(2), Rule::I6, "based_on");
    agency.done(&harbour_administrator(), on(1));
}

#[test]
fn r10_the_floor_is_a_year_and_never_lowered() {
    let mut agency = Agency::new();
    refuses(&mut agency, Rule::R10, "floor_days", |policy| policy.floor_days = 364);
    refuses(&mut agency, Rule::R10, "floor_days", |policy| policy.floor_days = 0);
    agency.set_policy(|policy| {
        policy.floor_days = 400;
        policy.kinds.iter_mut().for_each(|it| it.retention_days = 800);
    });
    refuses(&mut agency, Rule::R10, "floor_days", |policy| policy.floor_days = 399);
    agency.set_policy(|policy| policy.floor_days = 400);
}

#[test]
fn r10_every_kind_is_named_once() {
    let mut agency = Agency::new();
    refuses(&mut agency, Rule::R10, "kinds", |policy| policy.kinds.truncate(4));
    refuses(&mut agency, Rule::R10, "kinds", |policy| policy.kinds.clear());
    refuses(&mut agency, Rule::R10, "kinds", |policy| policy.kinds.push(policy.kinds[0].clone()));
}

#[test]
fn r10_no_retention_is_under_the_floor() {
    let mut agency = Agency::new();
    for kind in EvidenceKind::ALL {
        refuses(&mut agency, Rule::R10, "kinds", |policy| {
            of_kind(policy, *kind).retention_days = 364
        });
    }
    refuses(&mut agency, Rule::R10, "kinds", |policy| policy.floor_days = 366);
    refuses(&mut agency, Rule::R10, "classifications", |policy| {
        policy.classifications[0].retention_days = 364;
    });
    refuses(&mut agency, Rule::R10, "classifications", |policy| {
        policy.classifications[0].retention_days = 0;
    });
    refuses(&mut agency, Rule::R10, "act_types", |policy| {
        policy.act_types[0].retention_days = 364;
    });
    // None of their own is no period.
    agency.set_policy(|policy| {
        policy.classifications.clear();
        policy.act_types[0].retention_days = 0;
        policy.act_types[1].retention_days = 365;
    });
}

#[test]
fn r10_a_classification_is_named_once() {
    let mut agency = Agency::new();
    refuses(&mut agency, Rule::R10, "classifications", |policy| {
        policy.classifications.push(policy.classifications[0].clone());
    });
    agency.set_policy(|policy| {
        let classification = Classification::Privacy;
        policy.classifications.push(ClassificationPolicy { classification, retention_days: 700 });
    });
}

/// What makes another policy of one.
type Change = fn(&mut LawPolicy);

/// A field of a policy with its least and greatest value.
type Bounds = (Rule, &'static str, fn(&mut LawPolicy) -> &mut u32, u32, u32);

#[test]
fn r13_r27_r18_i8_r11_periods_stay_within_their_bounds() {
    let bounds: [Bounds; 5] = [
        (Rule::R13, "archive_days", |policy| &mut policy.archive_days, 1, 30),
        (Rule::R27, "answer_days", |policy| &mut policy.answer_days, 1, 60),
        (Rule::R18, "grant_days_max", |policy| &mut policy.grant_days_max, 1, 366),
        (Rule::I8, "grace_days", |policy| &mut policy.grace_days, 1, 366),
        (Rule::R11, "hold_review_days", |policy| &mut policy.hold_review_days, 1, 3660),
    ];
    let mut agency = Agency::new();
    for (rule, field, of, least, most) in bounds {
        for wrong in [least - 1, most + 1, u32::MAX] {
            refuses(&mut agency, rule, field, |policy| *of(policy) = wrong);
        }
        agency.set_policy(|policy| *of(policy) = least);
        agency.set_policy(|policy| *of(policy) = most);
    }
}

#[test]
fn r10_a_recorder_is_silent_after_a_day_at_least() {
    let mut agency = Agency::new();
    refuses(&mut agency, Rule::R10, "recorder_silent_days", |it| it.recorder_silent_days = 0);
    agency.set_policy(|policy| policy.recorder_silent_days = 1);
}

#[test]
fn r3_evidence_is_late_after_an_hour_at_least_and_clocks_differ_by_a_second() {
    let mut agency = Agency::new();
    refuses(&mut agency, Rule::R3, "late_after_hours", |policy| policy.late_after_hours = 0);
    let field = "clock_tolerance_seconds";
    refuses(&mut agency, Rule::R3, field, |policy| policy.clock_tolerance_seconds = 0);
    agency.set_policy(|policy| {
        policy.late_after_hours = 1;
        policy.clock_tolerance_seconds = 1;
    });
}

#[test]
fn i10_no_period_is_longer_than_a_century() {
    const CENTURY: u32 = 36_600;
    let mut agency = Agency::new();
    // No floor is longer either: what it is the floor of would be.
    refuses(&mut agency, Rule::I10, "kinds", |policy| {
        policy.floor_days = CENTURY + 1;
        policy.kinds.iter_mut().for_each(|it| it.retention_days = CENTURY + 1);
        policy.classifications.clear();
    });
    let wrong: [(&str, Change); 6] = [
        ("kinds", |policy| policy.kinds[0].retention_days = CENTURY + 1),
        ("classifications", |policy| policy.classifications[0].retention_days = CENTURY + 1),
        ("act_types", |policy| policy.act_types[0].retention_days = u32::MAX),
        ("recorder_silent_days", |policy| policy.recorder_silent_days = CENTURY + 1),
        ("late_after_hours", |policy| policy.late_after_hours = 24 * CENTURY + 1),
        ("clock_tolerance_seconds", |policy| policy.clock_tolerance_seconds = 86_400 * CENTURY + 1),
    ];
    for (field, change) in wrong {
        refuses(&mut agency, Rule::I10, field, change);
    }
    agency.set_policy(|policy| {
        policy.kinds[0].retention_days = CENTURY;
        policy.recorder_silent_days = CENTURY;
        policy.late_after_hours = 24 * CENTURY;
        policy.clock_tolerance_seconds = 86_400 * CENTURY;
    });
}

#[test]
fn r1_an_act_type_is_named_once_with_its_stages_in_order() {
    let mut agency = Agency::new();
    refuses(&mut agency, Rule::R1, "act_types", |policy| {
        policy.act_types.push(policy.act_types[0].clone());
    });
    let wrong = [
        vec![],
        vec![Stage::Initiation, Stage::Initiation],
        vec![Stage::Investigation, Stage::Initiation],
        vec![Stage::Initiation, Stage::Archiving, Stage::Service],
    ];
    for stages in wrong {
        refuses(&mut agency, Rule::R1, "act_types", |policy| {
            policy.act_types[0].audio_visual.clear();
            policy.act_types[0].stages = stages;
        });
    }
    agency.set_policy(|policy| {
        policy.act_types.push(ActTypePolicy {
            act_type: ActType::Fee,
            stages: vec![Stage::Initiation, Stage::Service],
            audio_visual: vec![],
            retention_days: 0,
        });
    });
}

#[test]
fn r9_a_stage_that_must_be_audio_visual_is_one_of_the_act_type() {
    let mut agency = Agency::new();
    refuses(&mut agency, Rule::R9, "act_types", |policy| {
        policy.act_types[0].stages = vec![Stage::Initiation, Stage::Archiving];
    });
}

#[test]
fn r4_an_incomplete_descriptor_is_judged_by_the_policy_that_stands() {
    let mut agency = Agency::new();
    let lacking = custos_core::Descriptor { place: None, ..complete() };
    agency.put(&station(), lacking.clone());
    agency.set_policy(|policy| policy.incomplete_descriptor = IncompleteDescriptor::Refuse);
    let (_, open) = agency.next_upload(lacking.clone());
    let done = agency.act(&station(), open);
    assert_refused(done, custos_core::ErrorKind::Refused, Rule::R4, "place");
    agency.set_policy(|policy| policy.incomplete_descriptor = IncompleteDescriptor::AcceptUnfiled);
    agency.put(&station(), lacking);
}
