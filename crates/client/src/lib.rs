//! The client library: the only crate that programs outside Custos should import.
//!
//! Owns connecting, putting with resume, streaming with proof, reading catalogue and custody log,
//! acting under the law and asking what is on its records, operating the cluster, and the files
//! that agencies keep: the [policy](policy_file), and [tables](import) of registers and cases.
//! Trusts no byte that a server sends: what [`VerifiedStream`] hands out has been proven against
//! the evidence's hash. Enter at [`Client::connect`].

mod catalogue;
mod cluster;
mod config;
mod connection;
mod custody;
mod error;
pub mod import;
mod law;
pub mod policy_file;
mod put;
mod source_file;
mod stream;

pub use catalogue::{EvidencePage, EvidenceSelection};
pub use cluster::{
    BackupFile, BackupHead, BackupPart, BackupStream, ClusterStatus, DamagePage, DamagedShard,
    DiskRemoval, DiskReport, DiskStatus, LedgerGroup, MetaGroup, MetaMember, MetaReport, MetaVote,
    NewDisk, NodeStatus, ScrubChange, ScrubReport, StrangeDisk, VaultGroup, VaultOrder,
    VaultsCreated,
};
pub use config::{CONFIG_ENV, ClientConfig};
pub use connection::Client;
pub use custody::{EntryPage, EntrySelection};
pub use error::ClientError;
pub use law::{IssuedCertificate, RecordingReport, Records};
pub use put::{PutEvent, PutOptions, PutReport, upload_key_of};
pub use source_file::blake3_of_file;
pub use stream::{StreamOptions, VerifiedStream};

pub use custos_core as core;
