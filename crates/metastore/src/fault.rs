use std::sync::Arc;

use custos_ports::LedgerError;
use tokio::sync::watch;

use crate::error::StoreError;

/// The store's one-way switch. After a failed write or fsync nobody knows what the disk holds, so
/// nothing is retried: the first fault is kept, every later call fails, the process stops.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    reason: watch::Sender<Option<Arc<str>>>,
}

impl Fault {
    pub(crate) fn new() -> Self {
        Self { reason: watch::Sender::new(None) }
    }

    /// Raises the fault; only the first reason is kept.
    pub(crate) fn raise(&self, reason: impl Into<Arc<str>>) {
        let reason = reason.into();
        self.reason.send_if_modified(|kept| {
            if kept.is_some() {
                return false;
            }
            tracing::error!(%reason, "metastore fault: nothing more is written");
            *kept = Some(reason);
            true
        });
    }

    /// Raises the fault for `error` and hands it back.
    pub(crate) fn raised_by(&self, error: StoreError) -> StoreError {
        if !matches!(error, StoreError::Stopped { .. }) {
            self.raise(error.to_string());
        }
        error
    }

    pub(crate) fn reason(&self) -> Option<Arc<str>> {
        self.reason.borrow().clone()
    }

    /// Fails once the fault is raised.
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        match self.reason() {
            None => Ok(()),
            Some(reason) => Err(LedgerError::Fault { reason: reason.to_string() }),
        }
    }

    /// As [`check`](Self::check), for the stores below Raft.
    pub(crate) fn check_store(&self) -> Result<(), StoreError> {
        match self.reason() {
            None => Ok(()),
            Some(reason) => Err(StoreError::Stopped { reason: reason.to_string() }),
        }
    }

    /// Waits until the fault is raised; for ever if it never is.
    pub(crate) async fn wait(&self) -> Arc<str> {
        let mut changes = self.reason.subscribe();
        let reason = changes.wait_for(Option::is_some).await.map(|reason| reason.clone());
        match reason {
            Ok(Some(reason)) => reason,
            Ok(None) | Err(_) => unreachable!("the sender lives in self and the reason is set"),
        }
    }
}
