//! The scrub: every shard of a disk is read and checked once in a period, at a bounded pace.
//!
//! What it finds goes on record in the ledger before its cursor passes it, so that damage is never
//! lost, whatever stops in between.

mod damage_reporter;
mod pace;
mod progress;
mod scrubber;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use damage_reporter::DamageReporter;
pub(crate) use pace::Pace;
pub use progress::ScrubProgress;
pub(crate) use scrubber::{ScrubHandle, Scrubber, TROUBLE_PAUSE};
pub use settings::{ScrubChange, ScrubSettings};
