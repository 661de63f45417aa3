//! I2: whatever the stores do, a reader gets the sealed bytes or an error, never anything else.

mod rig;

use custos_core::{ErasureProfile, ErrorKind};
use custos_ports::fakes::Fault;
use proptest::prelude::*;
use rig::{CHUNK, Rig, footage, hash};

const READ_FAULTS: [Fault; 6] = [
    Fault::Offline,
    Fault::Corrupt,
    Fault::Stuck,
    Fault::Lies,
    Fault::Misdirects,
    Fault::CutsShort,
];

#[tokio::test]
async fn i2_every_size_comes_back_as_it_was_put() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let sizes = [0, 1, 65_535, 65_536, 65_537, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 12_345];
    for (key, size) in (0..).zip(sizes) {
        let bytes = footage(size);
        let receipt = rig.put(key, &bytes).await.expect("puts");
        assert_eq!(receipt.blake3, hash(&bytes), "{size}");
        let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
        assert!(got == bytes, "{size} bytes came back altered");
    }
}

#[tokio::test]
async fn i2_any_two_of_six_stores_may_fail_in_any_way() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(2 * CHUNK + 70_000);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    for first in 0..6 {
        for second in first + 1..6 {
            let fault = READ_FAULTS[(first * 6 + second) % READ_FAULTS.len()];
            rig.fail(&[first], fault);
            rig.fail(&[second], READ_FAULTS[second]);
            let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await;
            let got = got.unwrap_or_else(|error| panic!("{first} {fault:?}, {second}: {error}"));
            assert!(got == bytes, "disks {first} and {second} altered the bytes");
            rig.fail(&[first, second], Fault::None);
        }
    }
}

#[tokio::test]
async fn i2_a_third_failure_is_an_error_and_never_wrong_bytes() {
    let rig = Rig::new(ErasureProfile::P4_2);
    let bytes = footage(CHUNK + 5);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    for fault in READ_FAULTS {
        rig.fail(&[0, 2, 5], fault);
        let error = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect_err("fails");
        let expected =
            if fault == Fault::Lies { ErrorKind::Integrity } else { ErrorKind::Unavailable };
        assert_eq!(error.kind(), expected, "{fault:?}: {error}");
        rig.fail(&[0, 2, 5], Fault::None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn i2_any_range_equals_the_plain_slice(
        size in 0..3 * CHUNK, a in any::<u64>(), b in any::<u64>(), broken in 0..6usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let rig = Rig::new(ErasureProfile::P4_2);
            let bytes = footage(size);
            let receipt = rig.put(1, &bytes).await.expect("puts");
            let (a, b) = (a % (size as u64 + 1), b % (size as u64 + 1));
            let (start, end) = (a.min(b), a.max(b));
            rig.fail(&[broken], READ_FAULTS[broken]);
            let got = rig.get(receipt.evidence_id, receipt.blake3, start, Some(end)).await;
            let plain = &bytes[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
            assert!(got.expect("gets") == plain, "{start}..{end} of {size}");
        });
    }
}

#[tokio::test]
async fn a_range_past_the_end_is_refused_by_name() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let receipt = rig.put(1, &footage(10)).await.expect("puts");
    let error = rig.get(receipt.evidence_id, receipt.blake3, 5, Some(11)).await.expect_err("past");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("range"), "{error}");
}
