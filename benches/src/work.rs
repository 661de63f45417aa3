use std::time::Duration;

use serde::Serialize;

const MIB: f64 = (1 << 20) as f64;
const GIB: f64 = (1 << 30) as f64;

/// Bytes that were worked on, and what that took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) bytes: u64,
    pub(crate) elapsed: Duration,
    /// Processor time of the process that is measured.
    pub(crate) cpu: Duration,
}

/// What work comes to for each second and each byte.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Rate {
    pub(crate) mib_per_s: f64,
    pub(crate) cpu_s_per_gib: f64,
}

impl Work {
    /// `None` when nothing was done.
    pub(crate) fn rate(self) -> Option<Rate> {
        let seconds = self.elapsed.as_secs_f64();
        if self.bytes == 0 || seconds == 0.0 {
            return None;
        }
        let mib_per_s = self.bytes as f64 / MIB / seconds;
        Some(Rate { mib_per_s, cpu_s_per_gib: cpu_s_per_gib(self.cpu, self.bytes) })
    }
}

/// Processor seconds for each GiB; `bytes` must not be 0.
pub(crate) fn cpu_s_per_gib(cpu: Duration, bytes: u64) -> f64 {
    cpu.as_secs_f64() / (bytes as f64 / GIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_by_mib_a_second_and_by_processor_seconds_a_gib() {
        let work = Work {
            bytes: 512 << 20,
            elapsed: Duration::from_secs(2),
            cpu: Duration::from_millis(250),
        };
        assert_eq!(work.rate(), Some(Rate { mib_per_s: 256.0, cpu_s_per_gib: 0.5 }));
        assert_eq!(Work { bytes: 0, ..work }.rate(), None);
        assert_eq!(Work { elapsed: Duration::ZERO, ..work }.rate(), None);
    }
}
