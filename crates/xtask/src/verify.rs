//! The list of checks that every change leaves green. `run` never edits; `fix` does.

use std::ffi::OsString;
use std::process::Command;

use anyhow::Result;

use crate::build::{cargo, show_and_run};
use crate::footage::Footage;
use crate::steps::Steps;
use crate::workspace::Workspace;
use crate::{build, console, demo, dependencies, footage, layers, process, source_limits};

/// Where tests find camera footage.
const FOOTAGE_VARIABLE: &str = "CUSTOS_FOOTAGE_DIR";
/// Where tests find `custosd` and `custos`.
const BINARIES_VARIABLE: &str = "CUSTOS_BIN_DIR";

/// Runs every check and test; the cheap ones first, compiling as little twice as can be.
///
/// # Errors
/// The first check that fails.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::default();
    steps.step("format", || show_and_run(cargo(workspace).args(["fmt", "--all", "--check"])))?;
    steps.step("layers and source limits", || {
        layers::check(&workspace.root)?;
        source_limits::check(&workspace.root)?;
        console::held("arrows between crates point down, files are of readable size");
        Ok(())
    })?;
    steps.step("licences and dependencies", || {
        dependencies::check(workspace)?;
        console::held("every licence is on the list, nothing is there twice that must be once");
        Ok(())
    })?;
    let footage = steps.step("footage for the tests", || footage::ready(workspace))?;
    steps.step("build", || build::binaries_and_tests(workspace))?;
    steps.step("lints", || {
        let mut clippy = cargo(workspace);
        clippy.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
        show_and_run(&mut clippy)
    })?;
    steps.step("tests", || {
        let mut tests = test_command(workspace);
        show_and_run(with_surroundings(&mut tests, workspace, &footage))
    })?;
    steps.step("examples in the documentation", || {
        show_and_run(cargo(workspace).args(["test", "--workspace", "--doc", "--quiet"]))
    })?;
    steps.step("documentation", || {
        let mut doc = cargo(workspace);
        doc.args(["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings");
        show_and_run(&mut doc)
    })?;
    // What the README shows first is looked at last, as those who follow it see it.
    steps.step("demo", || demo::run(workspace, Vec::new()))?;
    steps.print();
    console::say("\nAll checks are green.");
    Ok(())
}

/// Builds the binaries and runs the tests whose names contain one of `filters`.
///
/// # Errors
/// When something does not build, or a test fails.
pub(crate) fn run_matching_tests(workspace: &Workspace, filters: &[OsString]) -> Result<()> {
    let footage = footage::ready(workspace)?;
    build::binaries_and_tests(workspace)?;
    let mut tests = test_command(workspace);
    if has_nextest(workspace) {
        tests.args(filters);
    } else {
        tests.arg("--").args(filters);
    }
    show_and_run(with_surroundings(&mut tests, workspace, &footage))
}

/// Formats, and applies what clippy can repair.
///
/// # Errors
/// When cargo fails.
pub(crate) fn fix(workspace: &Workspace) -> Result<()> {
    let mut clippy = cargo(workspace);
    clippy.args(["clippy", "--fix", "--workspace", "--all-targets"]);
    show_and_run(clippy.args(["--allow-dirty", "--allow-staged"]))?;
    show_and_run(cargo(workspace).args(["fmt", "--all"]))
}

fn test_command(workspace: &Workspace) -> Command {
    let mut command = cargo(workspace);
    if has_nextest(workspace) {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        console::say(
            "cargo-nextest is not installed; `cargo test` does the same, less in parallel",
        );
        command.args(["test", "--workspace", "--tests", "--no-fail-fast"]);
    }
    command
}

fn has_nextest(workspace: &Workspace) -> bool {
    process::stdout_of(cargo(workspace).args(["nextest", "--version"])).is_ok()
}

fn with_surroundings<'a>(
    command: &'a mut Command,
    workspace: &Workspace,
    footage: &Footage,
) -> &'a mut Command {
    command.env(FOOTAGE_VARIABLE, footage.folder()).env(BINARIES_VARIABLE, &workspace.binaries)
}
