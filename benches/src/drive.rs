use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Error, Result};
use tokio::{task::JoinSet, time::timeout};

use crate::latencies::Latencies;

/// What one client does, again and again.
pub(crate) trait Worker: Send + 'static {
    /// Operation `number`, counted over all clients from 0.
    fn operate(&mut self, number: u64) -> impl Future<Output = Result<Operation>> + Send;
}

/// An operation that succeeded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) bytes: u64,
    pub(crate) latency: Duration,
    /// From the beginning to the first byte, where there is such a thing.
    pub(crate) to_first_byte: Option<Duration>,
}

/// What a run may not exceed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Operations, over all clients.
    pub(crate) operations: u64,
    /// After this time none begins.
    pub(crate) begin_within: Duration,
    /// What still runs this long after that is given up.
    pub(crate) grace: Duration,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) begun: u64,
    pub(crate) done: u64,
    pub(crate) bytes: u64,
    pub(crate) latencies: Latencies,
    pub(crate) to_first_byte: Latencies,
    /// Why a client stopped early; the others went on.
    pub(crate) errors: Vec<Error>,
    pub(crate) elapsed: Duration,
}

impl Tally {
    fn new() -> Self {
        Self {
            begun: 0,
            done: 0,
            bytes: 0,
            latencies: Latencies::new(),
            to_first_byte: Latencies::new(),
            errors: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    fn end(&mut self, outcome: Result<Operation>) -> Next {
        match outcome {
            Ok(operation) => {
                self.done += 1;
                self.bytes += operation.bytes;
                self.latencies.record(operation.latency);
                if let Some(latency) = operation.to_first_byte {
                    self.to_first_byte.record(latency);
                }
                Next::Another
            }
            Err(error) => {
                self.errors.push(error);
                Next::Stop
            }
        }
    }
}

/// What a client does after an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Another,
    Stop,
}

/// Runs all workers at once; each takes the next operation until the bounds are reached, or until
/// one of its own fails.
pub(crate) async fn drive(workers: Vec<impl Worker>, bounds: Bounds) -> Tally {
    drive_until(workers, bounds, Arc::default()).await
}

/// The same, and no operation begins either once `stop` is set.
pub(crate) async fn drive_until(
    workers: Vec<impl Worker>,
    bounds: Bounds,
    stop: Arc<AtomicBool>,
) -> Tally {
    let shared = Arc::new(Shared {
        bounds,
        stop,
        start: Instant::now(),
        taken: AtomicU64::new(0),
        tally: Mutex::new(Tally::new()),
    });
    let mut running = JoinSet::new();
    for worker in workers {
        running.spawn(work(worker, shared.clone()));
    }
    // Whatever has not ended by then is seen in the tally: begun, and neither done nor failed.
    let _in_time = timeout(bounds.begin_within + bounds.grace, ended(&mut running)).await;
    running.shutdown().await;
    let mut tally = shared.with_tally(|tally| std::mem::replace(tally, Tally::new()));
    tally.elapsed = shared.start.elapsed();
    tally
}

async fn ended(running: &mut JoinSet<()>) {
    while let Some(ended) = running.join_next().await {
        ended.expect("a worker does not panic");
    }
}

/// What all workers of a run share.
struct Shared {
    bounds: Bounds,
    stop: Arc<AtomicBool>,
    start: Instant,
    /// Operations that workers have taken.
    taken: AtomicU64,
    tally: Mutex<Tally>,
}

async fn work(mut worker: impl Worker, shared: Arc<Shared>) {
    while shared.start.elapsed() < shared.bounds.begin_within
        && !shared.stop.load(Ordering::Relaxed)
    {
        let number = shared.taken.fetch_add(1, Ordering::Relaxed);
        if number >= shared.bounds.operations {
            return;
        }
        shared.with_tally(|tally| tally.begun += 1);
        let outcome = worker.operate(number).await;
        if shared.with_tally(|tally| tally.end(outcome)) == Next::Stop {
            return;
        }
    }
}

impl Shared {
    fn with_tally<T>(&self, act: impl FnOnce(&mut Tally) -> T) -> T {
        // A worker that panicked is reported by itself; what others have counted stands.
        act(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    enum Behaviour {
        Succeeds,
        FailsAt(u64),
        Hangs,
    }

    impl Worker for Behaviour {
        async fn operate(&mut self, number: u64) -> Result<Operation> {
            match self {
                Self::FailsAt(at) if *at <= number => bail!("operation {number} failed"),
                Self::Hangs => std::future::pending().await,
                _ => {}
            }
            // Lets the others have a turn.
            tokio::task::yield_now().await;
            let latency = Duration::from_millis(3);
            Ok(Operation { bytes: 10, latency, to_first_byte: None })
        }
    }

    fn bounds(operations: u64) -> Bounds {
        let begin_within = Duration::from_secs(60);
        Bounds { operations, begin_within, grace: Duration::ZERO }
    }

    #[tokio::test]
    async fn exactly_as_many_operations_run_as_are_allowed() {
        let tally = drive(vec![Behaviour::Succeeds, Behaviour::Succeeds], bounds(101)).await;
        assert_eq!((tally.begun, tally.done, tally.bytes), (101, 101, 1010));
        assert!(tally.errors.is_empty() && tally.latencies.percentiles().is_some());
        assert_eq!(tally.to_first_byte.percentiles(), None);
    }

    #[tokio::test]
    async fn nothing_begins_once_it_is_told_to_stop() {
        let stop = Arc::new(AtomicBool::new(true));
        let tally = drive_until(vec![Behaviour::Succeeds], bounds(10), stop).await;
        assert_eq!((tally.begun, tally.errors.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_client_whose_operation_fails_stops_and_the_others_go_on() {
        let tally = drive(vec![Behaviour::FailsAt(0), Behaviour::Succeeds], bounds(50)).await;
        assert_eq!((tally.begun, tally.done, tally.errors.len()), (50, 49, 1));
        assert!(tally.errors[0].to_string().contains("failed"));
    }

    #[tokio::test]
    async fn an_operation_that_hangs_is_given_up_after_the_time_and_counts_as_unfinished() {
        let bounds = Bounds { begin_within: Duration::from_millis(1), ..bounds(2) };
        let tally = drive(vec![Behaviour::Hangs], bounds).await;
        assert_eq!((tally.begun, tally.done, tally.errors.len()), (1, 0, 0));
    }
}
