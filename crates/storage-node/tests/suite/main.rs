//! Storage nodes with real disks, the real law and real sockets.
// The futures of a start hold those of all disks: deeper than the compiler's default.
#![recursion_limit = "256"]

mod dispositions;
mod identity;
mod orders;
mod refusals;
mod remote;
mod rig;
mod scrub;
mod starting;
