use std::{env, path::Path};

use async_trait::async_trait;
use bytes::Bytes;
use custos_objectstore::{Addressing, BucketFolder, OpenMode, S3Credentials, S3Options};
use tempfile::TempDir;

use crate::{
    BackupError,
    shelf::{Drafts, Keeper, Shelf},
};

/// For services that have no regions.
const REGION_DEFAULT: &str = "us-east-1";

/// Backups under a prefix of a bucket. Nothing there keeps two from writing at once.
pub(crate) struct BucketKeeper {
    bucket: BucketFolder,
}

impl BucketKeeper {
    /// The bucket as the environment describes it: `AWS_ENDPOINT_URL`, `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    pub(crate) async fn connect(bucket: &str, prefix: &str) -> Result<Self, BackupError> {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let keys = (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY"));
        let (Some(access_key_id), Some(secret_access_key)) = keys else {
            return Err(BackupError::Credentials { bucket: bucket.to_owned() });
        };
        let session_token = set("AWS_SESSION_TOKEN");
        let credentials = S3Credentials::Keys { access_key_id, secret_access_key, session_token };
        let region = set("AWS_REGION").unwrap_or_else(|| REGION_DEFAULT.to_owned());
        let mut options = S3Options::new("backup", region, bucket, credentials, OpenMode::Existing);
        options.endpoint = set("AWS_ENDPOINT_URL");
        // AWS itself wants the bucket in the host name, nearly everybody else in the path.
        if options.endpoint.is_none() {
            options.addressing = Addressing::Host;
        }
        options.prefix = prefix.to_owned();
        Ok(Self { bucket: BucketFolder::connect(&options).await? })
    }
}

fn key(shelf: Shelf, name: &str) -> String {
    format!("{}/{name}", shelf.folder())
}

#[async_trait]
impl Keeper for BucketKeeper {
    async fn list(&self, shelf: Shelf) -> Result<Vec<(String, u64)>, BackupError> {
        Ok(self.bucket.list(&key(shelf, "")).await?)
    }

    async fn read(
        &self,
        shelf: Shelf,
        name: &str,
        at: u64,
        len: usize,
    ) -> Result<Option<Bytes>, BackupError> {
        Ok(self.bucket.read(&key(shelf, name), at, len as u64).await?)
    }

    async fn write(&self, shelf: Shelf, name: &str, bytes: Bytes) -> Result<(), BackupError> {
        Ok(self.bucket.write(&key(shelf, name), bytes).await?)
    }

    async fn adopt(&self, name: &str, draft: &Path, len: u64) -> Result<bool, BackupError> {
        Ok(self.bucket.write_file(&key(Shelf::Files, name), draft, len).await?)
    }

    async fn remove(&self, shelf: Shelf, name: &str) -> Result<(), BackupError> {
        Ok(self.bucket.remove(&key(shelf, name)).await?)
    }

    async fn open_to_write(&self) -> Result<Box<dyn Drafts>, BackupError> {
        let folder = tempfile::Builder::new().prefix("custos-backup-").tempdir();
        let folder = folder.map_err(BackupError::file("create a folder in", env::temp_dir()))?;
        Ok(Box::new(folder))
    }
}

impl Drafts for TempDir {
    fn folder(&self) -> &Path {
        self.path()
    }
}
