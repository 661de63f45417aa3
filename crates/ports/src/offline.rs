use std::ops::Range;

use crate::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite, StoreStatus,
};
use async_trait::async_trait;
use custos_core::{ChunkIndex, EvidenceId, VaultId};

/// Stands in for a disk that could not be opened: every call says so.
#[derive(Debug, Clone)]
pub struct OfflineStore {
    name: String,
    reason: String,
}

impl OfflineStore {
    /// `name` as the disk itself would be called; `reason` is why it is out of service.
    #[must_use]
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { name: name.into(), reason: reason.into() }
    }

    fn error(&self) -> ShardError {
        ShardError::Offline { store: self.name.clone(), reason: self.reason.clone() }
    }
}

#[async_trait]
impl ShardStore for OfflineStore {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write(&self, _: ShardWrite) -> Result<(), ShardError> {
        Err(self.error())
    }

    async fn read(&self, _: &ShardKey, _: Option<Range<u64>>) -> Result<ShardRead, ShardError> {
        Err(self.error())
    }

    async fn list(
        &self,
        _: VaultId,
        _: EvidenceId,
        _: Option<ShardKey>,
        _: usize,
    ) -> Result<ShardPage, ShardError> {
        Err(self.error())
    }

    async fn list_chunk(
        &self,
        _: VaultId,
        _: EvidenceId,
        _: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        Err(self.error())
    }

    async fn list_all(
        &self,
        _: Option<VaultId>,
        _: Option<ShardKey>,
        _: usize,
    ) -> Result<ShardPage, ShardError> {
        Err(self.error())
    }

    async fn verify(&self, _: &ShardKey) -> Result<(), ShardError> {
        Err(self.error())
    }

    async fn quarantine(&self, _: usize) -> Result<Vec<Quarantined>, ShardError> {
        Err(self.error())
    }

    async fn remove(&self, _: &[ShardKey], _: RemovalOrder) -> Result<(), ShardError> {
        Err(self.error())
    }

    async fn status(&self) -> StoreStatus {
        StoreStatus {
            name: self.name.clone(),
            offline: Some(self.reason.clone()),
            ..StoreStatus::default()
        }
    }
}
