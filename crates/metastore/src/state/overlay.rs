use std::{cmp::Ordering, collections::BTreeMap, ops::Bound};

use custos_ledger::{Kv, KvRead};
use rocksdb::{DB, WriteBatch};

use super::{keys, read_cache::ReadCache, view::StateView};
use crate::error::StoreError;

/// The state as the commands of one Raft entry see it: what is stored, and over it what the
/// entry's earlier commands wrote. Nothing is stored until all of it is.
pub(super) struct Overlay<'a> {
    base: StateView<'a>,
    // `None` removes the key.
    pending: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    cache: &'a ReadCache,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(db: &'a DB, cache: &'a ReadCache) -> Self {
        Self { base: StateView::new(db), pending: BTreeMap::new(), cache }
    }

    /// Moves what was written into `batch`.
    ///
    /// # Errors
    /// When a read failed: the writes may then be wrong, and are dropped.
    pub(super) fn finish(self, batch: &mut WriteBatch) -> Result<(), StoreError> {
        if let Err(error) = self.base.finish() {
            self.cache.clear();
            return Err(error);
        }
        let mut stored = Vec::new();
        for (key, value) in self.pending {
            keys::put_ledger(&key, &mut stored);
            match &value {
                Some(value) => batch.put(&stored, value),
                None => batch.delete(&stored),
            }
            self.cache.written(&key, value);
        }
        Ok(())
    }
}

impl KvRead for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        if let Some(value) = self.pending.get(key) {
            return value.clone();
        }
        self.cache.get(key, || self.base.get(key))
    }

    fn scan(&self, start: &[u8], end: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        if start >= end {
            return Vec::new();
        }
        let mut stored = self.base.pairs(start, end).peekable();
        let bounds = (Bound::Included(start), Bound::Excluded(end));
        let mut pending = self.pending.range::<[u8], _>(bounds).peekable();
        let mut pairs = Vec::new();
        while pairs.len() < limit {
            let order = match (stored.peek(), pending.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((stored, _)), Some((pending, _))) => stored.cmp(pending),
            };
            if order == Ordering::Less {
                pairs.extend(stored.next());
                continue;
            }
            if order == Ordering::Equal {
                stored.next();
            }
            let Some((key, value)) = pending.next() else { break };
            if let Some(value) = value {
                pairs.push((key.clone(), value.clone()));
            }
        }
        pairs
    }
}

impl Kv for Overlay<'_> {
    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.pending.insert(key.to_vec(), Some(value));
    }

    fn delete(&mut self, key: &[u8]) {
        self.pending.insert(key.to_vec(), None);
    }
}

#[cfg(test)]
mod tests {
    use custos_ledger::MemoryKv;

    use super::*;

    /// Small numbers from a seed, so that a failure can be run again.
    struct Sequence(u64);

    impl Sequence {
        fn next(&mut self, below: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % below
        }

        fn key(&mut self) -> Vec<u8> {
            let bytes = self.next(3);
            (0..bytes).map(|_| [0, 1, 0xff][self.next(3) as usize]).collect()
        }
    }

    #[test]
    fn an_overlay_on_rocksdb_behaves_as_a_map_in_memory() {
        for seed in 0..20 {
            let dir = tempfile::tempdir().expect("temporary directory");
            let db = DB::open_default(dir.path()).expect("open");
            let cache = ReadCache::default();
            let mut model = MemoryKv::new();
            let mut numbers = Sequence(seed);
            for _ in 0..20 {
                let mut overlay = Overlay::new(&db, &cache);
                for _ in 0..20 {
                    let key = numbers.key();
                    if numbers.next(3) == 0 {
                        overlay.delete(&key);
                        model.delete(&key);
                    } else {
                        let value = vec![numbers.next(256) as u8];
                        overlay.put(&key, value.clone());
                        model.put(&key, value);
                    }
                    let (start, end) = (numbers.key(), numbers.key());
                    let limit = numbers.next(5) as usize;
                    assert_eq!(
                        overlay.scan(&start, &end, limit),
                        model.scan(&start, &end, limit),
                        "seed {seed}: {start:?}..{end:?} limit {limit}"
                    );
                    assert_eq!(overlay.get(&start), KvRead::get(&model, &start), "seed {seed}");
                }
                let mut batch = WriteBatch::default();
                overlay.finish(&mut batch).expect("reads succeed");
                db.write(batch).expect("write");
            }
            let view = StateView::new(&db);
            assert_eq!(view.scan(&[], &[0xff; 4], 1000), model.scan(&[], &[0xff; 4], 1000));
            view.finish().expect("reads succeed");
        }
    }
}
