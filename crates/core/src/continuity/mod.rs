//! Whether a recording is whole: what its segments' numbers, capture times and uploads say
//! (rules R3, R5, R8).
//!
//! [`check`] takes the segments of one recording in any order and names every fault with the
//! segment that it was found at and, where it has one, its length. It judges claims: times are
//! those of the device, the station and the cluster as they are on record, and none is corrected
//! by another. What nobody claims cannot be judged: that the first or the last segments of a
//! recording are missing shows nowhere.
//!
//! # What is a fault
//!
//! Segments are taken in order of number. A number that several segments have counts as one
//! stretch of time, from the first start to the last end of them. The *hole* between two
//! neighbours is the time from the end of the first to the start of the second; it is judged
//! only where both claim it, never across a segment without capture times. Up to
//! [`PAUSE_MS_MAX`] is no fault, in either direction: a device takes its time to begin a file.
//!
//! - [gap](FindingKind::Gap): the next number follows, but the hole is longer.
//! - [overlap](FindingKind::Overlap): a segment starts before the one before it has ended.
//! - [clock-jump](FindingKind::ClockJump): a segment starts even before the one before it
//!   started: its times run backwards against the numbers. Or it ends after it was sealed, which
//!   no clock that is right can say, the one before it does not, and there is a hole between
//!   them: the device's clock was set ahead there. A smaller step ahead cannot be told from a gap,
//!   and is called one.
//! - [missing-number](FindingKind::MissingNumber), [repeated-number](FindingKind::RepeatedNumber):
//!   numbers between two neighbours that nothing has, one finding for the run of them; a number
//!   that a segment before has, one finding for each further segment.
//! - [out-of-order](FindingKind::OutOfOrder): uploaded in another order than numbered. The fewest
//!   segments that explain the order are named. Uploads that were opened within [`PAUSE_MS_MAX`]
//!   of each other are of the same moment.
//! - [late-upload](FindingKind::LateUpload): opened later after the end of its capture (its start,
//!   where no end is claimed) than the policy allows.
//! - [clock-offset](FindingKind::ClockOffset): the device was read as ahead or behind by more than
//!   the policy's tolerance; or nothing says so, but its capture ends after it was sealed by
//!   more; or the station's clock and the cluster's differ by more when the upload was opened.
//! - [no-capture-time](FindingKind::NoCaptureTime): no start or no end of capture, or an end
//!   before the start.
//! - [no-number](FindingKind::NoNumber): the segment cannot be placed. By its capture times it is
//!   still compared with all others for overlaps: nothing may be inserted. If no segment has a
//!   number, gaps are found by capture times too.
//! - [no-notice](FindingKind::NoNotice): no segment says when the party was told that recording
//!   has begun; once per recording, at its first segment.

mod arrival;
mod capture;
mod finding;

use serde::Serialize;

use crate::{EvidenceId, Timestamp};

pub use finding::{Finding, FindingKind, Length};

/// Longest time between two segments that follow each other, in milliseconds: 1 s.
pub const PAUSE_MS_MAX: i64 = 1_000;

/// One segment of a recording: what the continuity of it is judged by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// Number that the device gave it.
    pub sequence: Option<u64>,
    /// When the device says it began to capture.
    pub captured_at: Option<Timestamp>,
    /// Which.
    pub evidence: EvidenceId,
    /// When the device says it ended to capture.
    pub captured_until: Option<Timestamp>,
    /// Cluster time of the upload's opening.
    pub opened_at: Timestamp,
    /// Cluster time of sealing.
    pub sealed_at: Timestamp,
    /// The station's clock when it opened the upload.
    pub station_at: Option<Timestamp>,
    /// How far the device's clock was ahead of the station's, in milliseconds.
    pub device_ahead_ms: Option<i64>,
    /// When the party was told, in milliseconds after the capture began.
    pub notice_at_ms: Option<u64>,
}

impl Segment {
    /// When its capture ended, if it claims a start and an end that is not before it.
    fn end(&self) -> Option<Timestamp> {
        let from = self.captured_at?;
        self.captured_until.filter(|until| *until >= from)
    }

    /// The latest moment of its capture that it claims.
    fn last_claimed(&self) -> Option<Timestamp> {
        self.end().or(self.captured_at)
    }

    /// How long after the end of its capture (its start, where no end is claimed) the upload was
    /// opened, in milliseconds; negative where it claims to have been captured later than that.
    #[must_use]
    pub fn upload_delay_ms(&self) -> Option<i64> {
        self.last_claimed().map(|end| between_ms(end, self.opened_at))
    }

    /// How far its capture reaches past its sealing, in milliseconds.
    fn past_seal_ms(&self) -> i64 {
        self.last_claimed().map_or(0, |end| between_ms(self.sealed_at, end))
    }
}

/// What the policy in force says of time (rule R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// An upload later after capture is late, in hours.
    pub late_after_hours: u32,
    /// Clocks that differ by more are marked, in seconds.
    pub clock_tolerance_seconds: u32,
}

impl Limits {
    fn late_after_ms(self) -> i64 {
        i64::from(self.late_after_hours) * 3_600_000
    }

    fn clock_tolerance_ms(self) -> i64 {
        i64::from(self.clock_tolerance_seconds) * 1_000
    }
}

/// What a recording shows of its own continuity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Segments that were looked at.
    pub segments: u32,
    /// The first start of capture that is claimed.
    pub captured_from: Option<Timestamp>,
    /// The last moment of capture that is claimed.
    pub captured_until: Option<Timestamp>,
    /// What is wrong, in order of the time of the segment that it was found at (of its upload,
    /// where it claims no start of capture), then of its number, then of its id; whole when empty.
    pub findings: Vec<Finding>,
}

/// Judges the segments of one recording; the order in which they are given does not matter.
/// Takes n log n steps for n segments, and any values.
#[must_use]
pub fn check(segments: &[Segment], limits: Limits) -> Report {
    let mut ordered: Vec<&Segment> = segments.iter().collect();
    ordered.sort_unstable();
    let (unnumbered, numbered) =
        ordered.split_at(ordered.partition_point(|it| it.sequence.is_none()));

    let mut found = Vec::new();
    capture::numbers(numbered, limits, &mut found);
    capture::times(&ordered, numbered.is_empty(), &mut found);
    arrival::order(numbered, &mut found);
    for segment in &ordered {
        arrival::delay(segment, limits, &mut found);
        arrival::clocks(segment, limits, &mut found);
        capture::claimed(segment, &mut found);
    }
    found.extend(unnumbered.iter().map(|it| Found::at(FindingKind::NoNumber, it)));
    found.extend(no_notice(&ordered));

    found.sort_unstable_by(|a, b| (a.place(), &a.finding).cmp(&(b.place(), &b.finding)));
    Report {
        segments: u32::try_from(segments.len()).unwrap_or(u32::MAX),
        captured_from: segments.iter().filter_map(|it| it.captured_at).min(),
        captured_until: segments.iter().filter_map(Segment::last_claimed).max(),
        findings: found.into_iter().map(|it| it.finding).collect(),
    }
}

fn no_notice<'a>(ordered: &[&'a Segment]) -> Option<Found<'a>> {
    if ordered.iter().any(|it| it.notice_at_ms.is_some()) {
        return None;
    }
    let first = ordered.iter().min_by_key(|it| place_of(it))?;
    Some(Found::at(FindingKind::NoNotice, first))
}

/// Where a segment stands among the findings.
fn place_of(segment: &Segment) -> (Timestamp, Option<u64>, EvidenceId) {
    (segment.captured_at.unwrap_or(segment.opened_at), segment.sequence, segment.evidence)
}

/// A finding that is still to be put in order.
struct Found<'a> {
    at: &'a Segment,
    finding: Finding,
}

impl<'a> Found<'a> {
    /// A finding that needs no words but those of its kind.
    fn at(kind: FindingKind, at: &'a Segment) -> Self {
        let text = match kind {
            FindingKind::NoNumber => "has no number among the segments of its recording",
            _ => "no segment says when the party was told that recording has begun",
        };
        Self::new(kind, at, text.to_owned())
    }

    fn new(kind: FindingKind, at: &'a Segment, text: String) -> Self {
        let finding = Finding {
            kind,
            evidence: at.evidence,
            previous: None,
            duration_ms: None,
            first_number: None,
            last_number: None,
            text,
        };
        Self { at, finding }
    }

    fn after(mut self, previous: &Segment) -> Self {
        self.finding.previous = Some(previous.evidence);
        self
    }

    fn lasting(mut self, duration_ms: Option<i64>) -> Self {
        self.finding.duration_ms = duration_ms;
        self
    }

    fn of_numbers(mut self, first: u64, last: u64) -> Self {
        self.finding.first_number = Some(first);
        self.finding.last_number = Some(last);
        self
    }

    fn place(&self) -> (Timestamp, Option<u64>, EvidenceId) {
        place_of(self.at)
    }
}

/// From `earlier` to `later`, in milliseconds; what does not fit is cut to the longest that does.
fn between_ms(earlier: Timestamp, later: Timestamp) -> i64 {
    later.as_millis().saturating_sub(earlier.as_millis())
}
