use std::{collections::HashMap, mem};

use parking_lot::Mutex;

/// Keys of one generation of the cache; there are two.
const GENERATION_KEYS_MAX: usize = 4096;

/// What the law read lately and what stands there now, so that it is not looked for again: some keys
/// are read with every command, and what one command reads and writes, one of the next often reads.
///
/// It is right for as long as every change of the state goes through [`written`](Self::written).
#[derive(Debug, Default)]
pub(super) struct ReadCache {
    generations: Mutex<Generations>,
}

type Values = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// What is found in the old one moves to the new one; the old one goes when the new one is full.
#[derive(Debug, Default)]
struct Generations {
    new: Values,
    old: Values,
}

impl ReadCache {
    /// The value of `key`, which is read if it is not known.
    pub(super) fn get(
        &self,
        key: &[u8],
        read: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Vec<u8>> {
        let mut generations = self.generations.lock();
        if let Some(value) = generations.new.get(key) {
            return value.clone();
        }
        let (key, value) = match generations.old.remove_entry(key) {
            Some(known) => known,
            None => (key.to_vec(), read()),
        };
        generations.insert(key, value.clone());
        value
    }

    /// `value` stands under `key` from now on. Of keys that nobody has read nothing is kept.
    pub(super) fn written(&self, key: &[u8], value: Option<Vec<u8>>) {
        let mut generations = self.generations.lock();
        if let Some(known) = generations.new.get_mut(key) {
            *known = value;
        } else if let Some((key, _)) = generations.old.remove_entry(key) {
            generations.insert(key, value);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        *self.generations.lock() = Generations::default();
    }
}

impl Generations {
    fn insert(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        if self.new.len() >= GENERATION_KEYS_MAX {
            self.old = mem::take(&mut self.new);
        }
        self.new.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: usize) -> Option<Vec<u8>> {
        Some(number.to_be_bytes().to_vec())
    }

    fn known(cache: &ReadCache, key: &[u8]) -> Option<Vec<u8>> {
        cache.get(key, || panic!("{key:?} is not known"))
    }

    #[test]
    fn what_was_read_is_known_as_it_was_written_since() {
        let cache = ReadCache::default();
        assert_eq!(cache.get(b"a", || None), None);
        assert_eq!(cache.get(b"b", || value(1)), value(1));
        cache.written(b"a", value(2));
        cache.written(b"b", None);
        cache.written(b"c", value(3));
        assert_eq!((known(&cache, b"a"), known(&cache, b"b")), (value(2), None));
        assert_eq!(cache.get(b"c", || value(4)), value(4), "it was never read");
    }

    #[test]
    fn what_is_not_used_any_more_is_forgotten_and_a_change_of_it_is_not() {
        let cache = ReadCache::default();
        cache.get(b"used", || value(0));
        cache.get(b"written", || value(0));
        for number in 0..3 * GENERATION_KEYS_MAX {
            cache.get(&number.to_be_bytes(), || value(number));
            assert_eq!(known(&cache, b"used"), value(0));
            cache.written(b"written", value(number));
            assert_eq!(known(&cache, b"written"), value(number));
        }
        assert_eq!(cache.get(&0_usize.to_be_bytes(), || value(7)), value(7));
        let generations = cache.generations.lock();
        assert!(generations.new.len().max(generations.old.len()) <= GENERATION_KEYS_MAX);
    }
}
