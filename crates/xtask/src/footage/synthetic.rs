use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::TIME_LIMIT;
use crate::process;

/// What these clips are.
pub(super) const SOURCE: &str = "made by ffmpeg (test pattern and noise), no camera: offline";

/// Beginning of the name of every clip that no camera took.
const PREFIX: &str = "made-";

/// How often the street camera's 80 seconds are repeated after the first time.
const REPEATS: &str = "5";

/// Whether a clip is made, not taken.
pub(super) fn is_made(clip: &Path) -> bool {
    clip.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
}

/// Makes three clips: a long one of several chunks and two short ones.
pub(super) fn make(clips: &Path) -> Result<()> {
    process::on_path("ffmpeg").context(
        "ffmpeg is not there either. Connect to the network, or `sudo apt-get install ffmpeg`, \
         or give your own files: cargo xtask demo FILE…",
    )?;
    for (name, seconds, bits) in [
        ("made-street.mp4", "40", "6M"),
        ("made-yard.avi", "10", "2M"),
        ("made-door.mp4", "5", "1M"),
    ] {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25"])
            .args(["-vf", "noise=alls=20:allf=t", "-t", seconds])
            .args(["-c:v", "mpeg4", "-b:v", bits, "-pix_fmt", "yuv420p"])
            .arg(clips.join(name));
        process::stdout_within(TIME_LIMIT, &mut ffmpeg)?;
    }
    Ok(())
}

/// Where ffmpeg is there, adds a recording of several chunks: the street camera's, repeated.
pub(super) fn lengthen(clips: &Path) -> Result<()> {
    let source = clips.join("vtest.avi");
    if !source.is_file() || process::on_path("ffmpeg").is_none() {
        return Ok(());
    }
    let long = clips.join("vtest-repeated.avi");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-v", "error", "-y", "-stream_loop", REPEATS, "-i"])
        .arg(&source)
        .args(["-c", "copy"])
        .arg(&long);
    if let Err(error) = process::stdout_within(TIME_LIMIT, &mut ffmpeg) {
        if long.exists() {
            std::fs::remove_file(&long).context("cannot remove a broken clip")?;
        }
        return Err(error);
    }
    Ok(())
}
