//! Commands and strong reads are linearizable (invariant I6).
//!
//! The log is the order of all commands, so nothing has to be searched for: a command took effect
//! where it stands in the log, with the outcome that the law gives there. A read took effect after
//! some entry whose state gives its answer. What is left to check is that this order agrees with
//! time: an operation that began after another one had returned comes after it.
//!
//! Each operation gets the earliest place that its answer allows. Places only ever bound later
//! operations from below, so if these places do not agree with time, none do: the check is exact.
//! A command whose outcome is not known may stand anywhere after it was asked for, or nowhere; one
//! of which it was said that surely nothing was done stands nowhere.

use std::collections::BTreeMap;

use custos_core::Refusal;
use custos_ledger::{Answer, CommandBatch, MemoryKv, Outcome, Query};
use openraft::EntryPayload;

use crate::simulation::history::{Answered, Asked, History, Moment, Operation, hex};

/// After this many steps of the log.
type Place = usize;

/// One command where it stands in the log.
struct Step {
    outcome: Result<Outcome, Refusal>,
    /// When its entry was first applied anywhere.
    committed: Moment,
}

/// The log, run through the law.
struct Reference {
    steps: Vec<Step>,
    /// State after as many steps as its position says.
    states: Vec<MemoryKv>,
    /// By the salt that tells attempts apart. A message that was repeated makes several.
    places: BTreeMap<[u8; 16], Vec<Place>>,
}

pub(super) fn check(history: &History) -> Result<(), String> {
    let reference = Reference::of(history)?;
    // By moment: what begins, and what returns with which place.
    let mut events: Vec<(Moment, bool, &Operation)> = Vec::new();
    for operation in &history.operations {
        events.push((operation.invoked, true, operation));
        if let Some((returned, _)) = &operation.answer {
            events.push((*returned, false, operation));
        }
    }
    events.sort_unstable_by_key(|(moment, ..)| *moment);

    let mut floor: Place = 0;
    let mut floors: BTreeMap<Moment, Place> = BTreeMap::new();
    for (_, begins, operation) in events {
        if begins {
            floors.insert(operation.invoked, floor);
            reference.check_not_before(operation, floor)?;
        } else {
            let place = reference.place(operation, floors[&operation.invoked])?;
            floor = floor.max(place.unwrap_or(0));
        }
    }
    Ok(())
}

impl Reference {
    fn of(history: &History) -> Result<Self, String> {
        let mut state = MemoryKv::new();
        let mut reference =
            Self { steps: Vec::new(), states: vec![state.clone()], places: BTreeMap::new() };
        for committed in history.committed.values() {
            let EntryPayload::Normal(batch) = &committed.entry.payload else { continue };
            let batch = CommandBatch::decode(&batch.0).map_err(|error| error.to_string())?;
            for envelope in &batch.envelopes {
                let outcome = custos_ledger::apply(&mut state, envelope, batch.stamped);
                reference.steps.push(Step { outcome, committed: committed.moment });
                reference.states.push(state.clone());
                let places = reference.places.entry(envelope.entry_salt).or_default();
                places.push(reference.steps.len());
            }
        }
        Ok(reference)
    }

    /// A command stands nowhere before what had returned when it began.
    fn check_not_before(&self, operation: &Operation, floor: Place) -> Result<(), String> {
        let Asked::Command(envelope) = &operation.asked else { return Ok(()) };
        let first = self.places.get(&envelope.entry_salt).and_then(|places| places.first());
        match first {
            Some(place) if *place <= floor => Err(format!(
                "command {} took effect as step {place}, before step {floor} that had been \
                 answered when it began",
                hex(&envelope.entry_salt[..4])
            )),
            _ => Ok(()),
        }
    }

    /// The earliest place that the answer allows; `None` when it says nothing of a place.
    fn place(&self, operation: &Operation, floor: Place) -> Result<Option<Place>, String> {
        let Some((returned, answer)) = &operation.answer else { return Ok(None) };
        match (&operation.asked, answer) {
            (Asked::Command(envelope), Answered::Done(outcome)) => {
                let outcome = Ok((**outcome).clone());
                self.place_of_command(&envelope.entry_salt, &outcome, *returned).map(Some)
            }
            (Asked::Command(envelope), Answered::Refused(refusal)) => {
                let outcome = Err(refusal.clone());
                self.place_of_command(&envelope.entry_salt, &outcome, *returned).map(Some)
            }
            (Asked::Command(envelope), Answered::Failed) => {
                let attempt = hex(&envelope.entry_salt[..4]);
                match self.places.get(&envelope.entry_salt) {
                    None => Ok(None),
                    Some(places) => Err(format!(
                        "command {attempt} was said not to be done and took effect as {places:?}"
                    )),
                }
            }
            (Asked::Read(query), Answered::Read(answer)) => {
                self.place_of_read(query, answer, floor, *returned).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn place_of_command(
        &self,
        salt: &[u8; 16],
        outcome: &Result<Outcome, Refusal>,
        returned: Moment,
    ) -> Result<Place, String> {
        let attempt = hex(&salt[..4]);
        let places = self.places.get(salt).map(Vec::as_slice).unwrap_or_default();
        let fits = |place: &&Place| {
            let step = &self.steps[**place - 1];
            step.committed < returned && step.outcome == *outcome
        };
        places.iter().find(fits).copied().ok_or_else(|| {
            format!("command {attempt} was answered {outcome:?}, which no step of {places:?} gives")
        })
    }

    fn place_of_read(
        &self,
        query: &Query,
        answer: &Answer,
        floor: Place,
        returned: Moment,
    ) -> Result<Place, String> {
        let last = self.steps.partition_point(|step| step.committed < returned);
        let fits = |place: &Place| {
            custos_ledger::query(&self.states[*place], query).as_ref() == Ok(answer)
        };
        (floor..=last).find(fits).ok_or_else(|| {
            format!("{query:?} was answered {answer:?}, which is not the state after any step from {floor} to {last}")
        })
    }
}
