//! The harness of the cases in `tests/tests/`, which hold Custos to its promises from outside:
//! against the real programs `custosd` and `custos`, real files and real signals.
//!
//! Owns the starting, killing and watching of those processes, source files whose every byte is
//! known, and the faults done to disks. Must not know how Custos works inside: what a case needs
//! it takes from the command line, the public formats and the operating system. It reports by
//! panicking, with the server's log. Enter at [`DevCluster`] for the server, [`Cli`] for the
//! client, [`Scratch`] for files.
//!
//! The programs are looked for beside the test's own executable (`cargo build --workspace --bins`
//! puts them there), or in `$CUSTOS_BIN_DIR`.

mod harness;

pub use harness::cli::{Cli, CliChild, CliRun, PutReceipt};
pub use harness::client_config::ClientConfig;
pub use harness::content::Content;
pub use harness::deadline::wait_until;
pub use harness::dev_cluster::{DevCluster, DevOptions, FailedStart};
pub use harness::digests::{FileDigests, assert_same_bytes, decode_digest_text};
pub use harness::faults::{flip_bytes, remove_disk};
pub use harness::port::free_address;
pub use harness::process::Process;
pub use harness::scratch::{Scratch, SourceFile};
pub use harness::seed::{Seed, SeededRandom};
pub use harness::small_disk::SmallDisk;
