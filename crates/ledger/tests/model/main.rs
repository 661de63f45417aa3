//! The law beside a small model of it: random sequences of commands by random people, and after
//! every step the same answer from both.
//!
//! `CUSTOS_MODEL_SEQUENCES` says how many sequences (10,000 unless it is set),
//! `CUSTOS_MODEL_SEED` with which seed they begin. Every sequence has the seed of its own that a
//! failure prints: run it alone with `CUSTOS_MODEL_SEQUENCES=1 CUSTOS_MODEL_SEED=<seed>`.

mod coverage;
mod deed;
mod generator;
mod invariants;
mod reference;
mod rng;
mod run;
mod sequence;
mod tally;
mod world;

use std::{collections::BTreeMap, env, fmt::Write as _, thread};

use run::World;
use sequence::Broken;
use tally::Tally;

const SEQUENCES_DEFAULT: u64 = 10_000;
/// Fewer sequences need not show everything.
const SEQUENCES_FOR_COVERAGE: u64 = 5_000;
const THREADS: u64 = 2;
/// Ways to fail that are reported at once, by each thread.
const BROKEN_MAX: usize = 12;
/// Steps that a report shows, the last ones.
const SHOWN_MAX: usize = 30;

fn setting(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|error| panic!("{name}={value}: {error}")),
        Err(_) => default,
    }
}

/// Every second sequence, beginning with `first`.
fn run_some(base: &World, seeds: impl Iterator<Item = u64>) -> (Tally, BTreeMap<String, Broken>) {
    let mut tally = Tally::default();
    let mut broken: BTreeMap<String, Broken> = BTreeMap::new();
    for seed in seeds {
        match sequence::run(base, seed) {
            Ok(seen) => tally.add(seen),
            Err(found) => {
                let class = found.failure.class.clone();
                let is_shorter = |old: &Broken| found.steps.len() < old.steps.len();
                if broken.get(&class).is_none_or(is_shorter) {
                    broken.insert(class, *found);
                }
                if broken.len() >= BROKEN_MAX {
                    break;
                }
            }
        }
    }
    (tally, broken)
}

fn report(broken: &Broken) -> String {
    let Broken { seed, failure, steps } = broken;
    let mut text = format!("seed {seed}: {}\n{}\n", failure.class, failure.what);
    let hidden = steps.len().saturating_sub(SHOWN_MAX);
    for (number, step) in steps.iter().enumerate().skip(hidden) {
        let actor = format!("{} ({})", step.actor.name, step.actor.role);
        let _ = writeln!(text, "  {number}. {} {actor}: {:?}", step.stamped, step.deed);
    }
    text
}

#[test]
fn the_law_and_its_model_agree_on_every_step_of_random_sequences() {
    let sequences = setting("CUSTOS_MODEL_SEQUENCES", SEQUENCES_DEFAULT);
    let seed = setting("CUSTOS_MODEL_SEED", 1);
    let base = match World::begun() {
        Ok(base) => base,
        Err(failure) => panic!("{}\n{}", failure.class, failure.what),
    };
    let mut tally = Tally::default();
    let mut broken = BTreeMap::new();
    thread::scope(|scope| {
        let run_every = |first: u64| {
            let seeds = (first..sequences).step_by(THREADS as usize);
            let base = &base;
            scope.spawn(move || run_some(base, seeds.map(|number| seed.wrapping_add(number))))
        };
        let threads: Vec<_> = (0..THREADS).map(run_every).collect();
        for thread in threads {
            let (seen, found) = thread.join().expect("no panic");
            tally.add(seen);
            broken.extend(found);
        }
    });
    println!("{} steps, {} items ended", tally.steps, tally.ended);
    println!("done: {:?}", tally.done);
    println!("refused: {:?}", tally.refused);
    let reports: Vec<String> = broken.values().map(report).collect();
    assert!(reports.is_empty(), "{} ways to disagree\n{}", reports.len(), reports.join("\n"));
    let unseen = coverage::unseen(&tally);
    let is_enough = sequences >= SEQUENCES_FOR_COVERAGE;
    assert!(!is_enough || unseen.is_empty(), "not seen:\n{}", unseen.join("\n"));
}
