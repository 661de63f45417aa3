use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rustix::fs::{FallocateFlags, OFlags, fallocate};

use super::{Measure, baseline::Figure};
use crate::{content::Content, latencies::Latencies, process_probe::ProcessProbe, work::Work};

/// Files that are written at once: the disks of a cluster with 4+2.
const FILES: usize = 6;
/// Bytes of one write: the shard of a chunk of 8 MiB with 4+2, but for its header.
const WRITE_BYTES: usize = 2 << 20;
/// Space that is allocated at a time.
const ALLOCATE_BYTES: u64 = 64 << 20;
/// Most bytes written to one file.
const FILE_BYTES_MAX: u64 = 2 << 30;
/// What direct I/O wants memory and offsets to be a multiple of.
const ALIGN: usize = 4096;

/// How the system caches what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caching {
    Direct,
    Buffered,
}

struct Written {
    bytes: u64,
    latencies: Latencies,
}

/// Writes to six files at once, each by a thread of its own, for the time `each`.
pub(super) fn measure(each: Duration, dir: &Path) -> Result<Figure> {
    let folder = tempfile::Builder::new().prefix("custos-bench-").tempdir_in(dir);
    let folder = folder.with_context(|| format!("a temporary folder in {}", dir.display()))?;
    let caching = caching_of(folder.path())?;
    let paths: Vec<PathBuf> = (0..FILES).map(|i| folder.path().join(i.to_string())).collect();
    let probe = ProcessProbe::own();
    let cpu_before = probe.cpu()?;
    let start = Instant::now();
    let written: Vec<io::Result<Written>> = thread::scope(|scope| {
        let writers: Vec<_> = paths
            .iter()
            .zip(0..)
            .map(|(path, seed)| scope.spawn(move || write(path, seed, caching, start, each)))
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("a writer does not panic")).collect()
    });
    let elapsed = start.elapsed();
    let cpu = probe.cpu()?.saturating_sub(cpu_before);
    let mut bytes = 0;
    let mut latencies = Latencies::new();
    for file in written {
        let file = file.with_context(|| format!("writing in {}", dir.display()))?;
        bytes += file.bytes;
        latencies.add(&file.latencies);
    }
    let rate = Work { bytes, elapsed, cpu }.rate().context("no write ended in time")?;
    let percentiles = latencies.percentiles().context("no write ended in time")?;
    let mode = match caching {
        Caching::Direct => "direct",
        Caching::Buffered => "through the page cache",
    };
    let note = format!("{mode}; p50 {:.1} ms, p99 {:.1} ms", percentiles.p50, percentiles.p99);
    Ok(Figure { note: Some(note), ..Figure::new(Measure::DiskWrite, rate) })
}

fn write(
    path: &Path,
    seed: u64,
    caching: Caching,
    start: Instant,
    each: Duration,
) -> io::Result<Written> {
    let mut memory = Content::new(seed).bytes(WRITE_BYTES + ALIGN);
    let offset = memory.as_ptr().align_offset(ALIGN);
    let piece = &mut memory[offset..offset + WRITE_BYTES];
    let file = create(path, caching)?;
    let mut written = Written { bytes: 0, latencies: Latencies::new() };
    while start.elapsed() < each && written.bytes < FILE_BYTES_MAX {
        // No two writes alike: nothing below us may save itself the work.
        piece[..8].copy_from_slice(&written.bytes.to_le_bytes());
        if written.bytes.is_multiple_of(ALLOCATE_BYTES) {
            fallocate(&file, FallocateFlags::empty(), written.bytes, ALLOCATE_BYTES)?;
        }
        let begin = Instant::now();
        file.write_all_at(piece, written.bytes)?;
        file.sync_data()?;
        written.latencies.record(begin.elapsed());
        written.bytes += WRITE_BYTES as u64;
    }
    Ok(written)
}

/// Not every file system takes direct I/O.
fn caching_of(dir: &Path) -> io::Result<Caching> {
    match create(&dir.join("probe"), Caching::Direct) {
        Ok(_) => Ok(Caching::Direct),
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(Caching::Buffered),
        Err(error) => Err(error),
    }
}

fn create(path: &Path, caching: Caching) -> io::Result<File> {
    let flags = match caching {
        Caching::Direct => OFlags::DIRECT,
        Caching::Buffered => OFlags::empty(),
    };
    let flags = i32::try_from(flags.bits()).expect("an open flag fits an int");
    File::options().write(true).create(true).truncate(true).custom_flags(flags).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_files_are_written_and_removed_again() {
        let dir = tempfile::tempdir().expect("tempdir");
        let figure = measure(Duration::from_millis(50), dir.path()).expect("measured");
        assert!(figure.rate.mib_per_s > 0.0);
        assert!(figure.note.expect("says how").contains("p50"));
        assert_eq!(dir.path().read_dir().expect("listed").count(), 0);
    }
}
