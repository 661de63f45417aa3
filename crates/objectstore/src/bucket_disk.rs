//! What the calls of one bucket share.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use custos_core::DiskId;
use custos_ports::{ShardError, ShardKey};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::bucket::Bucket;
use crate::census::Census;
use crate::failure::Failure;
use crate::health::Health;
use crate::object_name::ObjectNames;

/// Locks that keys share out: two writes of one key never cross.
const KEY_TURNS: usize = 256;

/// A bucket's prefix as a disk.
pub(crate) struct BucketDisk {
    /// Human name for logs and errors.
    pub(crate) name: String,
    pub(crate) id: DiskId,
    pub(crate) bucket: Bucket,
    pub(crate) names: ObjectNames,
    pub(crate) census: Mutex<Census>,
    pub(crate) health: Mutex<Health>,
    /// One removal at a time, so that nothing is counted twice.
    pub(crate) removals: tokio::sync::Mutex<()>,
    pub(crate) operations: Arc<Semaphore>,
    pub(crate) operations_max: usize,
    pub(crate) turn_deadline: Duration,
    key_turns: Vec<tokio::sync::Mutex<()>>,
}

impl BucketDisk {
    pub(crate) fn new(
        name: String,
        id: DiskId,
        bucket: Bucket,
        names: ObjectNames,
        operations_max: usize,
    ) -> Self {
        let turn_deadline = bucket.deadline;
        Self {
            name,
            id,
            bucket,
            names,
            census: Mutex::new(Census::default()),
            health: Mutex::new(Health::default()),
            removals: tokio::sync::Mutex::new(()),
            operations: Arc::new(Semaphore::new(operations_max)),
            operations_max,
            turn_deadline,
            key_turns: (0..KEY_TURNS).map(|_| tokio::sync::Mutex::new(())).collect(),
        }
    }

    /// Waits for a turn among the bucket's operations.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, ShardError> {
        let turn = self.operations.clone().acquire_owned();
        match tokio::time::timeout(self.turn_deadline, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) => {
                Err(ShardError::Offline { store: self.name.clone(), reason: "closed".to_owned() })
            }
            Err(_) => Err(ShardError::Overloaded {
                store: self.name.clone(),
                reason: format!("no turn within {} s", self.turn_deadline.as_secs()),
            }),
        }
    }

    /// The lock of a key's writes.
    pub(crate) fn key_turn(&self, key: &ShardKey) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let index = hasher.finish() % KEY_TURNS as u64;
        &self.key_turns[usize::try_from(index).expect("below 256")]
    }

    /// Notes the outcome of a request, and makes a failure one of the port.
    pub(crate) fn note<T>(
        &self,
        operation: &'static str,
        outcome: Result<T, Failure>,
    ) -> Result<T, ShardError> {
        match outcome {
            Ok(value) => {
                self.health.lock().succeeded();
                Ok(value)
            }
            Err(failure) => Err(self.failed(operation, failure)),
        }
    }

    /// Notes a failure and makes it one of the port.
    pub(crate) fn failed(&self, operation: &'static str, failure: Failure) -> ShardError {
        self.health.lock().failed(&failure);
        tracing::warn!(disk = %self.name, operation, %failure, "bucket failed");
        let store = self.name.clone();
        match failure {
            Failure::Setup(reason) => ShardError::Offline { store, reason },
            Failure::Busy(reason) => ShardError::Overloaded { store, reason },
            Failure::Full(_) => ShardError::Full { store, free_bytes: 0 },
            other => ShardError::Io { store, operation, reason: other.to_string() },
        }
    }

    pub(crate) fn not_found(&self, key: &ShardKey) -> ShardError {
        ShardError::NotFound { store: self.name.clone(), key: Box::new(*key) }
    }

    pub(crate) fn conflict(&self, key: &ShardKey) -> ShardError {
        ShardError::Conflict { store: self.name.clone(), key: Box::new(*key) }
    }
}
