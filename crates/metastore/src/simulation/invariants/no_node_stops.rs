//! A node stops when it is stopped, starts when it is started, and never stops by itself.

use crate::simulation::history::History;

pub(super) fn check(history: &History) -> Result<(), String> {
    history.stopped.first().map_or(Ok(()), |what| Err(what.clone()))
}
