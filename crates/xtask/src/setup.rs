//! The system packages that the build needs: found, installed, or asked for by their exact line.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{console, process};

/// One thing that the build takes from the system.
#[derive(Clone, Copy)]
struct Need {
    /// What it is, and what for.
    what: &'static str,
    /// Debian package that brings it.
    debian: &'static str,
    /// Whether the build cannot do without.
    required: bool,
    /// Whether it is there.
    found: fn() -> bool,
}

const NEEDS: [Need; 5] = [
    Need {
        what: "g++, the C++ compiler (RocksDB)",
        debian: "g++",
        required: true,
        found: || process::on_path("c++").is_some() || process::on_path("g++").is_some(),
    },
    Need {
        what: "make",
        debian: "make",
        required: true,
        found: || process::on_path("make").is_some(),
    },
    Need {
        what: "libclang with its headers (Rust bindings of RocksDB)",
        debian: "libclang-dev",
        required: true,
        found: libclang_found,
    },
    Need {
        what: "ccache (RocksDB is compiled once, also after a `cargo clean`)",
        debian: "ccache",
        required: false,
        found: || process::on_path("ccache").is_some(),
    },
    Need {
        what: "iproute2 (tests that part a network; without it they say so and pass)",
        debian: "iproute2",
        required: false,
        found: || process::on_path("ip").is_some() || Path::new("/usr/sbin/ip").exists(),
    },
];

/// How packages can be installed here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Installer {
    /// apt-get, as root.
    Root,
    /// apt-get through a sudo that asks no password.
    Sudo,
    /// apt-get is there, the right to use it is not.
    AptWithoutRight,
    /// A system without apt-get.
    None,
}

impl Installer {
    /// Finds out how packages can be installed, without asking for a password.
    pub(crate) fn detect() -> Self {
        if process::on_path("apt-get").is_none() {
            return Self::None;
        }
        let user = process::stdout_of(Command::new("id").arg("-u"));
        if user.is_ok_and(|id| id.trim() == "0") {
            return Self::Root;
        }
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        if sudo.status().is_ok_and(|status| status.success()) {
            Self::Sudo
        } else {
            Self::AptWithoutRight
        }
    }

    /// An apt-get command with the right to change the system; `None` when there is no such right.
    pub(crate) fn apt_get(self) -> Option<Command> {
        let mut command = match self {
            Self::Root => Command::new("apt-get"),
            Self::Sudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
                sudo
            }
            Self::AptWithoutRight | Self::None => return None,
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        Some(command)
    }
}

/// Makes sure that the build's system packages are there; does nothing when they are.
///
/// # Errors
/// When a required package is missing and cannot be installed from here: the message is the line
/// to run.
pub(crate) fn run() -> Result<()> {
    let missing: Vec<Need> = NEEDS.into_iter().filter(|need| !(need.found)()).collect();
    if missing.is_empty() {
        console::say("set-up: g++, make, libclang and ccache are there.");
        return Ok(());
    }
    console::heading("set-up: system packages");
    for need in &missing {
        console::say(&format!("missing: {}", need.what));
    }
    let installer = Installer::detect();
    if installer.apt_get().is_some() {
        install(installer, &missing)?;
    } else if missing.iter().any(|need| need.required) {
        bail!("{}", line_to_run(installer, &missing));
    } else {
        console::say(&format!("going on without. {}", line_to_run(installer, &missing)));
    }
    console::say(
        "The first build takes about 20 minutes on two cores, mostly RocksDB; later ones seconds.",
    );
    Ok(())
}

fn install(installer: Installer, missing: &[Need]) -> Result<()> {
    let apt_get = || installer.apt_get().context("the right to install was there a moment ago");
    let mut update = apt_get()?;
    update.args(["update", "-q"]);
    console::command(&process::shown(&update));
    if let Err(error) = process::run(&mut update) {
        // One broken source of many is common; the packages may be there all the same.
        console::say(&format!("going on with the package lists as they are: {error:#}"));
    }
    let mut install = apt_get()?;
    install.args(["install", "-q", "-y", "--no-install-recommends"]);
    install.args(missing.iter().map(|need| need.debian));
    console::command(&process::shown(&install));
    process::run(&mut install).context("the system packages could not be installed")?;
    let still: Vec<&str> =
        missing.iter().filter(|need| !(need.found)()).map(|need| need.what).collect();
    if !still.is_empty() {
        bail!("installed, and still not found: {}", still.join(", "));
    }
    Ok(())
}

fn line_to_run(installer: Installer, missing: &[Need]) -> String {
    let packages: Vec<&str> = missing.iter().map(|need| need.debian).collect();
    let packages = packages.join(" ");
    match installer {
        Installer::None => format!(
            "There is no apt-get here. Install what Debian calls `{packages}`, then run this again.\n\
             Fedora:  sudo dnf install gcc-c++ make clang-devel ccache\n\
             macOS:   xcode-select --install && brew install llvm ccache"
        ),
        Installer::AptWithoutRight | Installer::Root | Installer::Sudo => format!(
            "Run this line, then the same command again:\n\
             sudo apt-get update && sudo apt-get install -y {packages}"
        ),
    }
}

// bindgen loads libclang when it runs and needs the compiler's own headers (stddef.h) beside it;
// Debian's runtime package alone brings only the former.
fn libclang_found() -> bool {
    if let Some(chosen) = std::env::var_os("LIBCLANG_PATH") {
        return Path::new(&chosen).exists();
    }
    if cfg!(target_os = "macos") {
        return process::on_path("clang").is_some();
    }
    let mut folders = vec![PathBuf::from("/usr/lib"), "/usr/lib64".into(), "/usr/local/lib".into()];
    for base in ["/usr/lib", "/usr/lib64"] {
        for folder in names_in(Path::new(base)) {
            if folder.starts_with("llvm") {
                folders.push(Path::new(base).join(&folder).join("lib"));
                folders.push(Path::new(base).join(&folder).join("lib64"));
            } else if folder.ends_with("-linux-gnu") {
                folders.push(Path::new(base).join(&folder));
            }
        }
    }
    let library = folders.iter().any(|folder| names_in(folder).iter().any(|n| is_libclang(n)));
    let headers = folders.iter().any(|folder| {
        let versions = folder.join("clang");
        names_in(&versions)
            .iter()
            .any(|version| versions.join(version).join("include/stddef.h").is_file())
    });
    library && headers
}

fn is_libclang(name: &str) -> bool {
    (name.starts_with("libclang.so") || name.starts_with("libclang-"))
        && name.contains(".so")
        && !name.starts_with("libclang-cpp")
}

fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_run_names_exactly_what_is_missing() {
        let line = line_to_run(Installer::AptWithoutRight, &[NEEDS[0], NEEDS[2]]);
        assert!(line.ends_with("sudo apt-get install -y g++ libclang-dev"), "{line}");
    }

    #[test]
    fn a_system_without_apt_gets_a_hint_for_its_own_packages() {
        let line = line_to_run(Installer::None, &NEEDS);
        assert!(line.contains("dnf install gcc-c++"), "{line}");
        assert!(line.contains("brew install llvm"), "{line}");
    }

    #[test]
    fn only_the_c_library_of_clang_counts_as_libclang() {
        for name in ["libclang.so", "libclang-14.so.1", "libclang.so.17", "libclang-16.so"] {
            assert!(is_libclang(name), "{name}");
        }
        for name in ["libclang-cpp.so.14", "libclangAST.a", "libclang_rt.so", "libc.so"] {
            assert!(!is_libclang(name), "{name}");
        }
    }

    #[test]
    fn without_the_right_to_install_nothing_is_run() {
        assert!(Installer::AptWithoutRight.apt_get().is_none());
        assert!(Installer::None.apt_get().is_none());
    }
}
