//! Shards on local disks.
//!
//! Owns one directory per disk: append-only extents of self-describing records, the group commit
//! that makes a shard durable before it is acknowledged, and a RocksDB index that is only a cache
//! and can be rebuilt from the extents. The byte layouts are described in
//! `docs/formats/shardstore.md`.
//!
//! Must not know what is in a shard or in its header, any key, the ledger, the network, or what
//! other disks hold. It trusts no disk: every byte is checked when it is read, a disk whose write
//! failed is out of service until it is opened anew, and nothing that cannot be read is deleted.
//!
//! Enter at [`LocalDisk::open`]. Inside, `engine` is the whole store without a thread: it alone
//! appends; `recover` alone reads extents at start; both reach the disk through the port
//! [`Disk`](custos_ports::Disk) and the index through `index_store`, so that a simulation can
//! stand in for them. `writer` and `local_disk` are the asynchronous shell.

/// Whether a test has put in this bug, or one of these; there are none outside of tests.
macro_rules! planted {
    ($($plant:ident),+) => {{
        #[cfg(test)]
        let planted = $(crate::simulation::plant::is_planted(
            crate::simulation::plant::Plant::$plant,
        ))||+;
        #[cfg(not(test))]
        let planted = false;
        planted
    }};
}

mod aligned;
mod block_writer;
mod books;
mod checksum;
mod commit;
mod compacted;
mod compaction;
mod compaction_choice;
mod compactor;
mod disk_state;
mod engine;
mod error;
mod extent_book;
mod extent_header;
mod extents;
mod folder_disk;
mod folder_file;
mod fullness;
mod identity;
mod index;
mod index_entry;
mod index_marker;
mod index_store;
pub mod limits;
mod local_disk;
mod open_extents;
mod operation;
mod options;
mod quarantine;
mod read_files;
mod reader;
mod record;
mod record_payload;
mod recover;
mod rocks_index;
mod scan;
mod scan_report;
mod settled;
#[cfg(test)]
mod simulation;
mod spare_files;
mod tombstone;
mod writer;

pub use compacted::Compacted;
pub use custos_core::DiskId;
pub use error::OpenError;
pub use local_disk::LocalDisk;
pub use options::{OpenMode, Options};
pub use scan_report::ScanReport;
