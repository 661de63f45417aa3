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
//! Enter at [`LocalDisk::open`]; `writer` is the only place that appends, `recover` the only one
//! that reads extents at start.

mod aligned;
mod checksum;
mod commit;
mod disk_id;
mod disk_state;
mod error;
mod extent_file;
mod extent_header;
mod extents;
mod identity;
mod index;
mod index_entry;
pub mod limits;
mod local_disk;
mod offline;
mod open_extents;
mod options;
mod read_files;
mod reader;
mod record;
mod record_payload;
mod recover;
mod scan;
mod scan_report;
mod write_job;
mod writer;

pub use disk_id::DiskId;
pub use error::OpenError;
pub use local_disk::LocalDisk;
pub use offline::OfflineDisk;
pub use options::{OpenMode, Options};
pub use scan_report::ScanReport;
