use std::{
    thread,
    time::{Duration, Instant},
};

/// Pause between two looks at a condition that nothing announces.
const LOOK_INTERVAL: Duration = Duration::from_millis(2);

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within `limit`; `what` is what was waited for.
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let found = wait_for(limit, LOOK_INTERVAL, || condition().then_some(()));
    assert!(found.is_some(), "waited {limit:?} in vain for {what}");
}

/// Looks every `interval` until there is something, at most for `limit`. For looks that cost: a
/// look at the cluster is a process of its own.
pub(crate) fn wait_for<T>(
    limit: Duration,
    interval: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(interval);
    }
}
