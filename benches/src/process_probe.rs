use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// Length of a tick of processor time in `/proc/PID/stat`: Linux reports 100 a second to programs
/// whatever it counts itself (proc(5), `USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Reads what a process has used: processor time in steps of 10 ms, and memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProcessProbe {
    pid: u32,
}

impl ProcessProbe {
    /// This very process.
    pub(crate) fn own() -> Self {
        Self { pid: std::process::id() }
    }

    pub(crate) fn of(pid: u32) -> Self {
        Self { pid }
    }

    /// User and system time of all threads since it began.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let text = self.read("stat")?;
        cpu_of(&text).with_context(|| format!("/proc/{}/stat cannot be understood", self.pid))
    }

    /// Most memory that was ever resident (`VmHWM`), in bytes.
    pub(crate) fn memory_peak_bytes(self) -> Result<u64> {
        let text = self.read("status")?;
        peak_of(&text).with_context(|| format!("/proc/{}/status has no VmHWM", self.pid))
    }

    fn read(self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.pid);
        fs::read_to_string(&path).with_context(|| format!("{path}: is the process gone?"))
    }
}

fn cpu_of(stat: &str) -> Option<Duration> {
    // The second field is the name in brackets, which may hold anything, brackets included.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user.checked_add(system)?)
}

fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_user_and_system_time_whatever_the_process_is_called() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 8 0 1 2 3";
        assert_eq!(cpu_of(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu_of("42 (short) S 1 2"), None);
        assert_eq!(cpu_of(""), None);
    }

    #[test]
    fn the_memory_peak_is_read_in_bytes() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t1 kB\n"), Some(2 << 20));
        assert_eq!(peak_of("Name:\tx\n"), None);
    }

    #[test]
    fn a_process_can_read_itself_and_one_that_is_gone_is_named() {
        let own = ProcessProbe::own();
        own.cpu().expect("processor time");
        assert!(own.memory_peak_bytes().expect("memory") > 0);
        let gone = ProcessProbe::of(u32::MAX).cpu().expect_err("no such process");
        assert!(gone.to_string().contains(&u32::MAX.to_string()), "{gone}");
    }
}
