//! Load on a cluster, through the client library as any program outside would make it.
//!
//! [`drive`](crate::drive::drive) runs workers within bounds; `ingest` and `playback` say what a worker
//! does; [`Target`](target::Target) is the cluster; a [`LoadReport`](report::LoadReport) is what
//! came of it, beside the machine's own baselines when they were asked for.

mod ingest;
mod playback;
mod put_worker;
mod ratios;
mod report;
mod spawned_cluster;
mod stream_worker;
mod target;

pub(crate) use ingest::ingest;
pub(crate) use playback::playback;
