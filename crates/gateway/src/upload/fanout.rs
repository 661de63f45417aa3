use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use custos_core::{
    ChunkIndex, DiskId, DomainName, ErasureProfile, EvidenceId, Salt, ShardSlot, Timestamp,
    VaultId,
    placement::{self, OutOfReach},
};
use custos_ports::{ShardError, ShardKey, ShardWrite, WritePurpose};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout_at},
};
use tracing::{debug, warn};

use super::reach::Reach;
use crate::{
    Gateway, GatewayError,
    error::{ExhaustedSpace, join_failures},
    homes::Homes,
    stores::{Cause, Operation, Standing, StoreAccess},
};

/// Spares that are tried for one slot of one chunk.
const SPARES_PER_SLOT_MAX: usize = 4;
/// A store that is probably down gets this part of the usual time before nobody waits for it.
const PROBE_TIME_PART: u32 = 4;

/// Which attempt at which chunk is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkTarget {
    pub(super) vault: VaultId,
    pub(super) evidence_id: EvidenceId,
    pub(super) chunk: ChunkIndex,
    pub(super) salt: Salt,
    pub(super) profile: ErasureProfile,
    pub(super) retain_until: Timestamp,
}

/// One shard of the chunk, ready to be written.
#[derive(Debug, Clone)]
pub(super) struct SlotShard {
    pub(super) slot: ShardSlot,
    pub(super) header: Bytes,
    pub(super) payload: Bytes,
}

/// A chunk that may be acknowledged.
#[derive(Debug)]
pub(super) struct WrittenChunk {
    /// Shards that are not durable on their home disk yet.
    pub(super) missing: u32,
    /// Where each slot that is durable is.
    pub(super) durable: BTreeMap<ShardSlot, DiskId>,
}

/// Writes shards of a chunk, beside those that are `durable` already, and returns when the chunk
/// may be acknowledged (invariant I1): all n are fsynced, or, once some failed or are not in time
/// and no spare is left for them, as many as `may_acknowledge` asks for. Writes that are still
/// running then go on by themselves.
///
/// A shard whose home fails, or is known to be in trouble, goes to a spare at once. A home in
/// trouble is written to only to see whether it is well again, or when it is needed.
pub(super) async fn write_chunk(
    gateway: &Gateway,
    target: ChunkTarget,
    shards: Vec<SlotShard>,
    durable: BTreeMap<ShardSlot, DiskId>,
) -> Result<WrittenChunk, GatewayError> {
    let homes = gateway.homes(target.vault, target.profile).await?;
    let mut fan_out = FanOut {
        gateway,
        target,
        homes,
        shards,
        attempts: JoinSet::new(),
        awaited: BTreeMap::new(),
        tried: BTreeSet::new(),
        spares: BTreeMap::new(),
        durable,
        failures: Vec::new(),
        reach: Reach::default(),
    };
    fan_out.begin();
    let written = fan_out.run().await;
    // The stragglers finish on their own; dropping the set would stop them.
    fan_out.attempts.detach_all();
    fan_out.tell(&written);
    written
}

/// One write of one shard to one disk.
struct Attempt {
    slot: ShardSlot,
    disk: DiskId,
    outcome: Result<(), ShardError>,
}

/// An attempt that the acknowledgement waits for.
struct Awaited {
    store: StoreAccess,
    started: Instant,
    until: Instant,
}

struct FanOut<'a> {
    gateway: &'a Gateway,
    target: ChunkTarget,
    homes: Homes,
    shards: Vec<SlotShard>,
    attempts: JoinSet<Attempt>,
    awaited: BTreeMap<ShardSlot, Awaited>,
    /// Disks that were given a shard of this chunk, whatever came of it.
    tried: BTreeSet<DiskId>,
    /// Spares that were tried for a slot.
    spares: BTreeMap<ShardSlot, usize>,
    /// Where each slot that survives loss of power is; its home where that is one of the places.
    durable: BTreeMap<ShardSlot, DiskId>,
    failures: Vec<ShardError>,
    reach: Reach,
}

impl FanOut<'_> {
    /// Starts the first attempt of each slot.
    fn begin(&mut self) {
        for disk in self.durable.values() {
            self.tried.insert(*disk);
            self.reach.note_answer(&self.homes, *disk);
        }
        let options = &self.gateway.inner.options;
        let in_time = options.write_in_time;
        let probe_time = in_time / PROBE_TIME_PART;
        let mut spared = Vec::new();
        for slot in self.open_slots() {
            let home = self.gateway.store(self.homes.disk(slot));
            match home.standing(Operation::Write) {
                Standing::Healthy => self.start(slot, &home, in_time),
                // Written to, but a spare is waited for where there is one.
                Standing::ProbeDue => {
                    self.start(slot, &home, probe_time);
                    spared.push(slot);
                }
                Standing::Suspect => spared.push(slot),
            }
        }
        for slot in spared {
            self.start_spare(slot);
        }
    }

    async fn run(&mut self) -> Result<WrittenChunk, GatewayError> {
        loop {
            let is_whole = self.durable.len() == self.target.profile.total();
            if (is_whole || self.awaited.is_empty()) && self.is_enough() {
                break;
            }
            if self.awaited.is_empty() {
                if self.start_last_resorts() {
                    continue;
                }
                match self.attempts.join_next().await {
                    Some(done) => self.take(done)?,
                    None => return Err(self.refusal()),
                }
                continue;
            }
            let until = self.awaited.values().map(|awaited| awaited.until).min();
            let until = until.expect("some attempt is awaited");
            match timeout_at(until, self.attempts.join_next()).await {
                Ok(Some(done)) => self.take(done)?,
                Ok(None) => self.awaited.clear(),
                Err(_) => self.give_up_waiting(),
            }
        }
        let at_home =
            self.homes.slots().filter(|(slot, home)| self.durable.get(slot) == Some(home));
        let missing = self.target.profile.total() - at_home.count();
        let missing = u32::try_from(missing).expect("at most 14");
        Ok(WrittenChunk { missing, durable: self.durable.clone() })
    }

    fn take(&mut self, done: Result<Attempt, JoinError>) -> Result<(), GatewayError> {
        let Attempt { slot, disk, outcome } = done
            .map_err(|panic| GatewayError::Internal { reason: format!("shard write: {panic}") })?;
        let was_awaited = self.awaited.get(&slot).is_some_and(|on| on.store.disk() == disk);
        match outcome {
            Ok(()) => {
                self.reach.note_answer(&self.homes, disk);
                self.awaited.remove(&slot);
                let is_home = self.homes.disk(slot) == disk;
                let place = self.durable.entry(slot).or_insert(disk);
                if is_home {
                    *place = disk;
                }
            }
            Err(failure) => {
                self.note_failure(disk, &failure);
                self.failures.push(failure);
                if was_awaited {
                    self.awaited.remove(&slot);
                    self.start_spare(slot);
                }
            }
        }
        Ok(())
    }

    fn note_failure(&mut self, disk: DiskId, failure: &ShardError) {
        if matches!(failure, ShardError::Offline { .. } | ShardError::Io { .. }) {
            self.reach.note_unreached(&self.homes, disk);
        } else {
            self.reach.note_answer(&self.homes, disk);
        }
    }

    /// Those that are not in time go on alone; their shards go to spares too.
    fn give_up_waiting(&mut self) {
        let now = Instant::now();
        let late: Vec<_> = self
            .awaited
            .iter()
            .filter(|(_, awaited)| awaited.until <= now)
            .map(|(slot, _)| *slot)
            .collect();
        for slot in late {
            let Some(awaited) = self.awaited.remove(&slot) else { continue };
            awaited.store.mark_late(awaited.started);
            self.reach.note_unreached(&self.homes, awaited.store.disk());
            self.start_spare(slot);
        }
    }

    /// Gives a slot's shard to a store; the acknowledgement waits for it this long.
    fn start(&mut self, slot: ShardSlot, store: &StoreAccess, wait: Duration) {
        let Some(shard) = self.shards.iter().find(|shard| shard.slot == slot) else { return };
        let target = self.target;
        let write = ShardWrite {
            key: ShardKey {
                vault: target.vault,
                evidence_id: target.evidence_id,
                chunk: target.chunk,
                slot,
                salt: target.salt,
            },
            retain_until: target.retain_until,
            purpose: WritePurpose::Ingest,
            header: shard.header.clone(),
            payload: shard.payload.clone(),
        };
        let started = Instant::now();
        self.tried.insert(store.disk());
        let awaited = Awaited { store: store.clone(), started, until: started + wait };
        self.awaited.insert(slot, awaited);
        let store = store.clone();
        self.attempts.spawn(async move {
            Attempt { slot, disk: store.disk(), outcome: store.write(write).await }
        });
    }

    /// Gives a slot's shard to another disk, if there is one that is well.
    fn start_spare(&mut self, slot: ShardSlot) {
        let tried = self.spares.get(&slot).copied().unwrap_or_default();
        if tried >= SPARES_PER_SLOT_MAX || self.durable.contains_key(&slot) {
            return;
        }
        let Some(store) = self.choose_spare(slot) else { return };
        self.spares.insert(slot, tried + 1);
        debug!(
            evidence = %self.target.evidence_id, chunk = %self.target.chunk, %slot,
            spare = store.name(), "writing a shard to a spare"
        );
        self.start(slot, &store, self.gateway.inner.options.write_in_time);
    }

    fn choose_spare(&self, slot: ShardSlot) -> Option<StoreAccess> {
        let mut used: Vec<DiskId> = self.durable.values().copied().collect();
        let others = self.awaited.iter().filter(|(at, _)| **at != slot);
        used.extend(others.map(|(_, awaited)| awaited.store.disk()));
        let seed = u64::from(target_seed(&self.target)) + u64::from(slot.0);
        // When too few domains seem left to read anything, more shards there would only be garbage:
        // a spare is then of use where it shows that a domain is in reach after all.
        let is_doubtful = |disk| self.is_doubtful(disk);
        let out_of_reach = match self.check_reach() {
            Ok(()) => None,
            Err(_) => Some(self.reach.out_of_reach(&self.homes, is_doubtful)),
        };
        let is_of_use = |disk: DiskId| {
            out_of_reach.as_ref().is_none_or(|domains| domains.contains(&self.homes.domain(disk)))
        };
        let mut sick = BTreeSet::new();
        loop {
            let usable = |disk: DiskId| {
                !sick.contains(&disk)
                    && !self.tried.contains(&disk)
                    && is_of_use(disk)
                    && self.reach.may_try(&self.homes, disk)
            };
            let (map, vault) = (self.homes.map(), self.homes.vault());
            let disk = placement::choose_spare(map, vault, &used, usable, seed)?;
            let store = self.gateway.store(disk);
            if store.standing(Operation::Write) != Standing::Suspect {
                return Some(store);
            }
            sick.insert(disk);
        }
    }

    /// What is left to try when the chunk cannot be acknowledged: further spares, and homes that
    /// were passed over. `false` when there is nothing.
    fn start_last_resorts(&mut self) -> bool {
        for slot in self.open_slots() {
            self.start_spare(slot);
        }
        let in_time = self.gateway.inner.options.write_in_time;
        let homes: Vec<_> = self.homes.slots().collect();
        for (slot, home) in homes {
            if !self.tried.contains(&home) && !self.awaited.contains_key(&slot) {
                self.start(slot, &self.gateway.store(home), in_time);
            }
        }
        !self.awaited.is_empty()
    }

    /// Slots that are to be written and are nowhere yet.
    fn open_slots(&self) -> Vec<ShardSlot> {
        let slots = self.shards.iter().map(|shard| shard.slot);
        slots.filter(|slot| !self.durable.contains_key(slot)).collect()
    }

    /// Invariant I1, and that the vault can be read at all.
    fn is_enough(&self) -> bool {
        let domains: Vec<_> = self.durable.values().map(|disk| self.homes.domain(*disk)).collect();
        placement::may_acknowledge(self.target.profile, &domains) && self.check_reach().is_ok()
    }

    fn check_reach(&self) -> Result<(), OutOfReach> {
        self.reach.check(&self.homes, |disk| self.is_doubtful(disk))
    }

    /// What is remembered of a disk says that it does not answer.
    fn is_doubtful(&self, disk: DiskId) -> bool {
        self.gateway.store(disk).suspicion() == Some(Cause::OutOfReach)
    }

    fn refusal(&self) -> GatewayError {
        let failures = join_failures(&self.failures);
        if let Err(out_of_reach) = self.check_reach() {
            return GatewayError::OutOfReach { out_of_reach, failures };
        }
        let profile = self.target.profile;
        let (written, needed) = (self.durable.len(), profile.ack_quorum());
        if written >= needed {
            let domains: BTreeSet<DomainName> =
                self.durable.values().map(|disk| self.homes.domain(*disk)).collect();
            let (vault, level, domains) =
                (self.target.vault, self.homes.vault().level, domains.len());
            return GatewayError::TooCloseTogether { written, domains, level, vault, failures };
        }
        let exhausted = exhausted(&self.failures);
        GatewayError::TooFewWritten { written, needed, exhausted, failures }
    }

    /// What happened, for those who read logs and metrics.
    fn tell(&self, written: &Result<WrittenChunk, GatewayError>) {
        let ChunkTarget { evidence_id, chunk, .. } = self.target;
        for failure in &self.failures {
            warn!(evidence = %evidence_id, %chunk, %failure, "shard not written");
        }
        if written.is_ok() {
            let strays =
                self.durable.iter().filter(|(slot, disk)| self.homes.disk(**slot) != **disk);
            self.gateway.metrics().spare_shards.inc_by(strays.count() as u64);
        }
    }
}

/// So that chunks do not all choose the same spare.
fn target_seed(target: &ChunkTarget) -> u32 {
    let [a, b, c, d, ..] = target.salt.0;
    u32::from_le_bytes([a, b, c, d])
}

fn exhausted(failures: &[ShardError]) -> ExhaustedSpace {
    let is_full = |failure: &ShardError| matches!(failure, ShardError::Full { .. });
    if !failures.is_empty() && failures.iter().all(is_full) {
        ExhaustedSpace::Yes
    } else {
        ExhaustedSpace::No
    }
}
