use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use openraft::Snapshot as RaftSnapshot;
use tokio::sync::Mutex;

use crate::{
    durable,
    error::StoreError,
    raft_types::{Raft, Snapshot, Vote},
    state::{ManifestListing, SnapshotDir, parse_manifest, write_manifest},
    tasks,
};

/// Most bytes that one piece may have.
const PIECE_BYTES_MAX: usize = 1 << 20;

/// Collects the pieces of one snapshot at a time. What came of it stays while the connection, or
/// the leader, changes; another snapshot takes its place.
#[derive(Default)]
pub(super) struct SnapshotReceiver {
    incoming: Mutex<Option<Incoming>>,
}

struct Incoming {
    listing: ManifestListing,
    dir: SnapshotDir,
    /// Bytes that are there of each file.
    have: Vec<u64>,
}

impl SnapshotReceiver {
    /// Begins to receive a snapshot, or goes on with it; returns what is there of each file.
    pub(super) async fn offer(&self, raft: &Raft, manifest: &Bytes) -> Result<Vec<u64>, String> {
        let listing = parse_manifest(manifest).map_err(|error| error.to_string())?;
        let mut incoming = self.incoming.lock().await;
        if let Some(known) = &*incoming
            && known.listing.encoded == listing.encoded
        {
            return Ok(known.have.clone());
        }
        let dir = raft.begin_receiving_snapshot().await.map_err(|error| error.to_string())?;
        tracing::info!(snapshot = listing.id, "a snapshot begins to arrive");
        let have = vec![0; listing.files.len()];
        *incoming = Some(Incoming { listing, dir: *dir, have: have.clone() });
        Ok(have)
    }

    /// Takes bytes that follow on those that are there; the same bytes again are fine.
    pub(super) async fn piece(
        &self,
        snapshot_id: &str,
        file: u32,
        offset: u64,
        data: Bytes,
    ) -> Result<(), String> {
        let mut incoming = self.incoming.lock().await;
        let incoming = expected(&mut incoming, snapshot_id)?;
        let number = usize::try_from(file).map_err(|error| error.to_string())?;
        let (Some((name, bytes)), Some(have)) =
            (incoming.listing.files.get(number), incoming.have.get(number).copied())
        else {
            return Err(format!("the snapshot has no file {file}"));
        };
        let end = offset + data.len() as u64;
        if data.is_empty() || data.len() > PIECE_BYTES_MAX || end > *bytes {
            return Err(format!("{name} has {bytes} bytes, {offset}..{end} are no piece of it"));
        }
        if end <= have {
            return Ok(());
        }
        if offset != have {
            return Err(format!("{name} goes on at {have}, not at {offset}"));
        }
        let path = incoming.dir.path().join(name);
        let written = tasks::spawn_blocking(move || append(&path, offset, &data));
        written.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        incoming.have[number] = end;
        Ok(())
    }

    /// Puts the snapshot in force; returns the node's vote afterwards.
    pub(super) async fn install(
        &self,
        raft: &Raft,
        vote: Vote,
        snapshot_id: &str,
    ) -> Result<Vote, String> {
        let mut place = self.incoming.lock().await;
        let incoming = expected(&mut place, snapshot_id)?;
        let mut files = incoming.listing.files.iter().zip(&incoming.have);
        if let Some(((name, bytes), have)) = files.find(|((_, all), have)| all != *have) {
            return Err(format!("{name} has {have} of {bytes} bytes"));
        }
        let Some(Incoming { listing, dir, .. }) = place.take() else {
            return Err("no snapshot is arriving".to_owned());
        };
        let finished = tasks::spawn_blocking({
            let (listing, path) = (listing.clone(), dir.path().to_owned());
            move || finish(&listing, &path)
        });
        finished.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let snapshot: Snapshot = RaftSnapshot { meta: listing.meta, snapshot: Box::new(dir) };
        let installed = raft.install_full_snapshot(vote, snapshot).await;
        tracing::info!(snapshot = snapshot_id, "the snapshot was handed to raft");
        Ok(installed.map_err(|error| error.to_string())?.vote)
    }
}

fn expected<'a>(
    incoming: &'a mut Option<Incoming>,
    snapshot_id: &str,
) -> Result<&'a mut Incoming, String> {
    let incoming = incoming
        .as_mut()
        .ok_or_else(|| format!("snapshot {snapshot_id} was not offered: offer it again"))?;
    match &incoming.listing.id {
        id if id == snapshot_id => Ok(incoming),
        other => Err(format!("snapshot {other} is arriving, not {snapshot_id}")),
    }
}

fn append(path: &PathBuf, offset: u64, data: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.write_all_at(data, offset)
}

/// Makes what arrived a snapshot: all its files durable, and the manifest last.
fn finish(listing: &ManifestListing, dir: &Path) -> Result<(), StoreError> {
    for (name, bytes) in &listing.files {
        let path = dir.join(name);
        if *bytes == 0 {
            std::fs::File::create(&path).map_err(StoreError::io("create", &path))?;
        }
        durable::sync_file(&path)?;
    }
    write_manifest(dir, &listing.encoded)
}
