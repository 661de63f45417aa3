use std::fs;

use custos_core::Timestamp;
use prometheus_client::{
    metrics::{gauge::Gauge, info::Info},
    registry::Registry,
};

/// Ticks of CPU time in a second, as `/proc` counts them on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

type FloatGauge = Gauge<f64, std::sync::atomic::AtomicU64>;

/// What the operating system says of this process, under the names that Prometheus' own clients
/// use. Values that the system does not give are not on the page.
#[derive(Default)]
pub(super) struct ProcessMetrics {
    resident_bytes: Gauge,
    cpu_seconds: FloatGauge,
    open_files: Gauge,
}

impl ProcessMetrics {
    pub(super) fn register(&self, registry: &mut Registry, started: Timestamp) {
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("custosd_build", "Version of custosd", build);
        let start_time = FloatGauge::default();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit in 53 bits")]
        start_time.set(started.as_millis() as f64 / 1000.0);
        let help = "Start of the process in seconds since 1970";
        registry.register("process_start_time_seconds", help, start_time);
        if resident_bytes().is_some() {
            let help = "Resident memory in bytes";
            registry.register("process_resident_memory_bytes", help, self.resident_bytes.clone());
        }
        if cpu_seconds().is_some() {
            let help = "CPU time used, in seconds";
            registry.register("process_cpu_seconds", help, self.cpu_seconds.clone());
        }
        if open_files().is_some() {
            registry.register("process_open_fds", "Open file descriptors", self.open_files.clone());
        }
    }

    pub(super) fn refresh(&self) {
        if let Some(bytes) = resident_bytes() {
            self.resident_bytes.set(bytes);
        }
        if let Some(seconds) = cpu_seconds() {
            self.cpu_seconds.set(seconds);
        }
        if let Some(count) = open_files() {
            self.open_files.set(count);
        }
    }
}

fn open_files() -> Option<i64> {
    let entries = fs::read_dir("/proc/self/fd").ok()?;
    i64::try_from(entries.count()).ok()
}

fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold blanks; user and system time are fields 14 and 15.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}
