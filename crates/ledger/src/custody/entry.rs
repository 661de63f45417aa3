use custos_core::{Act, Actor, Descriptor, EvidenceId, Timestamp, law::RecordName};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::{ACTOR_NAME_BYTES_MAX, DecodeError, Envelope, convert::parse, proto};

/// Longest detail line of an entry: 2 KiB. More than any act writes; a guard.
const DETAIL_BYTES_MAX: usize = 2048;

/// An entry to be appended.
pub(crate) struct NewEntry<'a> {
    /// The command that acts: its actor, salt and request id go into the private part.
    pub(crate) envelope: &'a Envelope,
    /// Cluster time.
    pub(crate) time: Timestamp,
    pub(crate) act: Act,
    pub(crate) evidence_id: Option<EvidenceId>,
    /// The record of the law that it is about.
    pub(crate) record: Option<RecordName>,
    /// One line about the act.
    pub(crate) detail: String,
    /// Descriptor that the act fixes, if it fixes one.
    pub(crate) descriptor: Option<&'a Descriptor>,
}

/// Private part of an entry, as stored and committed to.
pub(super) struct PrivatePart {
    salt: [u8; 16],
    body: Vec<u8>,
    descriptor: Option<Vec<u8>>,
}

impl PrivatePart {
    pub(super) fn of(entry: &NewEntry<'_>) -> Self {
        let descriptor = entry.descriptor.map(|it| proto::Descriptor::from(it).encode_to_vec());
        let mut actor = proto::Actor::from(&entry.envelope.actor);
        actor.name = one_line(&actor.name, ACTOR_NAME_BYTES_MAX);
        let body = proto::CustodyPrivateBody {
            actor: Some(actor),
            request_id: entry.envelope.request_id.to_vec(),
            detail: one_line(&entry.detail, DETAIL_BYTES_MAX),
            descriptor: descriptor.clone(),
        };
        Self { salt: entry.envelope.entry_salt, body: body.encode_to_vec(), descriptor }
    }

    /// SHA-256(0x02 ‖ salt ‖ body).
    pub(super) fn commitment(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update([2])
            .chain_update(self.salt)
            .chain_update(&self.body)
            .finalize()
            .into()
    }

    /// SHA-256(0x03 ‖ SHA-256(0x04 ‖ salt) ‖ descriptor).
    pub(super) fn descriptor_digest(&self) -> [u8; 32] {
        let salt = Sha256::new().chain_update([4]).chain_update(self.salt).finalize();
        Sha256::new()
            .chain_update([3])
            .chain_update(salt)
            .chain_update(self.descriptor.as_deref().unwrap_or_default())
            .finalize()
            .into()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let stored = proto::CustodyPrivate { salt: self.salt.to_vec(), body: self.body.clone() };
        stored.encode_to_vec()
    }
}

/// Who acted and the detail line of a stored private part.
pub(super) fn open_private(stored: &[u8]) -> Result<(String, String), DecodeError> {
    let private: proto::CustodyPrivate = parse("CustodyPrivate", stored)?;
    let body: proto::CustodyPrivateBody = parse("CustodyPrivateBody", &private.body)?;
    let actor = body.actor.unwrap_or_default();
    Ok((format!("{} ({})", actor.name, actor.role), body.detail))
}

/// How an actor is named in entries and reasons.
pub(crate) fn actor_name(actor: &Actor) -> String {
    format!("{} ({})", actor.name, actor.role)
}

/// `text` cut to `bytes_max` at a character, control characters replaced: an entry is one line
/// whatever was asked for.
fn one_line(text: &str, bytes_max: usize) -> String {
    let mut line = text.replace(char::is_control, "\u{fffd}");
    line.truncate(line.floor_char_boundary(bytes_max));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_one_line_cut_at_a_character() {
        assert_eq!(one_line("a\nb\u{7}", 100), "a\u{fffd}b\u{fffd}");
        assert_eq!(one_line("ab执法", 4), "ab");
        assert_eq!(one_line("ab执法", 5), "ab执");
    }
}
