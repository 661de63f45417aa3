//! Generated types of `proto/custos/store/v1` and of `proto/custos/internal/v1/ledger.proto`.
//! Private: what leaves the crate are domain types or bytes.

#![allow(missing_docs, unreachable_pub, clippy::all)]

// Generated code of one package names another by its path from their common root.
mod custos {
    pub mod internal {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/custos.internal.v1.rs"));
        }
    }
    pub mod store {
        pub mod v1 {
            include!(concat!(env!("OUT_DIR"), "/custos.store.v1.rs"));
        }
    }
}

pub use custos::{internal::v1 as internal, store::v1::*};
