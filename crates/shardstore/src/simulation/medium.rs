use bytes::Bytes;

use super::image::{Effect, Image, Inode, SECTOR_BYTES};
use super::random::Random;

/// What a disk holds for sure, and what it may lose in a crash.
#[derive(Debug, Clone, Default)]
pub(crate) struct Medium {
    durable: Image,
    pending: Vec<Effect>,
}

/// How much of what is pending a crash leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Survival {
    Nothing,
    Everything,
    /// Any part of it, as chance has it.
    Some,
}

impl Medium {
    pub(crate) fn new(durable: Image) -> Self {
        Self { durable, pending: Vec::new() }
    }

    pub(crate) fn add(&mut self, effect: Effect) {
        self.pending.push(effect);
    }

    /// Everything so far of a file's content is durable.
    pub(crate) fn sync(&mut self, inode: Inode) {
        self.settle(|effect| effect.content_of() == Some(inode));
    }

    /// Everything so far of a folder's names is durable.
    pub(crate) fn sync_folder(&mut self, folder: &str) {
        self.settle(|effect| effect.folder() == Some(folder));
    }

    fn settle(&mut self, is_settled: impl Fn(&Effect) -> bool) {
        let settled: Vec<Effect> = self.pending.extract_if(.., |e| is_settled(e)).collect();
        settled.iter().for_each(|effect| self.durable.apply(effect));
    }

    /// What a process sees that was not there when it happened.
    pub(crate) fn view(&self) -> Image {
        let mut image = self.durable.clone();
        self.pending.iter().for_each(|effect| image.apply(effect));
        image
    }

    /// Only `survived` of what is pending of a file's content is durable, the rest is lost for
    /// good.
    pub(crate) fn fail_sync(&mut self, inode: Inode, survived: &[Effect]) {
        self.pending.retain(|effect| effect.content_of() != Some(inode));
        survived.iter().for_each(|effect| self.durable.apply(effect));
    }

    /// What a failed sync of a file could leave.
    pub(crate) fn some_of(&self, inode: Inode, random: &mut Random) -> Vec<Effect> {
        let share = random.below(5);
        let pending = self.pending.iter().filter(|effect| effect.content_of() == Some(inode));
        pending.flat_map(|effect| survivors(effect, share, random)).collect()
    }

    /// What the disk itself has of a file and is still to get.
    pub(crate) fn settled_view(&self, inode: Inode) -> Image {
        let mut image = self.durable.clone();
        let pending = self.pending.iter().filter(|effect| effect.content_of() == Some(inode));
        pending.for_each(|effect| image.apply(effect));
        image
    }

    /// What is found after a loss of power.
    pub(crate) fn crash(&self, survival: Survival, random: &mut Random) -> Image {
        let mut image = self.durable.clone();
        let share = random.below(5);
        for effect in &self.pending {
            match survival {
                Survival::Nothing => {}
                Survival::Everything => image.apply(effect),
                Survival::Some => {
                    survivors(effect, share, random).iter().for_each(|part| image.apply(part));
                }
            }
        }
        image.drop_unnamed();
        image
    }
}

/// The parts of an effect that happen to last: none, all, or of a write some of its sectors. The
/// effect is whole `share` times in 4.
fn survivors(effect: &Effect, share: usize, random: &mut Random) -> Vec<Effect> {
    if random.chance(share, 4) && random.chance(3, 4) {
        return vec![effect.clone()];
    }
    let Effect::Write { inode, offset, bytes } = effect else { return Vec::new() };
    let sectors = bytes.len().div_ceil(SECTOR_BYTES);
    let part = |from: usize, to: usize| Effect::Write {
        inode: *inode,
        offset: offset + (from * SECTOR_BYTES) as u64,
        bytes: slice(bytes, from, to),
    };
    match random.below(6) {
        0 => vec![part(0, random.below(sectors + 1))],
        1 => vec![part(random.below(sectors), sectors)],
        // All but one sector.
        2 => {
            let hole = random.below(sectors);
            vec![part(0, hole), part(hole + 1, sectors)]
        }
        3 => {
            let kept: Vec<usize> = (0..sectors).filter(|_| random.chance(1, 2)).collect();
            kept.into_iter().map(|sector| part(sector, sector + 1)).collect()
        }
        // The file has grown, and the bytes did not come.
        4 => vec![Effect::Extend { inode: *inode, len: offset + bytes.len() as u64 }],
        _ => Vec::new(),
    }
}

fn slice(bytes: &Bytes, from: usize, to: usize) -> Bytes {
    bytes.slice((from * SECTOR_BYTES).min(bytes.len())..(to * SECTOR_BYTES).min(bytes.len()))
}
