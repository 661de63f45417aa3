//! The promises of the ledger, one file per subject.

mod abort_upload;
mod adopt_key;
mod cluster;
mod cluster_golden;
mod cluster_world;
mod custody_log;
mod damage;
mod encoding;
mod exchange;
mod generators;
mod golden;
mod listing;
mod merkle_proofs;
mod open_upload;
mod record_view;
mod register_disks;
mod register_node;
mod release_disk;
mod seal;
mod sequences;
mod vaults;
mod world;
