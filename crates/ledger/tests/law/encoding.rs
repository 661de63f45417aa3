use custos_core::{
    Actor, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, ErrorKind, EvidenceId, EvidenceKind,
    Role, Rule, Salt, SealedParts, Sha256Hash, Stage, Timestamp, UploadKey, VaultId,
};
use custos_ledger::{
    Command, CommandBatch, CustodyLeaf, DecodeError, Envelope, IncompleteDescriptor, Policy,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::world::{complete, open, station};

fn actors() -> impl Strategy<Value = Actor> {
    let roles = select(vec![Role::Developer, Role::Station, Role::Playback, Role::System]);
    (".{0,80}", roles, any::<[u8; 32]>()).prop_map(|(name, role, fingerprint)| Actor {
        name,
        role,
        fingerprint,
    })
}

fn descriptors() -> impl Strategy<Value = Descriptor> {
    let text = || option::of(".{0,40}");
    let time = option::of(any::<i64>().prop_map(Timestamp::from_millis));
    let kind = select(EvidenceKind::ALL.to_vec());
    let stage = option::of(select(Stage::ALL.to_vec()));
    let texts = (text(), text(), text(), text(), text(), text());
    (kind, time, stage, vec(".{0,20}", 0..4), texts).prop_map(
        |(kind, captured_at, stage, officers, texts)| Descriptor {
            kind,
            captured_at,
            recorder: texts.0,
            officers,
            case: texts.1,
            stage,
            place: texts.2,
            note: texts.3,
            file_name: texts.4,
            media_type: texts.5,
        },
    )
}

fn all_parts() -> impl Strategy<Value = SealedParts> {
    let hashes = (any::<[u8; 32]>(), any::<[u8; 32]>());
    (any::<u64>(), hashes, option::of(any::<[u8; 16]>()), any::<u32>()).prop_map(
        |(size, (blake3, sha256), salt, missing_shards)| SealedParts {
            size,
            blake3: Blake3Hash(blake3),
            sha256: Sha256Hash(sha256),
            head_salt: salt.map(Salt),
            missing_shards,
        },
    )
}

fn policies() -> impl Strategy<Value = Policy> {
    let incomplete =
        select(vec![IncompleteDescriptor::AcceptUnfiled, IncompleteDescriptor::Refuse]);
    (incomplete, any::<u32>(), any::<u32>()).prop_map(|(incomplete_descriptor, av, other)| Policy {
        incomplete_descriptor,
        retention_days_av: av,
        retention_days_other: other,
    })
}

fn openings() -> impl Strategy<Value = Command> {
    let layout = (select(ErasureProfile::ALL.to_vec()), 20u8..=26, any::<u32>());
    (any::<[u8; 32]>(), any::<[u8; 16]>(), descriptors(), layout, vec(any::<u8>(), 0..300))
        .prop_map(|(key, id, descriptor, (profile, log2, vault), wrapped_key)| {
            Command::OpenUpload {
                upload_key: UploadKey(key),
                evidence_id: EvidenceId::from_bytes(id),
                descriptor,
                profile,
                chunk_size: ChunkSize::from_log2(log2).expect("20 to 26"),
                vault: VaultId(vault),
                wrapped_key,
            }
        })
}

fn commands() -> impl Strategy<Value = Command> {
    let ids = || any::<[u8; 16]>().prop_map(EvidenceId::from_bytes);
    prop_oneof![
        (".{0,40}", policies())
            .prop_map(|(origin, policy)| Command::InitCluster { origin, policy }),
        openings(),
        (ids(), all_parts()).prop_map(|(evidence_id, parts)| Command::Seal { evidence_id, parts }),
        (ids(), ".{0,40}")
            .prop_map(|(evidence_id, reason)| Command::AbortUpload { evidence_id, reason }),
        (ids(), any::<u64>(), any::<u64>(), option::of(".{0,40}")).prop_map(
            |(evidence_id, start, end, purpose)| Command::RecordView {
                evidence_id,
                start,
                end,
                purpose,
            }
        ),
    ]
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    (any::<[u8; 16]>(), actors(), any::<[u8; 16]>(), commands()).prop_map(
        |(request_id, actor, entry_salt, command)| Envelope {
            request_id,
            actor,
            entry_salt,
            command,
        },
    )
}

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
        ..complete()
    };
    let mut envelope = any_envelope();
    envelope.command = open(1, descriptor);
    assert_eq!(envelope.check_size(), Ok(()));
}
