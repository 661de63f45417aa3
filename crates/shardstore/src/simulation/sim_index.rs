use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::image::hash_of;
use super::life::Event;
use super::random::Random;
use super::sim_disk::SimDisk;
use crate::DiskId;
use crate::index_entry::INDEX_VERSION;
use crate::index_store::{IndexBatch, IndexError, IndexMedium, IndexPair, IndexStore};

/// What an index holds; `None` when there is none.
pub(crate) type IndexImage = Option<BTreeMap<Vec<u8>, Vec<u8>>>;

pub(crate) fn hash_of_index(image: &IndexImage) -> u64 {
    let mut all = vec![u8::from(image.is_some())];
    for (key, value) in image.iter().flatten() {
        all.extend_from_slice(&(key.len() as u64).to_le_bytes());
        all.extend_from_slice(key);
        all.extend_from_slice(&(value.len() as u64).to_le_bytes());
        all.extend_from_slice(value);
    }
    hash_of(&all)
}

/// An index of another disk, that knows everything better.
pub(crate) fn foreign_index() -> IndexImage {
    let mut meta = vec![INDEX_VERSION];
    meta.extend_from_slice(DiskId::from_bytes([0xbb; 16]).as_bytes());
    let shards = vec![9; 16];
    Some([(b"m".to_vec(), meta), (b"c".to_vec(), shards)].into())
}

/// One thing done to an index.
#[derive(Debug, Clone)]
pub(crate) enum IndexStep {
    Make,
    Write(IndexBatch),
    Flush,
}

/// What an index holds for sure, and the steps since that a crash may take, the last ones first.
#[derive(Debug, Clone)]
pub(crate) struct IndexHistory {
    durable: IndexImage,
    steps: Vec<IndexStep>,
}

impl IndexHistory {
    pub(crate) fn new(durable: IndexImage) -> Self {
        Self { durable, steps: Vec::new() }
    }

    pub(crate) fn add(&mut self, step: IndexStep) {
        match step {
            IndexStep::Flush => {
                self.durable = self.after(self.steps.len());
                self.steps.clear();
            }
            step => self.steps.push(step),
        }
    }

    fn after(&self, steps: usize) -> IndexImage {
        let mut image = self.durable.clone();
        self.steps[..steps].iter().for_each(|step| apply(&mut image, step));
        image
    }

    pub(crate) fn latest(&self) -> IndexImage {
        self.after(self.steps.len())
    }

    pub(crate) fn crash(&self, random: &mut Random) -> IndexImage {
        match random.below(16) {
            0 | 1 => None,
            2 => foreign_index(),
            3..=7 => self.latest(),
            _ => self.after(random.below(self.steps.len() + 1)),
        }
    }
}

fn apply(image: &mut IndexImage, step: &IndexStep) {
    match step {
        IndexStep::Make => *image = Some(BTreeMap::new()),
        IndexStep::Write(batch) => {
            let map = image.as_mut().expect("an index is made before it is written");
            for (key, value) in batch {
                match value {
                    Some(value) => map.insert(key.clone(), value.clone()),
                    None => map.remove(key),
                };
            }
        }
        IndexStep::Flush => {}
    }
}

/// An index in memory; what is done to it stands in the log of its disk.
#[derive(Clone)]
pub(crate) struct SimIndex {
    disk: SimDisk,
    image: Arc<Mutex<IndexImage>>,
    /// Entries of shards cannot be read until it is made anew.
    is_damaged: Arc<Mutex<bool>>,
    /// How the next write fails.
    write_failure: Arc<Mutex<Option<IndexError>>>,
}

impl SimIndex {
    pub(crate) fn new(disk: SimDisk, image: IndexImage) -> Self {
        Self {
            disk,
            image: Arc::new(Mutex::new(image)),
            is_damaged: Arc::default(),
            write_failure: Arc::default(),
        }
    }

    /// Makes the entries of shards unreadable until it is made anew.
    pub(crate) fn damage(&self) {
        *self.is_damaged.lock() = true;
    }

    /// Fails the next write so.
    pub(crate) fn fail_write(&self, failure: IndexError) {
        *self.write_failure.lock() = Some(failure);
    }

    pub(crate) fn image(&self) -> IndexImage {
        self.image.lock().clone()
    }

    fn step(&self, step: IndexStep) {
        apply(&mut self.image.lock(), &step);
        self.disk.note(Event::Index(step));
    }
}

impl fmt::Debug for SimIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated index")
    }
}

impl IndexMedium for SimIndex {
    fn open(&self) -> Result<Option<Box<dyn IndexStore>>, IndexError> {
        let is_there = self.image.lock().is_some();
        Ok(is_there.then(|| Box::new(self.clone()) as Box<dyn IndexStore>))
    }

    fn make(&self) -> Result<Box<dyn IndexStore>, IndexError> {
        *self.is_damaged.lock() = false;
        self.step(IndexStep::Make);
        Ok(Box::new(self.clone()))
    }
}

impl IndexStore for SimIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        if *self.is_damaged.lock() && key.starts_with(b"s") {
            return Err(IndexError::Damaged("simulated damage".to_owned()));
        }
        Ok(self.image.lock().as_ref().and_then(|map| map.get(key).cloned()))
    }

    fn scan<'a>(
        &'a self,
        start: &[u8],
    ) -> Box<dyn Iterator<Item = Result<IndexPair, IndexError>> + 'a> {
        let image = self.image.lock();
        let map = image.as_ref().expect("open");
        let pairs = map.range(start.to_vec()..);
        let pairs: Vec<_> = pairs.map(|(key, value)| Ok(pair(key, value))).collect();
        Box::new(pairs.into_iter())
    }

    fn write(&self, batch: IndexBatch) -> Result<(), IndexError> {
        if let Some(failure) = self.write_failure.lock().take() {
            return Err(failure);
        }
        self.step(IndexStep::Write(batch));
        Ok(())
    }

    fn flush(&self) -> Result<(), IndexError> {
        self.step(IndexStep::Flush);
        Ok(())
    }
}

fn pair(key: &[u8], value: &[u8]) -> IndexPair {
    (key.into(), value.into())
}
