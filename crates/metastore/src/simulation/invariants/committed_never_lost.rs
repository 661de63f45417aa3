//! What was acknowledged is in the log, and every member has all of the log in the end.

use std::collections::BTreeSet;

use custos_ledger::CommandBatch;
use openraft::EntryPayload;

use crate::simulation::history::{Answered, Asked, History, hex};

pub(super) fn check(history: &History) -> Result<(), String> {
    let mut done = BTreeSet::new();
    for committed in history.committed.values() {
        if let EntryPayload::Normal(batch) = &committed.entry.payload {
            let batch = CommandBatch::decode(&batch.0).map_err(|error| error.to_string())?;
            done.extend(batch.envelopes.iter().map(|envelope| envelope.entry_salt));
        }
    }
    for operation in &history.operations {
        let Asked::Command(envelope) = &operation.asked else { continue };
        let Some((_, Answered::Done(_) | Answered::Refused(_))) = &operation.answer else {
            continue;
        };
        if !done.contains(&envelope.entry_salt) {
            let attempt = hex(&envelope.entry_salt[..4]);
            return Err(format!("command {attempt} was acknowledged and is not in the log"));
        }
    }
    let Some(ending) = &history.ending else { return Ok(()) };
    let last = history.committed.keys().next_back();
    for (node, state) in &ending.states {
        let applied = state.last_applied.map(|id| id.index);
        if ending.unserved.is_none() && applied.as_ref() < last {
            return Err(format!("node {node} ends at {applied:?}, but {last:?} was committed"));
        }
    }
    Ok(())
}
