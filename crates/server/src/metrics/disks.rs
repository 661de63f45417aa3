use std::sync::atomic::AtomicU64;

use custos_core::Fullness;
use custos_storage_node::DiskReport;
use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

type Labels = Vec<(&'static str, String)>;
type PerDisk = Family<Labels, Gauge>;
type FloatPerDisk = Family<Labels, Gauge<f64, AtomicU64>>;

/// What each disk of this process says of itself.
#[derive(Default)]
pub(super) struct DiskMetrics {
    online: PerDisk,
    suspect: PerDisk,
    shards: PerDisk,
    payload_bytes: PerDisk,
    stored_bytes: PerDisk,
    total_bytes: PerDisk,
    free_bytes: PerDisk,
    fullness: PerDisk,
    io_errors: PerDisk,
    quarantined: PerDisk,
    scrub_progress: FloatPerDisk,
    scrub_checked_bytes: PerDisk,
    scrub_damaged: PerDisk,
    scrub_pass_ended: PerDisk,
}

impl DiskMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("custos_disk");
        for (name, help, family) in self.families() {
            registry.register(name, help, family.clone());
        }
        let help = "Share of the disk's shards that this pass of the scrub has checked, 0 to 1";
        registry.register("scrub_progress", help, self.scrub_progress.clone());
    }

    fn families(&self) -> [(&'static str, &'static str, &PerDisk); 13] {
        [
            ("online", "1 while the disk is in service", &self.online),
            ("suspect", "1 while the disk is slow or failing and gets no shards", &self.suspect),
            ("shards", "Shards that the disk holds", &self.shards),
            ("payload_bytes", "Bytes of the payloads of its shards", &self.payload_bytes),
            ("stored_bytes", "Bytes that its extents take", &self.stored_bytes),
            ("total_bytes", "Bytes of its file system", &self.total_bytes),
            ("free_bytes", "Bytes free on its file system", &self.free_bytes),
            ("fullness", "0 normal, 1 near-full, 2 backfill-full, 3 full", &self.fullness),
            ("io_errors", "Failed reads, writes and syncs since the start", &self.io_errors),
            ("quarantined", "Records and files that it does not know", &self.quarantined),
            (
                "scrub_checked_bytes",
                "Bytes that this pass of the scrub has checked",
                &self.scrub_checked_bytes,
            ),
            ("scrub_damaged", "Damaged shards that the scrub ever found", &self.scrub_damaged),
            (
                "scrub_pass_ended_seconds",
                "End of the last whole pass of the scrub in seconds since 1970; 0 when none was",
                &self.scrub_pass_ended,
            ),
        ]
    }

    /// These are the disks, and this is what they say.
    pub(super) fn set(&self, reports: &[DiskReport]) {
        // A disk that was detached is not shown any more.
        self.families().iter().for_each(|(_, _, family)| family.clear());
        self.scrub_progress.clear();
        for report in reports {
            self.set_one(report);
        }
    }

    fn set_one(&self, report: &DiskReport) {
        let store = &report.store;
        let name = store.name.split(" (").next().unwrap_or_default();
        let labels = vec![("disk", name.to_owned())];
        let set = |family: &PerDisk, value: u64| {
            family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.online, u64::from(store.offline.is_none()));
        if store.offline.is_some() {
            return;
        }
        set(&self.suspect, u64::from(store.suspect.is_some()));
        set(&self.shards, store.shards);
        set(&self.payload_bytes, store.payload_bytes);
        set(&self.stored_bytes, store.stored_bytes);
        set(&self.total_bytes, store.total_bytes);
        set(&self.free_bytes, store.free_bytes);
        let fullness = Fullness::ALL.iter().position(|mark| *mark == store.fullness);
        set(&self.fullness, fullness.unwrap_or_default() as u64);
        set(&self.io_errors, store.io_errors);
        set(&self.quarantined, store.quarantined);
        let Some(scrub) = &report.scrub else { return };
        let progress = &scrub.progress;
        let share = f64::from(progress.permille(store.shards)) / 1000.0;
        self.scrub_progress.get_or_create(&labels).set(share);
        set(&self.scrub_checked_bytes, progress.bytes_checked);
        set(&self.scrub_damaged, progress.damaged_ever);
        let ended = progress.pass_ended.map_or(0, |ended| ended.as_millis() / 1000);
        self.scrub_pass_ended.get_or_create(&labels).set(ended);
    }
}
