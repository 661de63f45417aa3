//! Keys of the log database. One column family holds all: a write-ahead log and a table flush
//! then keep the order of votes and entries without further care.

/// The vote: `RaftVote`.
pub(super) const VOTE: &[u8] = b"\x00vote";
/// The last entry known to be committed: `RaftLogId`.
pub(super) const COMMITTED: &[u8] = b"\x00committed";
/// The last entry that was purged: `RaftLogId`.
pub(super) const PURGED: &[u8] = b"\x00purged";

const ENTRY_PREFIX: u8 = 0x01;
const ENTRY_KEY_BYTES: usize = 9;

/// One past the last possible entry key.
pub(super) const ENTRIES_END: &[u8] = &[ENTRY_PREFIX + 1];

/// Key of the entry at `index`; keys sort as indexes do.
pub(super) fn entry(index: u64) -> [u8; ENTRY_KEY_BYTES] {
    let mut key = [ENTRY_PREFIX; ENTRY_KEY_BYTES];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Index in an entry key; `None` for a key of another sort.
pub(super) fn entry_index(key: &[u8]) -> Option<u64> {
    let (prefix, index) = key.split_first()?;
    let index = <[u8; 8]>::try_from(index).ok()?;
    (*prefix == ENTRY_PREFIX).then(|| u64::from_be_bytes(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_keys_sort_as_their_indexes_and_apart_from_the_marks() {
        let indexes = [0, 1, 255, 256, u64::from(u32::MAX), u64::MAX];
        let keys: Vec<_> = indexes.iter().map(|index| entry(*index)).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().map(|key| entry_index(key)).collect::<Vec<_>>(), indexes.map(Some));
        for mark in [VOTE, COMMITTED, PURGED] {
            assert!(mark < entry(0).as_slice());
            assert_eq!(entry_index(mark), None);
        }
        assert!(entry(u64::MAX).as_slice() < ENTRIES_END);
    }
}
