//! Objects under a prefix that are no shards: whole, small ones and files of any size.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload};
use bytes::Bytes;
use custos_core::ErrorKind;

use crate::bucket::{Bucket, Overwrite, Voucher};
use crate::error::OpenError;
use crate::failure::Failure;
use crate::limits::{PART_BYTES, SINGLE_PUT_BYTES_MAX};
use crate::opening;
use crate::options::S3Options;

/// Names on one page.
const PAGE_ITEMS: usize = 1000;
/// Parts of one file at most, as S3 has it.
const PARTS_MAX: u64 = 10_000;

/// The objects under one prefix of a bucket, by their names below it.
#[derive(Debug)]
pub struct BucketFolder {
    bucket: Bucket,
    root: String,
}

/// Why an object could not be read, written or removed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {operation} {name}: {reason}")]
pub struct BucketError {
    /// What was tried.
    pub operation: &'static str,
    /// On which object.
    pub name: String,
    /// What went wrong and what to do.
    pub reason: String,
    /// How callers should class it.
    pub kind: ErrorKind,
}

impl BucketFolder {
    /// Prepares requests; that nobody answers shows at the first.
    ///
    /// # Errors
    /// Options that make no sense. Mode and identity are a disk's and do not count here.
    pub async fn connect(options: &S3Options) -> Result<Self, OpenError> {
        let root = opening::check(options)?.root().to_owned();
        Ok(Self { bucket: opening::connect(options).await, root })
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}, prefix {:?}", self.bucket.place, self.root)
    }

    /// Name and length of every object below `folder`, which ends with a slash, in order of name.
    /// Names are without it.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn list(&self, folder: &str) -> Result<Vec<(String, u64)>, BucketError> {
        let prefix = self.full(folder);
        let mut all: Vec<(String, u64)> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.bucket.list(&prefix, after.as_deref(), PAGE_ITEMS).await;
            let page = page.map_err(failed("list", folder))?;
            after = page.objects.last().map(|(name, _)| name.clone());
            let named = page.objects.into_iter().map(|(name, bytes)| {
                (name.strip_prefix(&prefix).unwrap_or(&name).to_owned(), bytes)
            });
            all.extend(named);
            if !page.more || after.is_none() {
                return Ok(all);
            }
        }
    }

    /// Up to `len` bytes of an object from `at` on; `None` when there is no such object. Shorter
    /// only at its end, empty behind it.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn read(&self, name: &str, at: u64, len: u64) -> Result<Option<Bytes>, BucketError> {
        match self.bucket.get(&self.full(name), at..at + len).await {
            Ok(part) => Ok(Some(part.bytes)),
            Err(Failure::Missing) => Ok(None),
            Err(Failure::PastEnd) => Ok(Some(Bytes::new())),
            Err(failure) => Err(failed("read", name)(failure)),
        }
    }

    /// Writes a small object whole, or not at all.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn write(&self, name: &str, body: Bytes) -> Result<(), BucketError> {
        let put = self.bucket.put(&self.full(name), body, Overwrite::Yes).await;
        put.map(drop).map_err(failed("write", name))
    }

    /// Writes the first `len` bytes of a file as an object, whole or not at all, at most 8 MiB of it
    /// in memory. Returns whether the server vouches for the bytes; else they are to be read back.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn write_file(&self, name: &str, path: &Path, len: u64) -> Result<bool, BucketError> {
        let sent = if len <= SINGLE_PUT_BYTES_MAX as u64 {
            match read_local(path, 0, len).await {
                Ok(body) => self.bucket.put(&self.full(name), body, Overwrite::Yes).await,
                Err(failure) => Err(failure),
            }
        } else {
            self.write_parts(&self.full(name), path, len).await
        };
        Ok(sent.map_err(failed("write", name))? == Voucher::Server)
    }

    /// Removes an object; fine when there is none.
    ///
    /// # Errors
    /// See [`BucketError`].
    pub async fn remove(&self, name: &str) -> Result<(), BucketError> {
        self.bucket.delete(&self.full(name)).await.map_err(failed("remove", name))
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.root)
    }

    async fn write_parts(&self, name: &str, path: &Path, len: u64) -> Result<Voucher, Failure> {
        let bucket = &self.bucket;
        let request = bucket.client.create_multipart_upload().bucket(&bucket.name).key(name);
        let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32C);
        let answer = request.send().await.map_err(|error| Failure::of(&error, &bucket.place))?;
        let no_id = || Failure::Other(format!("{} gave no upload id", bucket.place));
        let upload_id = answer.upload_id().ok_or_else(no_id)?;
        let sent = self.send_file(name, upload_id, path, len).await;
        if sent.is_err() {
            let abort = bucket.client.abort_multipart_upload().bucket(&bucket.name).key(name);
            if let Err(error) = abort.upload_id(upload_id).send().await {
                let failure = Failure::of(&error, &bucket.place);
                tracing::warn!(%name, %failure, "parts of a failed upload stay");
            }
        }
        sent
    }

    async fn send_file(
        &self,
        name: &str,
        upload_id: &str,
        path: &Path,
        len: u64,
    ) -> Result<Voucher, Failure> {
        let part_bytes = (PART_BYTES as u64).max(len.div_ceil(PARTS_MAX));
        let mut parts = Vec::new();
        let mut voucher = Voucher::Server;
        let mut at = 0;
        while at < len {
            let body = read_local(path, at, part_bytes.min(len - at)).await?;
            at += body.len() as u64;
            let index = parts.len();
            let (part, vouched) = self.bucket.send_part(name, upload_id, index, body).await?;
            parts.push(part);
            if vouched == Voucher::Nobody {
                voucher = Voucher::Nobody;
            }
        }
        let bucket = &self.bucket;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = bucket.client.complete_multipart_upload().bucket(&bucket.name).key(name);
        let request = request.upload_id(upload_id).multipart_upload(parts);
        request.send().await.map_err(|error| Failure::of(&error, &bucket.place))?;
        Ok(voucher)
    }
}

async fn read_local(path: &Path, at: u64, len: u64) -> Result<Bytes, Failure> {
    let shown = path.display().to_string();
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        File::open(path)?.read_exact_at(&mut bytes, at)?;
        Ok::<_, std::io::Error>(Bytes::from(bytes))
    });
    match read.await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(Failure::Other(format!("{shown}: {error}"))),
        Err(error) => Err(Failure::Other(format!("{shown}: {error}"))),
    }
}

fn failed<'a>(
    operation: &'static str,
    name: &'a str,
) -> impl FnOnce(Failure) -> BucketError + use<'a> {
    let name = name.to_owned();
    move |failure| BucketError {
        operation,
        name,
        reason: failure.to_string(),
        kind: failure.kind(),
    }
}
