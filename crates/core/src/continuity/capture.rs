//! What numbers and capture times say of each other.

use super::{FindingKind, Found, Limits, PAUSE_MS_MAX, Segment, between_ms, finding::Length};
use crate::Timestamp;

/// All segments with one number.
struct Stretch<'a> {
    number: u64,
    /// The one that starts first, or the first of all if none says.
    opening: &'a Segment,
    /// The one that ends last, or the first of all if none says.
    ending: &'a Segment,
}

impl<'a> Stretch<'a> {
    /// Of segments that have the same number, in order.
    fn of(segments: &[&'a Segment]) -> Option<Self> {
        let first = *segments.first()?;
        let opening = segments.iter().copied().find(|it| it.captured_at.is_some());
        // The first of those that end at the same time, whatever the order of the segments.
        let ending = segments.iter().copied().filter(|it| it.end().is_some()).rev();
        Some(Self {
            number: first.sequence?,
            opening: opening.unwrap_or(first),
            ending: ending.max_by_key(|it| it.end()).unwrap_or(first),
        })
    }

    fn start(&self) -> Option<Timestamp> {
        self.opening.captured_at
    }
}

/// Compares every number with the one before it; `numbered` is in order of number, then of start.
pub(super) fn numbers<'a>(numbered: &[&'a Segment], limits: Limits, found: &mut Vec<Found<'a>>) {
    let mut before: Option<Stretch<'a>> = None;
    for same in numbered.chunk_by(|a, b| a.sequence == b.sequence) {
        let Some(stretch) = Stretch::of(same) else { continue };
        for pair in same.windows(2) {
            let number = stretch.number;
            let text = format!("has number {number}, as the segment before it");
            found.push(
                Found::new(FindingKind::RepeatedNumber, pair[1], text)
                    .after(pair[0])
                    .of_numbers(number, number),
            );
        }
        if let Some(before) = &before {
            neighbours(before, &stretch, limits, found);
        }
        before = Some(stretch);
    }
}

fn neighbours<'a>(
    before: &Stretch<'a>,
    next: &Stretch<'a>,
    limits: Limits,
    found: &mut Vec<Found<'a>>,
) {
    let (last, number) = (before.number, next.number);
    let hole_ms = before.ending.end().zip(next.start()).map(|(end, from)| between_ms(end, from));
    let follows = number - last == 1;
    if !follows {
        let (first_missing, last_missing) = (last + 1, number - 1);
        let what = match first_missing == last_missing {
            true => format!("number {first_missing} is missing"),
            false => format!("numbers {first_missing} to {last_missing} are missing"),
        };
        let hole_ms = hole_ms.filter(|ms| *ms > 0);
        let text = match hole_ms {
            Some(ms) => format!("{what}, {} without a record", Length(ms)),
            None => what,
        };
        found.push(
            Found::new(FindingKind::MissingNumber, next.opening, text)
                .after(before.ending)
                .of_numbers(first_missing, last_missing)
                .lasting(hole_ms),
        );
    }
    if let Some(back) = starts_too_early(before, next) {
        found.push(back);
        return;
    }
    let Some(ms) = hole_ms.filter(|ms| *ms > PAUSE_MS_MAX) else { return };
    let tolerance_ms = limits.clock_tolerance_ms();
    let set_ahead =
        next.opening.past_seal_ms() > tolerance_ms && before.ending.past_seal_ms() <= tolerance_ms;
    let (kind, text) = if set_ahead {
        let text = format!(
            "starts {} after number {last} has ended, and ends after it was sealed: the clock was \
             set ahead",
            Length(ms)
        );
        (FindingKind::ClockJump, text)
    } else if follows {
        let text =
            format!("nothing was recorded for {} between number {last} and {number}", Length(ms));
        (FindingKind::Gap, text)
    } else {
        return;
    };
    found.push(Found::new(kind, next.opening, text).after(before.ending).lasting(Some(ms)));
}

/// An overlap, or a clock that was set back.
fn starts_too_early<'a>(before: &Stretch<'a>, next: &Stretch<'a>) -> Option<Found<'a>> {
    let from = next.start()?;
    let begun = before.start()?;
    let (until, what) = match before.ending.end() {
        Some(end) => (end, "ended"),
        None => (begun, "started"),
    };
    let early_ms = between_ms(from, until);
    if early_ms <= PAUSE_MS_MAX {
        return None;
    }
    let (last, length) = (before.number, Length(early_ms));
    let (kind, duration_ms, text) = if from < begun {
        let text = format!(
            "starts {length} before number {last} {what}, and before it started: the clock was set back"
        );
        (FindingKind::ClockJump, -early_ms, text)
    } else {
        (FindingKind::Overlap, early_ms, format!("starts {length} before number {last} {what}"))
    };
    Some(Found::new(kind, next.opening, text).after(before.ending).lasting(Some(duration_ms)))
}

/// Compares segments without a number with all others in order of time; all of them for gaps too,
/// if `none_numbered`.
pub(super) fn times<'a>(segments: &[&'a Segment], none_numbered: bool, found: &mut Vec<Found<'a>>) {
    let mut timed: Vec<(Timestamp, &Segment)> =
        segments.iter().filter_map(|it| Some((it.captured_at?, *it))).collect();
    timed.sort_unstable_by_key(|(from, it)| (*from, it.evidence, *it));
    // The segment that reaches furthest so far, and its end.
    let mut furthest: Option<(Timestamp, &Segment)> = None;
    let mut end_is_known = true;
    for (from, segment) in timed {
        if let Some((until, before)) = furthest {
            let hole_ms = between_ms(until, from);
            let early_ms = between_ms(from, until);
            let judged = segment.sequence.is_none() || before.sequence.is_none();
            if judged && early_ms > PAUSE_MS_MAX {
                let text = format!("starts {} before a segment before it ended", Length(early_ms));
                found.push(
                    Found::new(FindingKind::Overlap, segment, text)
                        .after(before)
                        .lasting(Some(early_ms)),
                );
            }
            if none_numbered && end_is_known && hole_ms > PAUSE_MS_MAX {
                let text = format!("nothing was recorded for {} before it", Length(hole_ms));
                found.push(
                    Found::new(FindingKind::Gap, segment, text)
                        .after(before)
                        .lasting(Some(hole_ms)),
                );
            }
        }
        end_is_known = segment.end().is_some();
        if let Some(end) = segment.end()
            && furthest.is_none_or(|(until, _)| end > until)
        {
            furthest = Some((end, segment));
        }
    }
}

/// Whether a segment says when it was captured.
pub(super) fn claimed<'a>(segment: &'a Segment, found: &mut Vec<Found<'a>>) {
    let text = match (segment.captured_at, segment.captured_until) {
        (Some(from), Some(until)) if until >= from => return,
        (Some(_), Some(_)) => "its capture ends before it starts",
        (Some(_), None) => "nothing says when its capture ended",
        (None, Some(_)) => "nothing says when its capture started",
        (None, None) => "nothing says when it was captured",
    };
    found.push(Found::new(FindingKind::NoCaptureTime, segment, text.to_owned()));
}
