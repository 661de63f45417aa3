use std::{path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use custos_ports::ShardStore;
use custos_shardstore::OpenMode;
use serde::Serialize;
use tokio::task::JoinSet;

use super::store;
use crate::{
    args::DiskOpenArgs,
    content::Content,
    figures::{self, Figures, Output},
};

/// Writers that fill the disk: as many as one group commit takes.
const WRITERS: u64 = 64;

/// The `disk-open` command: fills a disk with small shards and measures how soon it serves again.
pub(crate) async fn open(args: &DiskOpenArgs, output: Output) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("custos-bench-").tempdir_in(&args.dir);
    let folder = folder.with_context(|| format!("a temporary folder in {}", args.dir.display()))?;
    let dir = folder.path().join("disk");
    let begin = Instant::now();
    fill(&dir, args).await?;
    let fill_s = begin.elapsed().as_secs_f64();
    let after_clean_stop_s = timed_open(&dir, args.shards).await?;
    std::fs::remove_dir_all(dir.join("index"))?;
    let without_index_s = timed_open(&dir, args.shards).await?;
    let figures = Opened {
        command: "disk-open",
        build: figures::build_name(),
        shards: args.shards,
        fill_s,
        after_clean_stop_s,
        without_index_s,
    };
    figures::print(&figures, output)?;
    Ok(())
}

async fn fill(dir: &Path, args: &DiskOpenArgs) -> Result<()> {
    let disk = store::open(dir, store::create()).await?;
    let payload = Bytes::from(Content::new(3).bytes(usize::try_from(args.shard_bytes.bytes())?));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (disk, payload, shards) = (disk.clone(), payload.clone(), args.shards);
        writers.spawn(async move {
            let mut number = writer;
            while number < shards {
                disk.write(store::shard(number, payload.clone())).await?;
                number += WRITERS;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = writers.join_next().await {
        done??;
    }
    disk.close().await;
    Ok(())
}

/// Seconds from opening to the first shard read; all shards must be there.
async fn timed_open(dir: &Path, shards: u64) -> Result<f64> {
    let begin = Instant::now();
    let disk = store::open(dir, OpenMode::Existing).await?;
    disk.read(&store::shard(shards / 2, Bytes::new()).key, None).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let found = disk.status().await.shards;
    ensure!(found == shards, "{found} of {shards} shards are there after opening");
    disk.close().await;
    Ok(seconds)
}

#[derive(Debug, Serialize)]
struct Opened {
    command: &'static str,
    build: &'static str,
    shards: u64,
    fill_s: f64,
    after_clean_stop_s: f64,
    without_index_s: f64,
}

impl Figures for Opened {
    fn heads(&self) -> Vec<&'static str> {
        vec!["opening a disk", "seconds"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |what: &str, seconds| vec![what.to_owned(), figures::number(seconds)];
        vec![
            row(&format!("filling it with {} shards", self.shards), self.fill_s),
            row("after a clean stop", self.after_clean_stop_s),
            row("with its index deleted", self.without_index_s),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_of_few_shards_opens_both_ways() {
        let dir = tempfile::tempdir().expect("tempdir");
        let shard_bytes = "512".parse().expect("a size");
        let args = DiskOpenArgs { dir: dir.path().to_owned(), shards: 200, shard_bytes };
        open(&args, Output::Json).await.expect("measured");
        assert_eq!(dir.path().read_dir().expect("listed").count(), 0);
    }
}
