use custos_core::{ShardEntry, ShardKey, ShardPage};

/// One page of two listings that both begin after the same key, in order of key and without
/// duplicates; of a shard that is in both, `first` counts.
pub(super) fn merge(first: ShardPage, second: ShardPage, limit: usize) -> ShardPage {
    let ends = [&first, &second].map(|page| match page.more {
        true => page.items.last().map(|entry| entry.key),
        false => None,
    });
    // Behind the end of a page that goes on, its store may hold shards that are not listed yet.
    let end: Option<ShardKey> = ends.into_iter().flatten().min();
    let empty_but_more = [&first, &second].iter().any(|page| page.more && page.items.is_empty());
    let mut more = end.is_some() || empty_but_more;
    let mut items = entries(first.items, second.items);
    if let Some(end) = end {
        items.retain(|entry| entry.key <= end);
    }
    if empty_but_more {
        items.clear();
    }
    more |= items.len() > limit;
    items.truncate(limit);
    ShardPage { items, more }
}

/// Both in order of key, without duplicates.
pub(super) fn entries(first: Vec<ShardEntry>, second: Vec<ShardEntry>) -> Vec<ShardEntry> {
    let mut items = first;
    items.extend(second);
    // Stable: of equal keys the first one's entry stands before the second one's.
    items.sort_by_key(|entry| entry.key);
    items.dedup_by_key(|entry| entry.key);
    items
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use custos_core::{ChunkIndex, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};

    use super::*;

    fn key(number: u32) -> ShardKey {
        ShardKey {
            vault: VaultId(0),
            evidence_id: EvidenceId::from_bytes([1; 16]),
            chunk: ChunkIndex(number),
            slot: ShardSlot(0),
            salt: Salt([0; 16]),
        }
    }

    fn page(numbers: &[u32], after: Option<ShardKey>, limit: usize, from: u64) -> ShardPage {
        let mut items: Vec<_> = numbers
            .iter()
            .map(|number| key(*number))
            .filter(|key| after.is_none_or(|after| *key > after))
            .map(|key| ShardEntry {
                key,
                retain_until: Timestamp::from_millis(0),
                header: Bytes::new(),
                payload_len: from,
            })
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        ShardPage { items, more }
    }

    #[test]
    fn pages_of_any_two_listings_give_every_key_once_in_order() {
        // Every way to put 6 keys in the first, the second, or both, at every page size.
        for ways in 0..3_u32.pow(6) {
            let place = |number: u32| ways / 3_u32.pow(number) % 3;
            let first: Vec<u32> = (0..6).filter(|number| place(*number) != 1).collect();
            let second: Vec<u32> = (0..6).filter(|number| place(*number) != 0).collect();
            for (limit, second_limit) in [(1, 1), (2, 2), (4, 4), (4, 2), (6, 6), (100, 100)] {
                let mut listed = Vec::new();
                let mut after = None;
                loop {
                    let one = page(&first, after, limit, 1);
                    let two = page(&second, after, second_limit, 2);
                    let merged = merge(one, two, limit);
                    assert!(merged.items.len() <= limit);
                    listed.extend(merged.items);
                    after = listed.last().map(|entry| entry.key);
                    if !merged.more {
                        break;
                    }
                }
                let keys: Vec<_> = listed.iter().map(|entry| entry.key.chunk.0).collect();
                assert_eq!(keys, [0, 1, 2, 3, 4, 5], "{first:?} {second:?} {limit}");
                for entry in &listed {
                    let expected = if first.contains(&entry.key.chunk.0) { 1 } else { 2 };
                    assert_eq!(entry.payload_len, expected);
                }
            }
        }
    }
}
