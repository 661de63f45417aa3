use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::life::{Life, Start, Troubles, live, observe, open};
use super::medium::{Medium, Survival};
use super::model::Model;
use super::random::Random;
use super::replay::Replay;
use super::shards::Shards;
use super::sim_disk::SimDisk;
use super::sim_index::{IndexImage, SimIndex, hash_of_index};

/// Group commits of a first life.
const BATCHES: usize = 24;
/// Group commits of a life after a crash.
const BATCHES_AFTER_CRASH: usize = 4;
/// Crash states made at each step of a first life.
const STATES_PER_STEP: usize = 5;
/// One state in this many is lived on from.
const LIVED_ON_FROM: usize = 24;
/// Most lives one after another.
const LIVES_MAX: usize = 3;

/// Walks lives step by step, crashes them there, and checks what the store makes of it.
#[derive(Debug)]
pub(crate) struct Enumeration {
    shards: Shards,
    random: Random,
    /// Crash states seen, each with what was allowed then: no such pair is checked twice.
    checked: HashSet<(u64, u64)>,
    /// Crash states seen.
    distinct: HashSet<u64>,
}

impl Enumeration {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            shards: Shards::new(seed),
            random: Random::new(seed ^ 0x5eed),
            checked: HashSet::new(),
            distinct: HashSet::new(),
        }
    }

    /// Distinct crash states checked so far.
    pub(crate) fn distinct_states(&self) -> usize {
        self.distinct.len()
    }

    /// Lives one life from an empty disk and crashes it everywhere. `Err` says which promise was
    /// broken.
    pub(crate) fn one_life(&mut self, troubles: Troubles) -> Result<(), String> {
        let start = Start::empty();
        let life = live(&self.shards, start, BATCHES, troubles, &mut self.random)?;
        self.crash_everywhere(&life, troubles, 1)
    }

    fn crash_everywhere(
        &mut self,
        life: &Life,
        troubles: Troubles,
        lives: usize,
    ) -> Result<(), String> {
        let mut now = Replay::of(&life.start);
        for (at, event) in life.log.iter().enumerate() {
            now.step(event)?;
            let states = if lives == 1 { STATES_PER_STEP } else { 2 };
            for state in 0..states {
                let survival = match (state, self.random.below(8)) {
                    (0, _) => Survival::Nothing,
                    (_, 0) => Survival::Everything,
                    _ => Survival::Some,
                };
                let found = match survival {
                    // Killed, with the machine going on.
                    Survival::Everything if self.random.chance(1, 2) => now.medium.clone(),
                    _ => Medium::new(now.medium.crash(survival, &mut self.random)),
                };
                let index = now.index.crash(&mut self.random);
                let outcome = self.crashed(found, index, &now.model, troubles, lives);
                outcome.map_err(|what| {
                    format!("{what}\nlife {lives} until it crashed:{}", life.told_until(at + 1))
                })?;
            }
        }
        Ok(())
    }

    fn crashed(
        &mut self,
        medium: Medium,
        index: IndexImage,
        model: &Model,
        troubles: Troubles,
        lives: usize,
    ) -> Result<(), String> {
        let state = hash(&(medium.view().hash(), hash_of_index(&index)));
        if !self.checked.insert((state, hash(model))) {
            return Ok(());
        }
        self.distinct.insert(state);
        if lives < LIVES_MAX && self.random.chance(1, LIVED_ON_FROM) {
            let start = Start { medium, index, model: model.clone() };
            let batches = BATCHES_AFTER_CRASH;
            let life = live(&self.shards, start, batches, troubles, &mut self.random)?;
            return self.crash_everywhere(&life, troubles, lives + 1);
        }
        let disk = SimDisk::new(medium, self.random.next());
        let index = SimIndex::new(disk.clone(), index);
        let engine = open(&disk, &index)?;
        observe(&self.shards, &engine, model).map(drop)
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
