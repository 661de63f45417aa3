use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use custos_core::LogIndex;
use custos_ports::{RemovalOrder, RemovalReason, ShardError};

use super::image::{Effect, Inode};
use super::medium::Medium;
use super::model::{Model, Observed, Outcome, Step};
use super::random::Random;
use super::shards::{SUBJECTS, Shards, Subject, VERSIONS, Version};
use super::sim_disk::{Fault, SimDisk};
use super::sim_index::{IndexImage, IndexStep, SimIndex};
use crate::DiskId;
use crate::compaction::CompactionStep;
use crate::engine::Engine;
use crate::fullness::FullnessMarks;
use crate::operation::{CheckedShard, Operation};
use crate::options::ExtentLimits;
use crate::reader;

pub(crate) const ID: DiskId = DiskId::from_bytes([0xd1; 16]);
pub(crate) const ORDER: RemovalOrder =
    RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: LogIndex(7) };
/// Small, so that a life begins many extents.
pub(crate) const LIMITS: ExtentLimits = ExtentLimits {
    extent_bytes_max: 64 << 10,
    preallocate_bytes: 16 << 10,
    marks: FullnessMarks {
        near_full_permille: 850,
        backfill_full_permille: 900,
        full_permille: 950,
        space_kept_back_bytes: 8 << 10,
    },
};

/// One line of a log: what was done to a disk and its index, and what was asked and answered.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    Effect(Effect),
    Synced(Inode),
    SyncFailed {
        inode: Inode,
        survived: Vec<Effect>,
    },
    FolderSynced(String),
    Index(IndexStep),
    Started(Vec<Step>),
    Answered(Vec<Outcome>),
    /// The store was opened, and this is what it showed.
    Observed(Observed),
}

/// What a life begins with.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) medium: Medium,
    pub(crate) index: IndexImage,
    pub(crate) model: Model,
}

impl Start {
    pub(crate) fn empty() -> Self {
        Self { medium: Medium::default(), index: None, model: Model::empty() }
    }
}

/// What troubles a life besides crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Troubles {
    None,
    /// Space runs out now and then.
    Space,
    /// Syncs and writes fail.
    Failures,
}

/// Everything that happened to a store.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) start: Start,
    pub(crate) log: Vec<Event>,
}

impl Life {
    /// The log, for the reader of a failure.
    pub(crate) fn told(&self) -> String {
        self.told_until(self.log.len())
    }

    /// The first `count` events of it.
    pub(crate) fn told_until(&self, count: usize) -> String {
        self.log[..count].iter().map(|event| format!("\n  {event}")).collect()
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Effect(effect) => effect.fmt(f),
            Self::SyncFailed { inode, survived } => {
                write!(f, "sync of {inode:?} failed, what survived:")?;
                survived.iter().try_for_each(|effect| write!(f, "\n    {effect}"))
            }
            Self::Index(IndexStep::Write(batch)) => {
                write!(f, "index: {} changes", batch.len())
            }
            event => write!(f, "{event:?}"),
        }
    }
}

/// Lives from `start` on, through `batches` group commits. `Err` says which promise was broken.
pub(crate) fn live(
    shards: &Shards,
    start: Start,
    batches: usize,
    troubles: Troubles,
    random: &mut Random,
) -> Result<Life, String> {
    let disk = SimDisk::new(start.medium.clone(), random.next());
    let index = SimIndex::new(disk.clone(), start.index.clone());
    let model = start.model.clone();
    let is_untouched = start.medium.view().names().next().is_none();
    let is_sound = is_untouched && troubles == Troubles::None;
    let mut living = Living { shards, disk: disk.clone(), index, model, engine: None, is_sound };
    let outcome = living.through(batches, troubles, random);
    let life = Life { start, log: disk.take_log() };
    match outcome {
        Ok(()) => Ok(life),
        Err(what) => Err(format!("{what}\nthe life where it showed:{}", life.told())),
    }
}

struct Living<'a> {
    shards: &'a Shards,
    disk: SimDisk,
    index: SimIndex,
    model: Model,
    engine: Option<Engine>,
    /// The disk never lost anything, so there is nothing on it that is not known.
    is_sound: bool,
}

impl Living<'_> {
    fn through(
        &mut self,
        batches: usize,
        troubles: Troubles,
        random: &mut Random,
    ) -> Result<(), String> {
        self.open()?;
        for _ in 0..batches {
            self.trouble(troubles, random);
            self.batch(troubles, random)?;
            if random.chance(1, 2) {
                self.compact(troubles, random)?;
            }
            let engine = self.engine.take().expect("open");
            match random.below(16) {
                0 => engine.close(),
                // Killed, as it stands.
                1 => drop(engine),
                _ => {
                    self.engine = Some(engine);
                    continue;
                }
            }
            self.open()?;
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        let had_faults = self.disk.has_faults_left();
        let engine = match open(&self.disk, &self.index) {
            // A disk that fails while it is opened is not opened; the next try may find it well.
            Err(_) if had_faults => {
                self.disk.clear_faults();
                open(&self.disk, &self.index)?
            }
            opened => opened?,
        };
        let observed = observe(self.shards, &engine, &self.model)?;
        if self.is_sound && engine.state().quarantined.load(Ordering::Relaxed) > 0 {
            return Err("something is not known on a disk that lost nothing".to_owned());
        }
        self.model.observe(&observed);
        self.disk.note(Event::Observed(observed));
        self.engine = Some(engine);
        Ok(())
    }

    fn trouble(&self, troubles: Troubles, random: &mut Random) {
        match troubles {
            Troubles::None => {}
            Troubles::Space => match random.below(5) {
                0 => self.disk.set_capacity(self.disk.used_bytes() + random.next() % 80_000),
                1 | 2 => self.disk.set_capacity(u64::MAX / 2),
                3 => self.disk.fail_after(Fault::NoSpace, random.below(4)),
                _ => {}
            },
            Troubles::Failures => match random.below(8) {
                0 | 1 => self.disk.fail_after(Fault::Sync, random.below(4)),
                2 => self.disk.fail_after(Fault::Write, random.below(4)),
                3 => self.disk.fail_after(Fault::SyncFolder, random.below(2)),
                _ => {}
            },
        }
    }

    /// Some steps of giving space back.
    fn compact(&mut self, troubles: Troubles, random: &mut Random) -> Result<(), String> {
        for _ in 0..1 + random.below(6) {
            let engine = self.engine.as_mut().expect("open");
            match engine.compact_step() {
                Ok(CompactionStep::Idle) => break,
                Ok(CompactionStep::Kept) => return Err("a sound extent is kept".to_owned()),
                Ok(CompactionStep::Moved { .. } | CompactionStep::Removed { .. }) => {}
                Err(ShardError::Full { .. }) if troubles == Troubles::Space => break,
                Err(_) if troubles == Troubles::Failures => return self.out_of_service(),
                Err(error) => return Err(format!("a sound disk failed to compact: {error}")),
            }
        }
        observe(self.shards, self.engine.as_ref().expect("open"), &self.model).map(drop)
    }

    fn batch(&mut self, troubles: Troubles, random: &mut Random) -> Result<(), String> {
        let steps = some_steps(random);
        let operations = steps.iter().map(|step| operation(self.shards, step)).collect();
        self.model.start(&steps);
        self.disk.note(Event::Started(steps));
        let engine = self.engine.as_mut().expect("open");
        let outcomes = engine.commit(operations);
        let outcomes: Vec<Outcome> = outcomes.iter().map(outcome_of).collect();
        self.model.answer(&outcomes)?;
        let has_failed = outcomes.contains(&Outcome::Unknown);
        let lacked_space = outcomes.contains(&Outcome::NoSpace);
        self.disk.note(Event::Answered(outcomes));
        match troubles {
            Troubles::None if has_failed || lacked_space => {
                return Err("a sound disk failed".to_owned());
            }
            Troubles::Space if has_failed => {
                return Err("a lack of space took the disk out of service".to_owned());
            }
            _ => {}
        }
        if has_failed {
            self.out_of_service()?;
        } else {
            observe(self.shards, self.engine.as_ref().expect("open"), &self.model)?;
        }
        Ok(())
    }

    /// The disk must have stopped; the next opening finds out what it holds.
    fn out_of_service(&mut self) -> Result<(), String> {
        let mut engine = self.engine.take().expect("open");
        self.disk.clear_faults();
        let step = Step::Write(Subject(0), Version(0));
        let outcome = engine.commit(vec![operation(self.shards, &step)]);
        if !matches!(outcome[0], Err(ShardError::Offline { .. })) {
            return Err("a disk that failed goes on writing".to_owned());
        }
        let read = reader::read(engine.state(), &self.shards.key(Subject(0)), None);
        if !matches!(read, Err(ShardError::Offline { .. })) {
            return Err("a disk that failed goes on reading".to_owned());
        }
        engine.close();
        self.open()
    }
}

/// Opens the store on a disk.
pub(crate) fn open(disk: &SimDisk, index: &SimIndex) -> Result<Engine, String> {
    let disk = Arc::new(disk.clone());
    let opened = Engine::open("simulated".to_owned(), ID, disk, index, LIMITS);
    opened.map(|(engine, _)| engine).map_err(|error| format!("the store does not open: {error}"))
}

/// Reads everything there is, by key and by listings. `Err` says what is wrong: something lost,
/// something claimed that cannot be, bytes that are not right, views that disagree.
pub(crate) fn observe(shards: &Shards, engine: &Engine, model: &Model) -> Result<Observed, String> {
    let state = engine.state();
    let mut observed = BTreeMap::new();
    let mut payload_bytes = 0;
    for subject in Shards::subjects() {
        let found = match reader::read(state, &shards.key(subject), None) {
            Ok(read) => {
                payload_bytes += read.payload.len() as u64;
                let version = shards.version_of(subject, &read.header, &read.payload);
                Some(version.ok_or_else(|| format!("{subject:?} has bytes never written"))?)
            }
            Err(ShardError::NotFound { .. }) => None,
            Err(error) => return Err(format!("{subject:?} is claimed and unreadable: {error}")),
        };
        if !model.allows(subject, found) {
            return Err(format!("{subject:?} cannot be {found:?}: {model:?}"));
        }
        observed.insert(subject, found);
    }
    let listed = state.index.list_all(None, None, 100).map_err(|error| error.to_string())?;
    let mut expected: Vec<_> = observed
        .iter()
        .filter_map(|(subject, found)| Some((*subject, (*found)?)))
        .map(|(subject, version)| {
            let shard = shards.shard(subject, version);
            (shard.key, shard.payload.len() as u64, shard.retain_until)
        })
        .collect();
    expected.sort_unstable_by_key(|(key, ..)| *key);
    let listed: Vec<_> = listed
        .items
        .iter()
        .map(|entry| (entry.key, entry.payload_len, entry.retain_until))
        .collect();
    if listed != expected {
        return Err(format!("listed are {listed:?}, readable {expected:?}"));
    }
    let counters = state.index.counters();
    if (counters.shards, counters.payload_bytes) != (expected.len() as u64, payload_bytes) {
        return Err(format!("{counters:?} for {} shards", expected.len()));
    }
    Ok(observed)
}

pub(crate) fn operation(shards: &Shards, step: &Step) -> Operation {
    match step {
        Step::Write(subject, version) => {
            let shard = shards.shard(*subject, *version).clone();
            Operation::Write(CheckedShard::new(shard).expect("within the limits"))
        }
        Step::Remove(subjects) => {
            let keys = subjects.iter().map(|subject| shards.key(*subject)).collect();
            Operation::Remove { keys, order: ORDER }
        }
    }
}

fn some_steps(random: &mut Random) -> Vec<Step> {
    let count = 1 + random.below(3);
    let step = |_| {
        let subject = Subject(random.below(SUBJECTS));
        if random.chance(7, 10) {
            // Mostly the first version, so that the same write often comes again.
            let version = if random.chance(1, 2) { 0 } else { random.below(VERSIONS) };
            return Step::Write(subject, Version(version));
        }
        let mut subjects = vec![subject];
        if random.chance(1, 3) {
            subjects.push(Subject(random.below(SUBJECTS)));
        }
        Step::Remove(subjects)
    };
    (0..count).map(step).collect()
}

fn outcome_of(outcome: &Result<(), ShardError>) -> Outcome {
    match outcome {
        Ok(()) => Outcome::Done,
        Err(ShardError::Conflict { .. }) => Outcome::Conflict,
        Err(ShardError::Full { .. }) => Outcome::NoSpace,
        Err(_) => Outcome::Unknown,
    }
}
