//! The simulations of the shard store and of the ledger, and the law beside its model, longer or from
//! another seed than the tests run them.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::build::{cargo, show_and_run};
use crate::workspace::Workspace;

/// Distinct crash states of the shard store in a run, and in a long one.
const STATES: u64 = 10_000;
const STATES_LONG: u64 = 100_000;
/// Seeds of the ledger in a run, and in a long one.
const SEEDS: u64 = 1000;
const SEEDS_LONG: u64 = 20_000;
/// Sequences of acts of the law in a run, and in a long one.
const SEQUENCES: u64 = 10_000;
const SEQUENCES_LONG: u64 = 1_000_000;
/// What the simulations read these from.
const STATES_VARIABLE: &str = "CUSTOS_SIM_STATES";
const SEEDS_VARIABLE: &str = "CUSTOS_SIM_SEEDS";
const SEED_VARIABLE: &str = "CUSTOS_SIM_SEED";
/// What the test of the law reads these from.
const SEQUENCES_VARIABLE: &str = "CUSTOS_MODEL_SEQUENCES";
const MODEL_SEED_VARIABLE: &str = "CUSTOS_MODEL_SEED";

/// Runs them all, one after the other.
///
/// # Errors
/// When the arguments are wrong, a promise of the shard store or the ledger was broken, or the law
/// and its model disagreed.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    let plan = Plan::parse(arguments)?;
    plan.run(workspace, &["--package", "custos-shardstore", "--lib", "crash_tests"])?;
    plan.run(workspace, &["--package", "custos-metastore", "--lib", "seed_tests"])?;
    plan.run(workspace, &["--package", "custos-ledger", "--test", "model"])
}

#[derive(Debug, PartialEq, Eq)]
struct Plan {
    states: u64,
    seeds: u64,
    sequences: u64,
    seed: Option<u64>,
}

impl Plan {
    fn run(&self, workspace: &Workspace, tests: &[&str]) -> Result<()> {
        let mut command = cargo(workspace);
        command.arg("test").args(tests).args(["--", "--nocapture"]);
        command.env(STATES_VARIABLE, self.states.to_string());
        command.env(SEEDS_VARIABLE, self.seeds.to_string());
        command.env(SEQUENCES_VARIABLE, self.sequences.to_string());
        if let Some(seed) = self.seed {
            command.env(MODEL_SEED_VARIABLE, seed.to_string());
            command.env(SEED_VARIABLE, seed.to_string());
        }
        show_and_run(&mut command)
    }

    fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut plan = Self { states: STATES, seeds: SEEDS, sequences: SEQUENCES, seed: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--long") => {
                    plan.states = STATES_LONG;
                    plan.seeds = SEEDS_LONG;
                    plan.sequences = SEQUENCES_LONG;
                }
                Some("--seed") => {
                    let number = words.next().and_then(|word| word.to_str());
                    let number = number.context("--seed needs a number")?;
                    plan.seed = Some(number.parse().context("--seed needs a number")?);
                }
                _ => bail!("`sim` knows no argument `{}`", word.display()),
            }
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_say_how_long_and_from_which_seed() {
        let parse = |line: &str| {
            Plan::parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
        };
        let short = Plan { states: 10_000, seeds: 1000, sequences: 10_000, seed: None };
        assert_eq!(parse("").expect("fine"), short);
        let plan = Plan { states: 100_000, seeds: 20_000, sequences: 1_000_000, seed: Some(7) };
        assert_eq!(parse("--seed 7 --long").expect("fine"), plan);
        for wrong in ["--seed", "--seed x", "--short", "7"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
