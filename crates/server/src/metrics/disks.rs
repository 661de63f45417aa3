use custos_ports::StoreStatus;
use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

type PerDisk = Family<Vec<(&'static str, String)>, Gauge>;

/// What each disk says of itself.
#[derive(Default)]
pub(super) struct DiskMetrics {
    online: PerDisk,
    shards: PerDisk,
    payload_bytes: PerDisk,
    free_bytes: PerDisk,
}

impl DiskMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("custos_disk");
        registry.register("online", "1 while the disk is in service", self.online.clone());
        registry.register("shards", "Shards that the disk holds", self.shards.clone());
        let help = "Bytes of the payloads of the shards that the disk holds";
        registry.register("payload_bytes", help, self.payload_bytes.clone());
        let help = "Bytes free on the disk's file system";
        registry.register("free_bytes", help, self.free_bytes.clone());
    }

    /// Slot `number` answered with `status`, or did not answer.
    pub(super) fn set(&self, number: usize, status: Option<&StoreStatus>) {
        let labels = vec![("slot", number.to_string())];
        let online = status.is_some_and(|status| status.offline.is_none());
        self.online.get_or_create(&labels).set(i64::from(online));
        // What a disk does not say now keeps the value that it said last.
        let Some(status) = status else { return };
        let set = |family: &PerDisk, value: u64| {
            family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.shards, status.shards);
        set(&self.payload_bytes, status.payload_bytes);
        set(&self.free_bytes, status.free_bytes);
    }
}
