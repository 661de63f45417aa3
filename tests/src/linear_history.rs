//! Whether what clients saw of the custody log, all at once and through every fault, could have been
//! seen of one log on one machine (invariant I6).
//!
//! The log is an object that makes this exact and cheap to judge. A put that is acknowledged names
//! the position of its entry, and a read the number of entries, so every operation says itself
//! where it stands in the one order that there can be: puts by position, a read of n entries behind
//! the entry n - 1. A history is linearizable if and only if that order agrees with real time:
//! whatever returned before an operation was invoked stands before it. (That is the definition of
//! Herlihy and Wing, 1990, for an object whose order is known instead of searched for.) Operations
//! whose outcome is not known restrict nothing.

use std::time::Instant;

/// What one operation says of its place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A put whose entry is at this position.
    Entered(u64),
    /// A read of so many entries.
    Size(u64),
}

/// One operation of one client.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// When it was asked for.
    pub invoked: Instant,
    /// When it was answered.
    pub returned: Instant,
    /// What the answer says.
    pub seen: Seen,
}

impl Operation {
    /// Entries that are surely in the log once it has returned.
    fn proves(self) -> u64 {
        match self.seen {
            Seen::Entered(position) => position + 1,
            Seen::Size(size) => size,
        }
    }

    /// Entries that may be in the log at most before it is invoked.
    fn allows(self) -> u64 {
        match self.seen {
            Seen::Entered(position) => position,
            Seen::Size(size) => size,
        }
    }
}

/// Judges a history, in any order.
///
/// # Errors
/// The first two operations that contradict each other, in words.
pub fn check(history: &[Operation]) -> Result<(), String> {
    let mut positions: Vec<u64> = history
        .iter()
        .filter_map(|operation| match operation.seen {
            Seen::Entered(position) => Some(position),
            Seen::Size(_) => None,
        })
        .collect();
    positions.sort_unstable();
    if let Some(twice) = positions.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("two puts have the entry {}", twice[0]));
    }
    let mut returns: Vec<&Operation> = history.iter().collect();
    returns.sort_by_key(|operation| operation.returned);
    let mut invocations: Vec<&Operation> = history.iter().collect();
    invocations.sort_by_key(|operation| operation.invoked);
    let mut returned = returns.into_iter().peekable();
    let mut strongest: Option<&Operation> = None;
    for operation in invocations {
        while let Some(earlier) = returned.next_if(|it| it.returned < operation.invoked) {
            if strongest.is_none_or(|strongest| earlier.proves() > strongest.proves()) {
                strongest = Some(earlier);
            }
        }
        if let Some(earlier) = strongest.filter(|earlier| earlier.proves() > operation.allows()) {
            return Err(format!(
                "{:?} was seen, and {:?} by an operation that began {:?} later",
                earlier.seen,
                operation.seen,
                operation.invoked - earlier.returned
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn history(operations: &[(u64, u64, Seen)]) -> Vec<Operation> {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let made = operations.iter().map(|(invoked, returned, seen)| Operation {
            invoked: at(*invoked),
            returned: at(*returned),
            seen: *seen,
        });
        made.collect()
    }

    #[test]
    fn what_happens_at_the_same_time_may_stand_in_any_order() {
        use Seen::{Entered, Size};
        let fine = [
            (0, 10, Entered(5)),
            (1, 9, Entered(4)),
            (2, 8, Size(6)),
            (3, 7, Size(4)),
            (11, 12, Size(6)),
        ];
        check(&history(&fine)).expect("linearizable");
    }

    #[test]
    fn a_stale_read_a_lost_entry_and_a_repeated_position_are_found() {
        use Seen::{Entered, Size};
        let wrong: [&[(u64, u64, Seen)]; 5] = [
            // A read does not see what was acknowledged before it began.
            &[(0, 1, Entered(5)), (2, 3, Size(5))],
            // Two reads in turn go back.
            &[(0, 1, Size(7)), (2, 3, Size(6))],
            // A later put stands before an earlier one.
            &[(0, 1, Entered(5)), (2, 3, Entered(4))],
            // A put takes a position that a read has seen taken.
            &[(0, 1, Size(7)), (2, 3, Entered(6))],
            // Two leaders gave one position away.
            &[(0, 3, Entered(5)), (1, 2, Entered(5))],
        ];
        for operations in wrong {
            check(&history(operations)).expect_err("not linearizable");
        }
    }
}
