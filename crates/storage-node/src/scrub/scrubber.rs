use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use custos_core::{DiskId, ShardDamage, ShardEntry, ShardKey};
use custos_ports::{Clock, LedgerError, ShardError, ShardStore};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::damage_reporter::{DamageReporter, Reported};
use super::progress::Next;
use super::{Pace, ScrubChange, ScrubProgress, ScrubSettings};
use crate::BackendKind;

/// Shards listed at once.
const PAGE_ITEMS: usize = 256;
/// The cursor is saved after so many shards at the latest; a crash repeats no more.
const SAVE_AFTER_SHARDS: u32 = 64;
/// Pause after a store could not be listed or read for want of connection or service.
pub(crate) const TROUBLE_PAUSE: Duration = Duration::from_secs(60);
/// Longest sleep at once, so that a clock that was set right is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(3600);
/// So many unreadable shards one after the other are a sick disk, not damaged shards.
const UNREADABLE_IN_ROW_MAX: u32 = 16;
/// So many times a shard is looked at before it, and not its store, may be at fault.
const TRIES_MAX: u32 = 3;
/// So many other shards are looked at to tell the one from the other.
const OTHERS_MAX: usize = 16;

/// What the scrub is told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Orders {
    settings: ScrubSettings,
    /// Grows with every order to begin a new pass.
    starts: u64,
}

/// A scrub that runs.
pub(crate) struct ScrubHandle {
    // None once it was told to stop: the task ends when it is dropped.
    orders: Mutex<Option<watch::Sender<Orders>>>,
    progress: watch::Receiver<ScrubProgress>,
    task: Mutex<Option<JoinHandle<()>>>,
    configured: ScrubSettings,
}

impl ScrubHandle {
    pub(crate) fn change(&self, change: ScrubChange) {
        if let Some(orders) = &*self.orders.lock() {
            orders.send_modify(|orders| {
                orders.settings = orders.settings.changed(change);
                orders.starts += u64::from(change.start);
            });
        }
    }

    pub(crate) fn settings(&self) -> ScrubSettings {
        self.orders.lock().as_ref().map_or(self.configured, |orders| orders.borrow().settings)
    }

    pub(crate) fn progress(&self) -> watch::Receiver<ScrubProgress> {
        self.progress.clone()
    }

    /// Stops after the shard that is being checked; the cursor is saved when it returns.
    pub(crate) async fn stop(&self) {
        self.orders.lock().take();
        let task = self.task.lock().take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("a scrub ended badly");
        }
    }
}

/// Checks the shards of one disk, pass after pass.
pub(crate) struct Scrubber {
    pub(crate) disk_id: DiskId,
    pub(crate) kind: BackendKind,
    pub(crate) store: Arc<dyn ShardStore>,
    pub(crate) reporter: DamageReporter,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where the cursor is kept.
    pub(crate) file: PathBuf,
    /// [`TROUBLE_PAUSE`], but for tests.
    pub(crate) trouble_pause: Duration,
}

impl Scrubber {
    /// Starts the task.
    pub(crate) fn start(self, settings: ScrubSettings) -> ScrubHandle {
        let settings = settings.changed(ScrubChange::default());
        let (orders, received) = watch::channel(Orders { settings, starts: 0 });
        let (published, progress) = watch::channel(ScrubProgress::default());
        let run = Run {
            scrubber: self,
            orders: received,
            starts_seen: 0,
            published,
            progress: ScrubProgress::default(),
            unsaved: 0,
            pace: Pace::default(),
            began: Instant::now(),
            unreadable_in_row: 0,
            tried: None,
        };
        ScrubHandle {
            orders: Mutex::new(Some(orders)),
            progress,
            task: Mutex::new(Some(tokio::spawn(run.run()))),
            configured: settings,
        }
    }
}

/// The scrub was told to stop.
struct Stopped;

/// What to do with the pass after a shard.
enum After {
    Shard,
    /// Its store is in trouble, or new orders came: look again from the cursor on.
    LookAgain,
}

struct Run {
    scrubber: Scrubber,
    orders: watch::Receiver<Orders>,
    starts_seen: u64,
    published: watch::Sender<ScrubProgress>,
    progress: ScrubProgress,
    unsaved: u32,
    pace: Pace,
    began: Instant,
    unreadable_in_row: u32,
    /// The shard that could not be read last, and how often.
    tried: Option<(ShardKey, u32)>,
}

impl Run {
    async fn run(mut self) {
        let (file, disk_id) = (self.scrubber.file.clone(), self.scrubber.disk_id);
        let loaded = tokio::task::spawn_blocking(move || ScrubProgress::load(&file, disk_id));
        self.progress = loaded.await.unwrap_or_default();
        self.published.send_replace(self.progress);
        while self.turn().await.is_ok() {}
        self.save().await;
    }

    async fn turn(&mut self) -> Result<(), Stopped> {
        let orders = *self.orders.borrow_and_update();
        if orders.starts != self.starts_seen {
            self.starts_seen = orders.starts;
            self.begin().await;
        }
        if orders.settings.paused {
            return self.new_orders().await;
        }
        match self.progress.next(self.scrubber.clock.now(), orders.settings) {
            Next::Begin => self.begin().await,
            Next::GoOn => {}
            Next::WaitMillis(millis) => {
                return self.pause(Duration::from_millis(millis).min(SLEEP_MAX)).await;
            }
        }
        self.page().await
    }

    async fn begin(&mut self) {
        self.progress.begin(self.scrubber.clock.now());
        tracing::info!(disk = self.scrubber.store.name(), "scrub begins a pass");
        self.save().await;
    }

    async fn page(&mut self) -> Result<(), Stopped> {
        let listed = self.scrubber.store.list_all(None, self.progress.after, PAGE_ITEMS).await;
        let page = match listed {
            Ok(page) => page,
            Err(error) => return self.trouble(&error).await,
        };
        for entry in &page.items {
            if let After::LookAgain = self.check(entry).await? {
                return Ok(());
            }
        }
        if !page.more {
            if let Err(error) = self.review_record().await? {
                let disk = self.scrubber.store.name();
                tracing::warn!(disk, %error, "damage on record is looked at in the next pass");
            }
            self.progress.end(self.scrubber.clock.now());
            let (checked, damaged) = (self.progress.shards_checked, self.progress.damaged);
            let disk = self.scrubber.store.name();
            tracing::info!(disk, checked, damaged, "scrub ends a pass");
            self.save().await;
        }
        Ok(())
    }

    /// Takes off the record what is whole again, however that came about: a shard that was written
    /// anew, or a disk whose trouble has passed. What is not there stays: it is missing.
    async fn review_record(&mut self) -> Result<Result<(), LedgerError>, Stopped> {
        let Scrubber { disk_id, store, reporter, .. } = &self.scrubber;
        let mut after = None;
        loop {
            let keys = match reporter.on_record(*disk_id, after).await {
                Ok(keys) => keys,
                Err(error) => return Ok(Err(error)),
            };
            let Some(last) = keys.last() else { return Ok(Ok(())) };
            after = Some(*last);
            for key in keys {
                // Told to stop.
                self.orders.has_changed().map_err(|_| Stopped)?;
                if store.verify(&key).await.is_err() {
                    continue;
                }
                if let Err(error) = reporter.is_whole(*disk_id, key).await {
                    return Ok(Err(error));
                }
                tracing::info!(disk = store.name(), %key, "shard on record as damaged is whole");
            }
        }
    }

    /// Waits for its turn, checks one shard, and puts damage on record.
    async fn check(&mut self, entry: &ShardEntry) -> Result<After, Stopped> {
        if let After::LookAgain = self.wait_for_pace().await? {
            return Ok(After::LookAgain);
        }
        let verified = self.verify(entry).await;
        self.pace.charge(entry.payload_len);
        match verified {
            Ok(()) => self.unreadable_in_row = 0,
            Err(Found::Gone) => {}
            Err(Found::Trouble(error)) if self.is_shard_at_fault(entry.key).await => {
                let what = format!("cannot be read: {error}");
                self.report(ShardDamage { key: entry.key, what }).await?;
            }
            Err(Found::Trouble(error)) => {
                self.trouble(&error).await?;
                return Ok(After::LookAgain);
            }
            Err(Found::Damage(what)) => {
                self.report(ShardDamage { key: entry.key, what }).await?;
            }
        }
        self.progress.checked(entry.key, entry.payload_len);
        self.unsaved += 1;
        if self.unsaved >= SAVE_AFTER_SHARDS {
            self.save().await;
        }
        self.published.send_replace(self.progress);
        Ok(After::Shard)
    }

    async fn wait_for_pace(&mut self) -> Result<After, Stopped> {
        loop {
            let Orders { settings, starts } = *self.orders.borrow_and_update();
            if settings.paused || starts != self.starts_seen {
                return Ok(After::LookAgain);
            }
            self.pace.settle(self.began.elapsed(), settings.bytes_per_second);
            let wait = self.pace.wait(settings.bytes_per_second);
            if wait.is_zero() {
                // Told to stop while there was nothing to wait for.
                return self.orders.has_changed().map(|_| After::Shard).map_err(|_| Stopped);
            }
            self.pause(wait.min(SLEEP_MAX)).await?;
            // What passed was paid for at the old pace, whatever the new one is.
            self.pace.settle(self.began.elapsed(), settings.bytes_per_second);
        }
    }

    async fn verify(&mut self, entry: &ShardEntry) -> Result<(), Found> {
        let store = &self.scrubber.store;
        let first = store.verify(&entry.key).await;
        let outcome = match first {
            // Once more: what passes is not damage.
            Err(ShardError::Io { .. }) => store.verify(&entry.key).await,
            other => other,
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(ShardError::NotFound { .. }) => Err(Found::Gone),
            Err(ShardError::Corrupt { what, .. }) => Err(Found::Damage(what)),
            Err(ShardError::Io { reason, .. })
                if self.scrubber.kind == BackendKind::Local
                    && self.unreadable_in_row < UNREADABLE_IN_ROW_MAX =>
            {
                self.unreadable_in_row += 1;
                Err(Found::Damage(format!("cannot be read: {reason}")))
            }
            Err(error) => Err(Found::Trouble(error)),
        }
    }

    /// Whether trouble is with the shard alone: it came again and again, and others can be read.
    async fn is_shard_at_fault(&mut self, key: ShardKey) -> bool {
        let tries = match self.tried {
            Some((tried, tries)) if tried == key => tries + 1,
            _ => 1,
        };
        self.tried = Some((key, tries));
        if tries < TRIES_MAX {
            return false;
        }
        let store = self.scrubber.store.clone();
        // Those behind it, and the first ones when none is behind it.
        for after in [Some(key), None] {
            let Ok(page) = store.list_all(None, after, OTHERS_MAX).await else { return false };
            for other in page.items.iter().filter(|other| other.key != key) {
                let verified = store.verify(&other.key).await;
                self.pace.charge(other.payload_len);
                if verified.is_ok() {
                    return true;
                }
            }
        }
        false
    }

    async fn report(&mut self, damage: ShardDamage) -> Result<(), Stopped> {
        let (key, what) = (damage.key, damage.what.clone());
        tracing::error!(disk = self.scrubber.store.name(), %key, what, "scrub found damage");
        let reporter = self.scrubber.reporter.clone();
        let report = reporter.report(self.scrubber.disk_id, damage);
        tokio::pin!(report);
        let reported = loop {
            tokio::select! {
                reported = &mut report => break reported,
                changed = self.orders.changed() => changed.map_err(|_| Stopped)?,
            }
        };
        // New orders that came meanwhile are looked at before the next shard.
        self.orders.mark_changed();
        self.progress.damaged += 1;
        self.progress.damaged_ever += 1;
        self.progress.unrecorded_ever += u64::from(reported == Reported::Refused);
        self.unsaved = SAVE_AFTER_SHARDS;
        Ok(())
    }

    async fn trouble(&mut self, error: &ShardError) -> Result<(), Stopped> {
        let disk = self.scrubber.store.name();
        tracing::warn!(disk, %error, "scrub waits for the disk");
        self.unreadable_in_row = 0;
        self.save().await;
        self.pause(self.scrubber.trouble_pause).await
    }

    /// Until the time is over or new orders come.
    async fn pause(&mut self, time: Duration) -> Result<(), Stopped> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            orders = self.new_orders() => orders,
        }
    }

    async fn new_orders(&mut self) -> Result<(), Stopped> {
        let changed = self.orders.changed().await.map_err(|_| Stopped);
        // So that whoever asks next sees them too.
        self.orders.mark_changed();
        changed
    }

    async fn save(&mut self) {
        self.unsaved = 0;
        self.published.send_replace(self.progress);
        let (progress, file) = (self.progress, self.scrubber.file.clone());
        let disk_id = self.scrubber.disk_id;
        let saved = tokio::task::spawn_blocking(move || progress.save(&file, disk_id)).await;
        if let Ok(Err(error)) = saved {
            let file = self.scrubber.file.display();
            tracing::warn!(%file, %error, "the scrub's cursor could not be saved");
        }
    }
}

/// What a check found.
enum Found {
    /// The shard was removed meanwhile.
    Gone,
    Damage(String),
    /// The store, not the shard, is at fault.
    Trouble(ShardError),
}
