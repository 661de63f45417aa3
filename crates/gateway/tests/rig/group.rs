use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use custos_core::MetaId;
use custos_gateway::MetaAdmin;
use custos_ledger::Envelope;
use custos_peers::BackupParts;
use custos_ports::{Ledger, LedgerError, fakes::MemoryLedger};
use custos_wire::internal_v1::GroupMember;

/// A group of one whose law is the real one, and that remembers what it was asked to do.
pub(crate) struct Group {
    ledger: Arc<MemoryLedger>,
    silent: Mutex<bool>,
    led: Mutex<Vec<MetaId>>,
}

impl Group {
    pub(crate) fn new(ledger: Arc<MemoryLedger>) -> Self {
        Self { ledger, silent: Mutex::default(), led: Mutex::default() }
    }

    /// It does not answer from now on.
    pub(crate) fn silence(&self) {
        *self.silent.lock().expect("not poisoned") = true;
    }

    /// Whom it was asked to make the leader.
    pub(crate) fn led(&self) -> Vec<MetaId> {
        self.led.lock().expect("not poisoned").clone()
    }
}

#[async_trait]
impl MetaAdmin for Group {
    async fn members(&self) -> Result<Vec<GroupMember>, LedgerError> {
        if *self.silent.lock().expect("not poisoned") {
            return Err(LedgerError::Unavailable { reason: "connection refused".to_owned() });
        }
        Ok(vec![GroupMember { id: 1, vote: "voter".to_owned(), ..GroupMember::default() }])
    }

    async fn remove_member(&self, order: Envelope) -> Result<(), LedgerError> {
        self.ledger.submit(order).await.map(drop)
    }

    async fn lead_member(&self, id: MetaId) -> Result<(), LedgerError> {
        self.led.lock().expect("not poisoned").push(id);
        Ok(())
    }

    async fn backup(&self, _have: Vec<u8>) -> Result<BackupParts, LedgerError> {
        Err(LedgerError::Unavailable { reason: "it has no files".to_owned() })
    }
}
