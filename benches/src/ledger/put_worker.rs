use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use tonic::transport::Channel;

use super::{
    etcd_api::{PutRequest, kv_client::KvClient},
    placement::Rotation,
};
use crate::{
    content::Content,
    drive::{Operation, Worker},
};

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Puts a value under a new key of etcd, again and again.
pub(super) struct PutWorker {
    kv: Rotation<KvClient<Channel>>,
    random: Content,
    value_bytes: usize,
}

impl PutWorker {
    /// Client `number`.
    pub(super) fn new(channels: &[Channel], number: usize, value_bytes: usize) -> Result<Self> {
        let clients = channels.iter().cloned().map(KvClient::new).collect();
        let mut seed = [0; 8];
        aws_lc_rs::rand::fill(&mut seed).context("a random seed")?;
        let random = Content::new(u64::from_le_bytes(seed));
        Ok(Self { kv: Rotation::new(clients, number), random, value_bytes })
    }
}

impl Worker for PutWorker {
    async fn operate(&mut self, number: u64) -> Result<Operation> {
        let key = Bytes::from(self.random.bytes(KEY_BYTES));
        let value = Bytes::from(self.random.bytes(self.value_bytes));
        let start = Instant::now();
        let answer = self.kv.next().put(PutRequest { key, value }).await;
        let answer = answer.with_context(|| format!("put {number} of etcd"))?.into_inner();
        let latency = start.elapsed();
        let revision = answer.header.map_or(0, |header| header.revision);
        ensure!(revision > 0, "put {number} of etcd has no revision");
        Ok(Operation { bytes: self.value_bytes as u64, latency, to_first_byte: None })
    }
}
