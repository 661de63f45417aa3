//! What must be true of every run, one invariant a file. `Err` says what was seen instead.

mod applied_states_identical;
mod committed_by_quorum;
mod committed_never_lost;
mod custody_log_linear;
mod i6_linearizable;
mod membership_agrees;
mod no_node_stops;
mod serves_after_heal;

use super::history::History;

type Check = fn(&History) -> Result<(), String>;

/// By name. What comes first explains what comes after it.
const INVARIANTS: [(&str, Check); 8] = [
    ("committed by quorum", committed_by_quorum::check),
    ("membership agrees", membership_agrees::check),
    ("applied states identical", applied_states_identical::check),
    ("committed never lost", committed_never_lost::check),
    ("I6 linearizable", i6_linearizable::check),
    ("custody log linear", custody_log_linear::check),
    ("no node stops", no_node_stops::check),
    ("serves after heal", serves_after_heal::check),
];

/// The first invariant that a run breaks, and how.
pub(super) fn judge(history: &History) -> Result<(), String> {
    for (name, check) in INVARIANTS {
        check(history).map_err(|what| format!("{name}: {what}"))?;
    }
    Ok(())
}
