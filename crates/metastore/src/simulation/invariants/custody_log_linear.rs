//! The custody log only grows: every checkpoint that any client was ever shown is proven, by the
//! public proof, to be a prefix of the log in the end.

use custos_core::Checkpoint;
use custos_ledger::{Answer, Query, merkle};

use crate::simulation::history::{Answered, History};

pub(super) fn check(history: &History) -> Result<(), String> {
    let Some(ending) = &history.ending else { return Ok(()) };
    let shown = history.operations.iter().filter_map(|operation| match &operation.answer {
        Some((_, Answered::Read(answer))) => match &**answer {
            Answer::Checkpoint(checkpoint) => Some(checkpoint),
            _ => None,
        },
        _ => None,
    });
    let Some(state) = ending.states.values().next() else { return Ok(()) };
    for old in shown {
        let asked = Query::ProveConsistency { old: old.size };
        let Ok(Answer::Consistency(proof)) = custos_ledger::query(&*state.kv, &asked) else {
            return Err("a proof was asked for, and something else came".to_owned());
        };
        let Some(proof) = proof else {
            return Err(format!("the log has shrunk below {} entries", old.size));
        };
        let Checkpoint { size, root, .. } = &proof.checkpoint;
        merkle::verify_consistency(old.size, &old.root, *size, root, &proof.path)
            .map_err(|error| format!("{} entries were shown and rewritten: {error}", old.size))?;
    }
    Ok(())
}
