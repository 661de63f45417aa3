//! Repeated commands. Whoever does not learn what came of a command sends it again under the same
//! request id, and it may arrive twice, in any order, with others in between (invariant I6). The
//! answer is then the first one's, and nothing is done or entered again.
//!
//! Most commands are remembered under their request ids for a while (`stored/request_memory.rs`).
//! The commands of an upload are not: their content finds what was done, for ever, so that opening
//! and sealing cost no write more. Refusals are remembered too, or a late repeat could do what its
//! sender was told is refused; and refused attempts on evidence are entries, which are made once.

use custos_core::{Actor, Refusal, Rule};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::{
    Command, Envelope, Kv, KvRead, Outcome, proto,
    stored::{clock::Clock, request_memory, upload_name, view_retry},
};

/// Whether a command was done before.
pub(super) enum Repeat {
    /// It was, and this came of it.
    Done(Result<Outcome, Refusal>),
    /// Its request id was used for another one.
    OtherCommand,
    /// Not as far as is remembered.
    New,
}

/// Looks the request id up.
pub(super) fn find(kv: &impl KvRead, envelope: &Envelope) -> Repeat {
    let same = |is_same: bool, done: Result<Outcome, Refusal>| {
        if is_same { Repeat::Done(done) } else { Repeat::OtherCommand }
    };
    if let Some(remembered) = request_memory::load(kv, &envelope.request_id) {
        return same(remembered.digest == digest(envelope), remembered.done);
    }
    if let Command::RecordView { .. } = envelope.command
        && let Some(entered) = view_retry::load(kv, &envelope.request_id)
    {
        let is_same = entered.request_digest == digest_with_fingerprint(envelope);
        return same(is_same, Ok(Outcome::ViewRecorded(entered.log_index)));
    }
    Repeat::New
}

/// Remembers what came of a command that is [`Repeat::New`], unless its content finds it.
pub(super) fn remember(
    kv: &mut impl Kv,
    clock: &mut Clock,
    envelope: &Envelope,
    done: &Result<Outcome, Refusal>,
) {
    // A key that names an upload is answered by that upload alone, with a refusal too.
    if let (Command::OpenUpload { upload_key, .. }, Err(_)) = (&envelope.command, done)
        && upload_name::load(kv, *upload_key).is_some()
    {
        return;
    }
    request_memory::remember(kv, clock, &envelope.request_id, || digest(envelope), done);
}

pub(super) fn names_another_command() -> Refusal {
    let reason = "names another command already: make a new one for every request";
    Refusal::invalid(Rule::R26, "request_id", reason)
}

/// What makes a command the same: who asks, and for what. As everywhere in the law, the
/// certificate's fingerprint does not count.
fn digest(envelope: &Envelope) -> [u8; 32] {
    let actor = Actor { fingerprint: [0; 32], ..envelope.actor.clone() };
    let asked = proto::Envelope {
        version: 0,
        request_id: Vec::new(),
        actor: Some((&actor).into()),
        entry_salt: Vec::new(),
        command: Some((&envelope.command).into()),
    };
    Sha256::digest(asked.encode_to_vec()).into()
}

/// As views were remembered by earlier versions.
fn digest_with_fingerprint(envelope: &Envelope) -> [u8; 32] {
    let asked = proto::Envelope {
        version: 0,
        request_id: Vec::new(),
        entry_salt: Vec::new(),
        ..envelope.into()
    };
    Sha256::digest(asked.encode_to_vec()).into()
}
