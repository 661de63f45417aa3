//! Faults whose place and size are known are found as they are, and nothing else is.

use custos_core::{
    Timestamp,
    continuity::{Finding, FindingKind, Limits, PAUSE_MS_MAX, Segment, check},
};
use proptest::{prelude::*, sample::Index};

use crate::session::{
    NEVER_LATE, Session, USUAL, assert_in_order, compared, finding, sorted, whole,
};

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Clone)]
enum Fault {
    Gap(i64),
    /// In parts of a million of the longest overlap that is one.
    Overlap(i64),
    SetBack(i64),
    Missing(u64),
    Repeated,
    NoNumber,
    NoStart,
    NoEnd,
    EndBeforeStart,
    UploadedLater(i64),
    DeviceClock(i64),
    StationClock(i64),
}

fn offset() -> impl Strategy<Value = i64> {
    prop_oneof![60_001..DAY_MS, -DAY_MS..=-60_001_i64]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (PAUSE_MS_MAX + 1..DAY_MS).prop_map(Fault::Gap),
        (0..1_000_000_i64).prop_map(Fault::Overlap),
        // Further back than a whole session with all its gaps is long.
        (100 * DAY_MS..200 * DAY_MS).prop_map(Fault::SetBack),
        (1..1_000_000_u64).prop_map(Fault::Missing),
        Just(Fault::Repeated),
        Just(Fault::NoNumber),
        Just(Fault::NoStart),
        Just(Fault::NoEnd),
        Just(Fault::EndBeforeStart),
        (3_500..100_000_i64).prop_map(Fault::UploadedLater),
        offset().prop_map(Fault::DeviceClock),
        offset().prop_map(Fault::StationClock),
    ]
}

/// Plants `fault` in the plan of a session.
fn plan(session: &mut Session, place: usize, fault: &Fault) {
    let before = session.steps[place - 1].length_ms;
    let step = &mut session.steps[place];
    match *fault {
        Fault::Gap(ms) => step.pause_ms = ms,
        Fault::Overlap(part) => {
            let least = PAUSE_MS_MAX + 1;
            let most = before.min(step.length_ms);
            step.pause_ms = -(least + (most - least) * part / 1_000_000);
        }
        Fault::SetBack(ms) => step.pause_ms = -ms,
        Fault::Missing(numbers) => step.number_step += numbers,
        Fault::Repeated => step.number_step = 0,
        Fault::DeviceClock(ms) => step.device_ahead_ms = Some(ms),
        Fault::StationClock(ms) => step.station_ahead_ms = Some(ms),
        Fault::NoNumber
        | Fault::NoStart
        | Fault::NoEnd
        | Fault::EndBeforeStart
        | Fault::UploadedLater(_) => {}
    }
}

/// Plants `fault` in the segments, and says what must be found.
fn plant(session: &Session, segments: &mut [Segment], place: usize, fault: &Fault) -> Vec<Finding> {
    let steps = &session.steps;
    match *fault {
        Fault::UploadedLater(ms) => {
            let at = &mut segments[place];
            for time in [&mut at.opened_at, &mut at.sealed_at].into_iter().chain(&mut at.station_at)
            {
                *time = Timestamp::from_millis(time.as_millis() + ms);
            }
        }
        Fault::NoNumber => segments[place].sequence = None,
        Fault::NoStart => segments[place].captured_at = None,
        Fault::NoEnd => segments[place].captured_until = None,
        Fault::EndBeforeStart => {
            let from = segments[place].captured_at.unwrap();
            segments[place].captured_until = Some(Timestamp::from_millis(from.as_millis() - 1));
        }
        _ => {}
    }
    let (before, at, next) = (&segments[place - 1], &segments[place], &segments[place + 1]);
    let one = match *fault {
        Fault::Gap(ms) => compared(FindingKind::Gap, at, before, ms),
        Fault::Overlap(_) => compared(FindingKind::Overlap, at, before, -steps[place].pause_ms),
        Fault::SetBack(ms) => compared(FindingKind::ClockJump, at, before, -ms),
        Fault::Missing(numbers) => {
            let last = at.sequence.unwrap() - 1;
            let hole_ms = Some(steps[place].pause_ms).filter(|ms| *ms > 0);
            Finding {
                first_number: Some(last - (numbers - 1)),
                last_number: Some(last),
                ..compared(FindingKind::MissingNumber, at, before, hole_ms)
            }
        }
        Fault::Repeated => Finding {
            first_number: at.sequence,
            last_number: at.sequence,
            ..compared(FindingKind::RepeatedNumber, at, before, None)
        },
        Fault::NoNumber => {
            let number = next.sequence.map(|it| it - 1);
            let hole_ms =
                steps[place].pause_ms + steps[place].length_ms + steps[place + 1].pause_ms;
            let missing = Finding {
                first_number: number,
                last_number: number,
                ..compared(FindingKind::MissingNumber, next, before, hole_ms)
            };
            return vec![finding(FindingKind::NoNumber, at), missing];
        }
        Fault::NoStart | Fault::NoEnd | Fault::EndBeforeStart => {
            finding(FindingKind::NoCaptureTime, at)
        }
        Fault::UploadedLater(_) => {
            let ms = at.opened_at.as_millis() - next.opened_at.as_millis();
            compared(FindingKind::OutOfOrder, at, next, ms)
        }
        Fault::DeviceClock(ms) | Fault::StationClock(ms) => {
            Finding { duration_ms: Some(ms), ..finding(FindingKind::ClockOffset, at) }
        }
    };
    vec![one]
}

fn assert_found(segments: &[Segment], limits: Limits, expected: Vec<Finding>) {
    let report = check(segments, limits);
    assert_in_order(&report, segments);
    assert_eq!(sorted(report.findings), sorted(expected), "{segments:#?}");
    assert_eq!(report.segments as usize, segments.len());
}

proptest! {
    #[test]
    fn r5_a_recording_without_a_fault_has_no_finding(session in whole(1..40)) {
        let segments = session.segments();
        assert_found(&segments, USUAL, Vec::new());
        let report = check(&segments, USUAL);
        prop_assert_eq!(report.captured_from, segments[0].captured_at);
        prop_assert_eq!(report.captured_until, segments[segments.len() - 1].captured_until);
    }

    #[test]
    fn r5_one_fault_is_found_where_it_is_and_as_long_as_it_is(
        mut session in whole(4..30),
        place in any::<Index>(),
        fault in fault(),
    ) {
        let place = 1 + place.index(session.steps.len() - 2);
        plan(&mut session, place, &fault);
        let mut segments = session.segments();
        let expected = plant(&session, &mut segments, place, &fault);
        assert_found(&segments, NEVER_LATE, expected);
    }

    #[test]
    fn r5_several_faults_are_found_each(
        mut session in whole(30..31),
        faults in proptest::collection::vec((2..4_usize, fault()), 1..8),
    ) {
        let mut place = 0;
        let faults: Vec<(usize, Fault)> = faults
            .into_iter()
            .map(|(further, fault)| { place += further; (place, fault) })
            .collect();
        for (place, fault) in &faults {
            plan(&mut session, *place, fault);
        }
        let mut segments = session.segments();
        let expected = faults
            .iter()
            .flat_map(|(place, fault)| plant(&session, &mut segments, *place, fault))
            .collect();
        assert_found(&segments, NEVER_LATE, expected);
    }

    #[test]
    fn r3_every_segment_that_is_uploaded_too_late_is_found(
        session in whole(1..30),
        from in any::<Index>(),
        later_ms in 0..3 * DAY_MS,
    ) {
        let mut segments = session.segments();
        let from = from.index(segments.len());
        for segment in &mut segments[from..] {
            segment.opened_at = Timestamp::from_millis(segment.opened_at.as_millis() + later_ms);
            segment.sealed_at = segment.opened_at;
            segment.station_at = None;
        }
        let expected = segments.iter().filter_map(|it| {
            let ms = it.opened_at.as_millis() - it.captured_until.unwrap().as_millis();
            let late = Finding { duration_ms: Some(ms), ..finding(FindingKind::LateUpload, it) };
            (ms > DAY_MS).then_some(late)
        });
        assert_found(&segments, USUAL, expected.collect());
    }

    #[test]
    fn r5_a_clock_that_is_set_ahead_is_found_where_it_was_and_at_all_that_it_dated(
        mut session in whole(2..30),
        place in any::<Index>(),
        ahead_ms in 2 * DAY_MS..4_000 * DAY_MS,
        known in any::<bool>(),
    ) {
        let place = 1 + place.index(session.steps.len() - 1);
        for step in &mut session.steps {
            step.device_ahead_ms = None;
        }
        let true_uploads = session.segments();
        session.steps[place].pause_ms += ahead_ms;
        let hole_ms = session.steps[place].pause_ms;
        let mut segments = session.segments();
        for (segment, truly) in segments.iter_mut().zip(&true_uploads) {
            segment.opened_at = truly.opened_at;
            segment.sealed_at = truly.sealed_at;
            segment.station_at = truly.station_at;
        }
        let mut expected =
            vec![compared(FindingKind::ClockJump, &segments[place], &segments[place - 1], hole_ms)];
        for segment in &mut segments[place..] {
            segment.device_ahead_ms = known.then_some(ahead_ms);
            let past_seal_ms =
                segment.captured_until.unwrap().as_millis() - segment.sealed_at.as_millis();
            let duration_ms = Some(if known { ahead_ms } else { past_seal_ms });
            let offset = Finding { duration_ms, ..finding(FindingKind::ClockOffset, segment) };
            expected.push(offset);
        }
        assert_found(&segments, USUAL, expected);
    }

    #[test]
    fn r8_a_recording_without_notice_is_found_once_at_its_first_segment(session in whole(1..30)) {
        let mut segments = session.segments();
        for segment in &mut segments {
            segment.notice_at_ms = None;
        }
        let expected = vec![finding(FindingKind::NoNotice, &segments[0])];
        assert_found(&segments, USUAL, expected);
    }

    #[test]
    fn r5_without_numbers_gaps_and_overlaps_are_found_by_time(
        mut session in whole(3..30),
        place in any::<Index>(),
        fault in prop_oneof![
            (PAUSE_MS_MAX + 1..DAY_MS / 2).prop_map(Fault::Gap),
            (0..1_000_000_i64).prop_map(Fault::Overlap),
        ],
    ) {
        let place = 1 + place.index(session.steps.len() - 2);
        plan(&mut session, place, &fault);
        let mut segments = session.segments();
        let mut expected = plant(&session, &mut segments, place, &fault);
        for segment in &mut segments {
            segment.sequence = None;
        }
        expected.extend(segments.iter().map(|it| finding(FindingKind::NoNumber, it)));
        assert_found(&segments, USUAL, expected);
    }
}
