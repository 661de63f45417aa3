use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use custos_core::{ClusterMap, Epoch};
use custos_ledger::{Answer, Query};
use custos_ports::{Ledger, LedgerError};
use tokio::sync::{Mutex, watch};

/// The cluster map as last read, and the one way to read it anew.
pub(crate) struct MapKeeper {
    ledger: Arc<dyn Ledger>,
    map: watch::Sender<Arc<ClusterMap>>,
    /// Reads that have begun.
    begun: AtomicU64,
    last: Mutex<LastRead>,
}

/// The read that ended last.
struct LastRead {
    /// Its place among those that began; 0 before the first.
    number: u64,
    result: Result<(), LedgerError>,
}

impl MapKeeper {
    /// Begins with the empty map, older than any.
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            map: watch::Sender::new(Arc::default()),
            begun: AtomicU64::new(0),
            last: Mutex::new(LastRead { number: 0, result: Ok(()) }),
        }
    }

    pub(crate) fn map(&self) -> Arc<ClusterMap> {
        self.map.borrow().clone()
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Arc<ClusterMap>> {
        self.map.subscribe()
    }

    /// Reads the map anew. Callers that come while a read is under way share the next one: the one
    /// under way may have begun before what they must see.
    pub(crate) async fn refresh(&self) -> Result<Arc<ClusterMap>, LedgerError> {
        let begun_before = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if last.number <= begun_before {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let result = self.read().await;
            *last = LastRead { number, result };
        }
        last.result.clone().map(|()| self.map())
    }

    async fn read(&self) -> Result<(), LedgerError> {
        let newer_than: Epoch = self.map.borrow().epoch;
        let newer = match self.ledger.query(Query::ClusterMap { newer_than }).await? {
            Answer::ClusterMap(newer) => newer,
            _ => {
                let reason = "the answer to a query for the cluster map is another".to_owned();
                return Err(LedgerError::Fault { reason });
            }
        };
        if let Some(newer) = newer {
            self.map.send_if_modified(|map| {
                let is_newer = newer.epoch > map.epoch;
                if is_newer {
                    *map = Arc::new(*newer);
                }
                is_newer
            });
        }
        Ok(())
    }
}
