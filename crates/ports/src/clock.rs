use custos_core::Timestamp;

/// The machine's wall clock: a claim, which the ledger turns into cluster time.
pub trait Clock: Send + Sync {
    /// Now, by this machine.
    fn now(&self) -> Timestamp;
}
