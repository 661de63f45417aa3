//! Until when evidence is kept: the longest of all that was ever promised (rule R10).

use custos_core::{
    Actor, Descriptor, EvidenceId, EvidenceKind, EvidenceRecord, Rule, Stage,
    law::{
        ActType, Classification, ClassificationPolicy, ClassifyCase, ClassifyEvidence,
        ExtendRetention, FileEvidence, LawPolicy, OpenCase, SetPolicy,
    },
};
use custos_ledger::{Command, Outcome};

use crate::{
    agency::{
        Agency, administrator, custodian, descriptor_of, file_under, head, law, new_case, officer,
        proposal,
    },
    world::{parts, seal, station},
};

/// How many days after its sealing evidence is kept, and why.
fn kept(agency: &Agency, record: &EvidenceRecord) -> (u32, String) {
    let keeping = agency.keeping(record.evidence_id);
    let days = (0..=40_000).find(|days| record.sealed_at.plus_days(*days) == keeping.retain_until);
    (days.expect("whole days"), keeping.retained_for)
}

fn days(agency: &Agency, record: &EvidenceRecord) -> u32 {
    kept(agency, record).0
}

fn photo(agency: &mut Agency, case: &str) -> EvidenceRecord {
    let kind = EvidenceKind::Photo;
    agency.put(&station(), Descriptor { kind, ..descriptor_of(case, Stage::Investigation) })
}

fn set_kind(policy: &mut LawPolicy, kind: EvidenceKind, days: u32) {
    let entry = policy.kinds.iter_mut().find(|it| it.kind == kind);
    entry.expect("named").retention_days = days;
}

/// Sets the retention of penalties.
fn set_penalty(policy: &mut LawPolicy, days: u32) {
    let entry = policy.act_types.iter_mut().find(|it| it.act_type == ActType::Penalty);
    entry.expect("named").retention_days = days;
}

fn moved(evidence: EvidenceId, case: &str) -> FileEvidence {
    let reason = Some("the other stall".to_owned());
    FileEvidence { reason, ..file_under(evidence, case, Stage::Investigation) }
}

#[test]
fn r10_evidence_is_kept_for_its_kind_from_its_sealing() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let video = agency.sealed_in_case("C-1");
    let photo = photo(&mut agency, "C-1");
    assert_eq!(kept(&agency, &video), (730, "as it was sealed".to_owned()));
    assert_eq!(kept(&agency, &photo), (365, "as it was sealed".to_owned()));
}

#[test]
fn r10_a_raised_policy_lengthens_and_a_lowered_one_never_shortens_what_is_sealed() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let before = photo(&mut agency, "C-1");
    agency.set_policy(|policy| set_kind(policy, EvidenceKind::Photo, 1000));
    assert_eq!(kept(&agency, &before), (1000, "policy for photo".to_owned()));
    let between = photo(&mut agency, "C-1");
    agency.set_policy(|policy| set_kind(policy, EvidenceKind::Photo, 400));
    let after = photo(&mut agency, "C-1");
    assert_eq!([&before, &between, &after].map(|it| days(&agency, it)), [1000, 1000, 400]);
    agency.set_policy(|policy| {
        policy.floor_days = 730;
        policy.kinds.iter_mut().for_each(|it| it.retention_days = 800);
    });
    assert_eq!([&before, &between, &after].map(|it| days(&agency, it)), [1000, 1000, 800]);
}

#[test]
fn r10_a_policy_that_was_lowered_in_the_moment_of_the_sealing_still_counts() {
    for is_sealed_first in [true, false] {
        let mut agency = Agency::new();
        agency.open_case("C-1");
        agency.set_policy(|policy| set_penalty(policy, 2000));
        let kind = EvidenceKind::Photo;
        let descriptor = Descriptor { kind, ..descriptor_of("C-1", Stage::Investigation) };
        let (number, open) = agency.next_upload(descriptor);
        agency.act(&station(), open).expect("opened");
        let (mut policy, based_on) = agency.policy();
        set_penalty(&mut policy, 0);
        let lowered = (administrator(), law(SetPolicy { policy, based_on }));
        let sealed: (Actor, Command) = (station(), seal(number, parts(1000)));
        let now = agency.now;
        let both = match is_sealed_first {
            true => [sealed, lowered],
            false => [lowered, sealed],
        };
        let mut record = None;
        for (actor, command) in both {
            if let Ok(Outcome::Sealed(it)) = agency.act_at(now, &actor, command) {
                record = Some(*it);
            }
        }
        let record = record.expect("sealed");
        let expected = if is_sealed_first { 2000 } else { 365 };
        assert_eq!(days(&agency, &record), expected);
    }
}

#[test]
fn r10_evidence_is_kept_for_the_act_type_of_the_case_that_it_is_filed_under() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let licence = OpenCase { act_type: ActType::Licence, ..new_case("L-1") };
    agency.done(&officer(), licence);
    let record = photo(&mut agency, "L-1");
    agency.set_policy(|policy| set_penalty(policy, 2000));
    assert_eq!(days(&agency, &record), 365);
    agency.done(&officer(), moved(record.evidence_id, "C-1"));
    assert_eq!(kept(&agency, &record), (2000, "policy for a penalty".to_owned()));
    agency.set_policy(|policy| set_penalty(policy, 0));
    assert_eq!(days(&agency, &record), 2000, "as any policy since said");
}

#[test]
fn r10_unfiled_evidence_is_kept_for_the_longest_default_while_it_is_unfiled() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.unfiled();
    assert_eq!(kept(&agency, &record), (730, "policy for unfiled evidence".to_owned()));
    agency.set_policy(|policy| set_kind(policy, EvidenceKind::Electronic, 1500));
    assert_eq!(days(&agency, &record), 1500);
    agency.done(&officer(), file_under(record.evidence_id, "C-1", Stage::Review));
    assert_eq!(days(&agency, &record), 365);
}

#[test]
fn r10_evidence_is_kept_for_the_higher_classification_of_itself_and_its_case() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = photo(&mut agency, "C-1");
    agency.set_policy(|policy| {
        let classification = Classification::Privacy;
        policy.classifications.push(ClassificationPolicy { classification, retention_days: 900 });
    });
    assert_eq!(days(&agency, &record), 365);
    let reason = || "a minor is seen".to_owned();
    let (evidence, to) = (record.evidence_id, Classification::Privacy);
    agency.done(&custodian(), ClassifyEvidence { evidence, to, reason: reason() });
    assert_eq!(kept(&agency, &record), (900, "policy for its classification".to_owned()));
    let (case, to) = ("C-1".to_owned(), Classification::StateSecret);
    agency.done(&head(), ClassifyCase { case, to, reason: reason() });
    assert_eq!(kept(&agency, &record), (3650, "policy for its classification".to_owned()));
}

#[test]
fn r10_what_is_sealed_as_secret_is_kept_so_long_whatever_it_becomes() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let classification = Some(Classification::StateSecret);
    let secret = Descriptor { classification, ..descriptor_of("C-1", Stage::Investigation) };
    let record = agency.put(&station(), secret);
    let (evidence, to) = (record.evidence_id, Classification::Ordinary);
    let lower = || ClassifyEvidence { evidence, to, reason: "published since".to_owned() };
    agency.done(&head(), lower());
    agency.done(&crate::world::developer(), lower());
    assert_eq!(agency.filing(evidence).classification, Classification::Ordinary);
    assert_eq!(kept(&agency, &record), (3650, "as it was sealed".to_owned()));
}

#[test]
fn r10_an_extension_counts_when_it_is_the_longest() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = photo(&mut agency, "C-1");
    let until = record.sealed_at.plus_days(500);
    let reason = "a suit is likely".to_owned();
    let extend = ExtendRetention { evidence: record.evidence_id, until, reason };
    agency.done(&custodian(), extend.clone());
    assert_eq!(kept(&agency, &record), (500, "extended".to_owned()));
    agency.set_policy(|policy| set_kind(policy, EvidenceKind::Photo, 1000));
    assert_eq!(days(&agency, &record), 1000);
    // What stands counts, not what was said before.
    let shorter = ExtendRetention { until: record.sealed_at.plus_days(600), ..extend };
    agency.refused(&custodian(), shorter, Rule::R10, "until");
    agency.pass_days(501);
    agency.refused(&custodian(), proposal(&[record.evidence_id]), Rule::R10, "evidence");
}
