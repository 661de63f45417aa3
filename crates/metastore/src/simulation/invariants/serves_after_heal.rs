//! After all faults have stopped the group answers commands and strong reads again, and every
//! member catches up.

use crate::simulation::history::History;

pub(super) fn check(history: &History) -> Result<(), String> {
    match history.ending.as_ref().map(|ending| &ending.unserved) {
        Some(None) => Ok(()),
        Some(Some(missing)) => Err(missing.clone()),
        None => Err("the run has no ending".to_owned()),
    }
}
