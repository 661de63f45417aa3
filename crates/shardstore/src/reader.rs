use std::io;
use std::ops::Range;

use bytes::Bytes;
use custos_ports::{ShardError, ShardKey, ShardRead};

use crate::disk_state::DiskState;
use crate::index_entry::IndexEntry;
use crate::record::{BLOCK_BYTES, CHECK_BYTES, RecordBody, RecordHead};
use crate::record_payload::{Damage, verified_range, verify_payload};

/// Why a record could not be read.
pub(crate) enum ReadFailure {
    Damage(Damage),
    Io(io::Error),
    /// No folder names the record's extent any more.
    Unlinked,
    Offline(ShardError),
}

/// Most times that a record is looked up anew because its extent was given back meanwhile.
const LOOK_UPS_MAX: u32 = 8;

/// Reads `range` of a shard's payload, the whole when `None`. Blocks the thread.
pub(crate) fn read(
    state: &DiskState,
    key: &ShardKey,
    range: Option<Range<u64>>,
) -> Result<ShardRead, ShardError> {
    state.check_in_service()?;
    let not_found = || ShardError::NotFound { store: state.name.clone(), key: Box::new(*key) };
    let look_up = || {
        let entry = state.index.get(key).map_err(|error| state.index_error(&error))?;
        entry.ok_or_else(not_found)
    };
    let mut entry = look_up()?;
    let mut look_ups = 1;
    let outcome = loop {
        let len = u64::from(entry.payload_len);
        let Range { start, end } = range.clone().unwrap_or(0..len);
        if start > end || end > len {
            return Err(ShardError::Range { store: state.name.clone(), start, end, len });
        }
        let within = |at: u64| usize::try_from(at).expect("within a payload, at most 64 MiB");
        let outcome = read_record(state, key, &entry, within(start)..within(end));
        // The file of an extent that is given back may be filled with zeros and written anew while
        // it is read. Nothing of that verifies as the record, so it shows as damage of any sort.
        let may_be_gone = matches!(outcome, Err(ReadFailure::Unlinked | ReadFailure::Damage(_)));
        if !may_be_gone || look_ups == LOOK_UPS_MAX {
            break outcome;
        }
        // Before an extent is given back, the index points to where its records went.
        let now = look_up()?;
        if now == entry {
            break outcome;
        }
        entry = now;
        look_ups += 1;
    };
    outcome.map_err(|failure| match failure {
        ReadFailure::Unlinked => state.lost_extent(entry.place.extent),
        ReadFailure::Offline(error) => error,
        ReadFailure::Io(error) => {
            tracing::warn!(disk = %state.name, %error, ?key, "read failed");
            state.count_io_error();
            state.io_error("read", error)
        }
        ReadFailure::Damage(damage) => {
            tracing::warn!(disk = %state.name, %damage, ?key, "shard is corrupt");
            let what = damage.to_string();
            ShardError::Corrupt { store: state.name.clone(), key: Box::new(*key), what }
        }
    })
}

/// Reads and verifies the head and the payload blocks that `range` touches.
pub(crate) fn read_record(
    state: &DiskState,
    key: &ShardKey,
    entry: &IndexEntry,
    range: Range<usize>,
) -> Result<ShardRead, ReadFailure> {
    let place = entry.place;
    let file = match state.read_files.get(&state.extents, place.extent) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            state.check_in_service().map_err(ReadFailure::Offline)?;
            return Err(ReadFailure::Damage(Damage::Missing { place }));
        }
        Err(error) => return Err(ReadFailure::Io(error)),
    };
    if file.is_unlinked().map_err(ReadFailure::Io)? {
        state.check_in_service().map_err(ReadFailure::Offline)?;
        state.read_files.forget(place.extent);
        return Err(ReadFailure::Unlinked);
    }

    let head_len = usize::from(entry.head_blocks) * BLOCK_BYTES;
    let verified = verified_range(&range, entry.payload_len as usize);
    let body_len = verified.len().next_multiple_of(BLOCK_BYTES);
    let mut memory = state.buffers.take(head_len + body_len);
    let (head_bytes, rest) = memory.bytes_mut().split_at_mut(head_len);
    let body_bytes = &mut rest[..body_len];
    let body_offset = place.offset() + (head_len + verified.start) as u64;
    let (head_read, body_read) = if verified.start == 0 {
        let all = &mut memory.bytes_mut()[..head_len + body_len];
        let read = file.read_at(all, place.offset()).map_err(ReadFailure::Io)?;
        (read.min(head_len), read.saturating_sub(head_len))
    } else {
        (
            file.read_at(head_bytes, place.offset()).map_err(ReadFailure::Io)?,
            file.read_at(body_bytes, body_offset).map_err(ReadFailure::Io)?,
        )
    };
    // The padding of the last block may be cut off without harm.
    if head_read < head_len || body_read < verified.len() {
        return Err(ReadFailure::Damage(Damage::Cut { place }));
    }

    let bytes = memory.as_ref();
    let head = check_head(state, key, entry, &bytes[..head_len]).map_err(ReadFailure::Damage)?;
    let RecordBody::Shard { header, checksums, .. } = head.body else {
        let reason = "it is a tombstone's".to_owned();
        return Err(ReadFailure::Damage(Damage::Head { place, reason }));
    };
    let body = &bytes[head_len..head_len + verified.len()];
    verify_payload(place, &checksums, verified.start / CHECK_BYTES, body)
        .map_err(ReadFailure::Damage)?;
    let from = head_len + range.start - verified.start;
    let payload = Bytes::from_owner(memory).slice(from..from + range.len());
    Ok(ShardRead { header, payload })
}

fn check_head(
    state: &DiskState,
    key: &ShardKey,
    entry: &IndexEntry,
    bytes: &[u8],
) -> Result<RecordHead, Damage> {
    let place = entry.place;
    let damage = |reason: String| Damage::Head { place, reason };
    let head = RecordHead::decode(bytes).map_err(|error| damage(error.to_string()))?;
    if head.disk != state.id {
        return Err(damage(format!("it is of disk {}", head.disk)));
    }
    if head.key != *key {
        return Err(damage(format!("it is of another shard ({:?})", head.key)));
    }
    let known = IndexEntry::of(&head);
    if known.as_ref() != Some(entry) {
        return Err(damage("it is of another record than the index says".to_owned()));
    }
    Ok(head)
}
