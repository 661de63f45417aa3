use custos_core::{Actor, Timestamp};
use sha2::{Digest, Sha256};

use super::operation;
use crate::{CLOCK_JUMP_MS_MAX, Envelope, Kv, stored::clock::Clock};

/// Enters a move of cluster time that is longer than [`CLOCK_JUMP_MS_MAX`], before the command that
/// brings it: times on record since then may be wrong by so much, and time never moves back
/// (invariant I4, rule R3). A store that was idle for as long is on record in the same way.
/// It does not count for retention until two persons have confirmed it.
pub(super) fn enter_jump(kv: &mut impl Kv, envelope: &Envelope, clock: &mut Clock, to: Timestamp) {
    let from = clock.time;
    let moved_ms = to.as_millis().saturating_sub(from.as_millis());
    if moved_ms <= CLOCK_JUMP_MS_MAX {
        return;
    }
    clock.unconfirmed_ms = clock.unconfirmed_ms.saturating_add(moved_ms);
    clock.confirmed_by = None;
    let moved =
        Envelope { actor: Actor::system(), entry_salt: salt_of(envelope), ..envelope.clone() };
    let detail = format!("cluster time moved from {from} to {to}");
    operation::enter_change(kv, &moved, to, detail);
}

/// A salt of its own, so that whoever is shown this entry learns nothing about the command's.
fn salt_of(envelope: &Envelope) -> [u8; 16] {
    let digest = Sha256::new().chain_update([5]).chain_update(envelope.entry_salt).finalize();
    *digest.first_chunk().expect("a digest has 32 bytes")
}
