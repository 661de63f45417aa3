//! A folder as a disk of the node.

use std::sync::Arc;

use async_trait::async_trait;
use custos_core::{DiskGeneration, DiskId, RunId};
use custos_shardstore::{LocalDisk, OpenError};

use super::{Backend, BackendKind, OpeningError};

#[async_trait]
impl Backend for LocalDisk {
    fn id(&self) -> DiskId {
        Self::id(self)
    }

    fn kind(&self) -> BackendKind {
        BackendKind::Local
    }

    fn generation(&self) -> DiskGeneration {
        Self::generation(self)
    }

    async fn begin_opening(
        self: Arc<Self>,
        opening: RunId,
    ) -> Result<(DiskGeneration, RunId), OpeningError> {
        blocking(move || Self::begin_opening(&self, opening)).await
    }

    async fn finish_opening(self: Arc<Self>) -> Result<(), OpeningError> {
        blocking(move || Self::finish_opening(&self)).await.map(drop)
    }

    async fn close(&self) {
        Self::close(self).await;
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpeningError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(OpeningError { reason: with_source(&error) }),
        Err(error) => Err(OpeningError { reason: error.to_string() }),
    }
}

/// The error and what the system said.
pub(super) fn with_source(error: &OpenError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
