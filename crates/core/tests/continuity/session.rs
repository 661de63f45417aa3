//! Recordings to be judged.

use custos_core::{
    EvidenceId, Timestamp,
    continuity::{Finding, FindingKind, Limits, PAUSE_MS_MAX, Report, Segment},
};
use proptest::prelude::*;

/// Limits under which nothing is late.
pub(crate) const NEVER_LATE: Limits =
    Limits { late_after_hours: u32::MAX, clock_tolerance_seconds: 60 };
/// The usual limits.
pub(crate) const USUAL: Limits = Limits { late_after_hours: 24, clock_tolerance_seconds: 60 };

/// Time from one upload's opening to the next, in milliseconds.
pub(crate) const UPLOAD_STEP_MS: i64 = 2_000;
/// Time from an upload's opening to its sealing, in milliseconds.
pub(crate) const UPLOAD_MS: i64 = 5_000;

/// How one segment follows the one before it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// From the end of the one before it.
    pub(crate) pause_ms: i64,
    pub(crate) length_ms: i64,
    /// From the number of the one before it.
    pub(crate) number_step: u64,
    pub(crate) device_ahead_ms: Option<i64>,
    /// Of the station's clock, before the cluster's.
    pub(crate) station_ahead_ms: Option<i64>,
    pub(crate) id: [u8; 4],
}

/// A recording as a recorder makes it and a station uploads it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) start_ms: i64,
    pub(crate) number_before: u64,
    pub(crate) steps: Vec<Step>,
    pub(crate) notice_at: usize,
    pub(crate) upload_after_ms: i64,
}

fn step() -> impl Strategy<Value = Step> {
    let tolerance = -60_000..=60_000_i64;
    (
        0..=PAUSE_MS_MAX,
        2_000..600_000_i64,
        proptest::option::of(tolerance.clone()),
        proptest::option::of(tolerance),
        any::<[u8; 4]>(),
    )
        .prop_map(|(pause_ms, length_ms, device_ahead_ms, station_ahead_ms, id)| Step {
            pause_ms,
            length_ms,
            number_step: 1,
            device_ahead_ms,
            station_ahead_ms,
            id,
        })
}

prop_compose! {
    /// Nothing is wrong with it.
    pub(crate) fn whole(segments: std::ops::Range<usize>)(
        start_ms in -4_000_000_000_000..4_000_000_000_000_i64,
        number_before in prop_oneof![Just(0), 0..u64::MAX / 2],
        steps in proptest::collection::vec(step(), segments),
        notice_at in any::<proptest::sample::Index>(),
        upload_after_ms in 0..3_600_000_i64,
    ) -> Session {
        let notice_at = notice_at.index(steps.len());
        Session { start_ms, number_before, steps, notice_at, upload_after_ms }
    }
}

impl Session {
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let mut captures = Vec::new();
        let (mut now, mut number) = (self.start_ms, self.number_before);
        for step in &self.steps {
            let from = now + step.pause_ms;
            now = from + step.length_ms;
            number += step.number_step;
            captures.push((from, now, number));
        }
        let latest = captures.iter().map(|(_, until, _)| *until).max().unwrap_or(0);
        let mut opened = latest + self.upload_after_ms;
        let mut segments = Vec::new();
        for (place, ((from, until, number), step)) in captures.iter().zip(&self.steps).enumerate() {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&step.id);
            id[8..].copy_from_slice(&(place as u64).to_be_bytes());
            segments.push(Segment {
                evidence: EvidenceId::from_bytes(id),
                sequence: Some(*number),
                captured_at: Some(Timestamp::from_millis(*from)),
                captured_until: Some(Timestamp::from_millis(*until)),
                opened_at: Timestamp::from_millis(opened),
                sealed_at: Timestamp::from_millis(opened + UPLOAD_MS),
                station_at: step.station_ahead_ms.map(|ms| Timestamp::from_millis(opened + ms)),
                device_ahead_ms: step.device_ahead_ms,
                notice_at_ms: (place == self.notice_at).then_some(3_000),
            });
            opened += UPLOAD_STEP_MS;
        }
        segments
    }
}

/// What a finding says, but for its words.
pub(crate) fn finding(kind: FindingKind, at: &Segment) -> Finding {
    Finding {
        kind,
        evidence: at.evidence,
        previous: None,
        duration_ms: None,
        first_number: None,
        last_number: None,
        text: String::new(),
    }
}

pub(crate) fn compared(
    kind: FindingKind,
    at: &Segment,
    previous: &Segment,
    duration_ms: impl Into<Option<i64>>,
) -> Finding {
    let previous = Some(previous.evidence);
    Finding { previous, duration_ms: duration_ms.into(), ..finding(kind, at) }
}

/// The findings without their words, in an order of their own.
pub(crate) fn sorted(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        findings.into_iter().map(|finding| Finding { text: String::new(), ..finding }).collect();
    findings.sort();
    findings
}

/// Findings are in order of time, number and id, and each has one line of words.
pub(crate) fn assert_in_order(report: &Report, segments: &[Segment]) {
    let place = |finding: &Finding| {
        let mut at = segments.iter().filter(|it| it.evidence == finding.evidence);
        let at = at.next().expect("a segment that was given");
        (at.captured_at.unwrap_or(at.opened_at), at.sequence, at.evidence)
    };
    assert!(report.findings.is_sorted_by_key(place), "{:#?}", report.findings);
    for finding in &report.findings {
        let text = &finding.text;
        assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
    }
}
