use custos_core::{Refusal, Rule, Timestamp, limits::COMMAND_BYTES_MAX};
use prost::Message;

use crate::{
    DecodeError, Envelope,
    convert::{parse, version},
    proto,
};

/// Version of the `CommandBatch` message that this software writes.
const BATCH_VERSION: u32 = 1;

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

    /// Checks that the encoded command is at most [`COMMAND_BYTES_MAX`] bytes. For whoever puts a
    /// command before the log; what is in the log already is not judged again.
    ///
    /// # Errors
    /// A refusal of class `Invalid` under invariant I10, field `command`.
    pub fn check_size(&self) -> Result<(), Refusal> {
        let len = self.encoded_len();
        if len <= COMMAND_BYTES_MAX {
            return Ok(());
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
