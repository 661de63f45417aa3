//! The store on a disk that loses power, lies and fails, tried in every way that we could list.
//!
//! A [`life`] runs the engine on a [`sim_disk::SimDisk`] with random operations and logs every
//! effect on the disk and the index beside what was asked and answered. An [`enumeration`] walks
//! the log, makes crash states at every step of it, opens the store on each and compares it with
//! the [`model`]; from some it lives on and crashes again. [`plant`] has bugs that the enumeration
//! must find.

mod crash_tests;
mod damage_tests;
mod enumeration;
mod fault_tests;
mod identity_tests;
mod image;
mod life;
mod medium;
mod model;
pub(crate) mod plant;
mod plant_tests;
mod random;
mod replay;
mod shards;
mod sim_disk;
mod sim_index;
mod spare_tests;
