//! A bucket as a disk of the node.

use std::sync::Arc;

use async_trait::async_trait;
use custos_core::{DiskGeneration, DiskId, RunId};
use custos_objectstore::S3Store;

use super::{Backend, BackendKind, OpeningError};

#[async_trait]
impl Backend for S3Store {
    fn id(&self) -> DiskId {
        Self::id(self)
    }

    fn kind(&self) -> BackendKind {
        BackendKind::S3
    }

    fn generation(&self) -> DiskGeneration {
        Self::generation(self)
    }

    async fn begin_opening(
        self: Arc<Self>,
        opening: RunId,
    ) -> Result<(DiskGeneration, RunId), OpeningError> {
        let begun = Self::begin_opening(&self, opening).await;
        begun.map_err(|error| OpeningError { reason: error.to_string() })
    }

    async fn finish_opening(self: Arc<Self>) -> Result<(), OpeningError> {
        let finished = Self::finish_opening(&self).await;
        finished.map(drop).map_err(|error| OpeningError { reason: error.to_string() })
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}
