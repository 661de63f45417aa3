use std::{collections::HashMap, sync::Arc};

use custos_core::EvidenceId;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Which connection serves which upload now. A client that comes back after a broken connection
/// takes its upload over from the old connection, which may not have noticed the break yet.
#[derive(Default)]
pub(crate) struct ActiveUploads {
    running: Mutex<HashMap<EvidenceId, Arc<Notify>>>,
}

/// Tells a connection that a newer one took its upload over.
#[derive(Clone)]
pub(crate) struct TakenOver(Arc<Notify>);

impl TakenOver {
    pub(crate) async fn wait(&self) {
        self.0.notified().await;
    }
}

impl ActiveUploads {
    pub(crate) fn take_over(&self, evidence_id: EvidenceId) -> TakenOver {
        let fresh = Arc::new(Notify::new());
        if let Some(older) = self.running.lock().insert(evidence_id, fresh.clone()) {
            older.notify_one();
        }
        TakenOver(fresh)
    }

    pub(crate) fn leave(&self, evidence_id: EvidenceId, mine: &TakenOver) {
        let mut running = self.running.lock();
        if running.get(&evidence_id).is_some_and(|current| Arc::ptr_eq(current, &mine.0)) {
            running.remove(&evidence_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use custos_core::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_newer_connection_takes_the_upload_over() {
        let uploads = ActiveUploads::default();
        let id = EvidenceId::from_parts(Timestamp::from_millis(1), [1; 10]);
        let old = uploads.take_over(id);
        let new = uploads.take_over(id);
        old.wait().await;
        uploads.leave(id, &old);
        assert_eq!(uploads.running.lock().len(), 1, "the newer one stays");
        uploads.leave(id, &new);
        assert!(uploads.running.lock().is_empty());
    }
}
