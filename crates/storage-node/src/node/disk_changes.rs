use std::sync::Arc;

use custos_core::DiskId;
use tokio::time::timeout;

use super::start::{added_spec, expected, not_registered};
use super::{Node, Retry, Slot};
use crate::disk::{Backend, Expected};
use crate::limits::{ADD_DISK_TIMEOUT, DISKS_MAX};
use crate::node_folder::Origin;
use crate::registrar::{NotRegistered, Registered};
use crate::{DiskChangeError, DiskSpec, WhenAbsent};

impl Node {
    /// Takes a folder's disk into service, making one there if `absent` says so. Also brings back
    /// a disk that was out of service, and takes another disk than the one that stood there
    /// before: an administrator who asks for it knows that it was replaced.
    pub(crate) async fn add_disk(
        &self,
        folder: &str,
        absent: WhenAbsent,
    ) -> Result<DiskId, DiskChangeError> {
        let stopped = self.changing.lock().await;
        if *stopped {
            return Err(DiskChangeError::Stopping);
        }
        let configured = self.options.disks.iter().find(|spec| spec.place.text() == folder);
        let spec = match configured {
            Some(spec) => DiskSpec { absent, ..spec.clone() },
            None => added_spec(folder, absent),
        };
        let place = spec.place.text();
        if let Some(disk) = self.serving().iter().find(|disk| disk.place == place) {
            return Err(DiskChangeError::InService { place, disk_id: disk.store.disk_id() });
        }
        if self.slots.read().iter().filter(|slot| slot.place() != place).count() >= DISKS_MAX {
            return Err(DiskChangeError::TooMany { limit: DISKS_MAX });
        }
        self.bring_in(&spec, &Expected::default(), Origin::Added).await
    }

    /// Looks for the disks that were not there when they should have been opened.
    pub(crate) async fn reopen(&self) {
        let stopped = self.changing.lock().await;
        if *stopped || self.failure.borrow().is_some() {
            return;
        }
        let waiting = |slot: &Slot| match slot {
            Slot::Out(out) if out.retry == Retry::Later => Some(out.place.clone()),
            _ => None,
        };
        let waiting: Vec<String> = self.slots.read().iter().filter_map(waiting).collect();
        for place in waiting {
            let configured = self.options.disks.iter().find(|spec| spec.place.text() == place);
            let spec = match configured {
                Some(spec) => spec.clone(),
                None => added_spec(&place, WhenAbsent::Refuse),
            };
            let expected = expected(&spec, &self.places.lock());
            if let Err(error) = self.bring_in(&spec, &expected, Origin::Configured).await {
                tracing::debug!(%error, "disk is still out of service");
            }
        }
    }

    /// Opens, registers and serves a disk.
    async fn bring_in(
        &self,
        spec: &DiskSpec,
        expected: &Expected,
        origin: Origin,
    ) -> Result<DiskId, DiskChangeError> {
        let place = spec.place.text();
        let opened = self.opener.open(spec, expected).await;
        let disk = opened.map_err(|failure| DiskChangeError::Open {
            place: place.clone(),
            reason: failure.reason,
            kind: failure.kind,
        })?;
        if let Some(other) = self.serving_disk(disk.backend.id()) {
            disk.backend.close().await;
            let (place, disk_id) = (other.place.clone(), other.store.disk_id());
            return Err(DiskChangeError::InService { place, disk_id });
        }
        match self.register_in_time(spec, &disk.backend).await {
            Ok(registered) => {
                let serving = self.serve(disk, place, registered);
                self.remember(spec, &serving, origin);
                let disk_id = serving.store.disk_id();
                self.put(Slot::Serving(serving));
                if let Err(error) = self.deps.cluster.refresh().await {
                    tracing::warn!(%error, "the cluster map could not be read anew; it follows");
                }
                Ok(disk_id)
            }
            Err(error) => {
                disk.backend.close().await;
                Err(error)
            }
        }
    }

    async fn register_in_time(
        &self,
        spec: &DiskSpec,
        backend: &Arc<dyn Backend>,
    ) -> Result<Registered, DiskChangeError> {
        let place = spec.place.text();
        match timeout(ADD_DISK_TIMEOUT, self.register_disk(spec, backend)).await {
            Ok(Ok(registered)) => Ok(registered),
            Ok(Err(NotRegistered::Refused(refusal))) => {
                Err(DiskChangeError::Refused { place, refusal })
            }
            Ok(Err(error)) => Err(DiskChangeError::Ledger { place, reason: not_registered(error) }),
            Err(_) => {
                let trouble = self.registrar.last_trouble();
                let reason = trouble.unwrap_or_else(|| "it did not answer in time".to_owned());
                Err(DiskChangeError::Ledger { place, reason })
            }
        }
    }

    /// Puts a slot in the place of the one that had its place.
    fn put(&self, slot: Slot) {
        {
            let mut slots = self.slots.write();
            match slots.iter_mut().find(|other| other.place() == slot.place()) {
                Some(other) => *other = slot,
                None => slots.push(slot),
            }
        }
        self.publish();
    }

    /// Takes a disk out of service and closes it; it stays in the map. A disk that was added while
    /// the node ran is forgotten; a configured one is back at the next start.
    pub(crate) async fn detach_disk(&self, disk_id: DiskId) -> Result<(), DiskChangeError> {
        let stopped = self.changing.lock().await;
        if *stopped {
            return Err(DiskChangeError::Stopping);
        }
        let disk = self.serving_disk(disk_id).ok_or(DiskChangeError::NotInService { disk_id })?;
        let reason = "it was detached by an administrator: add it again to use it";
        disk.store.take_out(reason);
        self.retire(&disk, reason).await;
        let mut places = self.places.lock();
        if places.at(&disk.place).is_some_and(|place| place.origin == Origin::Added)
            && let Err(error) = places.forget(&disk.place)
        {
            tracing::warn!(place = disk.place, %error, "the place could not be forgotten");
        }
        Ok(())
    }
}
