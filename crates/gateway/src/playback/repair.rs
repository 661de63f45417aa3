use std::{collections::HashSet, sync::Arc};

use custos_codec::DataKey;
use custos_core::{Actor, DiskId, ShardDamage};
use custos_ledger::Command;
use custos_ports::{ShardKey, ShardWrite, WritePurpose};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument, info, info_span, warn};

use super::{
    rebuild::RecodedShard,
    shard_reads::{Finding, FindingState},
    source::{ChunkSource, Upkeep},
};
use crate::{Gateway, GatewayError};

/// Chunks that may wait for their repair; what is found beyond is found again by another read.
const QUEUED_MAX: usize = 256;
/// Chunks that are repaired at once: players come first.
const RUNNING_MAX: usize = 2;

/// Repairs that wait or run.
pub(crate) struct Repairs {
    queue: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// Shards that are being seen to; several readers find the same.
    pending: Mutex<HashSet<(DiskId, ShardKey)>>,
}

impl Default for Repairs {
    fn default() -> Self {
        Self {
            queue: Arc::new(Semaphore::new(QUEUED_MAX)),
            running: Arc::new(Semaphore::new(RUNNING_MAX)),
            pending: Mutex::default(),
        }
    }
}

/// The repair of one chunk.
struct Repair {
    gateway: Gateway,
    key: DataKey,
    source: ChunkSource,
    upkeep: Upkeep,
    findings: Vec<Finding>,
    _place: OwnedSemaphorePermit,
}

impl Gateway {
    /// Sees in the background to what a read found wrong with shards at home: reports the damage,
    /// codes the shards again and puts them back. Never holds the read up.
    pub(super) fn mend(&self, key: &DataKey, source: ChunkSource, mut findings: Vec<Finding>) {
        let Some(upkeep) = source.upkeep else { return };
        if findings.is_empty() {
            return;
        }
        let repairs = &self.inner.repairs;
        let Ok(place) = repairs.queue.clone().try_acquire_owned() else {
            self.metrics().repairs_dropped.inc();
            return;
        };
        let mut pending = repairs.pending.lock();
        findings.retain(|found| pending.insert((found.disk, source.key(found.slot))));
        drop(pending);
        if findings.is_empty() {
            return;
        }
        let repair = Repair {
            gateway: self.clone(),
            key: key.clone(),
            source,
            upkeep,
            findings,
            _place: place,
        };
        let span = info_span!("repair", evidence = %source.evidence_id, chunk = %source.chunk);
        tokio::spawn(repair.run().instrument(span));
    }
}

impl Repair {
    async fn run(self) {
        let running = self.gateway.inner.repairs.running.clone();
        let _turn = running.acquire_owned().await.expect("repairs are never closed");
        self.report_damage().await;
        let slots: Vec<_> = self.findings.iter().map(|found| found.slot).collect();
        match self.gateway.recode(&self.key, self.source, &slots).await {
            Ok(recoded) => {
                for (found, shard) in self.findings.iter().zip(recoded.shards) {
                    self.put_back(found, shard).await;
                }
            }
            Err(error) => {
                self.gateway.metrics().repairs_failed.inc();
                warn!(%error, "chunk cannot be repaired now");
            }
        }
    }

    /// That a shard is not at home is no news when the seal says that some are not.
    fn is_news(&self, found: &Finding) -> bool {
        found.state == FindingState::Damaged || self.upkeep.missing_on_record == 0
    }

    async fn report_damage(&self) {
        for found in self.findings.iter().filter(|found| self.is_news(found)) {
            let key = self.source.key(found.slot);
            let damage = ShardDamage { key, what: one_line(&found.what) };
            let command = Command::ReportDamage { disk_id: found.disk, damage };
            if let Err(error) = self.gateway.submit(&Actor::system(), command).await {
                // Without a report it is repaired all the same; a later read or scrub reports.
                warn!(%error, %key, disk = %found.disk, "damage is not on record");
            }
        }
    }

    async fn put_back(&self, found: &Finding, shard: RecodedShard) {
        match self.write_and_check(found, shard).await {
            Ok(()) => {
                self.gateway.metrics().repaired_shards.inc();
                info!(slot = %found.slot, disk = %found.disk, "shard repaired");
            }
            Err(error) => {
                self.gateway.metrics().repairs_failed.inc();
                warn!(slot = %found.slot, disk = %found.disk, %error, "shard not repaired");
            }
        }
    }

    /// A repair counts when the shard reads back whole from where it was put.
    async fn write_and_check(
        &self,
        found: &Finding,
        shard: RecodedShard,
    ) -> Result<(), GatewayError> {
        let key = self.source.key(found.slot);
        let store = self.gateway.store(found.disk);
        let write = ShardWrite {
            key,
            retain_until: self.upkeep.retain_until,
            purpose: WritePurpose::Backfill,
            header: shard.header,
            payload: shard.payload,
        };
        store.write(write).await?;
        store.verify(&key).await?;
        // Also when this read did not put it on record: a scrub or another reader may have.
        let command = Command::ReportRepair { disk_id: found.disk, key };
        self.gateway.submit(&Actor::system(), command).await?;
        Ok(())
    }
}

impl Drop for Repair {
    fn drop(&mut self) {
        let mut pending = self.gateway.inner.repairs.pending.lock();
        for found in &self.findings {
            pending.remove(&(found.disk, self.source.key(found.slot)));
        }
    }
}

/// The law takes one line of limited length.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARS_MAX).collect()
}

/// Characters of a damage report; well within what the law takes in bytes.
const TEXT_CHARS_MAX: usize = 120;
