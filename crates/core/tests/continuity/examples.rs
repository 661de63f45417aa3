//! Single faults as people meet them, with their words.

use custos_core::{
    EvidenceId, Rule, Timestamp,
    continuity::{FindingKind, Segment, check},
};

use crate::session::USUAL;

/// Captured from one second to another, uploaded an hour later, 10 s after the number before.
fn segment(number: u64, from_s: i64, until_s: i64) -> Segment {
    let opened_at = Timestamp::from_millis(3_600_000 + i64::try_from(number).unwrap() * 10_000);
    Segment {
        evidence: EvidenceId::from_bytes([u8::try_from(number).unwrap(); 16]),
        sequence: Some(number),
        captured_at: Some(Timestamp::from_millis(from_s * 1_000)),
        captured_until: Some(Timestamp::from_millis(until_s * 1_000)),
        opened_at,
        sealed_at: opened_at,
        station_at: Some(opened_at),
        device_ahead_ms: Some(0),
        notice_at_ms: Some(0),
    }
}

#[track_caller]
fn says(segments: &[Segment], expected: &[&str]) {
    let report = check(segments, USUAL);
    let lines: Vec<String> =
        report.findings.iter().map(|it| format!("{}: {}", it.kind, it.text)).collect();
    assert_eq!(lines, expected);
}

#[test]
fn r5_a_pause_of_a_second_is_no_gap_and_a_millisecond_more_is_one() {
    let mut next = segment(2, 11, 20);
    says(&[segment(1, 0, 10), next.clone()], &[]);
    next.captured_at = Some(Timestamp::from_millis(11_001));
    says(
        &[segment(1, 0, 10), next],
        &["gap: nothing was recorded for 1.001 s between number 1 and 2"],
    );
}

#[test]
fn r5_a_second_in_common_is_no_overlap_and_more_is_one() {
    says(&[segment(1, 0, 10), segment(2, 9, 20)], &[]);
    says(
        &[segment(1, 0, 10), segment(2, 8, 20)],
        &["overlap: starts 2.000 s before number 1 ended"],
    );
}

#[test]
fn r5_times_that_run_backwards_are_a_clock_that_was_set_back() {
    says(
        &[segment(1, 100, 110), segment(2, 40, 50), segment(3, 50, 60)],
        &["clock-jump: starts 1 min 10.000 s before number 1 ended, and before it started: the \
           clock was set back"],
    );
}

#[test]
fn r5_missing_numbers_are_named_as_one_run() {
    says(
        &[segment(1, 0, 10), segment(5, 40, 50), segment(7, 50, 60)],
        &[
            "missing-number: numbers 2 to 4 are missing, 30.000 s without a record",
            "missing-number: number 6 is missing",
        ],
    );
}

#[test]
fn r5_a_number_that_was_given_twice_stands_for_both_times() {
    let mut again = segment(2, 20, 30);
    again.evidence = EvidenceId::from_bytes([99; 16]);
    says(
        &[segment(1, 0, 10), segment(2, 10, 20), again, segment(3, 30, 40)],
        &["repeated-number: has number 2, as the segment before it"],
    );
}

#[test]
fn r5_footage_without_a_number_in_the_time_of_another_is_an_overlap() {
    let mut inserted = segment(9, 12, 18);
    inserted.sequence = None;
    says(
        &[segment(1, 0, 10), segment(2, 10, 20), inserted],
        &[
            "overlap: starts 8.000 s before a segment before it ended",
            "no-number: has no number among the segments of its recording",
        ],
    );
}

#[test]
fn r5_a_segment_without_an_end_is_compared_by_its_start_alone() {
    let mut open = segment(1, 100, 110);
    open.captured_until = None;
    says(
        &[open, segment(2, 40, 50)],
        &[
            "clock-jump: starts 1 min 00.000 s before number 1 started, and before it started: \
             the clock was set back",
            "no-capture-time: nothing says when its capture ended",
        ],
    );
}

#[test]
fn r5_uploads_of_the_same_second_are_in_order() {
    let (mut first, second, third) = (segment(1, 0, 10), segment(2, 10, 20), segment(3, 20, 30));
    first.opened_at = Timestamp::from_millis(second.opened_at.as_millis() + 1_000);
    first.station_at = None;
    says(&[first.clone(), second.clone(), third.clone()], &[]);
    first.opened_at = Timestamp::from_millis(second.opened_at.as_millis() + 1_001);
    says(&[first, second, third], &["out-of-order: was uploaded 1.001 s after number 2"]);
}

#[test]
fn r5_one_segment_that_was_uploaded_before_all_others_is_the_one_out_of_order() {
    let mut last = segment(4, 30, 40);
    last.opened_at = Timestamp::from_millis(3_600_000);
    last.station_at = None;
    says(
        &[segment(1, 0, 10), segment(2, 10, 20), segment(3, 20, 30), last],
        &["out-of-order: was uploaded 30.000 s before number 3"],
    );
}

#[test]
fn r3_late_is_what_comes_after_the_hours_that_the_policy_allows() {
    let mut late = segment(1, 0, 10);
    late.station_at = None;
    late.opened_at = Timestamp::from_millis(10_000 + 86_400_000);
    late.sealed_at = late.opened_at;
    says(&[late.clone()], &[]);
    late.opened_at = Timestamp::from_millis(10_001 + 86_400_000);
    says(
        &[late],
        &["late-upload: was uploaded 24 h 00 min 00.001 s after its capture, 24 h are allowed"],
    );
}

#[test]
fn r3_clocks_that_disagree_are_named_with_their_side() {
    let mut ahead = segment(1, 0, 10);
    ahead.device_ahead_ms = Some(60_001);
    ahead.station_at = Some(Timestamp::from_millis(ahead.opened_at.as_millis() - 120_000));
    let mut after = segment(2, 10, 4_000);
    after.device_ahead_ms = None;
    says(
        &[ahead, after],
        &[
            "clock-offset: the station's clock was 2 min 00.000 s behind the cluster's",
            "clock-offset: the device's clock was 1 min 00.001 s ahead of the station's",
            "clock-offset: claims to be captured until 6 min 20.000 s after it was sealed",
        ],
    );
}

#[test]
fn every_kind_goes_against_a_rule_on_continuity() {
    for kind in FindingKind::ALL {
        assert!([Rule::R3, Rule::R5, Rule::R8].contains(&kind.rule()), "{kind}");
        assert_eq!(FindingKind::from_name(kind.name()), Some(*kind));
    }
}
