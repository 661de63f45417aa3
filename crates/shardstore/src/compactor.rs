use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use custos_ports::ShardError;
use tokio::sync::{mpsc, oneshot};

use crate::compaction::CompactionStep;
use crate::writer::WriteJob;

/// How long it waits when there is nothing to give back.
const IDLE_PAUSE: Duration = Duration::from_secs(10);
/// Most that it waits after one step, however low the rate.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Has the writer of a disk give back space, step by step and no faster than its rate, so that
/// writes come first. A thread that mostly waits.
#[derive(Debug)]
pub(crate) struct Compactor {
    /// Dropping it stops the thread.
    running: Sender<()>,
    thread: JoinHandle<()>,
}

impl Compactor {
    /// `bytes_per_second` is above zero.
    pub(crate) fn start(queue: mpsc::Sender<WriteJob>, bytes_per_second: u64) -> io::Result<Self> {
        let (running, stopped) = channel();
        let run = move || {
            let mut pause = IDLE_PAUSE;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let (reply, outcome) = oneshot::channel();
                if queue.blocking_send(WriteJob::Compact { reply }).is_err() {
                    return;
                }
                pause = match outcome.blocking_recv() {
                    Ok(Ok(step)) => pause_after(step, bytes_per_second),
                    Ok(Err(ShardError::Offline { .. })) | Err(_) => return,
                    // There may be more space later.
                    Ok(Err(_)) => IDLE_PAUSE,
                };
            }
        };
        let thread = std::thread::Builder::new().name("shard-compactor".into()).spawn(run)?;
        Ok(Self { running, thread })
    }

    /// Waits for the step that is under way, if one is.
    pub(crate) fn stop(self) {
        drop(self.running);
        if self.thread.join().is_err() {
            tracing::error!("a compactor ended badly");
        }
    }
}

fn pause_after(step: CompactionStep, bytes_per_second: u64) -> Duration {
    match step {
        CompactionStep::Idle => IDLE_PAUSE,
        CompactionStep::Moved { bytes } => {
            let millis = bytes.saturating_mul(1000) / bytes_per_second.max(1);
            Duration::from_millis(millis).min(PAUSE_MAX)
        }
        CompactionStep::Removed { .. } | CompactionStep::Kept => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_moved_keeps_to_the_rate() {
        let moved = CompactionStep::Moved { bytes: 4 << 20 };
        assert_eq!(pause_after(moved, 8 << 20), Duration::from_millis(500));
        assert_eq!(pause_after(moved, 1), PAUSE_MAX);
        assert_eq!(pause_after(CompactionStep::Idle, 1), IDLE_PAUSE);
    }
}
