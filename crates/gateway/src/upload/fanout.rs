use std::collections::BTreeSet;

use bytes::Bytes;
use custos_codec::ChunkLayout;
use custos_core::{ChunkIndex, ErasureProfile, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::{ShardError, ShardKey, ShardWrite};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tracing::warn;

use super::shard_payload;
use crate::{
    Gateway, GatewayError,
    error::{ExhaustedSpace, join_failures},
};

/// Where one chunk goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkTarget {
    pub(super) vault: VaultId,
    pub(super) evidence_id: EvidenceId,
    pub(super) chunk: ChunkIndex,
    pub(super) salt: Salt,
    pub(super) profile: ErasureProfile,
    pub(super) retain_until: Timestamp,
}

/// A chunk that may be acknowledged.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenChunk {
    /// Shards that are not durable yet.
    pub(super) missing: u32,
}

/// Writes the n shards of a chunk and returns when it may be acknowledged (invariant I1): all n
/// are fsynced, or, once some failed or are not in time, at least `max(k+m-1, k+1)` of them.
/// Writes that are still running then go on by themselves.
pub(super) async fn write_chunk(
    gateway: &Gateway,
    target: ChunkTarget,
    layout: ChunkLayout,
    headers: Vec<Vec<u8>>,
    buffer: Bytes,
) -> Result<WrittenChunk, GatewayError> {
    let options = &gateway.inner.options;
    let total = target.profile.total();
    let mut writes = JoinSet::new();
    for (slot, header) in headers.into_iter().enumerate() {
        let store = gateway.store(slot).clone();
        let shard = ShardWrite {
            key: shard_key(&target, slot),
            retain_until: target.retain_until,
            header: header.into(),
            payload: shard_payload(&layout, &buffer, slot),
        };
        let turns = gateway.inner.slot_turns[slot].clone();
        let (in_time, deadline) = (options.write_in_time, options.write_deadline);
        writes.spawn(
            async move { (slot, turns.write(store.as_ref(), shard, in_time, deadline).await) },
        );
    }
    drop(buffer);

    let in_time = Instant::now() + options.write_in_time;
    let mut written = 0;
    let mut failures = Vec::new();
    let mut outstanding: BTreeSet<usize> = (0..total).collect();
    while written + failures.len() < total {
        // Until the quorum stands, there is nothing to do but wait for each write's own deadline.
        let quorum_stands = written >= target.profile.ack_quorum();
        let next = if quorum_stands {
            timeout_at(in_time, writes.join_next()).await.ok().flatten()
        } else {
            writes.join_next().await
        };
        match next {
            Some(Ok((slot, outcome))) => {
                outstanding.remove(&slot);
                match outcome {
                    Ok(()) => written += 1,
                    Err(error) => failures.push(error),
                }
            }
            Some(Err(panic)) => {
                return Err(GatewayError::Internal { reason: format!("shard write: {panic}") });
            }
            None => {
                for slot in &outstanding {
                    gateway.inner.slot_turns[*slot].mark_behind();
                }
                break;
            }
        }
    }
    // The stragglers finish on their own; dropping the set would stop them.
    writes.detach_all();

    for failure in &failures {
        warn!(evidence = %target.evidence_id, chunk = %target.chunk, %failure, "shard not written");
    }
    let needed = target.profile.ack_quorum();
    if written < needed {
        return Err(GatewayError::TooFewWritten {
            written,
            needed,
            exhausted: exhausted(&failures),
            failures: join_failures(&failures),
        });
    }
    Ok(WrittenChunk { missing: u32::try_from(total - written).expect("at most 14") })
}

fn exhausted(failures: &[ShardError]) -> ExhaustedSpace {
    if failures.iter().all(|failure| matches!(failure, ShardError::Full { .. })) {
        ExhaustedSpace::Yes
    } else {
        ExhaustedSpace::No
    }
}

fn shard_key(target: &ChunkTarget, slot: usize) -> ShardKey {
    ShardKey {
        vault: target.vault,
        evidence_id: target.evidence_id,
        chunk: target.chunk,
        slot: ShardSlot(u8::try_from(slot).expect("at most 14 slots")),
        salt: target.salt,
    }
}
