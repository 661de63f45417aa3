use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cluster::DevCluster;
use super::folder::DemoFolder;
use super::interrupt::Interrupt;
use super::viewer::{Viewer, number_field, text_field};
use super::{damage, files};
use crate::workspace::Workspace;
use crate::{console, process};

/// Longest range that is played, in bytes; odd, so that it starts and ends inside frames.
const PLAYED_BYTES_MAX: u64 = 1_234_567;
/// Warnings of the cluster that are worth showing, and how much of each.
const WARNINGS_SHOWN: usize = 3;
const WARNING_CHARS_SHOWN: usize = 240;
/// Disks that lose or spoil data, not only parity: in a fresh cluster the first four hold the data.
const DISK_TORN_OUT: u32 = 0;
const DISK_ROTTEN: u32 = 1;
const DISK_TOO_MUCH: u32 = 2;

/// One clip that is in the store.
struct Kept {
    source: PathBuf,
    size: u64,
    evidence: String,
}

/// The steps, in the order in which they are told; each checks what it claims.
pub(super) struct Story<'a> {
    cluster: DevCluster,
    viewer: Viewer,
    folder: &'a Path,
    interrupt: &'a Interrupt,
    clips: Vec<PathBuf>,
}

impl<'a> Story<'a> {
    /// Starts a cluster for the story.
    pub(super) fn new(
        workspace: &Workspace,
        folder: &'a DemoFolder,
        interrupt: &'a Interrupt,
        clips: Vec<PathBuf>,
    ) -> Result<Self> {
        let data = folder.path().join("cluster");
        let home = folder.path().join("home");
        std::fs::create_dir(&home).with_context(|| format!("{}", home.display()))?;
        let mut viewer = Viewer::new(workspace.binary("custos"), data.join("client.toml"), home);
        viewer.shorten(&workspace.footage(), "$FOOTAGE");
        viewer.shorten(folder.path(), "$DEMO");

        console::heading("footage");
        for clip in &clips {
            let bytes = clip.metadata().with_context(|| format!("{}", clip.display()))?.len();
            console::say(&format!("{:>12} bytes  {}", bytes, clip.display()));
        }

        console::heading("a cluster of six disks (folders), each clip cut into 4 data + 2 parity");
        console::say(&format!("DEMO={}", folder.path().display()));
        console::say(&format!("FOOTAGE={}", workspace.footage().display()));
        let command = DevCluster::command(&workspace.binary("custosd"), &data);
        viewer.show(&command);
        let cluster = DevCluster::start(command, &data, &folder.path().join("custosd.log"))?;
        console::held(&format!("it serves on {}", cluster.address()));
        let config = cluster.client_config();
        check(config.is_file(), "it wrote the configuration for its clients")?;
        console::command(&viewer.shortened(&format!("export CUSTOS_CONFIG={}", config.display())));
        Ok(Self { cluster, viewer, folder: folder.path(), interrupt, clips })
    }

    /// Tells it to the end and stops the cluster.
    pub(super) fn tell(self) -> Result<()> {
        let kept = self.put_all()?;
        let largest = kept.iter().max_by_key(|clip| clip.size).context("there are no clips")?;
        self.list(&kept)?;
        let before = self.log_size()?;
        self.play_range(largest)?;
        self.get_all(&kept, "playback of the whole", "whole")?;
        self.damage_two_disks()?;
        self.get_all(&kept, "playback with two of six disks damaged", "degraded")?;
        self.show_warnings()?;
        self.show_custody(largest, before)?;
        self.take_more_than_it_bears(largest)?;
        self.stop()
    }

    fn begin(&self, heading: &str) -> Result<()> {
        self.interrupt.check()?;
        console::heading(heading);
        Ok(())
    }

    fn put_all(&self) -> Result<Vec<Kept>> {
        self.begin("ingest: all clips at once, with what the law wants to know of them")?;
        let mut arguments: Vec<OsString> = vec!["put".into()];
        arguments.extend(self.clips.iter().map(|clip| clip.clone().into_os_string()));
        let described = [
            ["--case", "2026-0417"],
            ["--stage", "investigation"],
            ["--captured-at", "2026-04-17T08:30:00+08:00"],
            ["--recorder", "BWC-00042"],
            ["--officer", "110421"],
            ["--officer", "110422"],
            ["--place", "South Gate Market"],
            ["--note", "On-site inspection, from arrival to departure"],
        ];
        arguments.extend(described.iter().flatten().map(OsString::from));
        arguments.push("--json".into());
        let mut receipts = self.viewer.objects(&arguments)?;
        check(receipts.len() == self.clips.len(), "every clip has a receipt")?;
        let mut kept = Vec::new();
        for clip in &self.clips {
            let size = clip.metadata().with_context(|| format!("{}", clip.display()))?.len();
            let sha256 = files::sha256(clip)?;
            let at = receipts
                .iter()
                .position(|receipt| {
                    receipt.get("sha256").and_then(|v| v.as_str()) == Some(&*sha256)
                })
                .with_context(|| format!("no receipt carries the SHA-256 of {}", clip.display()))?;
            let receipt = receipts.swap_remove(at);
            if number_field(&receipt, "size")? != size {
                bail!("the receipt of {} has another size: {receipt}", clip.display());
            }
            number_field(&receipt, "log_index")?;
            text_field(&receipt, "sealed_at")?;
            let evidence = text_field(&receipt, "evidence_id")?;
            console::say(&format!("   {evidence}  {}", self.viewer.shortened(&shown(clip))));
            self.compare_with_b3sum(clip, &text_field(&receipt, "blake3")?)?;
            kept.push(Kept { source: clip.clone(), size, evidence });
        }
        console::held("every receipt carries the SHA-256 that `sha256sum` prints of the clip");
        Ok(kept)
    }

    fn compare_with_b3sum(&self, clip: &Path, blake3: &str) -> Result<()> {
        if process::on_path("b3sum").is_none() {
            return Ok(());
        }
        let printed = process::stdout_of(Command::new("b3sum").arg("--no-names").arg(clip))?;
        check(printed.trim() == blake3, "and the BLAKE3 that `b3sum` prints")
    }

    fn list(&self, kept: &[Kept]) -> Result<()> {
        self.begin("the catalogue")?;
        let listing = self.viewer.text(["ls"])?;
        console::say(listing.trim_end());
        let listed = kept.iter().all(|clip| listing.contains(&clip.evidence));
        check(listed, "every clip is listed")
    }

    fn play_range(&self, clip: &Kept) -> Result<()> {
        self.begin("playback of a range, verified before a byte is handed on")?;
        let range = middle(clip.size);
        let copy = self.folder.join("range");
        // As in HTTP, the second number is the last byte itself.
        let bytes = format!("{}-{}", range.start, range.end - 1);
        self.get(&clip.evidence, &copy, &["--bytes", &bytes])?;
        let same = files::equals_range(&copy, &clip.source, range)?;
        check(same, &format!("bytes {bytes} equal those of the source"))
    }

    fn get_all(&self, kept: &[Kept], heading: &str, prefix: &str) -> Result<()> {
        self.begin(heading)?;
        for (number, clip) in kept.iter().enumerate() {
            let copy = self.folder.join(format!("{prefix}-{number}"));
            self.get(&clip.evidence, &copy, &[])?;
            let same = files::equals_range(&copy, &clip.source, 0..clip.size)?;
            let name = self.viewer.shortened(&shown(&clip.source));
            check(same, &format!("all {} bytes equal {name}", clip.size))?;
            std::fs::remove_file(&copy).with_context(|| format!("{}", copy.display()))?;
        }
        Ok(())
    }

    fn get(&self, evidence: &str, copy: &Path, more: &[&str]) -> Result<()> {
        let copy = copy.to_str().context("the demo's folder is not UTF-8")?;
        let arguments = ["get", evidence, "-o", copy].into_iter().chain(more.iter().copied());
        process::run(&mut self.viewer.custos(arguments))
    }

    fn damage_two_disks(&self) -> Result<()> {
        self.begin("damage: one disk is torn out, another one rots")?;
        self.remove_disk(DISK_TORN_OUT)?;
        let rotten = self.cluster.disk(DISK_ROTTEN);
        let flipped = damage::flip_bytes(&rotten)?;
        let rotten = self.viewer.shortened(&rotten.display().to_string());
        console::say(&format!("flipped {flipped} bytes, one in every 4 KiB, in {rotten}/extents"));
        Ok(())
    }

    fn remove_disk(&self, number: u32) -> Result<()> {
        let disk = self.cluster.disk(number);
        console::command(&self.viewer.shortened(&format!("rm -rf {}", disk.display())));
        std::fs::remove_dir_all(&disk).with_context(|| format!("{}", disk.display()))
    }

    fn show_warnings(&self) -> Result<()> {
        let warnings = self.cluster.warnings()?;
        // Without a warning the damage would have touched nothing that was read.
        let told = |disk: u32, what: &str| {
            let disk = format!("disk {disk} ");
            warnings.iter().any(|line| line.contains(&disk) && line.contains(what))
        };
        let all_told = told(DISK_TORN_OUT, "out of service") && told(DISK_ROTTEN, "corrupt");
        check(all_told, "the reader noticed nothing, the cluster's log names both disks:")?;
        for line in warnings.iter().rev().take(WARNINGS_SHOWN).rev() {
            console::say(&format!("   {}", self.cut(line)));
        }
        Ok(())
    }

    fn cut(&self, line: &str) -> String {
        let line = self.viewer.shortened(line.trim());
        match line.char_indices().nth(WARNING_CHARS_SHOWN) {
            Some((end, _)) => format!("{} …", &line[..end]),
            None => line,
        }
    }

    fn log_size(&self) -> Result<u64> {
        self.begin("the custody log before anybody looks")?;
        let objects = self.viewer.objects(["log", "checkpoint", "--json"])?;
        let checkpoint = objects.first().context("custos printed no checkpoint")?;
        console::say(&checkpoint.to_string());
        number_field(checkpoint, "size")
    }

    fn show_custody(&self, clip: &Kept, size_before: u64) -> Result<()> {
        self.begin("the custody log: reading is an act too")?;
        let entries = self.viewer.text(["log", "show", &clip.evidence])?;
        console::say(entries.trim_end());
        for act in ["sealed", "copied"] {
            check(entries.contains(act), &format!("the log says when it was {act}"))?;
        }
        let checkpoint = self.viewer.text(["log", "checkpoint"])?;
        console::say(checkpoint.trim_end());
        let objects = self.viewer.objects(["log", "checkpoint", "--json"])?;
        let size = number_field(objects.first().context("custos printed no checkpoint")?, "size")?;
        check(size > size_before, &format!("the log grew from {size_before} to {size} entries"))
    }

    fn take_more_than_it_bears(&self, clip: &Kept) -> Result<()> {
        self.begin("three disks gone: more than 4+2 can bear, so no byte may come out")?;
        // Reading has repaired the rotten one, so that it must go altogether.
        self.remove_disk(DISK_ROTTEN)?;
        self.remove_disk(DISK_TOO_MUCH)?;
        let copy = self.folder.join("impossible");
        let output = copy.to_str().context("the demo's folder is not UTF-8")?;
        let mut command = self.viewer.custos(["get", &clip.evidence, "-o", output]);
        let outcome = command.output().context("cannot start custos")?;
        let said = String::from_utf8_lossy(&outcome.stderr);
        console::say(&format!("   {}", self.cut(said.lines().last().unwrap_or_default())));
        let status = outcome.status;
        let claim = format!("custos says so, by its exit code too: {status}");
        check(matches!(status.code(), Some(5 | 6)), &claim)?;
        check(!copy.exists(), "and wrote no output file")
    }

    fn stop(self) -> Result<()> {
        self.begin("the end")?;
        console::say("SIGTERM to custosd");
        self.cluster.stop()?;
        console::held("it ended cleanly");
        Ok(())
    }
}

fn check(holds: bool, claim: &str) -> Result<()> {
    if !holds {
        bail!("this does not hold: {claim}");
    }
    console::held(claim);
    Ok(())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A part of the middle, at no boundary of anything; not empty, as the clip is not.
fn middle(size: u64) -> Range<u64> {
    let start = size / 3;
    start..(start + PLAYED_BYTES_MAX).min(size - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_played_range_lies_inside_the_clip() {
        for size in [1, 2, 3, 65_536, 8_131_690, 1 << 40] {
            let range = middle(size);
            assert!(range.end <= size && !range.is_empty(), "{size}: {range:?}");
        }
    }
}
