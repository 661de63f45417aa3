use custos_core::{Actor, Refusal, Rule};

use crate::ACTOR_NAME_BYTES_MAX;

/// Refuses an actor without a proper name (rule R26).
pub(super) fn check_actor(actor: &Actor) -> Result<(), Refusal> {
    if actor.name.is_empty() {
        return Err(Refusal::invalid(Rule::R26, "actor", "the certificate names nobody"));
    }
    check_line("actor", &actor.name, ACTOR_NAME_BYTES_MAX)
}

/// Refuses a text that is longer than `bytes_max` (invariant I10) or more than one line of
/// printable characters.
pub(super) fn check_line(field: &'static str, text: &str, bytes_max: usize) -> Result<(), Refusal> {
    if text.len() > bytes_max {
        let reason = format!("{} bytes, at most {bytes_max} are allowed", text.len());
        return Err(Refusal::invalid(Rule::I10, field, reason));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::invalid(Rule::R26, field, "holds a control character"));
    }
    Ok(())
}
