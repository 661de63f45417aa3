use std::path::Path;

use rocksdb::WriteOptions;

use super::keys;
use crate::{error::StoreError, raft_types::Vote, records, rocks::RocksSetup};

/// Makes the log of a node that goes on from a backup: no entries, and a vote.
///
/// The node has seen the term of the last entry in its state, so every election that it stands for
/// has a later one: log ids go on from those in the state.
pub(crate) fn write_first_vote(
    dir: &Path,
    setup: &RocksSetup,
    vote: &Vote,
) -> Result<(), StoreError> {
    let db = setup.open_log(dir)?;
    let mut options = WriteOptions::default();
    options.set_sync(true);
    db.put_opt(keys::VOTE, records::encode_vote(vote), &options)
        .map_err(StoreError::rocks("write the vote"))
}
