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
    /// What is open in the law's text: how often it was done, and refused.
    pub(crate) doubts: BTreeMap<&'static str, (u64, u64)>,
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
        for (label, (done, refused)) in other.doubts {
            let counts = self.doubts.entry(label).or_default();
            *counts = (counts.0 + done, counts.1 + refused);
        }
        self.steps += other.steps;
        self.ended += other.ended;
    }
}
