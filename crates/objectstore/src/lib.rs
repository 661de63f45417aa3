//! Shards in an S3-compatible bucket.
//!
//! Owns one prefix of one bucket as a disk: an object for each shard, with a head that says what
//! it is, an identity object, and the requests to the service with their deadlines, retries and
//! limits. Names and byte layouts are described in `docs/formats/objectstore.md`.
//!
//! Must not know what is in a shard or in its header, any key of the evidence, the ledger, or what
//! other disks hold. It trusts no service: what is written counts when the service reports its
//! checksum or gives it back, and every byte read is checked against the object's own head.
//!
//! What is no shard, such as a backup of the ledger, is kept through [`BucketFolder`].
//!
//! Enter at [`S3Store::open`]; `bucket`, `multipart` and `folder` are the only places that send requests,
//! `failure` the only one that knows what S3's error codes mean.

mod bucket;
mod bucket_disk;
mod census;
mod checksum;
mod error;
mod failure;
mod folder;
mod head;
mod health;
mod identity;
pub mod limits;
mod listing;
mod multipart;
mod object_name;
mod opening;
mod options;
mod reader;
mod removal;
mod s3_store;
mod writer;

pub use error::OpenError;
pub use folder::{BucketError, BucketFolder};
pub use options::{Addressing, Deadlines, OpenMode, S3Credentials, S3Options};
pub use s3_store::S3Store;
