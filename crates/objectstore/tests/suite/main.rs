//! The promises of a bucket, tried on a real S3 server process, and on one behind a network that
//! lies, cuts and stalls.

mod conformance;
mod damage;
mod identity;
mod limits;
mod listings;
mod proxy;
mod refusals;
mod server;
mod support;
