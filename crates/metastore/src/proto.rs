//! Generated protobuf messages of `proto/custos/store/v1/raft.proto` and
//! `proto/custos/internal/v1/group.proto`.
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

pub use custos::{internal::v1 as group, store::v1::*};
