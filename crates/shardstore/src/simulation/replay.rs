use super::life::{Event, Life, Start};
use super::medium::Medium;
use super::model::Model;
use super::sim_index::IndexHistory;

/// A life's disk, index and model at one moment of its log.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    pub(crate) medium: Medium,
    pub(crate) index: IndexHistory,
    pub(crate) model: Model,
}

impl Replay {
    pub(crate) fn of(start: &Start) -> Self {
        Self {
            medium: start.medium.clone(),
            index: IndexHistory::new(start.index.clone()),
            model: start.model.clone(),
        }
    }

    /// The moment after the last event.
    pub(crate) fn to_end_of(life: &Life) -> Result<Self, String> {
        let mut replay = Self::of(&life.start);
        life.log.iter().try_for_each(|event| replay.step(event))?;
        Ok(replay)
    }

    pub(crate) fn step(&mut self, event: &Event) -> Result<(), String> {
        match event.clone() {
            Event::Effect(effect) => self.medium.add(effect),
            Event::Synced(inode) => self.medium.sync(inode),
            Event::SyncFailed { inode, survived } => self.medium.fail_sync(inode, &survived),
            Event::FolderSynced(folder) => self.medium.sync_folder(&folder),
            Event::Index(step) => self.index.add(step),
            Event::Started(steps) => self.model.start(&steps),
            Event::Answered(outcomes) => self.model.answer(&outcomes)?,
            Event::Observed(observed) => self.model.observe(&observed),
        }
        Ok(())
    }
}
