use std::sync::Arc;

use custos_core::{DiskId, ErrorKind};
use tokio::time::timeout;

use super::start::{added_spec, expected, not_registered};
use super::{Node, Retry, Slot};
use crate::disk::{Backend, Expected, Found};
use crate::limits::{ADD_DISK_TIMEOUT, DISK_STOP_TIMEOUT, DISKS_MAX, REFRESH_TIMEOUT};
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
        let _alone = self.changing.lock().await;
        if *self.stopping.borrow() {
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
        let _alone = self.changing.lock().await;
        if self.failure.borrow().is_some() {
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
            let expected = expected(&spec, &*self.places.lock().await);
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
        tokio::select! {
            biased;
            () = self.stopping() => return Err(DiskChangeError::Stopping),
            () = self.until_left(&place) => {}
        }
        let opened = tokio::select! {
            biased;
            () = self.stopping() => return Err(DiskChangeError::Stopping),
            opened = self.opener.open(spec, expected) => opened,
        };
        let disk = opened.map_err(|failure| DiskChangeError::Open {
            place: place.clone(),
            reason: failure.reason,
            // At a start it may come yet; whoever names a place now means what stands there.
            kind: match failure.found {
                Found::Nothing => ErrorKind::NotFound,
                Found::Something => failure.kind,
            },
        })?;
        if let Some(other) = self.serving_disk(disk.backend.id()) {
            close_in_time(disk.backend).await;
            let (place, disk_id) = (other.place.clone(), other.store.disk_id());
            return Err(DiskChangeError::InService { place, disk_id });
        }
        let registered = tokio::select! {
            biased;
            () = self.stopping() => Err(DiskChangeError::Stopping),
            registered = self.register_in_time(spec, &disk.backend) => registered,
        };
        match registered {
            Ok(registered) => {
                let serving = self.serve(disk, place, registered);
                let disk_id = serving.store.disk_id();
                self.remember(spec, &serving, origin).await;
                self.put(Slot::Serving(serving));
                match timeout(REFRESH_TIMEOUT, self.deps.cluster.refresh()).await {
                    Ok(Ok(_)) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "the cluster map could not be read anew; it follows");
                    }
                    Err(_) => tracing::warn!("the cluster map did not come in time; it follows"),
                }
                Ok(disk_id)
            }
            Err(error) => {
                close_in_time(disk.backend).await;
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

    /// Takes a disk out of service and closes it, unless it hangs; it stays in the map. A disk that
    /// was added while the node ran is forgotten; a configured one is back at the next start.
    pub(crate) async fn detach_disk(&self, disk_id: DiskId) -> Result<(), DiskChangeError> {
        if *self.stopping.borrow() {
            return Err(DiskChangeError::Stopping);
        }
        let disk = self.serving_disk(disk_id).ok_or(DiskChangeError::NotInService { disk_id })?;
        let reason = "it was detached by an administrator: add it again to use it";
        disk.store.take_out(reason);
        // Before its place is free for another disk.
        self.forget(&disk.place).await;
        self.retire(&disk, reason);
        disk.closed_within(DISK_STOP_TIMEOUT).await;
        Ok(())
    }

    /// Forgets a place where a disk was added while the node ran.
    async fn forget(&self, place: &str) {
        let mut places = self.places.clone().lock_owned().await;
        if places.at(place).is_none_or(|place| place.origin != Origin::Added) {
            return;
        }
        let forgotten = place.to_owned();
        let saved = tokio::task::spawn_blocking(move || places.forget(&forgotten)).await;
        if let Err(error) = saved.expect("forgetting a place does not panic") {
            tracing::warn!(place, %error, "the place could not be forgotten");
        }
    }
}

/// Closes a disk that is not served after all; one that hangs is left alone after a while.
async fn close_in_time(backend: Arc<dyn Backend>) {
    let closing = tokio::spawn(async move { backend.close().await });
    if timeout(DISK_STOP_TIMEOUT, closing).await.is_err() {
        tracing::error!("a disk could not be closed in time and is left alone");
    }
}
