use std::path::{Path, PathBuf};

use serde::Serialize;

/// The bucket that a storage node is told to use besides its folders, under a prefix of its own:
/// the node's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeBucket {
    /// Address of the S3 service.
    pub endpoint: String,
    /// Name of the bucket.
    pub bucket: String,
    /// Given to the process in its environment.
    pub access_key_id: String,
    /// As the key id.
    pub secret_access_key: String,
    /// What for.
    pub usage: BucketUsage,
}

/// What a storage node uses its bucket for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketUsage {
    /// It is a disk of its own, after the folders.
    Disk {
        /// Its share of new vaults; folders have the GiB of their file system.
        weight: u32,
    },
    /// The shards of the node's only folder go there.
    Cold {
        /// At this age.
        after_days: u32,
    },
}

/// What the file calls the bucket.
const TABLE: &str = "s3";

impl NodeBucket {
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
    }

    /// What `custos` and `custosd` find in their environment to reach it for backups.
    #[must_use]
    pub fn backup_environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = self.environment();
        environment.push(("AWS_ENDPOINT_URL", self.endpoint.clone()));
        environment
    }

    /// The same with a secret that the service does not know.
    #[must_use]
    pub fn with_wrong_secret(self) -> Self {
        Self { secret_access_key: "not-the-secret".to_owned(), ..self }
    }

    /// The same with another bucket.
    #[must_use]
    pub fn with_bucket(self, bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), ..self }
    }
}

/// A disk in the file.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum WrittenDisk<'a> {
    Folder(&'a Path),
    Tiered { path: &'a Path, cold: &'static str, cold_after_days: u32 },
    Bucket { bucket: &'static str },
}

/// The buckets in the file.
#[derive(Serialize)]
pub(crate) struct WrittenBuckets<'a> {
    s3: WrittenBucket<'a>,
}

#[derive(Serialize)]
struct WrittenBucket<'a> {
    endpoint: &'a str,
    bucket: &'a str,
    prefix: &'a str,
    path_style: bool,
    weight: Option<u32>,
}

impl<'a> WrittenBuckets<'a> {
    pub(crate) fn new(bucket: &'a NodeBucket, prefix: &'a str) -> Self {
        let weight = match bucket.usage {
            BucketUsage::Disk { weight } => Some(weight),
            BucketUsage::Cold { .. } => None,
        };
        let NodeBucket { endpoint, bucket, .. } = bucket;
        Self { s3: WrittenBucket { endpoint, bucket, prefix, path_style: true, weight } }
    }
}

impl<'a> WrittenDisk<'a> {
    pub(crate) fn all(folders: &'a [PathBuf], bucket: Option<&NodeBucket>) -> Vec<WrittenDisk<'a>> {
        let usage = bucket.map(|bucket| bucket.usage);
        let mut disks: Vec<_> = folders
            .iter()
            .map(|path| match usage {
                Some(BucketUsage::Cold { after_days }) => {
                    Self::Tiered { path, cold: TABLE, cold_after_days: after_days }
                }
                Some(BucketUsage::Disk { .. }) | None => Self::Folder(path),
            })
            .collect();
        if let Some(BucketUsage::Disk { .. }) = usage {
            disks.push(Self::Bucket { bucket: TABLE });
        }
        disks
    }
}
