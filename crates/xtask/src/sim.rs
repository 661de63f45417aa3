//! The simulations of the shard store and of the ledger, longer or from another seed than the tests
//! run them.

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
/// What the simulations read these from.
const STATES_VARIABLE: &str = "CUSTOS_SIM_STATES";
const SEEDS_VARIABLE: &str = "CUSTOS_SIM_SEEDS";
const SEED_VARIABLE: &str = "CUSTOS_SIM_SEED";

/// Runs both simulations.
///
/// # Errors
/// When the arguments are wrong, or a promise of the shard store or the ledger was broken.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    let plan = Plan::parse(arguments)?;
    plan.run(workspace, "custos-shardstore", "crash_tests")?;
    plan.run(workspace, "custos-metastore", "seed_tests")
}

#[derive(Debug, PartialEq, Eq)]
struct Plan {
    states: u64,
    seeds: u64,
    seed: Option<u64>,
}

impl Plan {
    fn run(&self, workspace: &Workspace, package: &str, tests: &str) -> Result<()> {
        let mut command = cargo(workspace);
        command.args(["test", "--package", package, "--lib", tests, "--", "--nocapture"]);
        command.env(STATES_VARIABLE, self.states.to_string());
        command.env(SEEDS_VARIABLE, self.seeds.to_string());
        if let Some(seed) = self.seed {
            command.env(SEED_VARIABLE, seed.to_string());
        }
        show_and_run(&mut command)
    }

    fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut plan = Self { states: STATES, seeds: SEEDS, seed: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--long") => {
                    plan.states = STATES_LONG;
                    plan.seeds = SEEDS_LONG;
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
        let short = Plan { states: 10_000, seeds: 1000, seed: None };
        assert_eq!(parse("").expect("fine"), short);
        let plan = Plan { states: 100_000, seeds: 20_000, seed: Some(7) };
        assert_eq!(parse("--seed 7 --long").expect("fine"), plan);
        for wrong in ["--seed", "--seed x", "--short", "7"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
