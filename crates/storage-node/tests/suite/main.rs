//! Storage nodes with real disks, the real law and real sockets.

mod identity;
mod orders;
mod refusals;
mod remote;
mod rig;
mod scrub;
mod starting;
