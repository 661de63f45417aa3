//! codec
mod data_key;
pub use data_key::DataKey;
