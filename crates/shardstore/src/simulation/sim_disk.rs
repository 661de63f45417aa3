use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use custos_ports::{Disk, DiskFile, DiskSpace, FileAccess};
use parking_lot::Mutex;

use super::image::{Effect, Image, Inode, SECTOR_BYTES};
use super::life::Event;
use super::medium::Medium;
use super::random::Random;
use crate::record::BLOCK_BYTES;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// A fault that a disk has once, at the call of its sort that many calls from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A sync fails; part of what it was to make durable is lost for good, though reads show it
    /// until memory forgets it, and the next sync succeeds.
    Sync,
    /// The sync of a folder fails; its names may or may not become durable.
    SyncFolder,
    /// A write fails half-way.
    Write,
    /// A write finds no space half-way, whatever the file system said of its free space.
    NoSpace,
    /// A write goes to another place of the file, or of another file.
    Misdirect,
}

/// A disk in memory that keeps unsynced effects apart, logs them, and fails on demand.
#[derive(Clone)]
pub(crate) struct SimDisk {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// What the process sees.
    view: Image,
    medium: Medium,
    log: Vec<Event>,
    next_inode: u64,
    capacity_bytes: u64,
    faults: Vec<(Fault, usize)>,
    /// Blocks that cannot be read.
    bad: Vec<(Inode, u64)>,
    /// Where writes went that were to go elsewhere.
    misdirected: Vec<(Inode, Range<u64>)>,
    random: Random,
    /// Called once, at the next read of a file.
    at_read: Option<Box<dyn FnOnce() + Send>>,
}

impl SimDisk {
    /// A disk as a process finds it, with effects pending that another one left.
    pub(crate) fn new(medium: Medium, seed: u64) -> Self {
        let view = medium.view();
        let inner = Inner {
            next_inode: view.largest_inode() + 1,
            view,
            medium,
            log: Vec::new(),
            capacity_bytes: u64::MAX / 2,
            faults: Vec::new(),
            bad: Vec::new(),
            misdirected: Vec::new(),
            random: Random::new(seed),
            at_read: None,
        };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Adds to the log what is not the disk's own.
    pub(crate) fn note(&self, event: Event) {
        self.inner.lock().log.push(event);
    }

    pub(crate) fn take_log(&self) -> Vec<Event> {
        std::mem::take(&mut self.inner.lock().log)
    }

    pub(crate) fn image(&self) -> Image {
        self.inner.lock().view.clone()
    }

    pub(crate) fn set_capacity(&self, bytes: u64) {
        self.inner.lock().capacity_bytes = bytes;
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.inner.lock().view.bytes()
    }

    /// Fails once at the call after the next `calls` of the fault's sort.
    pub(crate) fn fail_after(&self, fault: Fault, calls: usize) {
        self.inner.lock().faults.push((fault, calls));
    }

    /// Has something happen between the opening of a file and its next read.
    pub(crate) fn at_next_read(&self, happening: impl FnOnce() + Send + 'static) {
        self.inner.lock().at_read = Some(Box::new(happening));
    }

    /// Makes a block unreadable.
    pub(crate) fn spoil(&self, name: &str, block: u64) {
        let mut inner = self.inner.lock();
        let inode = inner.view.find(name).expect("a file that is there");
        inner.bad.push((inode, block));
    }

    /// Where writes went that were to go elsewhere.
    pub(crate) fn misdirected(&self) -> Vec<(Inode, Range<u64>)> {
        self.inner.lock().misdirected.clone()
    }

    /// Makes all blocks readable again.
    pub(crate) fn heal(&self) {
        self.inner.lock().bad.clear();
    }

    /// Whether faults are still to come.
    pub(crate) fn has_faults_left(&self) -> bool {
        !self.inner.lock().faults.is_empty()
    }

    /// Takes back the faults still to come.
    pub(crate) fn clear_faults(&self) {
        self.inner.lock().faults.clear();
    }
}

impl Inner {
    fn effect(&mut self, effect: Effect) {
        self.view.apply(&effect);
        self.medium.add(effect.clone());
        self.log.push(Event::Effect(effect));
    }

    fn strikes(&mut self, fault: Fault) -> bool {
        let mut strikes = false;
        self.faults.retain_mut(|(planned, calls)| {
            if *planned != fault || strikes {
                return true;
            }
            strikes = *calls == 0;
            *calls = calls.saturating_sub(1);
            !strikes
        });
        strikes
    }

    fn check_room(&self, inode: Inode, end: u64) -> io::Result<()> {
        let len = self.view.get(inode).map_or(0, |content| content.len());
        if self.view.bytes() + end.saturating_sub(len) > self.capacity_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self, inode: Inode) -> io::Result<()> {
        if self.strikes(Fault::Sync) {
            let survived = self.medium.some_of(inode, &mut self.random);
            self.medium.fail_sync(inode, &survived);
            self.log.push(Event::SyncFailed { inode, survived });
            return Err(broken());
        }
        self.medium.sync(inode);
        self.log.push(Event::Synced(inode));
        Ok(())
    }

    fn write(&mut self, inode: Inode, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.check_room(inode, offset + bytes.len() as u64)?;
        let half = bytes.len() / 2 / SECTOR_BYTES * SECTOR_BYTES;
        if self.strikes(Fault::Misdirect) {
            let others: Vec<Inode> =
                self.view.names().filter_map(|name| self.view.find(name)).collect();
            let other = others[self.random.below(others.len())];
            let blocks = self.view.get(other).map_or(0, |content| content.len()) / BLOCK;
            let block = self.random.below(usize::try_from(blocks).expect("small") + 1);
            let bytes = Bytes::copy_from_slice(bytes);
            let offset = block as u64 * BLOCK;
            self.misdirected.push((other, offset..offset + bytes.len() as u64));
            self.effect(Effect::Write { inode: other, offset, bytes });
            return Ok(());
        }
        let failure = if self.strikes(Fault::Write) {
            Some(broken())
        } else if self.strikes(Fault::NoSpace) {
            Some(io::ErrorKind::StorageFull.into())
        } else {
            None
        };
        let written = if failure.is_some() { &bytes[..half] } else { bytes };
        if !written.is_empty() {
            let bytes = Bytes::copy_from_slice(written);
            self.effect(Effect::Write { inode, offset, bytes });
        }
        failure.map_or(Ok(()), Err)
    }

    fn create(&mut self, name: &str) -> Inode {
        let inode = Inode(self.next_inode);
        self.next_inode += 1;
        self.effect(Effect::Link { name: name.to_owned(), inode });
        inode
    }

    fn find(&self, name: &str) -> io::Result<Inode> {
        self.view.find(name).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn broken() -> io::Error {
    io::Error::other("simulated failure")
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated disk")
    }
}

impl Disk for SimDisk {
    fn locate(&self, name: &str) -> PathBuf {
        PathBuf::from("simulated").join(name)
    }

    fn check_in_place(&self) -> Result<(), String> {
        Ok(())
    }

    fn make_folder(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.inner.lock();
        if inner.view.find(name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = inner.create(name);
        Ok(Arc::new(SimFile { disk: self.clone(), inode }))
    }

    fn open(&self, name: &str, _: FileAccess) -> io::Result<Arc<dyn DiskFile>> {
        let inode = self.inner.lock().find(name)?;
        Ok(Arc::new(SimFile { disk: self.clone(), inode }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{folder}/");
        let inner = self.inner.lock();
        let names = inner.view.names().filter_map(|name| name.strip_prefix(&prefix));
        Ok(names.map(str::to_owned).collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.inner.lock();
        inner.find(name)?;
        inner.effect(Effect::Unlink { name: name.to_owned() });
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.inner.lock();
        let inode = inner.find(from)?;
        inner.effect(Effect::Rename { from: from.to_owned(), to: to.to_owned(), inode });
        Ok(())
    }

    fn sync_folder(&self, folder: &str) -> io::Result<()> {
        let mut inner = self.inner.lock();
        if inner.strikes(Fault::SyncFolder) {
            return Err(broken());
        }
        inner.medium.sync_folder(folder);
        inner.log.push(Event::FolderSynced(folder.to_owned()));
        Ok(())
    }

    fn space(&self) -> io::Result<DiskSpace> {
        let inner = self.inner.lock();
        let total_bytes = inner.capacity_bytes;
        let free_bytes = total_bytes.saturating_sub(inner.view.bytes());
        Ok(DiskSpace { total_bytes, free_bytes, total_inodes: 0, free_inodes: 0 })
    }

    fn read_small(&self, name: &str, bytes_max: usize) -> io::Result<Vec<u8>> {
        let inner = self.inner.lock();
        let inode = inner.find(name)?;
        let mut out = vec![0; bytes_max];
        let count = inner.view.get(inode).map_or(0, |content| content.read(&mut out, 0));
        out.truncate(count);
        Ok(out)
    }

    fn write_small(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.inner.lock();
        let inode = match inner.view.find(name) {
            Some(inode) => inode,
            None => inner.create(name),
        };
        inner.effect(Effect::SetLen { inode, len: 0 });
        inner.write(inode, bytes, 0)?;
        inner.sync(inode)
    }
}

/// An open file of a simulated disk; it stays open when its name is gone.
struct SimFile {
    disk: SimDisk,
    inode: Inode,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "simulated file {}", self.inode.0)
    }
}

impl DiskFile for SimFile {
    fn read_some_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let happening = self.disk.inner.lock().at_read.take();
        if let Some(happening) = happening {
            happening();
        }
        let mut inner = self.disk.inner.lock();
        let end = offset + out.len() as u64;
        let touches = |block: &u64| offset < (block + 1) * BLOCK && block * BLOCK < end;
        if inner.bad.iter().any(|(inode, block)| *inode == self.inode && touches(block)) {
            return Err(broken());
        }
        // Systems may read less than they are asked for.
        let wanted = match inner.random.chance(1, 4) {
            true => 1 + inner.random.below(out.len()),
            false => out.len(),
        };
        let content = inner.view.get(self.inode);
        Ok(content.map_or(0, |content| content.read(&mut out[..wanted], offset)))
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.inner.lock().write(self.inode, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.inner.lock().sync(self.inode)
    }

    fn forget_cached(&self) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        let settled = inner.medium.settled_view(self.inode);
        let content = settled.get(self.inode).cloned().unwrap_or_default();
        inner.view.replace(self.inode, content);
        Ok(())
    }

    fn byte_len(&self) -> io::Result<u64> {
        Ok(self.disk.inner.lock().view.get(self.inode).map_or(0, |content| content.len()))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.inner.lock().effect(Effect::SetLen { inode: self.inode, len });
        Ok(())
    }

    fn preallocate(&self, offset: u64, len: u64) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        inner.check_room(self.inode, offset + len)?;
        inner.effect(Effect::Extend { inode: self.inode, len: offset + len });
        Ok(())
    }

    /// Zeros are pending like anything that is written, and may come in parts.
    fn zero(&self, offset: u64, len: u64) -> io::Result<()> {
        let mut inner = self.disk.inner.lock();
        let has_failed = inner.strikes(Fault::Write);
        let len = usize::try_from(len).expect("small files");
        let len = if has_failed { len / 2 / SECTOR_BYTES * SECTOR_BYTES } else { len };
        let bytes = Bytes::from(vec![0; len]);
        inner.effect(Effect::Write { inode: self.inode, offset, bytes });
        if has_failed { Err(broken()) } else { Ok(()) }
    }

    fn is_unlinked(&self) -> io::Result<bool> {
        Ok(!self.disk.inner.lock().view.is_named(self.inode))
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<u64>> {
        let inner = self.disk.inner.lock();
        Ok(inner.view.get(self.inode).and_then(|content| content.next_data(offset)))
    }
}
