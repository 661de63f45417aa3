//! The harness of the cases in `tests/tests/`, which hold Custos to its promises from outside:
//! against the real programs `custosd` and `custos`, real files and real signals.
//!
//! Owns the starting, killing and watching of those processes, source files whose every byte is
//! known, and the faults done to disks. Must not know how Custos works inside: what a case needs
//! it takes from the command line, the public formats and the operating system. It reports by
//! panicking, with the servers' logs. Enter at [`DevCluster`] for a cluster in one process,
//! [`NodeCluster`] for one of many, [`LedgerGroup`] for a ledger on several, [`S3Server`] for
//! buckets, [`Cli`] for the client, [`Scratch`] for files. Cases that hold
//! for both kinds of cluster are in [`round_trip`].
//!
//! The programs are looked for beside the test's own executable (`cargo build --workspace --bins`
//! puts them there), or in `$CUSTOS_BIN_DIR`.

mod agency;
mod harness;
pub mod linear_history;
pub mod round_trip;

pub use agency::Agency;
pub use harness::authority::{Authority, TlsFiles};
pub use harness::cli::{Cli, CliChild, CliRun, PutReceipt};
pub use harness::client_config::ClientConfig;
pub use harness::cluster_status::{
    ClusterStatus, DiskReport, DiskStatus, NodeStatus, ScrubReport, Trouble, VaultGroup,
};
pub use harness::content::Content;
pub use harness::custosd::run_custosd;
pub use harness::daemon::{Daemon, DaemonOptions, StartingDaemon};
pub use harness::daemon_config::{DaemonConfig, Duty, GroupDuty};
pub use harness::deadline::wait_until;
pub use harness::dev_cluster::{DevCluster, DevOptions};
pub use harness::digests::{FileDigests, assert_same_bytes, decode_digest_text};
pub use harness::failed_start::FailedStart;
pub use harness::faults::{copy_folder, flip_bytes, flip_payload_bytes, remove_disk};
pub use harness::grpc_call::{GrpcAnswer, grpc_call};
pub use harness::ledger_group::LedgerGroup;
pub use harness::member::Member;
pub use harness::metrics_page::metrics_page;
pub use harness::node_bucket::{BucketUsage, NodeBucket};
pub use harness::node_cluster::NodeCluster;
pub use harness::port::free_address;
pub use harness::process::Process;
pub use harness::programs::program;
pub use harness::s3_server::S3Server;
pub use harness::scratch::{Scratch, SourceFile};
pub use harness::seed::{Seed, SeededRandom};
pub use harness::small_disk::SmallDisk;
pub use harness::test_network::TestNetwork;
pub use harness::tls_stream::{plain_stream, tls_stream};
