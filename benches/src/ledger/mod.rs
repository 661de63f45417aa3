//! The replicated ledger alone, beside etcd: commits of three processes on this machine, each of
//! which is durable on two of them before it is answered.
//!
//! [`ledger`] is the command: it starts an [`OurGroup`](our_group::OurGroup) and an
//! [`EtcdGroup`](etcd_group::EtcdGroup) and loads them by turns. What a client does is a
//! [`SealWorker`](seal_worker::SealWorker) here and a [`PutWorker`](put_worker::PutWorker) there.
//! [`ledger_large`] fills the ledger of one member with millions of records first, by the library in
//! this process ([`LocalLedger`](local_ledger::LocalLedger)), and measures what that costs a group.

mod command;
mod etcd_group;
mod free_address;
mod fsync_probe;
mod large;
mod local_ledger;
mod metrics_page;
mod our_group;
mod placement;
mod put_worker;
mod report;
mod seal_worker;
mod turn;

pub(crate) use command::ledger;
pub(crate) use large::ledger_large;
pub(crate) use placement::Placement;

/// The messages of etcd's API that are spoken.
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic)]
mod etcd_api {
    tonic::include_proto!("etcdserverpb");
}
