//! Keys of the state database. One column family holds all: a table flush then never parts the
//! ledger's pairs from the mark that says up to which entry they are.

/// The last applied entry: `RaftLogId`.
pub(super) const LAST_APPLIED: &[u8] = b"\x00applied";
/// The membership in force: `RaftStoredMembership`.
pub(super) const MEMBERSHIP: &[u8] = b"\x00membership";
/// The last entry of the snapshot that this database was installed from: `RaftLogId`.
pub(super) const INSTALLED: &[u8] = b"\x00installed";

const LEDGER_PREFIX: u8 = 0x01;

/// A key of the ledger, apart from the marks.
pub(super) fn ledger(key: &[u8]) -> Vec<u8> {
    let mut prefixed = Vec::with_capacity(key.len() + 1);
    put_ledger(key, &mut prefixed);
    prefixed
}

/// As [`ledger`], in place of what `prefixed` holds.
pub(super) fn put_ledger(key: &[u8], prefixed: &mut Vec<u8>) {
    prefixed.clear();
    prefixed.push(LEDGER_PREFIX);
    prefixed.extend_from_slice(key);
}

/// The ledger's own key in a stored one; `None` for a mark.
pub(super) fn ledger_key(stored: &[u8]) -> Option<&[u8]> {
    stored.strip_prefix(&[LEDGER_PREFIX])
}
