//! shardstore
