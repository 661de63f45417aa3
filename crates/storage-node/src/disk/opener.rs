use std::fs;
use std::path::Path;
use std::sync::Arc;

use custos_core::{DiskId, ErrorKind};
use custos_objectstore::{OpenError as BucketError, OpenMode as BucketMode, S3Options, S3Store};
use custos_ports::{Clock, Entropy};
use custos_shardstore::{LocalDisk, OpenError, OpenMode, Options};

use super::{Backend, local::with_source};
use crate::tiered::TieredStore;
use crate::{DiskPlace, DiskSpec, WhenAbsent};

/// What does not make a folder any less empty: a file system's own, and what a disk has before it
/// has its identity, when the making of it was cut short.
const NOTHING: [&str; 4] = ["lost+found", "lock", "extents", "disk.json.new"];

/// Why a disk could not be opened.
#[derive(Debug, Clone)]
pub(crate) struct OpenFailure {
    pub(crate) reason: String,
    pub(crate) kind: ErrorKind,
    pub(crate) weight: FailureWeight,
    pub(crate) found: Found,
}

/// What stood at the place of a disk that could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No disk, and perhaps no folder.
    Nothing,
    /// A disk, or something that may be one.
    Something,
}

/// What a failure means for a node that starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureWeight {
    /// The disk is left out of service.
    LeavesOut,
    /// The set-up is wrong: the node does not start.
    StopsStart,
}

/// What the node remembers of a place. Where it remembers something, nothing else is taken and
/// nothing is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// The disk that stood there.
    pub(crate) disk_id: Option<DiskId>,
    /// Where the cold part of that disk was.
    pub(crate) cold_place: Option<String>,
}

/// A disk that is open.
#[derive(Clone)]
pub(crate) struct OpenDisk {
    pub(crate) backend: Arc<dyn Backend>,
    /// The same, where it is in two parts.
    pub(crate) tiered: Option<Arc<TieredStore>>,
}

/// Opens disks.
#[derive(Clone)]
pub(crate) struct Opener {
    pub(crate) local: Options,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Opener {
    pub(crate) async fn open(
        &self,
        spec: &DiskSpec,
        expected: &Expected,
    ) -> Result<OpenDisk, OpenFailure> {
        let new_id = match (expected.disk_id, spec.absent) {
            (None, WhenAbsent::Create) => Some(DiskId(self.entropy.array())),
            _ => None,
        };
        match &spec.place {
            DiskPlace::Folder(folder) => {
                let disk = self.folder(folder, &spec.name, expected.disk_id, new_id).await?;
                Ok(OpenDisk { backend: disk, tiered: None })
            }
            DiskPlace::Bucket(options) => {
                let disk = bucket(options, &spec.name, expected.disk_id, new_id).await?;
                Ok(OpenDisk { backend: disk, tiered: None })
            }
            DiskPlace::Tiered { folder, bucket: options, cold_after_days } => {
                let hot = self.folder(folder, &spec.name, expected.disk_id, new_id).await?;
                match cold(options, spec, hot.id(), expected).await {
                    Ok(cold) => {
                        let clock = self.clock.clone();
                        let tiered = TieredStore::new(hot, cold, *cold_after_days, clock);
                        let tiered = Arc::new(tiered);
                        Ok(OpenDisk { backend: tiered.clone(), tiered: Some(tiered) })
                    }
                    Err(failure) => {
                        hot.close().await;
                        Err(failure)
                    }
                }
            }
        }
    }

    async fn folder(
        &self,
        folder: &Path,
        name: &str,
        expected: Option<DiskId>,
        new_id: Option<DiskId>,
    ) -> Result<Arc<LocalDisk>, OpenFailure> {
        let mut options = self.local.clone();
        options.dir = folder.to_owned();
        options.name = name.to_owned();
        let opening = tokio::task::spawn_blocking(move || open_folder(options, expected, new_id));
        let opened = opening.await.map_err(|error| OpenFailure {
            reason: format!("opening it broke off: {error}"),
            kind: ErrorKind::Internal,
            weight: FailureWeight::LeavesOut,
            found: Found::Something,
        })?;
        opened.map(Arc::new).map_err(|error| folder_failure(&error, expected))
    }
}

fn open_folder(
    mut options: Options,
    expected: Option<DiskId>,
    new_id: Option<DiskId>,
) -> Result<LocalDisk, OpenError> {
    options.mode = OpenMode::Existing;
    options.expected_id = expected;
    match (LocalDisk::open(options.clone()), new_id) {
        (Err(OpenError::Missing { .. } | OpenError::NoIdentity { .. }), Some(id))
            if is_empty(&options.dir) =>
        {
            options.mode = OpenMode::Create { id };
            options.expected_id = None;
            LocalDisk::open(options)
        }
        (opened, _) => opened,
    }
}

/// Whether a disk may be made there; extents without an identity are noticed when it is.
fn is_empty(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(mut entries) => entries.all(|entry| {
            entry.is_ok_and(|entry| NOTHING.iter().any(|nothing| entry.file_name() == *nothing))
        }),
    }
}

fn folder_failure(error: &OpenError, expected: Option<DiskId>) -> OpenFailure {
    let reason = with_source(error);
    let absent = matches!(error, OpenError::Missing { .. } | OpenError::NoIdentity { .. });
    OpenFailure {
        reason: if absent { stood_here(reason, expected) } else { reason },
        kind: error.kind(),
        weight: match error {
            OpenError::Locked { .. } | OpenError::NewerFormat { .. } => FailureWeight::StopsStart,
            _ => FailureWeight::LeavesOut,
        },
        found: if absent { Found::Nothing } else { Found::Something },
    }
}

async fn bucket(
    options: &S3Options,
    name: &str,
    expected: Option<DiskId>,
    new_id: Option<DiskId>,
) -> Result<Arc<S3Store>, OpenFailure> {
    let mut options = options.clone();
    options.name = name.to_owned();
    options.mode = BucketMode::Existing;
    options.expected_id = expected;
    let opened = match (S3Store::open(options.clone()).await, new_id) {
        (Err(BucketError::NoIdentity { .. }), Some(id)) => {
            options.mode = BucketMode::Create { id };
            options.expected_id = None;
            S3Store::open(options).await
        }
        (opened, _) => opened,
    };
    opened.map(Arc::new).map_err(|error| {
        let reason = error.to_string();
        OpenFailure {
            reason: match &error {
                BucketError::NoIdentity { .. } => stood_here(reason, expected),
                _ => reason,
            },
            kind: error.kind(),
            weight: match &error {
                BucketError::Option { .. } | BucketError::NewerFormat { .. } => {
                    FailureWeight::StopsStart
                }
                _ => FailureWeight::LeavesOut,
            },
            found: match &error {
                BucketError::NoIdentity { .. } => Found::Nothing,
                _ => Found::Something,
            },
        }
    })
}

/// The cold part of `disk_id`: it carries the identity of the folder that it belongs to, so that
/// two of them are not exchanged.
async fn cold(
    options: &S3Options,
    spec: &DiskSpec,
    disk_id: DiskId,
    expected: &Expected,
) -> Result<Arc<dyn Backend>, OpenFailure> {
    let place = bucket_place(options);
    let new_id = match (&expected.cold_place, spec.absent) {
        (Some(before), _) if *before != place => {
            return Err(OpenFailure {
                reason: format!(
                    "the cold part of disk {disk_id} was at {before}, {place} is configured: \
                     configure the one with its shards"
                ),
                kind: ErrorKind::Invalid,
                weight: FailureWeight::LeavesOut,
                found: Found::Something,
            });
        }
        (None, WhenAbsent::Create) => Some(disk_id),
        _ => None,
    };
    let name = format!("{} cold", spec.name);
    Ok(bucket(options, &name, Some(disk_id), new_id).await?)
}

/// How the node's records call a bucket.
pub(crate) fn bucket_place(options: &S3Options) -> String {
    format!("s3://{}/{}", options.bucket, options.prefix)
}

fn stood_here(reason: String, expected: Option<DiskId>) -> String {
    match expected {
        Some(id) => format!("disk {id} stood here and is not mounted or was wiped: {reason}"),
        None => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_whose_making_was_cut_short_is_made_and_the_files_of_others_are_left_alone() {
        let dir = tempfile::tempdir().expect("tempdir");
        assert!(is_empty(dir.path()) && is_empty(&dir.path().join("missing")));
        fs::create_dir_all(dir.path().join("extents")).expect("mkdir");
        fs::write(dir.path().join("extents/.probe"), "").expect("write");
        fs::write(dir.path().join("lock"), "").expect("write");
        fs::write(dir.path().join("disk.json.new"), "{").expect("write");
        let options = || Options::new(dir.path(), "disk 0", OpenMode::Existing);
        open_folder(options(), None, Some(DiskId([1; 16]))).expect("made");
        open_folder(options(), None, Some(DiskId([2; 16]))).expect("the one that was made");

        let other = tempfile::tempdir().expect("tempdir");
        fs::write(other.path().join("holiday.jpg"), "x").expect("write");
        let options = Options::new(other.path(), "disk 0", OpenMode::Existing);
        let error = open_folder(options, None, Some(DiskId([1; 16]))).expect_err("not ours");
        assert!(matches!(error, OpenError::NoIdentity { .. }), "{error}");
        assert_eq!(fs::read_dir(other.path()).expect("list").count(), 1);
    }
}
