//! The storage node as the configuration describes it.

use std::{env, net::SocketAddr, path::Path};

use custos_core::ErrorKind;
use custos_objectstore::{Addressing, OpenMode, S3Credentials, S3Options};
use custos_storage_node::{DiskPlace, DiskSpec, ScrubSettings, StorageOptions, WhenAbsent};

use crate::{
    config::{BucketConfig, ColdConfig, DiskConfig, StorageConfig},
    data_dir::NODE_FOLDER,
};

const ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

/// The environment lacks the credentials of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "bucket {bucket} needs {ACCESS_KEY_ID} and {SECRET_ACCESS_KEY} in the environment, or \
     default_chain = true in the configuration"
)]
pub struct CredentialsError {
    /// The bucket.
    pub bucket: String,
}

impl CredentialsError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// What the storage node is started with. `absent` is what to do about a disk that was never seen.
pub(crate) fn options(
    config: &StorageConfig,
    data_dir: &Path,
    address: SocketAddr,
    absent: WhenAbsent,
) -> Result<StorageOptions, CredentialsError> {
    let folder = data_dir.join(NODE_FOLDER);
    let mut options = StorageOptions::new(folder, &config.name, config.labels.clone());
    options.endpoint = endpoint(config, address);
    options.scrub = ScrubSettings {
        bytes_per_second: config.scrub.bytes_per_second,
        period_days: config.scrub.period_days,
        ..ScrubSettings::default()
    };
    for (number, disk) in config.disks.iter().enumerate() {
        let (name, place) = (format!("disk {number}"), place(disk)?);
        let weight = match disk {
            DiskConfig::Bucket(bucket) => bucket.weight,
            DiskConfig::Folder { .. } => None,
        };
        options.disks.push(DiskSpec { name, place, weight, absent });
    }
    Ok(options)
}

/// Where other processes reach this one; empty when they do not.
fn endpoint(config: &StorageConfig, address: SocketAddr) -> String {
    match &config.endpoint {
        Some(endpoint) => endpoint.clone(),
        // What listens everywhere does not say where it is.
        None if address.ip().is_unspecified() => String::new(),
        None => format!("https://{address}"),
    }
}

fn place(disk: &DiskConfig) -> Result<DiskPlace, CredentialsError> {
    Ok(match disk {
        DiskConfig::Folder { path, cold: None } => DiskPlace::Folder(path.clone()),
        DiskConfig::Folder { path, cold: Some(ColdConfig { bucket, after_days }) } => {
            DiskPlace::Tiered {
                folder: path.clone(),
                bucket: s3_options(bucket)?,
                cold_after_days: *after_days,
            }
        }
        DiskConfig::Bucket(bucket) => DiskPlace::Bucket(s3_options(bucket)?),
    })
}

fn s3_options(config: &BucketConfig) -> Result<S3Options, CredentialsError> {
    let set = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let credentials = match (config.default_chain, set(ACCESS_KEY_ID), set(SECRET_ACCESS_KEY)) {
        (true, ..) => S3Credentials::UsualChain,
        (false, Some(access_key_id), Some(secret_access_key)) => S3Credentials::Keys {
            access_key_id,
            secret_access_key,
            session_token: set(SESSION_TOKEN),
        },
        _ => return Err(CredentialsError { bucket: config.bucket.clone() }),
    };
    // Name and mode are the storage node's business.
    let (name, mode) = ("", OpenMode::Existing);
    let mut options = S3Options::new(name, &config.region, &config.bucket, credentials, mode);
    options.endpoint.clone_from(&config.endpoint);
    options.prefix.clone_from(&config.prefix);
    options.addressing = if config.path_style { Addressing::Path } else { Addressing::Host };
    Ok(options)
}

#[cfg(test)]
mod tests {
    use custos_core::Labels;

    use super::*;
    use crate::config::ScrubConfig;

    fn config() -> StorageConfig {
        StorageConfig {
            name: "s1".to_owned(),
            endpoint: None,
            labels: Labels { host: "s1".to_owned(), ..Labels::default() },
            disks: vec![
                DiskConfig::Folder { path: "/a".into(), cold: None },
                DiskConfig::Folder { path: "/b".into(), cold: None },
            ],
            scrub: ScrubConfig { bytes_per_second: 7, period_days: 3 },
        }
    }

    #[test]
    fn a_node_is_reached_where_it_listens_unless_the_configuration_says_otherwise() {
        let mut config = config();
        let endpoint = |config: &StorageConfig, address: &str| {
            let address = address.parse().expect("address");
            let made = options(config, Path::new("/data"), address, WhenAbsent::Create);
            made.expect("no buckets").endpoint
        };
        assert_eq!(endpoint(&config, "10.0.0.7:7400"), "https://10.0.0.7:7400");
        assert_eq!(endpoint(&config, "0.0.0.0:7400"), "");
        config.endpoint = Some("https://s1.example:7400".to_owned());
        assert_eq!(endpoint(&config, "0.0.0.0:7400"), "https://s1.example:7400");
        config.endpoint = Some(String::new());
        assert_eq!(endpoint(&config, "127.0.0.1:7400"), "");
    }

    #[test]
    fn disks_are_numbered_in_the_order_of_the_configuration() {
        let address = "127.0.0.1:7400".parse().expect("address");
        let made = options(&config(), Path::new("/data"), address, WhenAbsent::Create);
        let made = made.expect("no buckets");
        let names: Vec<_> = made.disks.iter().map(|disk| disk.name.as_str()).collect();
        assert_eq!(names, ["disk 0", "disk 1"]);
        assert_eq!(made.folder, Path::new("/data/node"));
        assert_eq!((made.scrub.bytes_per_second, made.scrub.period_days), (7, 3));
    }
}
