use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use custos_client::{Client, StreamOptions};
use custos_core::{Blake3Hash, EvidenceId};

use crate::{
    content::Content,
    drive::{Operation, Worker},
};

/// Evidence that is streamed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) evidence_id: EvidenceId,
    pub(super) size: u64,
    pub(super) blake3: Blake3Hash,
}

/// Which part of an item is streamed.
pub(super) enum Part {
    /// All of it.
    Whole,
    /// This many bytes (less when the item is shorter) from a random place on.
    RandomRange { bytes: u64, places: Content },
}

/// Streams items by turns; what it receives has been verified.
pub(super) struct StreamWorker {
    pub(super) client: Client,
    pub(super) items: Arc<[Item]>,
    pub(super) part: Part,
}

impl Worker for StreamWorker {
    async fn operate(&mut self, number: u64) -> Result<Operation> {
        let turn = number % self.items.len() as u64;
        let item = self.items[usize::try_from(turn).expect("an index into items in memory")];
        let range = self.part.range(item.size);
        let streamed = stream(&self.client, item, range.clone()).await;
        let Range { start, end } = range;
        streamed.with_context(|| format!("bytes {start}..{end} of {}", item.evidence_id))
    }
}

impl Part {
    fn range(&mut self, size: u64) -> Range<u64> {
        match self {
            Self::Whole => 0..size,
            Self::RandomRange { bytes, places } => {
                let len = size.min(*bytes);
                let start = places.below(size - len + 1);
                start..start + len
            }
        }
    }
}

async fn stream(client: &Client, item: Item, range: Range<u64>) -> Result<Operation> {
    let options = StreamOptions {
        start: range.start,
        end: Some(range.end),
        purpose: Some("load test".to_owned()),
        expected: Some(item.blake3),
        ..StreamOptions::whole(item.evidence_id)
    };
    let start = Instant::now();
    let mut stream = client.open_stream(options).await?;
    let mut to_first_byte: Option<Duration> = None;
    let mut bytes = 0;
    while let Some(piece) = stream.next().await? {
        to_first_byte.get_or_insert_with(|| start.elapsed());
        bytes += piece.len() as u64;
    }
    let latency = start.elapsed();
    ensure!(bytes == range.end - range.start, "{bytes} bytes were streamed");
    Ok(Operation { bytes, latency, to_first_byte })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_ranges_lie_inside_the_evidence_and_reach_both_its_ends() {
        let mut part = Part::RandomRange { bytes: 3, places: Content::new(1) };
        let ranges: Vec<Range<u64>> = (0..200).map(|_| part.range(7)).collect();
        assert!(ranges.iter().all(|range| range.end - range.start == 3 && range.end <= 7));
        assert!(ranges.iter().any(|range| range.start == 0));
        assert!(ranges.iter().any(|range| range.end == 7));
        assert_eq!(part.range(2), 0..2);
        assert_eq!(part.range(0), 0..0);
        assert_eq!(Part::Whole.range(9), 0..9);
    }
}
