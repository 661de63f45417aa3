//! What uploads and clocks say.

use super::{FindingKind, Found, Limits, PAUSE_MS_MAX, Segment, between_ms, finding::Length};

/// Names the fewest segments without which uploads were opened in order of number.
pub(super) fn order<'a>(numbered: &[&'a Segment], found: &mut Vec<Found<'a>>) {
    let mut uploads = numbered.to_vec();
    // Segments with the same number are in any order.
    uploads.sort_unstable_by_key(|it| (it.sequence, it.opened_at, it.evidence, *it));
    let in_order = longest_in_order(&uploads);
    let mut later = in_order.iter().copied().peekable();
    let mut lower: Option<usize> = None;
    for (place, segment) in uploads.iter().copied().enumerate() {
        if later.next_if_eq(&place).is_some() {
            lower = Some(place);
            continue;
        }
        let higher = later.peek().copied();
        let too_early = lower
            .map(|it| (uploads[it], between_ms(segment.opened_at, uploads[it].opened_at)))
            .filter(|(_, ms)| *ms > PAUSE_MS_MAX);
        let too_late = higher
            .map(|it| (uploads[it], between_ms(uploads[it].opened_at, segment.opened_at)))
            .filter(|(_, ms)| *ms > PAUSE_MS_MAX);
        let (other, ms, side) = match (too_early, too_late) {
            (Some((other, ms)), _) => (other, ms, "before"),
            (None, Some((other, ms))) => (other, ms, "after"),
            (None, None) => continue,
        };
        let number = other.sequence.unwrap_or_default();
        let text = format!("was uploaded {} {side} number {number}", Length(ms));
        let finding = Found::new(FindingKind::OutOfOrder, segment, text);
        found.push(finding.after(other).lasting(Some(ms)));
    }
}

/// Places of the longest run of uploads that were opened one after the other; where there are
/// several, the one that leaves out what came late.
fn longest_in_order(uploads: &[&Segment]) -> Vec<usize> {
    // By length of a run less one: the place where the run that ends earliest ends.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(uploads.len());
    for (place, segment) in uploads.iter().enumerate() {
        let length = ends.partition_point(|end| uploads[*end].opened_at <= segment.opened_at);
        before.push(length.checked_sub(1).map(|it| ends[it]));
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let last = ends.last().copied();
    let mut run: Vec<usize> = std::iter::successors(last, |place| before[*place]).collect();
    run.reverse();
    run
}

/// Whether a segment was uploaded in time.
pub(super) fn delay<'a>(segment: &'a Segment, limits: Limits, found: &mut Vec<Found<'a>>) {
    let Some(delay_ms) = segment.upload_delay_ms() else { return };
    if delay_ms > limits.late_after_ms() {
        let hours = limits.late_after_hours;
        let text =
            format!("was uploaded {} after its capture, {hours} h are allowed", Length(delay_ms));
        let finding = Found::new(FindingKind::LateUpload, segment, text);
        found.push(finding.lasting(Some(delay_ms)));
    }
}

/// Whether the clocks of device, station and cluster agree.
pub(super) fn clocks<'a>(segment: &'a Segment, limits: Limits, found: &mut Vec<Found<'a>>) {
    let tolerance_ms = limits.clock_tolerance_ms();
    let mut mark = |ahead_ms: i64, text: String| {
        let finding = Found::new(FindingKind::ClockOffset, segment, text);
        found.push(finding.lasting(Some(ahead_ms)));
    };
    let differs = |ahead_ms: i64| {
        let tolerance = tolerance_ms.unsigned_abs();
        (ahead_ms.unsigned_abs() > tolerance).then(|| {
            let side = if ahead_ms > 0 { "ahead of" } else { "behind" };
            (ahead_ms, format!("{} {side}", Length(ahead_ms)))
        })
    };
    let past_seal_ms = segment.past_seal_ms();
    if let Some((ahead_ms, length)) = segment.device_ahead_ms.and_then(differs) {
        mark(ahead_ms, format!("the device's clock was {length} the station's"));
    } else if past_seal_ms > tolerance_ms {
        let length = Length(past_seal_ms);
        mark(past_seal_ms, format!("claims to be captured until {length} after it was sealed"));
    }
    let station_ahead_ms = segment.station_at.map(|at| between_ms(segment.opened_at, at));
    if let Some((ahead_ms, length)) = station_ahead_ms.and_then(differs) {
        mark(ahead_ms, format!("the station's clock was {length} the cluster's"));
    }
}
