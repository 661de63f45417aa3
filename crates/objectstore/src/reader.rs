//! Reads a shard's object: as little of it as the range asks for, and every byte verified.

use std::ops::Range;

use bytes::Bytes;
use custos_core::DiskId;
use custos_core::limits::SHARD_PAYLOAD_BYTES_MAX;
use custos_ports::{ShardKey, ShardRead};

use crate::bucket::{Bucket, Part};
use crate::checksum::{CHECK_BYTES, crc32c};
use crate::failure::Failure;
use crate::head::{HEAD_BYTES, ObjectHead};
use crate::limits::READ_THROUGH_BYTES_MAX;

const PAYLOAD_MAX: u64 = SHARD_PAYLOAD_BYTES_MAX as u64;
const HEAD_LEN: u64 = HEAD_BYTES as u64;
const CHECK_LEN: u64 = CHECK_BYTES as u64;

/// Why a shard could not be read.
#[derive(Debug)]
pub(crate) enum ReadFailure {
    Bucket(Failure),
    /// What does not verify.
    Damage(String),
    Range {
        start: u64,
        end: u64,
        len: u64,
    },
}

/// What is asked of the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    /// Bytes from the beginning of the object.
    from_start: u64,
    /// Bytes of the payload that are asked for besides.
    blocks: Option<Range<u64>>,
}

impl Plan {
    fn new(range: Option<&Range<u64>>) -> Self {
        let head_only = Self { from_start: HEAD_LEN, blocks: None };
        let Some(range) = range else {
            return Self { from_start: HEAD_LEN + PAYLOAD_MAX, blocks: None };
        };
        // The head says how long the payload is: it is needed even to refuse a range.
        if range.start >= range.end || range.start >= PAYLOAD_MAX {
            return head_only;
        }
        let end = range.end.min(PAYLOAD_MAX).next_multiple_of(CHECK_LEN);
        if range.start <= READ_THROUGH_BYTES_MAX {
            return Self { from_start: HEAD_LEN + end, blocks: None };
        }
        let start = range.start / CHECK_LEN * CHECK_LEN;
        Self { blocks: Some(start..end), ..head_only }
    }
}

/// Reads `range` of a shard's payload, the whole when `None`. What does not verify is read once
/// more before it is called damaged: it may have been altered on its way.
pub(crate) async fn read(
    bucket: &Bucket,
    disk: DiskId,
    name: &str,
    key: &ShardKey,
    range: Option<Range<u64>>,
) -> Result<ShardRead, ReadFailure> {
    match read_once(bucket, disk, name, key, range.clone()).await {
        Err(ReadFailure::Damage(what)) => {
            tracing::warn!(%name, %what, "reading it once more");
            read_once(bucket, disk, name, key, range).await
        }
        outcome => outcome,
    }
}

/// Reads the head of an object. `Ok(Err(_))` says what is wrong with it.
pub(crate) async fn read_head(
    bucket: &Bucket,
    disk: DiskId,
    name: &str,
    key: &ShardKey,
) -> Result<Result<ObjectHead, String>, Failure> {
    match bucket.get(name, 0..HEAD_LEN).await {
        Ok(part) => Ok(check_head(&part, disk, key)),
        Err(Failure::PastEnd) => Ok(Err("the object is empty".to_owned())),
        Err(failure) => Err(failure),
    }
}

async fn read_once(
    bucket: &Bucket,
    disk: DiskId,
    name: &str,
    key: &ShardKey,
    range: Option<Range<u64>>,
) -> Result<ShardRead, ReadFailure> {
    let plan = Plan::new(range.as_ref());
    let (front, blocks) = match &plan.blocks {
        None => (bucket.get(name, 0..plan.from_start).await, None),
        Some(blocks) => {
            let of_object = HEAD_LEN + blocks.start..HEAD_LEN + blocks.end;
            let (front, blocks) =
                tokio::join!(bucket.get(name, 0..plan.from_start), bucket.get(name, of_object));
            (front, Some(blocks))
        }
    };
    let front = match front {
        Err(Failure::PastEnd) => {
            return Err(ReadFailure::Damage("the object is empty".to_owned()));
        }
        front => front.map_err(ReadFailure::Bucket)?,
    };
    let head = check_head(&front, disk, key).map_err(ReadFailure::Damage)?;
    let len = u64::from(head.payload_len);
    let Range { start, end } = range.unwrap_or(0..len);
    if start > end || end > len {
        return Err(ReadFailure::Range { start, end, len });
    }
    if start == end {
        return Ok(ShardRead { header: head.header, payload: Bytes::new() });
    }
    let verified = start / CHECK_LEN * CHECK_LEN..end.next_multiple_of(CHECK_LEN).min(len);
    // The bytes that came, and the offset in the payload that they begin at.
    let (came, came_from) = match (plan.blocks, blocks) {
        (Some(range), Some(Ok(part))) => (part.bytes, range.start),
        (Some(range), Some(Err(Failure::PastEnd))) => (Bytes::new(), range.start),
        (_, Some(Err(failure))) => return Err(ReadFailure::Bucket(failure)),
        _ => (front.bytes.slice(HEAD_BYTES..), 0),
    };
    let within = |at: u64| usize::try_from(at).expect("within a payload, at most 64 MiB");
    let wanted = within(verified.start - came_from)..within(verified.end - came_from);
    if came.len() < wanted.end {
        let reason = format!("the object ends within the payload, which has {len} bytes");
        return Err(ReadFailure::Damage(reason));
    }
    let bytes = came.slice(wanted);
    verify(&head, within(verified.start) / CHECK_BYTES, &bytes).map_err(ReadFailure::Damage)?;
    let payload = bytes.slice(within(start - verified.start)..within(end - verified.start));
    Ok(ShardRead { header: head.header, payload })
}

fn check_head(part: &Part, disk: DiskId, key: &ShardKey) -> Result<ObjectHead, String> {
    let head = ObjectHead::decode(&part.bytes).map_err(|error| error.to_string())?;
    if head.disk != disk {
        return Err(format!("it is of disk {}", head.disk));
    }
    if head.key != *key {
        return Err(format!("it is of another shard ({})", head.key));
    }
    if part.object_len != head.object_len() {
        let (found, expected) = (part.object_len, head.object_len());
        return Err(format!("the object has {found} bytes, its head says {expected}"));
    }
    Ok(head)
}

/// Checks payload bytes that begin with 64 KiB block `first_block`.
fn verify(head: &ObjectHead, first_block: usize, bytes: &[u8]) -> Result<(), String> {
    for (index, bytes) in bytes.chunks(CHECK_BYTES).enumerate() {
        let block = first_block + index;
        let (expected, found) = (head.checksums[block], crc32c(bytes));
        if found != expected {
            let start = block * CHECK_BYTES;
            return Err(format!(
                "payload block {block} (from payload byte {start}): CRC-32C is {found:#010x}, the \
                 head says {expected:#010x}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(range: Range<u64>) -> (u64, Option<Range<u64>>) {
        let plan = Plan::new(Some(&range));
        (plan.from_start - HEAD_LEN, plan.blocks)
    }

    #[test]
    fn only_the_blocks_that_a_range_touches_are_asked_for() {
        const MIB: u64 = 1 << 20;
        assert_eq!(Plan::new(None).from_start, HEAD_LEN + PAYLOAD_MAX);
        assert_eq!(plan(0..1), (CHECK_LEN, None));
        assert_eq!(plan(100..CHECK_LEN + 1), (2 * CHECK_LEN, None));
        assert_eq!(plan(MIB + 1..MIB + 2), (0, Some(MIB..MIB + CHECK_LEN)));
        assert_eq!(plan(63 * MIB..u64::MAX), (0, Some(63 * MIB..64 * MIB)));
    }

    #[test]
    fn ranges_that_can_only_be_refused_cost_a_head() {
        for range in [5..5, u64::MAX - 1..u64::MAX, PAYLOAD_MAX..PAYLOAD_MAX + 1] {
            assert_eq!(plan(range), (0, None));
        }
        assert_eq!(plan(Range { start: 7, end: 3 }), (0, None));
    }
}
