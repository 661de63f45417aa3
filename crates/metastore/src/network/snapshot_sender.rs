use std::{fs::File, os::unix::fs::FileExt, path::PathBuf, time::Duration};

use bytes::Bytes;
use custos_ports::{MetaPeer, PeerFault, PeerLane};
use tokio::time::{Instant, sleep_until};

use super::{Answer, Group, Request, client::another_answer};
use crate::{
    raft_types::{Snapshot, Vote},
    tasks,
};

/// Bytes of one piece.
const PIECE_BYTES: usize = 512 << 10;
/// Longest wait for one piece to be taken.
const PIECE_DEADLINE: Duration = Duration::from_secs(30);
/// Longest wait for a whole snapshot to be verified and put in force.
const INSTALL_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// Sends a snapshot's files piece by piece, behind what the other side has already: a transfer that
/// broke goes on where it stopped. One piece at a time is in memory.
pub(super) struct SnapshotSender<'a> {
    pub(super) group: &'a Group,
    pub(super) peer: &'a MetaPeer,
    /// Pace; 0 is as fast as it goes.
    pub(super) bytes_per_second: u64,
}

impl SnapshotSender<'_> {
    /// Returns the other side's vote once it has put the snapshot in force, or has refused to
    /// because it knows a newer leader.
    pub(super) async fn send(&self, vote: Vote, snapshot: &Snapshot) -> Result<Vote, PeerFault> {
        let dir = snapshot.snapshot.path().to_owned();
        let listing = blocking({
            let dir = dir.clone();
            move || crate::state::read_manifest(&dir).map_err(|error| unsent(&error))
        })
        .await?;
        let offer = Request::SnapshotOffer { vote, manifest: listing.encoded.into() };
        let have = match self.ask(&offer, PIECE_DEADLINE).await? {
            Answer::SnapshotOffer(have) if have.len() == listing.files.len() => have,
            _ => return Err(another_answer()),
        };
        let mut pace = Pace::new(self.bytes_per_second);
        for (number, ((name, bytes), have)) in listing.files.iter().zip(have).enumerate() {
            let path = dir.join(name);
            self.send_file(&listing.id, number, path, have..*bytes, &mut pace).await?;
        }
        let install = Request::SnapshotInstall { vote, snapshot_id: listing.id };
        match self.ask(&install, INSTALL_DEADLINE).await? {
            Answer::SnapshotInstall(vote) => Ok(vote),
            _ => Err(another_answer()),
        }
    }

    async fn send_file(
        &self,
        snapshot_id: &str,
        number: usize,
        path: PathBuf,
        range: std::ops::Range<u64>,
        pace: &mut Pace,
    ) -> Result<(), PeerFault> {
        let file = u32::try_from(number).expect("a manifest's length");
        let mut offset = range.start;
        while offset < range.end {
            let len = PIECE_BYTES.min(usize::try_from(range.end - offset).unwrap_or(PIECE_BYTES));
            let path = path.clone();
            let data = blocking(move || read(&path, offset, len)).await?;
            pace.wait(len).await;
            let snapshot_id = snapshot_id.to_owned();
            let piece = Request::SnapshotPiece { snapshot_id, file, offset, data };
            match self.ask(&piece, PIECE_DEADLINE).await? {
                Answer::SnapshotPiece => offset += len as u64,
                _ => return Err(another_answer()),
            }
        }
        Ok(())
    }

    async fn ask(&self, request: &Request, deadline: Duration) -> Result<Answer, PeerFault> {
        match self.group.ask(self.peer, PeerLane::Snapshot, request, deadline).await? {
            Answer::Fault(reason) => Err(PeerFault::Refused { reason }),
            answer => Ok(answer),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PeerFault> + Send + 'static,
) -> Result<T, PeerFault> {
    tasks::spawn_blocking(work).await.unwrap_or_else(|error| Err(unsent(&error)))
}

fn read(path: &std::path::Path, offset: u64, len: usize) -> Result<Bytes, PeerFault> {
    let mut bytes = vec![0; len];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut bytes, offset));
    read.map_err(|error| unsent(&format!("{}: {error}", path.display())))?;
    Ok(bytes.into())
}

fn unsent(reason: &dyn std::fmt::Display) -> PeerFault {
    PeerFault::Unreachable { reason: format!("the snapshot cannot be read: {reason}") }
}

/// Spreads bytes evenly over time.
struct Pace {
    bytes_per_second: u64,
    next: Instant,
}

impl Pace {
    fn new(bytes_per_second: u64) -> Self {
        Self { bytes_per_second, next: Instant::now() }
    }

    async fn wait(&mut self, bytes: usize) {
        if self.bytes_per_second == 0 {
            return;
        }
        sleep_until(self.next).await;
        let cost = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        self.next = self.next.max(Instant::now()) + cost;
    }
}
