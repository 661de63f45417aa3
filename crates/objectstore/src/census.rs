use custos_core::Quarantined;
use custos_ports::ShardKey;

use crate::head::HEAD_BYTES;
use crate::limits::UNKNOWN_NAMES_MAX;
use crate::object_name::ObjectNames;

/// How many shards a bucket holds: counted page by page after it was opened, and kept up to date
/// by what this process writes and removes. While the count goes on, a shard written just where it
/// is may be missed: the figures are for people, nothing is decided by them.
#[derive(Debug, Default)]
pub(crate) struct Census {
    shards: u64,
    payload_bytes: u64,
    unknown: Vec<Quarantined>,
    unknown_count: u64,
    /// Last shard that was counted.
    counted_to: Option<ShardKey>,
    complete: bool,
}

impl Census {
    /// Counts one page of names, which follows the one before.
    pub(crate) fn count(&mut self, names: &ObjectNames, page: &[(String, u64)], is_last: bool) {
        for (name, len) in page {
            if let Some(key) = names.parse(name) {
                self.counted_to = Some(key);
                self.shards += 1;
                self.payload_bytes += payload_len(*len);
            } else if *name != names.identity() {
                self.unknown_count += 1;
                if self.unknown.len() < UNKNOWN_NAMES_MAX {
                    let reason = "no shard has this name".to_owned();
                    let place = name.chars().take(1024).collect();
                    self.unknown.push(Quarantined { place, len: *len, reason });
                }
            }
        }
        self.complete = is_last;
    }

    fn is_counted(&self, key: &ShardKey) -> bool {
        self.complete || self.counted_to.is_some_and(|last| *key <= last)
    }

    /// A shard was written that was not there.
    pub(crate) fn added(&mut self, key: &ShardKey, payload_len: u64) {
        if self.is_counted(key) {
            self.shards += 1;
            self.payload_bytes += payload_len;
        }
    }

    /// An object of this many bytes is no more.
    pub(crate) fn removed(&mut self, key: &ShardKey, object_len: u64) {
        if self.is_counted(key) {
            self.shards = self.shards.saturating_sub(1);
            self.payload_bytes = self.payload_bytes.saturating_sub(payload_len(object_len));
        }
    }

    pub(crate) fn shards(&self) -> u64 {
        self.shards
    }

    pub(crate) fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Objects under the prefix that are no shards.
    pub(crate) fn unknown(&self) -> (&[Quarantined], u64) {
        (&self.unknown, self.unknown_count)
    }
}

/// Bytes of the payload in an object of this many bytes.
pub(crate) fn payload_len(object_len: u64) -> u64 {
    object_len.saturating_sub(HEAD_BYTES as u64)
}

#[cfg(test)]
mod tests {
    use custos_ports::fakes::conformance::key;

    use super::*;

    #[test]
    fn what_is_written_while_the_count_goes_on_is_counted_once() {
        let names = ObjectNames::new("p").expect("a prefix");
        let name = |number| (names.shard(&key(number)), HEAD_BYTES as u64 + 10);
        let mut census = Census::default();
        census.count(&names, &[name(1), name(5)], false);
        census.added(&key(3), 7);
        census.added(&key(8), 10);
        census.count(&names, &[name(8), name(9)], true);
        census.added(&key(11), 1);
        census.removed(&key(1), HEAD_BYTES as u64 + 10);
        assert_eq!((census.shards(), census.payload_bytes()), (5, 10 + 7 + 10 + 10 + 1));
    }

    #[test]
    fn strange_names_are_remembered_and_the_identity_is_none() {
        let names = ObjectNames::new("p").expect("a prefix");
        let page = [("p/custos-disk.json".to_owned(), 5), ("p/notes.txt".to_owned(), 9)];
        let mut census = Census::default();
        census.count(&names, &page, true);
        let (unknown, count) = census.unknown();
        assert_eq!((unknown[0].place.as_str(), unknown[0].len, count), ("p/notes.txt", 9, 1));
        assert_eq!(census.shards(), 0);
    }
}
