//! Opens a bucket: the client, the identity, and the first look at what is there.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use bytes::Bytes;
use custos_core::DiskGeneration;

use crate::bucket::{Bucket, Overwrite};
use crate::error::OpenError;
use crate::failure::{Failure, Place};
use crate::identity::{FORMAT_VERSION, Identity, IdentityError};
use crate::limits::{IDENTITY_BYTES_MAX, OPERATIONS_IN_FLIGHT_MAX};
use crate::object_name::ObjectNames;
use crate::options::{Addressing, OpenMode, S3Credentials, S3Options};

/// Longest pause between two attempts.
const PAUSE_MAX: std::time::Duration = std::time::Duration::from_secs(5);

/// Checks the options that the SDK would only stumble over later.
pub(crate) fn check(options: &S3Options) -> Result<ObjectNames, OpenError> {
    let wrong = |option, reason| Err(OpenError::Option { option, reason });
    if options.bucket.is_empty() {
        return wrong("bucket", "it is empty");
    }
    if options.region.is_empty() {
        return wrong("region", "it is empty: services that have none take us-east-1");
    }
    let is_url = |text: &String| text.starts_with("http://") || text.starts_with("https://");
    if !options.endpoint.as_ref().is_none_or(is_url) {
        return wrong("endpoint", "it does not begin with http:// or https://");
    }
    if options.attempts_max == 0 {
        return wrong("attempts_max", "it is 0");
    }
    if !(1..=OPERATIONS_IN_FLIGHT_MAX).contains(&options.operations_in_flight_max) {
        return wrong("operations_in_flight_max", "it is not from 1 to 4096");
    }
    ObjectNames::new(&options.prefix)
        .map_err(|reason| OpenError::Option { option: "prefix", reason })
}

/// A bucket with a client that is configured by the options alone.
pub(crate) async fn connect(options: &S3Options) -> Bucket {
    let region = Region::new(options.region.clone());
    let credentials = match &options.credentials {
        S3Credentials::Keys { access_key_id, secret_access_key, session_token } => {
            let keys = Credentials::new(
                access_key_id,
                secret_access_key,
                session_token.clone(),
                None,
                "custos configuration",
            );
            Some(SharedCredentialsProvider::new(keys))
        }
        S3Credentials::UsualChain => {
            let loader = aws_config::defaults(BehaviorVersion::latest()).region(region.clone());
            loader.load().await.credentials_provider()
        }
    };
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(options.deadlines.connect)
        .read_timeout(options.deadlines.attempt)
        .operation_attempt_timeout(options.deadlines.attempt)
        .operation_timeout(options.deadlines.operation)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(options.attempts_max)
        .with_initial_backoff(options.pause)
        .with_max_backoff(PAUSE_MAX);
    let partition = format!("{}-{}-{}", options.name, options.bucket, options.prefix);
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .force_path_style(options.addressing == Addressing::Path)
        .timeout_config(timeouts)
        .retry_config(retries)
        // One bucket's retries are not paid for by another's.
        .retry_partition(RetryPartition::new(partition))
        // Attempts have a deadline of their own.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // Each write names its checksum, each read has those of the object's head.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let config = match credentials {
        Some(credentials) => config.credentials_provider(credentials),
        None => config,
    };
    let config = match &options.endpoint {
        Some(endpoint) => config.endpoint_url(endpoint),
        None => config,
    };
    Bucket {
        client: Client::from_conf(config.build()),
        name: options.bucket.clone(),
        place: Place {
            bucket: options.bucket.clone(),
            endpoint: options.endpoint.clone(),
            region: options.region.clone(),
        },
        deadline: options.deadlines.operation,
    }
}

/// The identity of a disk that is there, or that is made now.
pub(crate) async fn establish(
    bucket: &Bucket,
    names: &ObjectNames,
    options: &S3Options,
) -> Result<Identity, OpenError> {
    let place = || shown(bucket, names);
    let found = load(bucket, names).await?.map(|stored| stored.identity);
    match (options.mode, found) {
        (OpenMode::Create { .. }, Some(found)) => {
            Err(OpenError::Exists { place: place(), found: found.id })
        }
        (OpenMode::Create { id }, None) => {
            let page = bucket.list(names.root(), None, 1).await;
            let page = page.map_err(OpenError::bucket("list the bucket"))?;
            if let Some((object, _)) = page.objects.into_iter().next() {
                return Err(OpenError::Orphaned { place: place(), object });
            }
            let identity = Identity { id, generation: DiskGeneration(0), opening: None };
            match store(bucket, names, &identity, Overwrite::No).await {
                Err(OpenError::Bucket { kind: custos_core::ErrorKind::Integrity, .. }) => {
                    // Someone else made one just now.
                    let found = load(bucket, names).await?.map_or(id, |found| found.identity.id);
                    Err(OpenError::Exists { place: place(), found })
                }
                outcome => outcome.map(|()| identity),
            }
        }
        (OpenMode::Existing, None) => Err(OpenError::NoIdentity { place: place() }),
        (OpenMode::Existing, Some(found)) => match options.expected_id {
            Some(expected) if expected != found.id => {
                Err(OpenError::WrongIdentity { place: place(), expected, found: found.id })
            }
            _ => Ok(found),
        },
    }
}

/// Writes the identity, and reads it back before it counts.
pub(crate) async fn store(
    bucket: &Bucket,
    names: &ObjectNames,
    identity: &Identity,
    overwrite: Overwrite<'_>,
) -> Result<(), OpenError> {
    let text = Bytes::from(identity.encode());
    let put = bucket.put(&names.identity(), text.clone(), overwrite).await;
    let put = match put {
        // A server that knows no conditions says so, or passes them over.
        Err(Failure::Unsupported(_)) if overwrite != Overwrite::Yes => {
            bucket.put(&names.identity(), text, Overwrite::Yes).await
        }
        put => put,
    };
    put.map_err(OpenError::bucket("write custos-disk.json"))?;
    match load(bucket, names).await? {
        Some(found) if found.identity == *identity => Ok(()),
        _ => Err(OpenError::Bucket {
            operation: "write custos-disk.json",
            reason: format!("{} gives back another one: it is written by two", bucket.place),
            kind: custos_core::ErrorKind::Unavailable,
        }),
    }
}

/// An identity as it is read.
pub(crate) struct StoredIdentity {
    pub(crate) identity: Identity,
    tag: Option<String>,
}

impl StoredIdentity {
    /// What a write finds unless someone else was faster; anything, where the server knows no
    /// better.
    pub(crate) fn overwrite(&self) -> Overwrite<'_> {
        self.tag.as_deref().map_or(Overwrite::Yes, Overwrite::Only)
    }
}

/// Reads the identity.
pub(crate) async fn load(
    bucket: &Bucket,
    names: &ObjectNames,
) -> Result<Option<StoredIdentity>, OpenError> {
    let place = || shown(bucket, names);
    let part = match bucket.get(&names.identity(), 0..IDENTITY_BYTES_MAX as u64).await {
        Ok(part) => part,
        Err(Failure::Missing) => return Ok(None),
        Err(Failure::PastEnd) => {
            let reason = "it is empty".to_owned();
            return Err(OpenError::BadIdentity { place: place(), reason });
        }
        Err(failure) => return Err(OpenError::bucket("read custos-disk.json")(failure)),
    };
    let identity = Identity::decode(&part.bytes).map_err(|error| match error {
        IdentityError::Damaged(reason) => OpenError::BadIdentity { place: place(), reason },
        IdentityError::Newer(found) => {
            OpenError::NewerFormat { place: place(), found, supported: FORMAT_VERSION }
        }
    })?;
    Ok(Some(StoredIdentity { identity, tag: part.tag }))
}

fn shown(bucket: &Bucket, names: &ObjectNames) -> String {
    match names.root() {
        "" => bucket.place.to_string(),
        root => format!("{}, prefix {root}", bucket.place),
    }
}
