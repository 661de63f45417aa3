//! Remote stores and the cluster map over real sockets with TLS.

mod cluster;
mod connections;
mod group;
mod shards;
mod storage_node;
mod wrong_answers;
