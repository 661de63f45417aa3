//! The promises of the ledger, one file per subject.

mod abort_upload;
mod cluster;
mod custody_log;
mod encoding;
mod golden;
mod listing;
mod merkle_proofs;
mod open_upload;
mod record_view;
mod seal;
mod sequences;
mod world;
