use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::limits::{SHARD_HEADER_BYTES_MAX, SHARD_PAYLOAD_BYTES_MAX};
use custos_core::{ChunkIndex, EvidenceId, VaultId};
use parking_lot::Mutex;

use crate::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite, StoreStatus,
};

/// How a store fails from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not.
    None,
    /// Out of service: every call fails.
    Offline,
    /// Reads report a checksum that does not match.
    Corrupt,
    /// No space: writes fail.
    Full,
    /// Never answers.
    Stuck,
    /// Hands out altered payloads as if they were right.
    Lies,
    /// Hands out the header of another slot.
    Misdirects,
    /// Hands out less than was asked for.
    CutsShort,
}

/// A shard store in memory that fails on demand.
pub struct MemoryShardStore {
    name: String,
    fault: Mutex<Fault>,
    shards: Mutex<BTreeMap<ShardKey, ShardWrite>>,
    /// Shards that do not verify until they are written again.
    damaged: Mutex<BTreeSet<ShardKey>>,
    /// Writes that hang: a real disk's queue keeps their bytes, whoever gives up on them.
    hung: Mutex<Vec<ShardWrite>>,
}

impl MemoryShardStore {
    /// An empty store.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            fault: Mutex::new(Fault::None),
            shards: Mutex::new(BTreeMap::new()),
            damaged: Mutex::new(BTreeSet::new()),
            hung: Mutex::new(Vec::new()),
        }
    }

    /// Fails like this from now on.
    pub fn set_fault(&self, fault: Fault) {
        *self.fault.lock() = fault;
    }

    /// Spoils one shard: it reads as corrupt until it is written again.
    pub fn damage(&self, key: ShardKey) {
        self.damaged.lock().insert(key);
    }

    /// Every shard that it holds.
    #[must_use]
    pub fn keys(&self) -> Vec<ShardKey> {
        self.shards.lock().keys().copied().collect()
    }

    async fn check(&self, operation: &'static str) -> Result<Fault, ShardError> {
        let fault = *self.fault.lock();
        match fault {
            Fault::Offline => Err(ShardError::Offline {
                store: self.name.clone(),
                reason: "taken out by the test".to_owned(),
            }),
            Fault::Stuck => std::future::pending().await,
            Fault::Full if operation == "write" => {
                Err(ShardError::Full { store: self.name.clone(), free_bytes: 0 })
            }
            other => Ok(other),
        }
    }

    fn entry(shard: &ShardWrite) -> ShardEntry {
        ShardEntry {
            key: shard.key,
            retain_until: shard.retain_until,
            header: shard.header.clone(),
            payload_len: shard.payload.len() as u64,
        }
    }
}

#[async_trait]
impl ShardStore for MemoryShardStore {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        if *self.fault.lock() == Fault::Stuck {
            self.hung.lock().push(shard);
            return std::future::pending().await;
        }
        self.check("write").await?;
        let store = self.name.clone();
        let (payload_len, header_len) = (shard.payload.len(), shard.header.len());
        if payload_len == 0
            || payload_len > SHARD_PAYLOAD_BYTES_MAX
            || header_len > SHARD_HEADER_BYTES_MAX
        {
            let reason = format!("payload of {payload_len} bytes, header of {header_len}");
            return Err(ShardError::Io { store, operation: "checking the shard", reason });
        }
        let mut shards = self.shards.lock();
        if self.damaged.lock().remove(&shard.key) {
            shards.remove(&shard.key);
        }
        match shards.get(&shard.key) {
            Some(kept) if kept.header == shard.header && kept.payload == shard.payload => Ok(()),
            Some(_) => Err(ShardError::Conflict { store, key: Box::new(shard.key) }),
            None => {
                let payload = Bytes::copy_from_slice(&shard.payload);
                shards.insert(shard.key, ShardWrite { payload, ..shard });
                Ok(())
            }
        }
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        let fault = self.check("read").await?;
        let store = self.name.clone();
        let not_found = ShardError::NotFound { store: store.clone(), key: Box::new(*key) };
        let shard = self.shards.lock().get(key).cloned().ok_or(not_found)?;
        let range = range.unwrap_or(0..shard.payload.len() as u64);
        if range.start > range.end || range.end > shard.payload.len() as u64 {
            let len = shard.payload.len() as u64;
            return Err(ShardError::Range { store, start: range.start, end: range.end, len });
        }
        let fault = if self.damaged.lock().contains(key) { Fault::Corrupt } else { fault };
        let slice = |at: u64| usize::try_from(at).expect("in memory");
        let mut payload = shard.payload.slice(slice(range.start)..slice(range.end));
        let mut header = shard.header;
        match fault {
            Fault::Corrupt => {
                let what = "checksum of block 0".to_owned();
                return Err(ShardError::Corrupt { store, key: Box::new(*key), what });
            }
            Fault::Lies => {
                let mut altered = payload.to_vec();
                altered.iter_mut().step_by(1000).for_each(|byte| *byte ^= 1);
                payload = altered.into();
            }
            Fault::CutsShort => payload.truncate(payload.len() / 2),
            Fault::Misdirects => {
                let other = self.shards.lock().values().find(|other| other.key != *key).cloned();
                header = other.map_or_else(Bytes::new, |other| other.header);
            }
            Fault::None | Fault::Offline | Fault::Full | Fault::Stuck => {}
        }
        Ok(ShardRead { header, payload })
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.check("list").await?;
        let shards = self.shards.lock();
        let mut items: Vec<_> = shards
            .values()
            .filter(|shard| shard.key.vault == vault && shard.key.evidence_id == evidence_id)
            .filter(|shard| after.is_none_or(|after| shard.key > after))
            .take(limit.saturating_add(1))
            .map(Self::entry)
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(ShardPage { items, more })
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        self.check("list").await?;
        let wanted = |key: &ShardKey| {
            key.vault == vault && key.evidence_id == evidence_id && key.chunk == chunk
        };
        Ok(self.shards.lock().values().filter(|s| wanted(&s.key)).map(Self::entry).collect())
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.check("list").await?;
        let shards = self.shards.lock();
        let mut items: Vec<_> = shards
            .values()
            .filter(|shard| vault.is_none_or(|vault| shard.key.vault == vault))
            .filter(|shard| after.is_none_or(|after| shard.key > after))
            .take(limit.saturating_add(1))
            .map(|shard| ShardEntry { header: Bytes::new(), ..Self::entry(shard) })
            .collect();
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(ShardPage { items, more })
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        self.read(key, None).await.map(drop)
    }

    async fn quarantine(&self, _limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        self.check("list").await?;
        Ok(Vec::new())
    }

    async fn remove(&self, keys: &[ShardKey], _order: RemovalOrder) -> Result<(), ShardError> {
        self.check("remove").await?;
        self.shards.lock().retain(|key, _| !keys.contains(key));
        Ok(())
    }

    async fn status(&self) -> StoreStatus {
        let shards = self.shards.lock();
        let fault = *self.fault.lock();
        StoreStatus {
            name: self.name.clone(),
            offline: (fault == Fault::Offline).then(|| "taken out by the test".to_owned()),
            shards: shards.len() as u64,
            payload_bytes: shards.values().map(|shard| shard.payload.len() as u64).sum(),
            free_bytes: u64::MAX,
            ..StoreStatus::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fakes::conformance;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_store_in_memory_keeps_the_promises_of_a_shard_store() {
        conformance::check(Arc::new(MemoryShardStore::new("memory"))).await;
    }
}
