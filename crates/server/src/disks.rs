use std::{path::PathBuf, sync::Arc};

use custos_ports::ShardStore;
use custos_shardstore::{DiskId, LocalDisk, OfflineDisk, OpenError, OpenMode, Options};
use tokio::task;

use crate::data_dir::Stage;

/// The disks of a node, in the order of the vault's slots.
pub(crate) struct Disks {
    slots: Vec<Slot>,
}

enum Slot {
    Local(Arc<LocalDisk>),
    Offline(Arc<OfflineDisk>),
}

impl Disks {
    /// Opens every disk. Of a settled node, one that is missing, foreign or damaged is left out of
    /// service with a warning; a disk in use or of a newer format stops the start.
    pub(crate) async fn open(
        folders: &[PathBuf],
        ids: &[DiskId],
        stage: Stage,
    ) -> Result<Self, OpenError> {
        assert_eq!(folders.len(), ids.len(), "configuration and manifest have one profile");
        let opening: Vec<_> = folders
            .iter()
            .zip(ids)
            .enumerate()
            .map(|(number, (folder, id))| {
                let (folder, id) = (folder.clone(), *id);
                task::spawn_blocking(move || open_one(number, folder, id, stage))
            })
            .collect();
        let mut disks = Self { slots: Vec::with_capacity(opening.len()) };
        let mut failure = None;
        for opened in opening {
            match opened.await.expect("opening a disk does not panic") {
                Ok(slot) => disks.slots.push(slot),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            None => Ok(disks),
            Some(error) => {
                disks.close().await;
                Err(error)
            }
        }
    }

    pub(crate) fn stores(&self) -> Vec<Arc<dyn ShardStore>> {
        let store = |slot: &Slot| -> Arc<dyn ShardStore> {
            match slot {
                Slot::Local(disk) => disk.clone(),
                Slot::Offline(disk) => disk.clone(),
            }
        };
        self.slots.iter().map(store).collect()
    }

    /// Finishes the writes that wait and closes the files.
    pub(crate) async fn close(&self) {
        let closing = self.slots.iter().filter_map(|slot| match slot {
            Slot::Local(disk) => Some(disk.close()),
            Slot::Offline(_) => None,
        });
        futures::future::join_all(closing).await;
    }
}

fn open_one(number: usize, folder: PathBuf, id: DiskId, stage: Stage) -> Result<Slot, OpenError> {
    let name = format!("disk {number}");
    let open = |mode| {
        let mut options = Options::new(&folder, &name, mode);
        options.expected_id = Some(id);
        LocalDisk::open(options)
    };
    let opened = match open(OpenMode::Existing) {
        // Never for a settled node: an unmounted disk would silently become an empty one.
        Err(OpenError::Missing { .. } | OpenError::NoIdentity { .. })
            if stage == Stage::Beginning =>
        {
            open(OpenMode::Create { id })
        }
        opened => opened,
    };
    match opened {
        Ok(disk) => Ok(Slot::Local(Arc::new(disk))),
        Err(error @ (OpenError::Locked { .. } | OpenError::NewerFormat { .. })) => Err(error),
        Err(error) if stage == Stage::Beginning => Err(error),
        Err(error) => {
            let full_name = format!("{name} ({})", folder.display());
            let reason = with_source(&error);
            tracing::warn!(disk = %full_name, %reason, "disk is left out of service");
            Ok(Slot::Offline(Arc::new(OfflineDisk::new(full_name, reason))))
        }
    }
}

fn with_source(error: &OpenError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
