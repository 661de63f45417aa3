//! Classification of evidence (rule R19): raised at once, lowered by two, and nothing done to what is
//! above the own clearance.

use custos_core::{
    Act, Rule, Stage,
    law::{AddNote, Classification, ClassifyEvidence, FileEvidence, OpenCase},
};

use crate::{
    agency::{Agency, custodian, file_under, filing_of, head, new_case, officer, second_head},
    filing::{acts, classify, relate},
};

#[test]
fn r19_evidence_is_classified_higher_at_once_and_lower_by_two() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let filing =
        filing_of(agency.done(&custodian(), classify(evidence, Classification::TradeSecret)));
    assert_eq!(filing.classification, Classification::TradeSecret);
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::Classified, Some(evidence)));
    assert_eq!(entry.record, Some(format!("filing/{evidence}")));
    let detail = "raised from ordinary to trade-secret: a minor is seen";
    assert_eq!(entry.detail.as_deref(), Some(detail));

    let lower = || classify(evidence, Classification::Privacy);
    let filing = filing_of(agency.done(&custodian(), lower()));
    assert_eq!(filing.classification, Classification::TradeSecret);
    assert_eq!(filing.lower_to, Some(Classification::Privacy));
    agency.refused(&custodian(), lower(), Rule::I8, "actor");
    let other = classify(evidence, Classification::Ordinary);
    agency.refused(&head(), other, Rule::R19, "to");
    let filing = filing_of(agency.done(&head(), lower()));
    assert_eq!((filing.classification, filing.lower_to), (Classification::Privacy, None));
    assert_eq!(filing.lower_asked, None);
}

#[test]
fn r19_evidence_is_classified_as_something_else_within_the_own_clearance() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let as_it_is = classify(evidence, Classification::Ordinary);
    agency.refused(&custodian(), as_it_is, Rule::R19, "to");
    let above = classify(evidence, Classification::StateSecret);
    agency.refused(&custodian(), above.clone(), Rule::R19, "to");
    agency.done(&head(), above);
    let lower = classify(evidence, Classification::Privacy);
    agency.refused(&second_head(), lower.clone(), Rule::R19, "clearance");
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        let asked = ClassifyEvidence { reason, ..lower.clone() };
        agency.refused(&head(), asked, rule, "reason");
    }
}

#[test]
fn r19_nobody_acts_on_evidence_above_the_own_clearance() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let other = agency.sealed_in_case("C-1").evidence_id;
    agency.done(&head(), classify(evidence, Classification::StateSecret));
    for command in acts(evidence, other) {
        agency.refused(&custodian(), command, Rule::R19, "clearance");
    }
    agency.refused(&custodian(), relate(other, evidence), Rule::R19, "to");
    let note = AddNote { evidence, text: "seen".to_owned(), supersedes: None };
    agency.done(&head(), note);
}

#[test]
fn r19_filing_evidence_elsewhere_does_not_make_it_less_secret() {
    let mut agency = Agency::new();
    let secret = Classification::TradeSecret;
    agency.open_case("C-1");
    agency.done(&head(), OpenCase { classification: secret, ..new_case("C-2") });
    let evidence = agency.sealed_in_case("C-2").evidence_id;
    let plain = agency.sealed_in_case("C-1").evidence_id;
    let out = FileEvidence {
        reason: Some("belongs there".to_owned()),
        ..file_under(evidence, "C-1", Stage::Investigation)
    };
    let into = FileEvidence {
        reason: Some("belongs there".to_owned()),
        ..file_under(plain, "C-2", Stage::Investigation)
    };
    assert_eq!(agency.filing(evidence).classification, Classification::Ordinary);
    agency.refused(&officer(), out.clone(), Rule::R19, "clearance");
    agency.refused(&officer(), into.clone(), Rule::R19, "clearance");
    agency.done(&head(), out);
    assert_eq!(agency.filing(evidence).classification, secret);
    agency.done(&head(), into);
    assert_eq!(agency.filing(plain).classification, Classification::Ordinary, "its case counts");
    // Two persons lower it, as they lower anything.
    agency.done(&custodian(), classify(evidence, Classification::Ordinary));
    agency.done(&head(), classify(evidence, Classification::Ordinary));
    assert_eq!(agency.filing(evidence).classification, Classification::Ordinary);
}

#[test]
fn r23_a_lower_classification_of_evidence_is_agreed_to_by_a_head() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    agency.done(&custodian(), classify(evidence, Classification::Privacy));
    let lower = || classify(evidence, Classification::Ordinary);
    agency.done(&head(), lower());
    agency.refused(&custodian(), lower(), Rule::R23, "role");
    agency.done(&second_head(), lower());
}
