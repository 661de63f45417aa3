//! How cargo is called, the same way for demo, tests and checks.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{console, process};

/// Names under which build scripts call the compilers.
const COMPILERS: [&str; 4] = ["c++", "cc", "g++", "gcc"];

/// Variables that `cargo run` sets for this tool and that must not leak into what it starts.
const OWN_VARIABLES: [&str; 3] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"];

/// A cargo command in the root of the workspace, its compilers called through ccache where there is one.
///
/// Build scripts that compile C++ do not watch `PATH`, so that a plain `cargo` call beside this
/// tool shares its products.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    // The name, not `$CARGO`: it makes rustup take the toolchain that the checkout pins.
    let mut command = Command::new("cargo");
    command.current_dir(&workspace.root);
    for (name, _) in std::env::vars_os() {
        if OWN_VARIABLES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    if let Some(path) = path_with_ccache(workspace) {
        command.env("PATH", path);
    }
    command
}

// ccache acts as the compiler whose name it is called by. The links are our own: Debian's folder of
// them is not there on other systems, and lacks `c++` when ccache was installed with the compiler.
fn path_with_ccache(workspace: &Workspace) -> Option<OsString> {
    let ccache = process::on_path("ccache")?;
    let links = workspace.ccache_links();
    std::fs::create_dir_all(&links).ok()?;
    for name in COMPILERS {
        let link = links.join(name);
        if process::on_path(name).is_some() && !link.exists() {
            link_to(&ccache, &link).ok()?;
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).filter(|folder| *folder != links);
    std::env::join_paths(std::iter::once(links.clone()).chain(folders)).ok()
}

fn link_to(program: &Path, link: &Path) -> std::io::Result<()> {
    if link.is_symlink() {
        // It points to a ccache that is gone.
        std::fs::remove_file(link)?;
    }
    std::os::unix::fs::symlink(program, link)
}

/// One test of the package `custos-tests`, small to build. A call that selects any test gets the
/// features that tests ask of the dependencies; without it the demo would compile openraft, serde
/// and others once more, in another flavour than the tests.
const SAME_FEATURES_AS_TESTS: &str = "put_get_round_trip";

/// Builds `custosd`, `custos` and the other binaries in the dev profile.
///
/// # Errors
/// When cargo fails.
pub(crate) fn binaries(workspace: &Workspace) -> Result<()> {
    let mut command = cargo(workspace);
    command.args(["build", "--workspace", "--bins", "--test", SAME_FEATURES_AS_TESTS]);
    show_and_run(&mut command)
}

/// Builds the binaries and every test.
///
/// # Errors
/// When cargo fails.
pub(crate) fn binaries_and_tests(workspace: &Workspace) -> Result<()> {
    show_and_run(cargo(workspace).args(["build", "--workspace", "--bins", "--tests"]))
}

/// Shows a command and runs it.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn show_and_run(command: &mut Command) -> Result<()> {
    console::command(&process::shown(command));
    process::run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_that_the_build_of_the_binaries_names_exists() {
        let root = Path::new("../..");
        let test = root.join("tests/tests").join(SAME_FEATURES_AS_TESTS).with_extension("rs");
        assert!(test.is_file(), "{}", test.display());
    }
}
