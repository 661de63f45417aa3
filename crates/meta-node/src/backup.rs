use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use custos_core::{Refusal, Rule};
use custos_metastore::{ExportedFile, LedgerExport, MetaStoreHandle};
use custos_peers::BackupParts;
use custos_ports::LedgerError;
use custos_wire::internal_v1::{
    BackupFile, BackupHead, BackupPiece, BackupResponse, backup_response::Part,
};
use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::spawn_blocking,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tracing::{info, warn};

/// Backups that one member gives at the same time.
const BACKUPS_MAX: usize = 2;
/// Most files that a caller may say it has.
const HAVE_ITEMS_MAX: usize = 65_536;
/// Bytes of one piece.
const PIECE_BYTES: usize = 512 << 10;
/// Parts that may wait for whoever takes them: 2 MiB.
const PARTS_AHEAD: usize = 4;
/// A caller that takes nothing for so long is given up.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// Whether the store still runs is looked at this often while nothing is taken.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Bytes read at once to hash a file.
const HASH_BUFFER_BYTES: usize = 1 << 20;

type Blake3 = [u8; 32];

/// Gives backups of the ledger that a store keeps. Clones share what they know.
#[derive(Clone)]
pub(crate) struct BackupSource {
    store: MetaStoreHandle,
    turns: Arc<Semaphore>,
    hashes: Arc<Mutex<HashMap<FileIdentity, Blake3>>>,
}

/// What a table file is known again by: its name is given once in a state, it is a hard link in
/// every copy of it, and it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FileIdentity {
    name: String,
    device: u64,
    inode: u64,
    bytes: u64,
    modified_ns: (i64, i64),
}

/// One backup that is being given.
struct Giving {
    store: MetaStoreHandle,
    export: LedgerExport,
    have: HashSet<Blake3>,
    hashes: Arc<Mutex<HashMap<FileIdentity, Blake3>>>,
    parts: mpsc::Sender<Result<BackupResponse, LedgerError>>,
    _turn: OwnedSemaphorePermit,
}

/// Why a backup ends before its end.
enum Ended {
    /// Nobody takes it any more.
    CallerGone,
    Failed(LedgerError),
}

impl BackupSource {
    pub(crate) fn new(store: MetaStoreHandle) -> Self {
        Self { store, turns: Arc::new(Semaphore::new(BACKUPS_MAX)), hashes: Arc::default() }
    }

    /// Takes a copy of the ledger and gives it part by part, without the files that the caller has.
    pub(crate) async fn begin(&self, have: &[u8]) -> Result<BackupParts, LedgerError> {
        let have = parse_have(have)?;
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| {
            let reason = format!("{BACKUPS_MAX} backups are being taken here: wait for one to end");
            LedgerError::Unavailable { reason }
        })?;
        let export = self.store.export().await?;
        let (parts, receiver) = mpsc::channel(PARTS_AHEAD);
        let store = self.store.clone();
        let giving =
            Giving { store, export, have, hashes: self.hashes.clone(), parts, _turn: turn };
        tokio::spawn(giving.run());
        Ok(Box::pin(ReceiverStream::new(receiver)))
    }
}

impl Giving {
    async fn run(self) {
        let position = self.export.position();
        info!(index = position.index, term = position.term, "a backup begins");
        match self.give().await {
            Ok(()) => info!(index = position.index, "the backup was given"),
            Err(Ended::CallerGone) => warn!("whoever took the backup went away"),
            Err(Ended::Failed(error)) => {
                warn!(%error, "the backup failed");
                // The copy goes first: whoever does not take this must not hold it.
                let parts = self.parts.clone();
                drop(self);
                let _gone = timeout(IDLE_MAX, parts.send(Err(error))).await;
            }
        }
    }

    async fn give(&self) -> Result<(), Ended> {
        let files = self.export.files();
        self.send(Part::Head(self.head(&files))).await?;
        let mut known = HashMap::new();
        for file in files {
            let (identity, hash) = self.hash(&file).await?;
            known.insert(identity, hash);
            let sent = !self.have.contains(&hash);
            let (name, bytes) = (file.name.clone(), file.bytes);
            self.send(Part::File(BackupFile { name, bytes, blake3: hash.to_vec(), sent })).await?;
            if sent {
                self.send_bytes(&file).await?;
            }
        }
        *self.hashes.lock() = known;
        Ok(())
    }

    fn head(&self, files: &[ExportedFile]) -> BackupHead {
        let (position, checkpoint) = (self.export.position(), self.export.checkpoint());
        BackupHead {
            origin: checkpoint.origin.clone(),
            taken_ms: self.export.taken().as_millis(),
            meta_id: self.export.by().0,
            log_term: position.term,
            log_node: position.node,
            log_index: position.index,
            custody_size: checkpoint.size,
            custody_root: checkpoint.root.to_vec(),
            files: u32::try_from(files.len()).expect("a folder's files"),
            bytes: files.iter().map(|file| file.bytes).sum(),
        }
    }

    /// A file that was hashed for the last backup is not read again for this one.
    async fn hash(&self, file: &ExportedFile) -> Result<(FileIdentity, Blake3), Ended> {
        let (file, hashes) = (file.clone(), self.hashes.clone());
        blocking(move || {
            let failed = |error: io::Error| unread(&file, &error);
            let identity = identity(&file).map_err(failed)?;
            let is_table = file.name.ends_with(".sst");
            let known = hashes.lock().get(&identity).copied().filter(|_| is_table);
            let hash = match known {
                Some(hash) => hash,
                None => hash_of(&file).map_err(failed)?,
            };
            Ok((identity, hash))
        })
        .await
    }

    async fn send_bytes(&self, file: &ExportedFile) -> Result<(), Ended> {
        let mut at = 0;
        while at < file.bytes {
            let len = PIECE_BYTES.min(usize::try_from(file.bytes - at).unwrap_or(PIECE_BYTES));
            let piece = file.clone();
            let data =
                blocking(move || read(&piece, at, len).map_err(|error| unread(&piece, &error)));
            self.send(Part::Piece(BackupPiece { data: data.await? })).await?;
            at += len as u64;
        }
        Ok(())
    }

    /// Waits until the caller takes it; not when the store is stopped, whose files are in use here.
    async fn send(&self, part: Part) -> Result<(), Ended> {
        let mut idle = Duration::ZERO;
        while self.store.status().is_some() {
            match timeout(LOOK_INTERVAL, self.parts.reserve()).await {
                Ok(Ok(place)) => {
                    place.send(Ok(BackupResponse { part: Some(part) }));
                    return Ok(());
                }
                Ok(Err(_)) => return Err(Ended::CallerGone),
                Err(_) if idle < IDLE_MAX => idle += LOOK_INTERVAL,
                Err(_) => {
                    let seconds = IDLE_MAX.as_secs();
                    let reason = format!("nothing of the backup was taken for {seconds} s");
                    return Err(Ended::Failed(LedgerError::Unavailable { reason }));
                }
            }
        }
        let reason = "the meta node stops".to_owned();
        Err(Ended::Failed(LedgerError::Unavailable { reason }))
    }
}

fn parse_have(have: &[u8]) -> Result<HashSet<Blake3>, LedgerError> {
    let (hashes, rest) = have.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() > HAVE_ITEMS_MAX {
        let bytes = have.len();
        let reason = format!("{bytes} bytes, up to {HAVE_ITEMS_MAX} hashes of 32 bytes can be");
        return Err(Refusal::invalid(Rule::I10, "have", reason).into());
    }
    Ok(hashes.iter().copied().collect())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, Ended> {
    let done = spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(LedgerError::Unavailable { reason: format!("the backup was cut off: {error}") })
    });
    done.map_err(Ended::Failed)
}

fn identity(file: &ExportedFile) -> io::Result<FileIdentity> {
    let found = fs::metadata(&file.path)?;
    Ok(FileIdentity {
        name: file.name.clone(),
        device: found.dev(),
        inode: found.ino(),
        bytes: found.len(),
        modified_ns: (found.mtime(), found.mtime_nsec()),
    })
}

fn hash_of(file: &ExportedFile) -> io::Result<Blake3> {
    let mut hasher = blake3::Hasher::new();
    let open = file.open()?;
    let mut buffer = vec![0; HASH_BUFFER_BYTES];
    let mut left = file.bytes;
    while left > 0 {
        let len = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        io::Read::read_exact(&mut &open, &mut buffer[..len])?;
        hasher.update(&buffer[..len]);
        left -= len as u64;
    }
    Ok(hasher.finalize().into())
}

fn read(file: &ExportedFile, at: u64, len: usize) -> io::Result<Bytes> {
    let open: File = file.open()?;
    let mut bytes = vec![0; len];
    open.read_exact_at(&mut bytes, at)?;
    Ok(bytes.into())
}

fn unread(file: &ExportedFile, error: &io::Error) -> LedgerError {
    LedgerError::Fault { reason: format!("{} of the ledger cannot be read: {error}", file.name) }
}
