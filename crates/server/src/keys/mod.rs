//! The key-encryption key and the key ring made of it.

mod kek;
mod local_key_ring;

pub use kek::{Kek, KekError, KekId};
pub use local_key_ring::LocalKeyRing;
