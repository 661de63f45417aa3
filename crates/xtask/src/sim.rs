//! The crash simulation of the shard store, longer or from another seed than the tests run it.

use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::build::{cargo, show_and_run};
use crate::workspace::Workspace;

/// Distinct crash states of a run, and of a long one.
const STATES: u64 = 10_000;
const STATES_LONG: u64 = 100_000;
/// What the simulation reads both from.
const STATES_VARIABLE: &str = "CUSTOS_SIM_STATES";
const SEED_VARIABLE: &str = "CUSTOS_SIM_SEED";

/// Runs the simulation.
///
/// # Errors
/// When the arguments are wrong, or a promise of the store was broken.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<()> {
    let plan = Plan::parse(arguments)?;
    let mut command = cargo(workspace);
    command.args(["test", "--package", "custos-shardstore", "--lib"]);
    command.args(["crash_tests", "--", "--nocapture"]);
    command.env(STATES_VARIABLE, plan.states.to_string());
    if let Some(seed) = plan.seed {
        command.env(SEED_VARIABLE, seed.to_string());
    }
    show_and_run(&mut command)
}

#[derive(Debug, PartialEq, Eq)]
struct Plan {
    states: u64,
    seed: Option<u64>,
}

impl Plan {
    fn parse(arguments: &[OsString]) -> Result<Self> {
        let mut plan = Self { states: STATES, seed: None };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--long") => plan.states = STATES_LONG,
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
        assert_eq!(parse("").expect("fine"), Plan { states: 10_000, seed: None });
        let plan = Plan { states: 100_000, seed: Some(7) };
        assert_eq!(parse("--seed 7 --long").expect("fine"), plan);
        for wrong in ["--seed", "--seed x", "--short", "7"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
