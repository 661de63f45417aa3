//! Generated protobuf messages of `proto/custos/store/v1/raft.proto`.
#![allow(missing_docs, unreachable_pub, clippy::all)]

include!(concat!(env!("OUT_DIR"), "/custos.store.v1.rs"));
