//! Listings: the names of objects are in the order of their shards' keys.

use custos_core::Timestamp;
use custos_core::limits::PAGE_ITEMS_MAX;
use custos_ports::{ShardEntry, ShardError, ShardKey, ShardPage};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::bucket_disk::BucketDisk;
use crate::census::payload_len;
use crate::failure::Failure;
use crate::limits::HEADS_IN_FLIGHT_MAX;
use crate::reader;

impl BucketDisk {
    /// Names and sizes of shards under `prefix`, at most `limit`, from the first one after `after`
    /// on, and whether there are more.
    pub(crate) async fn shards_under(
        &self,
        prefix: &str,
        after: Option<&ShardKey>,
        limit: usize,
    ) -> Result<(Vec<(ShardKey, u64)>, bool), Failure> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        let mut after = after.map(|key| self.names.shard(key));
        let mut found = Vec::new();
        // Another request only when unknown objects took room on a page.
        while found.len() < limit {
            let wanted = limit - found.len();
            let page = self.bucket.list(prefix, after.as_deref(), wanted).await?;
            let known = |(name, len): &(String, u64)| Some((self.names.parse(name)?, *len));
            found.extend(page.objects.iter().filter_map(known));
            if !page.more {
                return Ok((found, false));
            }
            after = page.objects.last().map(|(name, _)| name.clone());
        }
        Ok((found, limit > 0))
    }

    /// A page of shards with what their heads say. A shard whose head does not verify is left out:
    /// it is found by [`list_all`](custos_ports::ShardStore::list_all) and named by `verify`. A
    /// page without shards is the last: who asks for the next names the last shard of this one.
    pub(crate) async fn describe(
        &self,
        prefix: &str,
        after: Option<&ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let mut after = after.copied();
        loop {
            let found = self.shards_under(prefix, after.as_ref(), limit).await;
            let (found, more) = self.note("list", found)?;
            let last = found.last().map(|(key, _)| *key);
            let entries = found.into_iter().map(|(key, _)| self.entry(key));
            let entries: Result<Vec<_>, Failure> =
                stream::iter(entries).buffered(HEADS_IN_FLIGHT_MAX).try_collect().await;
            let items: Vec<_> = self.note("list", entries)?.into_iter().flatten().collect();
            if !items.is_empty() || !more {
                return Ok(ShardPage { items, more });
            }
            after = last;
        }
    }

    async fn entry(&self, key: ShardKey) -> Result<Option<ShardEntry>, Failure> {
        let name = self.names.shard(&key);
        match reader::read_head(&self.bucket, self.id, &name, &key).await {
            Ok(Ok(head)) => Ok(Some(ShardEntry {
                key,
                retain_until: head.retain_until,
                header: head.header,
                payload_len: u64::from(head.payload_len),
            })),
            Ok(Err(what)) => {
                tracing::warn!(disk = %self.name, %name, %what, "shard left out of a listing");
                self.health.lock().damaged(&what);
                Ok(None)
            }
            // Removed since.
            Err(Failure::Missing) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// A shard of which only the name is known. It must be kept for ever as far as the name tells.
pub(crate) fn entry_of_name(key: ShardKey, object_len: u64) -> ShardEntry {
    ShardEntry {
        key,
        retain_until: Timestamp::from_millis(i64::MAX),
        header: bytes::Bytes::new(),
        payload_len: payload_len(object_len),
    }
}
