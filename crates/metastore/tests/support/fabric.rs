//! Members of a group in one process: their messages go through memory, and each can be cut off.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::MetaId;
use custos_metastore::{Beginning, GroupOptions, MetaStore, MetaStoreHandle, OpenError, Options};
use custos_ports::{MetaPeer, PeerFault, PeerInbox, PeerLane, PeerTransport};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::StepClock;

pub(crate) const ORIGIN: &str = "custos.test/0123abcd";

/// Who reaches whom.
#[derive(Default)]
pub(crate) struct Fabric {
    inboxes: Mutex<BTreeMap<String, MetaStoreHandle>>,
    cut: Mutex<BTreeSet<u64>>,
    /// Pieces of snapshots that are delivered before the link breaks for good.
    pieces_left: Mutex<Option<usize>>,
    pub(crate) pieces: Mutex<usize>,
}

impl Fabric {
    /// Nobody reaches this member any more, and it reaches nobody.
    pub(crate) fn cut_off(&self, id: MetaId) {
        self.cut.lock().insert(id.0);
    }

    pub(crate) fn heal(&self) {
        self.cut.lock().clear();
        *self.pieces_left.lock() = None;
    }

    pub(crate) fn break_after_pieces(&self, pieces: usize) {
        *self.pieces_left.lock() = Some(pieces);
    }

    fn passes(&self, from: MetaId, to: MetaId, lane: PeerLane) -> bool {
        let cut = self.cut.lock();
        if cut.contains(&from.0) || cut.contains(&to.0) {
            return false;
        }
        if lane != PeerLane::Snapshot {
            return true;
        }
        *self.pieces.lock() += 1;
        match &mut *self.pieces_left.lock() {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// One member's way to the others.
struct Link {
    fabric: Arc<Fabric>,
    from: MetaId,
}

#[async_trait]
impl PeerTransport for Link {
    async fn exchange(
        &self,
        to: &MetaPeer,
        lane: PeerLane,
        message: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, PeerFault> {
        let unreachable = || PeerFault::Unreachable { reason: format!("{to:?} is not reached") };
        if !self.fabric.passes(self.from, to.id, lane) {
            return Err(unreachable());
        }
        let inbox = self.fabric.inboxes.lock().get(&to.endpoint).cloned();
        let inbox = inbox.ok_or_else(unreachable)?;
        let answer = tokio::time::timeout(deadline, inbox.receive(message)).await;
        // The way back may have been cut meanwhile.
        match answer {
            Ok(answer) if self.fabric.passes(to.id, self.from, PeerLane::Control) => answer,
            _ => Err(PeerFault::Unknown { reason: "no answer came back".to_owned() }),
        }
    }
}

/// The members of a test, each with a directory of its own.
pub(crate) struct Group {
    pub(crate) fabric: Arc<Fabric>,
    folder: TempDir,
    pub(crate) members: BTreeMap<u64, MetaStoreHandle>,
}

impl Group {
    /// One that founds the group, and begins the cluster.
    pub(crate) async fn found() -> Self {
        let mut group = Self {
            fabric: Arc::default(),
            folder: TempDir::new().expect("a folder"),
            members: BTreeMap::new(),
        };
        group.start(1, Beginning::Founding).await.expect("it opens");
        use custos_ports::Ledger as _;
        group.member(1).submit(super::init()).await.expect("the cluster begins");
        group
    }

    /// Three with votes.
    pub(crate) async fn of_three() -> Self {
        let mut group = Self::found().await;
        for id in [2, 3] {
            group.join(id).await;
        }
        group
    }

    pub(crate) fn endpoint(id: u64) -> String {
        format!("https://member-{id}:7401")
    }

    pub(crate) fn dir(&self, id: u64) -> PathBuf {
        self.folder.path().join(id.to_string())
    }

    pub(crate) fn options(&self, id: u64, beginning: Beginning) -> Options {
        let link = Link { fabric: self.fabric.clone(), from: MetaId(id) };
        let group = GroupOptions {
            snapshot_bytes_per_second: 0,
            ..GroupOptions::new(ORIGIN, Self::endpoint(id), Arc::new(link), beginning)
        };
        Options {
            node_id: MetaId(id),
            group: Some(group),
            ..Options::new(self.dir(id), StepClock::new())
        }
    }

    pub(crate) async fn start(&mut self, id: u64, beginning: Beginning) -> Result<(), OpenError> {
        self.start_with(id, self.options(id, beginning)).await
    }

    pub(crate) async fn start_with(&mut self, id: u64, options: Options) -> Result<(), OpenError> {
        let handle = MetaStore::open(options).await?;
        self.fabric.inboxes.lock().insert(Self::endpoint(id), handle.clone());
        self.members.insert(id, handle);
        Ok(())
    }

    /// Takes a new member in, and gives it a vote.
    pub(crate) async fn join(&mut self, id: u64) {
        self.start(id, Beginning::Joining).await.expect("it opens");
        self.member(1).add_learner(MetaId(id), Self::endpoint(id)).await.expect("a learner");
        self.member(1).promote(MetaId(id)).await.expect("a voter");
    }

    pub(crate) fn member(&self, id: u64) -> MetaStoreHandle {
        self.members[&id].clone()
    }

    /// As a process that ends: nobody reaches it, and its files are closed.
    pub(crate) async fn stop(&mut self, id: u64) {
        self.fabric.inboxes.lock().remove(&Self::endpoint(id));
        let handle = self.members.remove(&id).expect("it runs");
        handle.shutdown().await;
    }

    /// Waits until one of the running members that are not cut off leads, and says which.
    pub(crate) async fn leader(&self) -> u64 {
        loop {
            let cut = self.fabric.cut.lock().clone();
            let leads = self.members.iter().find(|(id, handle)| {
                let status = handle.status().expect("it runs");
                !cut.contains(id) && status.leader == Some(status.node_id)
            });
            if let Some((id, _)) = leads {
                return *id;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn stop_all(mut self) {
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.stop(id).await;
        }
    }
}

pub(crate) fn snapshots(dir: &Path) -> usize {
    let names = std::fs::read_dir(dir.join("snapshots")).expect("there").flatten();
    names.filter(|name| name.file_name().to_string_lossy().starts_with("snap-")).count()
}
