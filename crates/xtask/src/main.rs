//! `cargo xtask`: everything a developer, the demo and CI do with this repository.
//!
//! Owns: set-up of a machine, the build order, the checks, the demo's story, test footage.
//! Must not know: any Custos crate. It runs before the system packages that they need are there,
//! talks to Custos only through the binaries' command line, and compiles in seconds.
//! Enter at [`run`]; [`verify`] is the list of checks, [`demo`] the story.

mod build;
mod console;
mod demo;
mod dependencies;
mod footage;
mod layers;
mod process;
mod setup;
mod sim;
mod source_limits;
mod spdx;
mod steps;
mod verify;
mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::workspace::Workspace;

const HELP: &str = "\
cargo xtask COMMAND

  demo [FILE…]      build Custos and show it at work on real camera footage (or on FILE…)
  test [FILTER…]    all that CI runs: set-up, then every check and test; with FILTER only the
                    tests whose names contain it
  verify            every check and test, no set-up, nothing edited
  fix               format, and apply what clippy can repair
  setup             install the system packages that the build needs
  sim [--long] [--seed N]
                    crash the shard store in 10,000 ways, run the ledger with faults from 1,000
                    seeds and the law beside its model in 10,000 sequences; with --long ten to a
                    hundred times as much, in some hours; beginning with seed N
  footage           fetch the test footage and print where it is

The first build takes about 20 minutes on two cores, mostly RocksDB; later ones seconds.
";

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::failure(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<OsString>) -> Result<()> {
    if arguments.is_empty() || arguments.iter().any(|word| word == "-h" || word == "--help") {
        console::say(HELP.trim_end());
        return Ok(());
    }
    let command = arguments.remove(0);
    let workspace = Workspace::find()?;
    match command.to_str().unwrap_or_default() {
        "demo" => {
            setup::run()?;
            demo::run(&workspace, arguments.into_iter().map(PathBuf::from).collect())
        }
        "test" => {
            setup::run()?;
            if arguments.is_empty() {
                verify::run(&workspace)
            } else {
                verify::run_matching_tests(&workspace, &arguments)
            }
        }
        "sim" => sim::run(&workspace, &arguments),
        name if !arguments.is_empty() => bail!("`{name}` takes no arguments\n\n{HELP}"),
        "verify" => verify::run(&workspace),
        "fix" => verify::fix(&workspace),
        "setup" => setup::run(),
        "footage" => footage::print(&workspace),
        _ => bail!("there is no command `{}`\n\n{HELP}", command.display()),
    }
}
