use std::sync::Arc;

use anyhow::{Context, Result};

use super::{
    ingest::{baseline_of, bounds, check_temporary_bytes},
    put_worker::PutWorker,
    report::{Kind, Run},
    stream_worker::{Item, Part, StreamWorker},
    target::Target,
};
use crate::{args::PlaybackArgs, content::Content, figures::Output};

/// The `playback` command: whole evidence, then random ranges.
pub(crate) async fn playback(args: &PlaybackArgs, output: Output) -> Result<()> {
    if args.evidence.is_empty() {
        check_temporary_bytes(1, args.size.bytes())?;
    }
    let baseline = baseline_of(&args.load, output).await?;
    let target = Target::prepare(&args.load).await?;
    let outcome = async {
        let items = items(args, &target).await?;
        let run = |kind, operations| Run {
            kind,
            profile: args.load.profile,
            bounds: bounds(&args.load, operations),
            server: target.server(),
            baseline: baseline.as_ref(),
            output,
        };
        if args.streams > 0 {
            let whole = workers(args, &target, &items, args.streams, |_| Part::Whole)?;
            run(Kind::PlaybackWhole, args.streams).run(whole).await?;
        }
        if args.random_ranges > 0 {
            let bytes = args.range_bytes.bytes();
            let part = |seed| Part::RandomRange { bytes, places: Content::new(seed) };
            let ranges = workers(args, &target, &items, args.random_ranges, part)?;
            run(Kind::PlaybackRanges, args.random_ranges).run(ranges).await?;
        }
        anyhow::Ok(())
    };
    let outcome = outcome.await;
    target.close().await?;
    outcome
}

fn workers(
    args: &PlaybackArgs,
    target: &Target,
    items: &Arc<[Item]>,
    operations: u64,
    part: impl Fn(u64) -> Part,
) -> Result<Vec<StreamWorker>> {
    (0..args.load.clients.min(operations))
        .map(|client| {
            let part = part(client);
            Ok(StreamWorker { client: target.client()?, items: items.clone(), part })
        })
        .collect()
}

/// What is streamed: the evidence that was named, or what is put now.
async fn items(args: &PlaybackArgs, target: &Target) -> Result<Arc<[Item]>> {
    let client = target.client()?;
    let mut items = Vec::new();
    for &evidence_id in &args.evidence {
        let evidence = client.evidence(evidence_id).await?;
        items.push(Item { evidence_id, size: evidence.size, blake3: evidence.blake3 });
    }
    if items.is_empty() {
        let profile = args.load.profile;
        for seed in 0..args.files {
            let file = target.write_file(seed, args.size.bytes()).await?;
            let worker = PutWorker { client: client.clone(), file: file.clone(), profile };
            let receipt = worker.put().await.context("putting what is to be streamed")?.receipt;
            std::fs::remove_file(&file).with_context(|| format!("{}", file.display()))?;
            let (evidence_id, size) = (receipt.evidence_id, receipt.size);
            items.push(Item { evidence_id, size, blake3: receipt.blake3 });
        }
    }
    Ok(items.into())
}
