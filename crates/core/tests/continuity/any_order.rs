//! Whatever is given, in whatever order.

use custos_core::{
    EvidenceId, Timestamp,
    continuity::{Limits, Segment, check},
};
use proptest::{option, prelude::*};

use crate::session::{USUAL, assert_in_order, whole};

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(u64::MAX), u64::MAX - 5..u64::MAX, 0..6_u64, any::<u64>()]
}

fn signed() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MIN),
        Just(i64::MAX),
        Just(0),
        -3_000..3_000_i64,
        (-4..4_i64).prop_map(|it| it * 1_000),
        any::<i64>()
    ]
}

fn time() -> impl Strategy<Value = Timestamp> {
    signed().prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn segment()(
        id in 0..40_u8,
        sequence in option::of(number()),
        captured_at in option::of(time()),
        captured_until in option::of(time()),
        opened_at in time(),
        sealed_at in time(),
        station_at in option::of(time()),
        device_ahead_ms in option::of(signed()),
        notice_at_ms in option::weighted(0.1, number()),
    ) -> Segment {
        Segment {
            evidence: EvidenceId::from_bytes([id; 16]),
            sequence,
            captured_at,
            captured_until,
            opened_at,
            sealed_at,
            station_at,
            device_ahead_ms,
            notice_at_ms,
        }
    }
}

prop_compose! {
    fn limits()(
        late_after_hours in prop_oneof![Just(0), Just(u32::MAX), any::<u32>()],
        clock_tolerance_seconds in prop_oneof![Just(0), Just(u32::MAX), any::<u32>()],
    ) -> Limits {
        Limits { late_after_hours, clock_tolerance_seconds }
    }
}

fn shuffled(segments: Vec<Segment>) -> impl Strategy<Value = (Vec<Segment>, Vec<Segment>)> {
    (Just(segments.clone()), Just(segments).prop_shuffle())
}

proptest! {
    #[test]
    fn any_segments_in_any_order_have_the_same_report(
        (given, shuffled) in proptest::collection::vec(segment(), 0..40).prop_flat_map(shuffled),
        limits in limits(),
    ) {
        prop_assert_eq!(check(&given, limits), check(&shuffled, limits));
    }

    #[test]
    fn findings_are_in_order_of_time_number_and_id(
        segments in proptest::collection::vec(segment(), 0..40),
        limits in limits(),
    ) {
        let mut segments = segments;
        segments.sort_by_key(|it| it.evidence);
        segments.dedup_by_key(|it| it.evidence);
        assert_in_order(&check(&segments, limits), &segments);
    }

    #[test]
    fn r5_a_whole_recording_is_whole_in_any_order(
        (_, segments) in whole(1..40).prop_flat_map(|it| shuffled(it.segments())),
    ) {
        prop_assert_eq!(check(&segments, USUAL).findings, []);
    }
}

#[test]
fn no_segments_have_nothing_wrong() {
    let report = check(&[], USUAL);
    assert_eq!((report.segments, report.captured_from, report.captured_until), (0, None, None));
    assert_eq!(report.findings, []);
}
