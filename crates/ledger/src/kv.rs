/// A small ordered map that the law reads. Keys sort as bytes.
pub trait KvRead {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;

    /// Up to `limit` pairs with `start <= key < end`, in order.
    fn scan(&self, start: &[u8], end: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)>;
}

/// A small ordered map that the law writes; it reads its own writes. One `apply` is one atomic
/// write batch of whoever implements it.
pub trait Kv: KvRead {
    /// Sets `key` to `value`.
    fn put(&mut self, key: &[u8], value: Vec<u8>);

    /// Removes `key`, if it is there.
    fn delete(&mut self, key: &[u8]);
}

/// The map of tests and simulation.
pub type MemoryKv = std::collections::BTreeMap<Vec<u8>, Vec<u8>>;

impl KvRead for MemoryKv {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        std::collections::BTreeMap::get(self, key).cloned()
    }

    fn scan(&self, start: &[u8], end: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        if start >= end {
            return Vec::new();
        }
        self.range(start.to_vec()..end.to_vec())
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

impl Kv for MemoryKv {
    fn put(&mut self, key: &[u8], value: Vec<u8>) {
        self.insert(key.to_vec(), value);
    }

    fn delete(&mut self, key: &[u8]) {
        self.remove(key);
    }
}
