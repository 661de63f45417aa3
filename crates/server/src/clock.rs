use std::time::{SystemTime, UNIX_EPOCH};

use custos_core::Timestamp;
use custos_ports::Clock;

/// The machine's wall clock, so many days ahead: development mode shows in an hour what takes years.
#[derive(Debug, Clone, Copy)]
pub struct ClockAhead {
    /// How far, in days of 86,400 s.
    pub days: u32,
}

impl Clock for ClockAhead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_days(self.days)
    }
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock, behind the port")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now();
        let millis = match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            // A clock set before 1970 is wrong, but it is what the machine says.
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        };
        Timestamp::from_millis(millis)
    }
}
