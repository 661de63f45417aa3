//! Recordings that are whole, and recordings with faults that are known beforehand.

mod any_order;
mod examples;
mod planted;
mod session;
