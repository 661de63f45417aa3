use std::cell::RefCell;

use custos_ledger::KvRead;
use rocksdb::{DB, Direction, IteratorMode, ReadOptions, Snapshot};

use super::keys;
use crate::error::StoreError;

/// The ledger's pairs at one moment.
///
/// The law reads a map that cannot fail, but a disk can: a failed read looks like a missing key,
/// is kept, and [`finish`](Self::finish) turns whatever was concluded from it into an error.
pub(super) struct StateView<'a> {
    snapshot: Snapshot<'a>,
    failure: RefCell<Option<rocksdb::Error>>,
    /// Room for a stored key.
    key: RefCell<Vec<u8>>,
}

impl<'a> StateView<'a> {
    pub(super) fn new(db: &'a DB) -> Self {
        Self { snapshot: db.snapshot(), failure: RefCell::default(), key: RefCell::default() }
    }

    /// Succeeds when every read did.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        match self.failure.into_inner() {
            None => Ok(()),
            Some(source) => Err(StoreError::Rocks { doing: "read the state", source }),
        }
    }

    /// Pairs with `start <= key < end`, in order, read as they are asked for.
    pub(super) fn pairs<'b>(
        &'b self,
        start: &[u8],
        end: &[u8],
    ) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + 'b {
        let first = keys::ledger(start);
        let mut options = ReadOptions::default();
        // RocksDB wants bounds in order; an inverted range holds nothing.
        let end = if start < end { keys::ledger(end) } else { first.clone() };
        options.set_iterate_upper_bound(end);
        let from = IteratorMode::From(&first, Direction::Forward);
        self.snapshot.iterator_opt(from, options).map_while(|pair| match pair {
            Ok((key, value)) => {
                let key = keys::ledger_key(&key).expect("bounds are ledger keys").to_vec();
                Some((key, value.into_vec()))
            }
            Err(error) => {
                self.fail(error);
                None
            }
        })
    }

    fn fail(&self, error: rocksdb::Error) {
        self.failure.borrow_mut().get_or_insert(error);
    }
}

impl KvRead for StateView<'_> {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let mut stored = self.key.borrow_mut();
        keys::put_ledger(key, &mut stored);
        self.snapshot.get(&*stored).unwrap_or_else(|error| {
            self.fail(error);
            None
        })
    }

    fn scan(&self, start: &[u8], end: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.pairs(start, end).take(limit).collect()
    }
}
