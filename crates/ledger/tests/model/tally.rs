//! What was seen over many sequences.

use std::collections::BTreeMap;

use custos_core::Rule;

/// What was seen over many sequences.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Acts that were done.
    pub(crate) done: BTreeMap<&'static str, u64>,
    /// Acts that were refused, by rule and field.
    pub(crate) refused: BTreeMap<(&'static str, Rule), BTreeMap<String, u64>>,
    pub(crate) steps: u64,
    /// Evidence that ended.
    pub(crate) ended: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        for (name, count) in other.done {
            *self.done.entry(name).or_default() += count;
        }
        for (key, fields) in other.refused {
            let counts = self.refused.entry(key).or_default();
            for (field, count) in fields {
                *counts.entry(field).or_default() += count;
            }
        }
        self.steps += other.steps;
        self.ended += other.ended;
    }
}
