use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::TIME_LIMIT;
use crate::setup::Installer;
use crate::{console, process};

/// What is fetched, from where, under which licence.
pub(super) const SOURCE: &str = "Debian package opencv-doc (96 MB, Apache-2.0 and BSD-3-Clause): \
                                 vtest.avi, tree.avi";

const PACKAGE: &str = "opencv-doc";
const CLIPS: [&str; 2] = ["vtest.avi", "tree.avi"];

/// Fetches the clips with apt-get, without installing the package.
pub(super) fn fetch(part: &Path, clips: &Path) -> Result<()> {
    if process::on_path("apt-get").is_none() || process::on_path("dpkg-deb").is_none() {
        bail!("this is no Debian");
    }
    let folder = part.join("debian");
    std::fs::create_dir_all(&folder)?;
    if let Err(error) = download(&folder) {
        // A fresh machine has no package lists.
        let Some(mut update) = Installer::detect().apt_get() else { return Err(error) };
        console::say("  once more, with fresh package lists");
        process::stdout_within(TIME_LIMIT, update.args(["update", "-q"]))?;
        download(&folder)?;
    }
    let package = std::fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get fetched no package")?;
    let tree = folder.join("tree");
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("--extract").arg(&package).arg(&tree);
    process::stdout_within(TIME_LIMIT, &mut unpack)?;
    super::take(&tree, &CLIPS, clips)
}

fn download(folder: &Path) -> Result<()> {
    let mut apt_get = Command::new("apt-get");
    apt_get.current_dir(folder).args(["download", "-q", PACKAGE]);
    process::stdout_within(TIME_LIMIT, &mut apt_get).map(|_progress| ())
}
