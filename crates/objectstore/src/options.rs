use std::fmt;
use std::time::Duration;

use custos_core::DiskId;

/// How a bucket is opened.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// Human name for logs and errors, such as `cold 1`; the bucket is added to it.
    pub name: String,
    /// Where the service is, such as `https://s3.example:9000`; `None` is AWS's own place for the
    /// region.
    pub endpoint: Option<String>,
    /// The region that requests are signed for; many services take any, such as `us-east-1`.
    pub region: String,
    /// The bucket; it must be there, without versioning or object lock.
    pub bucket: String,
    /// What every object's name begins with: letters, digits, `-`, `_`, `.`, and `/` between
    /// parts, at most 256 bytes; may be empty. Two disks never share one, and none lies within
    /// another's.
    pub prefix: String,
    /// Whether the bucket is part of the path (`https://host/bucket/…`) rather than of the host
    /// name: most services besides AWS want that.
    pub addressing: Addressing,
    /// Who asks.
    pub credentials: S3Credentials,
    /// Whether the disk is there or is to be made.
    pub mode: OpenMode,
    /// In mode [`OpenMode::Existing`]: the identity that the bucket must have, when known.
    pub expected_id: Option<DiskId>,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// How often a request is sent at most. 4 by default.
    pub attempts_max: u32,
    /// Pause before the second attempt; doubled (with jitter) before each further one, and never
    /// more than 5 s. 200 ms by default.
    pub pause: Duration,
    /// Most reads, writes and listings at once; more wait for their turn. 32 by default, at most 4096.
    pub operations_in_flight_max: usize,
}

/// How requests name the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// `https://host/bucket/object`.
    Path,
    /// `https://bucket.host/object`.
    Host,
}

/// Whether a disk is there or is to be made. There is no "open or make": a mistyped bucket would
/// silently become an empty disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// The prefix must hold a disk.
    Existing,
    /// The prefix must not hold a disk, nor any object.
    Create {
        /// Identity of the new disk: 16 random bytes.
        id: DiskId,
    },
}

/// Who asks.
#[derive(Clone)]
pub enum S3Credentials {
    /// These keys.
    Keys {
        /// The access key.
        access_key_id: String,
        /// Its secret.
        secret_access_key: String,
        /// A session token, where the keys are temporary.
        session_token: Option<String>,
    },
    /// Whatever the AWS SDK's usual chain finds: environment, profile files, web identity, and
    /// the metadata services of container and machine. It probes the home directory and the
    /// network, so it is used only where it is asked for.
    UsualChain,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { access_key_id, .. } => write!(f, "Keys({access_key_id}, …)"),
            Self::UsualChain => f.write_str("UsualChain"),
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// A connection. 5 s by default.
    pub connect: Duration,
    /// One attempt at a request, its body included. 60 s by default.
    pub attempt: Duration,
    /// A request with all its attempts; also how long a call waits for its turn. 150 s by default.
    pub operation: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(60),
            operation: Duration::from_secs(150),
        }
    }
}

impl S3Options {
    /// Options with the defaults named at each field; path-style addressing, AWS's own endpoint,
    /// no prefix.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        region: impl Into<String>,
        bucket: impl Into<String>,
        credentials: S3Credentials,
        mode: OpenMode,
    ) -> Self {
        Self {
            name: name.into(),
            endpoint: None,
            region: region.into(),
            bucket: bucket.into(),
            prefix: String::new(),
            addressing: Addressing::Path,
            credentials,
            mode,
            expected_id: None,
            deadlines: Deadlines::default(),
            attempts_max: 4,
            pause: Duration::from_millis(200),
            operations_in_flight_max: 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let credentials = S3Credentials::Keys {
            access_key_id: "key".to_owned(),
            secret_access_key: "hidden".to_owned(),
            session_token: Some("hidden".to_owned()),
        };
        let shown = format!("{credentials:?}");
        assert!(shown.contains("key") && !shown.contains("hidden"), "{shown}");
    }
}
