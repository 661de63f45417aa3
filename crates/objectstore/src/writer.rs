//! Writes a shard's object, and believes that it is there only when someone vouches for it.

use bytes::{BufMut, Bytes, BytesMut};
use custos_ports::{ShardError, ShardWrite};

use crate::bucket::{Overwrite, Voucher};
use crate::bucket_disk::BucketDisk;
use crate::failure::Failure;
use crate::head::{HEAD_BYTES, ObjectHead};
use crate::limits::SINGLE_PUT_BYTES_MAX;
use crate::reader::{self, ReadFailure};

/// What lies under the name of a shard that is to be written.
enum Stored {
    Nothing,
    /// The very same shard, and it verifies.
    Same,
    /// Another shard, as its head says.
    Other,
    /// Something that does not verify any more.
    Damaged,
}

impl BucketDisk {
    /// Writes a shard unless it is there.
    pub(crate) async fn write_shard(&self, shard: &ShardWrite) -> Result<(), ShardError> {
        let head = ObjectHead::of(self.id, shard).map_err(|error| ShardError::Io {
            store: self.name.clone(),
            operation: "checking the shard",
            reason: error.to_string(),
        })?;
        let _turn = self.key_turn(&shard.key).lock().await;
        let name = self.names.shard(&shard.key);
        let stored = self.stored(&name, shard, &head).await;
        let stored = self.note("looking for the object", stored)?;
        match stored {
            Stored::Same => return Ok(()),
            Stored::Other => return Err(self.conflict(&shard.key)),
            Stored::Nothing | Stored::Damaged => {}
        }
        self.put_verified(&name, shard, &head).await.map_err(|f| self.failed("write", f))?;
        self.health.lock().wrote();
        if matches!(stored, Stored::Nothing) {
            self.census.lock().added(&shard.key, u64::from(head.payload_len));
        }
        Ok(())
    }

    async fn stored(
        &self,
        name: &str,
        shard: &ShardWrite,
        head: &ObjectHead,
    ) -> Result<Stored, Failure> {
        let found = match reader::read_head(&self.bucket, self.id, name, &shard.key).await {
            Ok(Ok(found)) => found,
            Ok(Err(what)) => {
                tracing::warn!(disk = %self.name, %name, %what, "writing a damaged shard anew");
                return Ok(Stored::Damaged);
            }
            Err(Failure::Missing) => return Ok(Stored::Nothing),
            Err(failure) => return Err(failure),
        };
        if !found.has_content_of(head) {
            return Ok(Stored::Other);
        }
        match reader::read(&self.bucket, self.id, name, &shard.key, None).await {
            Ok(read) if read.header == shard.header && read.payload == shard.payload => {
                Ok(Stored::Same)
            }
            Ok(_) => Ok(Stored::Other),
            Err(ReadFailure::Bucket(Failure::Missing)) => Ok(Stored::Nothing),
            Err(ReadFailure::Bucket(failure)) => Err(failure),
            Err(ReadFailure::Damage(_) | ReadFailure::Range { .. }) => {
                tracing::warn!(disk = %self.name, %name, "writing a damaged shard anew");
                Ok(Stored::Damaged)
            }
        }
    }

    async fn put_verified(
        &self,
        name: &str,
        shard: &ShardWrite,
        head: &ObjectHead,
    ) -> Result<(), Failure> {
        let mut body = BytesMut::with_capacity(HEAD_BYTES + shard.payload.len());
        body.put_slice(&head.encode());
        body.put_slice(&shard.payload);
        let body: Bytes = body.freeze();
        let voucher = if body.len() > SINGLE_PUT_BYTES_MAX {
            self.bucket.put_in_parts(name, body).await?
        } else {
            self.bucket.put(name, body, Overwrite::Yes).await?
        };
        match voucher {
            Voucher::Server => Ok(()),
            Voucher::Nobody => self.read_back(name, shard).await,
        }
    }

    /// What the server does not vouch for is read whole and compared.
    async fn read_back(&self, name: &str, shard: &ShardWrite) -> Result<(), Failure> {
        let differs = |what: &str| {
            let place = &self.bucket.place;
            Failure::Other(format!("{place} does not give back what was written: {what}"))
        };
        match reader::read(&self.bucket, self.id, name, &shard.key, None).await {
            Ok(read) if read.header == shard.header && read.payload == shard.payload => Ok(()),
            Ok(_) => Err(differs("it is another shard")),
            Err(ReadFailure::Bucket(Failure::Missing)) => Err(differs("it is not there")),
            Err(ReadFailure::Bucket(failure)) => Err(failure),
            Err(ReadFailure::Damage(what)) => Err(differs(&what)),
            Err(ReadFailure::Range { .. }) => Err(differs("it has another length")),
        }
    }
}
