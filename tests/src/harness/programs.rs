use std::{env, path::PathBuf, process::Command};

/// Folder of the build profile that the test itself was built in, such as `target/debug`.
fn profile_dir() -> PathBuf {
    let test = env::current_exe().expect("a test knows its executable");
    let deps = test.parent().expect("an executable lies in a folder");
    deps.parent().expect("test executables lie in <profile>/deps").to_path_buf()
}

/// Folder for files of tests, on the file system of the build: a real disk, where direct I/O and
/// fsync mean what they mean in production.
pub(crate) fn scratch_root() -> PathBuf {
    let profile = profile_dir();
    profile.parent().expect("a profile's folder lies in the target folder").join("tmp")
}

/// Starts one of the programs under test, in a network namespace if one is named.
pub(crate) fn command(name: &str, namespace: Option<&str>) -> Command {
    let program = program(name);
    match namespace {
        None => Command::new(program),
        // It becomes the program: its process id is the program's.
        Some(namespace) => {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", namespace]).arg(program);
            command
        }
    }
}

/// Path of one of the programs under test.
///
/// # Panics
/// When it is not there: a test that silently ran nothing would prove nothing.
pub fn program(name: &str) -> PathBuf {
    let dir = env::var_os("CUSTOS_BIN_DIR").map_or_else(profile_dir, PathBuf::from);
    let path = dir.join(name);
    assert!(
        path.is_file(),
        "{} is not there: run `cargo build --workspace --bins` first, or set CUSTOS_BIN_DIR",
        path.display()
    );
    path
}
