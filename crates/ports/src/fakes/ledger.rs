use async_trait::async_trait;
use custos_core::{Actor, Timestamp};
use custos_ledger::{
    Answer, Command, Envelope, IncompleteDescriptor, MemoryKv, Outcome, Policy, Query,
};
use parking_lot::Mutex;

use crate::{Ledger, LedgerError};

/// The real law on a map in memory, without replication.
pub struct MemoryLedger {
    state: Mutex<MemoryKv>,
    now: Timestamp,
}

impl MemoryLedger {
    /// A cluster that has begun, with the clock standing at `now`.
    ///
    /// # Panics
    /// When the law refuses to begin.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let ledger = Self { state: Mutex::new(MemoryKv::new()), now };
        let init = Envelope {
            request_id: [0; 16],
            actor: Actor::system(),
            entry_salt: [0; 16],
            command: Command::InitCluster {
                origin: "custos.test/00000000".to_owned(),
                policy: Policy {
                    incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
                    retention_days_av: 365,
                    retention_days_other: 365,
                },
            },
        };
        custos_ledger::apply(&mut *ledger.state.lock(), &init, now).expect("a fresh map begins");
        ledger
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        Ok(custos_ledger::apply(&mut *self.state.lock(), &envelope, self.now)?)
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        Ok(custos_ledger::query(&*self.state.lock(), &query))
    }
}
