use custos_core::{Refusal, Rule, Timestamp, limits::COMMAND_BYTES_MAX};
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};

use crate::{
    DecodeError, Envelope,
    convert::{parse, version},
    proto,
};

/// Version of the `CommandBatch` message that this software writes.
const BATCH_VERSION: u32 = 1;
/// Number of the field `envelopes` of that message.
const BATCH_ENVELOPES: u32 = 3;
/// More than the other fields of that message and what goes before each envelope take.
const BATCH_HEAD_BYTES: usize = 32;
const BATCH_ITEM_HEAD_BYTES: usize = 8;

impl Envelope {
    /// The stored bytes (`custos.store.v1.Envelope`).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        proto::Envelope::from(self).encode_to_vec()
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are no envelope, or one of a newer version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        parse::<proto::Envelope>("Envelope", bytes)?.try_into()
    }

    /// Bytes that [`encode`](Self::encode) would make.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        proto::Envelope::from(self).encoded_len()
    }

    /// Checks what [`encode_checked`](Self::encode_checked) does.
    ///
    /// # Errors
    /// The same.
    pub fn check_size(&self) -> Result<(), Refusal> {
        self.encode_checked().map(drop)
    }

    /// The stored bytes, which are at most [`COMMAND_BYTES_MAX`]. For whoever puts a command before
    /// the log; what is in the log already is not judged again.
    ///
    /// # Errors
    /// A refusal of class `Invalid` under invariant I10, field `command`.
    pub fn encode_checked(&self) -> Result<Vec<u8>, Refusal> {
        let bytes = self.encode();
        let len = bytes.len();
        if len <= COMMAND_BYTES_MAX {
            return Ok(bytes);
        }
        let reason = format!("{len} bytes encoded, at most {COMMAND_BYTES_MAX} are allowed");
        Err(Refusal::invalid(Rule::I10, "command", reason))
    }
}

/// One Raft entry: commands to be applied in order under one time stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandBatch {
    /// Wall clock of the leader that made the batch: a claim that can only move cluster time
    /// forward.
    pub stamped: Timestamp,
    /// The commands, at most [`COMMAND_BATCH_ITEMS_MAX`](custos_core::limits) of them.
    pub envelopes: Vec<Envelope>,
}

impl CommandBatch {
    /// The stored bytes (`custos.store.v1.CommandBatch`).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let stored = proto::CommandBatch {
            version: BATCH_VERSION,
            stamped_ms: self.stamped.as_millis(),
            envelopes: self.envelopes.iter().map(proto::Envelope::from).collect(),
        };
        stored.encode_to_vec()
    }

    /// The stored bytes of a batch of envelopes that are [encoded](Envelope::encode) already.
    #[must_use]
    pub fn encode_of<E: AsRef<[u8]>>(stamped: Timestamp, envelopes: &[E]) -> Vec<u8> {
        let items = envelopes.iter().map(|one| one.as_ref().len() + BATCH_ITEM_HEAD_BYTES);
        let mut bytes = Vec::with_capacity(BATCH_HEAD_BYTES + items.sum::<usize>());
        let head = Self { stamped, envelopes: Vec::new() };
        bytes.extend(head.encode());
        for envelope in envelopes {
            let envelope = envelope.as_ref();
            encode_key(BATCH_ENVELOPES, WireType::LengthDelimited, &mut bytes);
            encode_varint(envelope.len() as u64, &mut bytes);
            bytes.extend_from_slice(envelope);
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are no batch, or one of a newer version.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let stored: proto::CommandBatch = parse("CommandBatch", bytes)?;
        version("CommandBatch", stored.version, BATCH_VERSION)?;
        let envelopes =
            stored.envelopes.into_iter().map(Envelope::try_from).collect::<Result<_, _>>()?;
        Ok(Self { stamped: Timestamp::from_millis(stored.stamped_ms), envelopes })
    }
}
