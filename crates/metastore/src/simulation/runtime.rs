//! openraft's runtime in this crate's tests: tokio as in production, with two hooks. The random
//! numbers of elections come from a seed, and the tasks of a simulated node belong to a [`Life`]
//! that can be paused and ended as a process can.

use std::{
    cell::RefCell,
    future::Future,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use openraft::{AsyncRuntime, OptionalSend, TokioInstant, TokioRuntime};
use parking_lot::Mutex;
use rand_core::RngCore;
use tokio::{
    sync::watch::{self, error::RecvError},
    task::{AbortHandle, JoinHandle},
};

use super::random::Random;

/// Tokio, seeded and with lives.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LedgerRuntime;

impl AsyncRuntime for LedgerRuntime {
    type JoinError = <TokioRuntime as AsyncRuntime>::JoinError;
    type JoinHandle<T: OptionalSend + 'static> = JoinHandle<T>;
    type Sleep = <TokioRuntime as AsyncRuntime>::Sleep;
    type Instant = TokioInstant;
    type TimeoutError = <TokioRuntime as AsyncRuntime>::TimeoutError;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = tokio::time::Timeout<T>;
    type ThreadLocalRng = ElectionRandom;
    type OneshotSender<T: OptionalSend> = <TokioRuntime as AsyncRuntime>::OneshotSender<T>;
    type OneshotReceiver<T: OptionalSend> = tokio::sync::oneshot::Receiver<T>;
    type OneshotReceiverError = tokio::sync::oneshot::error::RecvError;

    fn spawn<T>(future: T) -> JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        match LIFE.try_with(Life::clone) {
            Ok(life) => life.spawn(future),
            Err(_) => TokioRuntime::spawn(future),
        }
    }

    fn sleep(duration: Duration) -> Self::Sleep {
        TokioRuntime::sleep(duration)
    }

    fn sleep_until(deadline: TokioInstant) -> Self::Sleep {
        TokioRuntime::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: TokioInstant,
        future: F,
    ) -> Self::Timeout<R, F> {
        TokioRuntime::timeout_at(deadline, future)
    }

    fn is_panic(error: &Self::JoinError) -> bool {
        error.is_panic()
    }

    fn thread_rng() -> ElectionRandom {
        ElectionRandom
    }

    fn oneshot<T>() -> (Self::OneshotSender<T>, Self::OneshotReceiver<T>)
    where
        T: OptionalSend,
    {
        TokioRuntime::oneshot()
    }
}

/// `tokio::spawn`, for a task that ends with the node that began it.
pub(crate) fn spawn<T>(future: T) -> JoinHandle<T::Output>
where
    T: Future + Send + 'static,
    T::Output: Send + 'static,
{
    LedgerRuntime::spawn(future)
}

/// `tokio::task::spawn_blocking`, which a simulated node does in its turn, so that the order of
/// what happens does not depend on threads.
pub(crate) fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    match LIFE.try_with(Life::clone) {
        Ok(life) => life.spawn(async move { work() }),
        Err(_) => tokio::task::spawn_blocking(work),
    }
}

/// As in production, except that a simulated node looks again every millisecond: tokio wakes those
/// who wait for one value in an order that it draws from randomness of its own.
pub(crate) async fn wait_for<T: Clone>(
    mut watched: watch::Receiver<T>,
    mut wanted: impl FnMut(&T) -> bool,
) -> Result<T, RecvError> {
    if LIFE.try_with(|_| ()).is_err() {
        return watched.wait_for(wanted).await.map(|seen| seen.clone());
    }
    loop {
        let seen = watched.borrow_and_update().clone();
        if wanted(&seen) {
            return Ok(seen);
        }
        if watched.has_changed().is_err() {
            // It says why.
            watched.changed().await?;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

thread_local! {
    static SEEDED: RefCell<Option<Random>> = const { RefCell::new(None) };
}

/// From now on elections of this thread draw from `random`; with `None` from real randomness.
pub(crate) fn seed_elections(random: Option<Random>) {
    SEEDED.set(random);
}

/// What openraft draws election time-outs from.
#[derive(Debug)]
pub(crate) struct ElectionRandom;

impl RngCore for ElectionRandom {
    fn next_u32(&mut self) -> u32 {
        // The upper half.
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        let seeded = SEEDED.with_borrow_mut(|seeded| seeded.as_mut().map(Random::next));
        seeded.unwrap_or_else(|| TokioRuntime::thread_rng().next_u64())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        rand_core::impls::fill_bytes_via_next(self, bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

tokio::task_local! {
    static LIFE: Life;
}

/// One run of a node's process, from a start to a crash: whatever is spawned within belongs to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Life {
    state: Arc<Mutex<LifeState>>,
}

#[derive(Debug, Default)]
struct LifeState {
    tasks: Vec<AbortHandle>,
    is_ended: bool,
    is_paused: bool,
    has_panicked: bool,
    /// Tasks that wanted to go on while the life was paused.
    waiting: Vec<Waker>,
}

impl Life {
    /// Spawns a task of this life. It and what it spawns run until they are done or the life ends.
    pub(crate) fn spawn<T>(&self, future: T) -> JoinHandle<T::Output>
    where
        T: Future + Send + 'static,
        T::Output: Send + 'static,
    {
        let living = Living { life: self.clone(), future: Box::pin(future) };
        let handle = tokio::spawn(LIFE.scope(self.clone(), living));
        let mut state = self.state.lock();
        if state.is_ended {
            handle.abort();
        }
        if state.tasks.len() == state.tasks.capacity() {
            state.tasks.retain(|task| !task.is_finished());
        }
        state.tasks.push(handle.abort_handle());
        handle
    }

    /// Stops every task where it stands, as a kill does.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        state.is_ended = true;
        state.tasks.drain(..).for_each(|task| task.abort());
    }

    /// A task of it found a promise of its own code broken.
    pub(crate) fn has_panicked(&self) -> bool {
        self.state.lock().has_panicked
    }

    /// No task goes on until [`resume`](Self::resume); time does.
    pub(crate) fn pause(&self) {
        self.state.lock().is_paused = true;
    }

    pub(crate) fn resume(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.is_paused = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// A task of a life.
struct Living<F> {
    life: Life,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Living<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        {
            let mut state = self.life.state.lock();
            if state.is_paused {
                state.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
        }
        let future = self.future.as_mut();
        let polled = panic::catch_unwind(AssertUnwindSafe(|| future.poll(context)));
        polled.unwrap_or_else(|what| {
            self.life.state.lock().has_panicked = true;
            panic::resume_unwind(what)
        })
    }
}
