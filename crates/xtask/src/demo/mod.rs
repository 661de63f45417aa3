//! The demo: Custos at work on camera footage, every claim checked while it is shown.
//!
//! Talks to the real binaries as a user would. Whatever happens, the cluster that it started and
//! the folder that it made are gone at the end.

mod cluster;
mod damage;
mod files;
mod folder;
mod interrupt;
mod story;
mod viewer;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{build, console, footage};

use self::folder::DemoFolder;
use self::interrupt::Interrupt;
use self::story::Story;

/// Builds Custos and tells its story with `files`, or with fetched footage when there are none.
///
/// # Errors
/// When it does not build, or anything that the story claims does not hold.
pub(crate) fn run(workspace: &Workspace, files: Vec<PathBuf>) -> Result<()> {
    let mut bytes = 0;
    for file in &files {
        let meta = file.metadata().with_context(|| format!("{}", file.display()))?;
        if !meta.is_file() {
            bail!("{} is not a file", file.display());
        }
        bytes += meta.len();
    }
    if !files.is_empty() && bytes == 0 {
        bail!("the demo needs at least one file that is not empty");
    }
    let interrupt = Interrupt::watch()?;
    let clips = if files.is_empty() {
        footage::ready(workspace)?.clips().to_vec()
    } else {
        absolute(files)?
    };
    console::heading("build");
    build::binaries(workspace)?;

    let started = Instant::now();
    let folder = DemoFolder::create()?;
    let outcome = Story::new(workspace, &folder, &interrupt, clips).and_then(Story::tell);
    let removed = folder.remove();
    outcome?;
    removed?;
    console::say(&format!(
        "\nThe demo took {} seconds and left nothing behind.",
        started.elapsed().as_secs()
    ));
    console::say(NEXT);
    Ok(())
}

fn absolute(files: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    files
        .into_iter()
        .map(|file| file.canonicalize().with_context(|| format!("{}", file.display())))
        .collect()
}

const NEXT: &str = "
Where to go next
  a cluster that stays      target/debug/custosd dev --data ./custos-data
  put and get with it       README.md, \"Quick start\"
  how it is built           ARCHITECTURE.md
  what is on the disks      docs/formats.md
  how fast it is            benches/README.md
  all the checks            cargo xtask test";
