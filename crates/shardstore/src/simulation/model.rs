use std::collections::{BTreeMap, BTreeSet};

use super::shards::{Shards, Subject, Version};

/// Something asked of the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Write(Subject, Version),
    Remove(Vec<Subject>),
}

/// What the store said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Done,
    /// Other bytes stand under the key.
    Conflict,
    NoSpace,
    /// The disk failed: it may have been done or not.
    Unknown,
}

/// What each key holds, as the store showed it.
pub(crate) type Observed = BTreeMap<Subject, Option<Version>>;

/// What may be found under each key, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Model {
    possible: BTreeMap<Subject, BTreeSet<Option<Version>>>,
    in_flight: Vec<Step>,
}

impl Model {
    /// Of an empty store.
    pub(crate) fn empty() -> Self {
        let nothing = |subject| (subject, BTreeSet::from([None]));
        Self { possible: Shards::subjects().map(nothing).collect(), in_flight: Vec::new() }
    }

    /// The steps of one group commit are asked.
    pub(crate) fn start(&mut self, steps: &[Step]) {
        self.in_flight = steps.to_vec();
    }

    /// They are answered. `Err` says which answer is wrong.
    pub(crate) fn answer(&mut self, outcomes: &[Outcome]) -> Result<(), String> {
        for (step, outcome) in std::mem::take(&mut self.in_flight).iter().zip(outcomes) {
            match step {
                Step::Write(subject, version) => self.written(*subject, *version, *outcome),
                Step::Remove(subjects) => self.removed(subjects, *outcome),
            }
            .map_err(|reason| format!("{step:?} was answered {outcome:?}: {reason}"))?;
        }
        Ok(())
    }

    fn written(
        &mut self,
        subject: Subject,
        version: Version,
        outcome: Outcome,
    ) -> Result<(), &'static str> {
        let possible = self.possible.get_mut(&subject).expect("every subject is known");
        match outcome {
            Outcome::Done if possible.contains(&None) || possible.contains(&Some(version)) => {
                *possible = BTreeSet::from([Some(version)]);
            }
            Outcome::Done => return Err("other bytes stand there"),
            Outcome::Conflict => {
                possible.retain(|found| found.is_some_and(|found| found != version));
                if possible.is_empty() {
                    return Err("no other bytes stand there");
                }
            }
            Outcome::NoSpace => {}
            Outcome::Unknown => {
                possible.insert(Some(version));
            }
        }
        Ok(())
    }

    fn removed(&mut self, subjects: &[Subject], outcome: Outcome) -> Result<(), &'static str> {
        for subject in subjects {
            let possible = self.possible.get_mut(subject).expect("every subject is known");
            match outcome {
                Outcome::Done => *possible = BTreeSet::from([None]),
                Outcome::Conflict => return Err("a removal conflicts with nothing"),
                // Of several keys some may have been removed.
                Outcome::NoSpace | Outcome::Unknown => {
                    possible.insert(None);
                }
            }
        }
        Ok(())
    }

    /// Whether the key may hold this if power is lost, or was lost, now.
    pub(crate) fn allows(&self, subject: Subject, found: Option<Version>) -> bool {
        self.possible[&subject].contains(&found)
            || self.in_flight.iter().any(|step| match step {
                Step::Write(written, version) => *written == subject && Some(*version) == found,
                Step::Remove(removed) => removed.contains(&subject) && found.is_none(),
            })
    }

    /// What the store showed is what it holds from now on.
    pub(crate) fn observe(&mut self, observed: &Observed) {
        self.in_flight.clear();
        for (subject, found) in observed {
            self.possible.insert(*subject, BTreeSet::from([*found]));
        }
    }
}
