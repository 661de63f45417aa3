//! The codec's promises, through its public API alone.

mod golden;
mod hashing;
mod losses;
mod ranges;
mod stored;
mod tamper;
