//! Generated types of `proto/custos/store/v1`, package `custos.store.v1`. Private: what leaves
//! the crate are domain types or bytes.

#![allow(missing_docs, unreachable_pub, clippy::all)]

include!(concat!(env!("OUT_DIR"), "/custos.store.v1.rs"));
