use custos_core::{Descriptor, ErrorKind, Rule, Timestamp};
use custos_ledger::{CommandBatch, CustodyLeaf, DecodeError, Envelope};
use proptest::{collection::vec, prelude::*};

use crate::{
    generators::envelopes,
    world::{complete, open, station},
};

proptest! {
    #[test]
    fn any_envelope_is_read_back_as_written(envelope in envelopes()) {
        let bytes = envelope.encode();
        prop_assert_eq!(bytes.len(), envelope.encoded_len());
        prop_assert_eq!(Envelope::decode(&bytes), Ok(envelope));
    }

    #[test]
    fn any_batch_is_read_back_as_written(
        stamped in any::<i64>(),
        envelopes in vec(envelopes(), 0..5),
    ) {
        let batch = CommandBatch { stamped: Timestamp::from_millis(stamped), envelopes };
        let encoded: Vec<_> = batch.envelopes.iter().map(Envelope::encode).collect();
        prop_assert_eq!(CommandBatch::encode_of(batch.stamped, &encoded), batch.encode());
        prop_assert_eq!(CommandBatch::decode(&batch.encode()), Ok(batch));
    }

    #[test]
    fn arbitrary_bytes_never_panic_a_decoder(bytes in vec(any::<u8>(), 0..400)) {
        let _ = Envelope::decode(&bytes);
        let _ = CommandBatch::decode(&bytes);
        let _ = CustodyLeaf::decode(&bytes);
    }

    #[test]
    fn damaged_envelopes_never_panic_a_decoder(
        envelope in envelopes(),
        position in any::<prop::sample::Index>(),
        flip in 1u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = envelope.encode();
        let _ = Envelope::decode(&bytes[..cut.index(bytes.len())]);
        let position = position.index(bytes.len());
        bytes[position] ^= flip;
        let _ = Envelope::decode(&bytes);
    }
}

fn any_envelope() -> Envelope {
    Envelope {
        request_id: [1; 16],
        actor: station(),
        entry_salt: [2; 16],
        command: open(1, complete()),
    }
}

#[test]
fn an_envelope_or_batch_of_a_newer_version_is_named_as_such() {
    let mut bytes = any_envelope().encode();
    assert_eq!(bytes[..2], [0x08, 1], "the version comes first");
    bytes[1] = 2;
    let newer = DecodeError::Version { message: "Envelope", found: 2, known: 1 };
    assert_eq!(Envelope::decode(&bytes), Err(newer.clone()));
    assert_eq!(newer.kind(), ErrorKind::Integrity);

    let batch = CommandBatch { stamped: Timestamp::from_millis(0), envelopes: vec![] };
    let mut bytes = batch.encode();
    assert_eq!(bytes, [0x08, 1]);
    bytes[1] = 9;
    let newer = DecodeError::Version { message: "CommandBatch", found: 9, known: 1 };
    assert_eq!(CommandBatch::decode(&bytes), Err(newer));
}

#[test]
fn no_bytes_are_no_envelope() {
    assert!(Envelope::decode(&[]).is_err());
    assert!(CommandBatch::decode(&[]).is_err());
}

#[test]
fn i10_a_command_of_more_than_64_kib_is_refused_before_the_log() {
    let mut envelope = any_envelope();
    assert_eq!(envelope.check_size(), Ok(()));
    envelope.actor.name = "x".repeat(64 << 10);
    let refusal = envelope.check_size().expect_err("too large");
    assert_eq!((refusal.kind, refusal.rule), (ErrorKind::Invalid, Rule::I10));
    assert_eq!(refusal.field, "command");
}

#[test]
fn i10_the_largest_lawful_command_fits() {
    let text = |len: usize| Some("x".repeat(len));
    let descriptor = Descriptor {
        recorder: text(256),
        officers: vec!["x".repeat(256); 32],
        case: text(256),
        place: text(256),
        note: text(4096),
        file_name: text(256),
        media_type: text(256),
        recording: text(256),
        sequence: Some(u64::MAX),
        source: text(256),
        ..complete()
    };
    let mut envelope = any_envelope();
    envelope.command = open(1, descriptor);
    assert_eq!(envelope.check_size(), Ok(()));
}
