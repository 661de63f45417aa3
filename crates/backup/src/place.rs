use std::{fmt, path::PathBuf, str::FromStr};

use crate::BackupError;

const SCHEME: &str = "s3://";

/// Where backups are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupPlace {
    /// A folder.
    Folder(PathBuf),
    /// A prefix of an S3-compatible bucket.
    Bucket {
        /// Name of the bucket.
        bucket: String,
        /// Everything lies under it; may be empty.
        prefix: String,
    },
}

impl FromStr for BackupPlace {
    type Err = BackupError;

    fn from_str(text: &str) -> Result<Self, BackupError> {
        let wrong = |reason: &str| {
            Err(BackupError::Place { text: text.to_owned(), reason: reason.to_owned() })
        };
        if let Some(rest) = text.strip_prefix(SCHEME) {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return wrong("write s3://BUCKET/PREFIX");
            }
            let prefix = prefix.trim_matches('/').to_owned();
            return Ok(Self::Bucket { bucket: bucket.to_owned(), prefix });
        }
        match text.split_once("://") {
            _ if text.is_empty() => wrong("it is empty"),
            Some(_) => wrong("write a folder or s3://BUCKET/PREFIX"),
            None => Ok(Self::Folder(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for BackupPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Bucket { bucket, prefix } => write!(f, "{SCHEME}{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_folder_or_a_prefix_of_a_bucket() {
        let parse = |text: &str| text.parse::<BackupPlace>();
        assert_eq!(parse("/srv/b").expect("a folder"), BackupPlace::Folder("/srv/b".into()));
        let bucket = BackupPlace::Bucket { bucket: "b".to_owned(), prefix: "c/d".to_owned() };
        assert_eq!(parse("s3://b/c/d/").expect("a bucket"), bucket);
        assert_eq!(bucket.to_string(), "s3://b/c/d");
        for wrong in ["", "s3://", "s3:///x", "ftp://x"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
