use custos_core::{ShardEntry, ShardKey};

/// Checks that a page holds only what was asked for, in order of key, from the first one after
/// `after` on: otherwise whoever turns the pages could go round for ever. An error is one line for
/// people.
pub(super) fn check_page(
    items: &[ShardEntry],
    more: bool,
    limit: usize,
    after: Option<ShardKey>,
    is_wanted: impl Fn(&ShardKey) -> bool,
) -> Result<(), String> {
    if items.len() > limit {
        return Err(format!("{} shards on a page of {limit}", items.len()));
    }
    if more && items.is_empty() {
        return Err("a page without shards that is not the last".to_owned());
    }
    let mut last = after;
    for item in items {
        if !is_wanted(&item.key) {
            return Err(format!("a shard that was not asked for ({})", item.key));
        }
        if last.is_some_and(|last| item.key <= last) {
            return Err(format!("a page that is not in order ({})", item.key));
        }
        last = Some(item.key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use custos_core::{ChunkIndex, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};

    use super::*;

    fn shard(number: u8) -> ShardEntry {
        ShardEntry {
            key: ShardKey {
                vault: VaultId(0),
                evidence_id: EvidenceId::from_bytes([number; 16]),
                chunk: ChunkIndex(0),
                slot: ShardSlot(0),
                salt: Salt([0; 16]),
            },
            retain_until: Timestamp::from_millis(0),
            header: Bytes::new(),
            payload_len: 1,
        }
    }

    #[test]
    fn a_page_must_be_in_order_within_its_limit_and_about_what_was_asked() {
        let any = |_: &ShardKey| true;
        let pages = [shard(1), shard(2), shard(3)];
        assert_eq!(check_page(&pages, false, 3, None, any), Ok(()));
        assert_eq!(check_page(&pages[1..], true, 2, Some(pages[0].key), any), Ok(()));
        assert!(check_page(&pages, false, 2, None, any).is_err(), "too many");
        assert!(check_page(&pages, false, 3, Some(pages[0].key), any).is_err(), "begins too early");
        assert!(check_page(&[shard(2), shard(1)], false, 3, None, any).is_err(), "out of order");
        assert!(check_page(&[shard(2), shard(2)], false, 3, None, any).is_err(), "twice");
        assert!(check_page(&[], true, 3, None, any).is_err(), "would never end");
        assert!(check_page(&pages, false, 3, None, |_| false).is_err(), "not asked for");
    }
}
