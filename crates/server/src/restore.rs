//! Makes the ledger of a backup the data folder of a process, which founds a group with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use custos_backup::{BackupError, BackupManifest, BackupName, BackupPlace, Repository};
use custos_core::{Actor, ErasureProfile, ErrorKind, LogIndex, MetaId};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query, merkle};
use custos_metastore::{LogPosition, MetaStore, OpenError, Options, RestoreDraft, RestoredState};
use custos_ports::{Clock, Entropy, Ledger, LedgerError};
use tokio::task::spawn_blocking;

use crate::{
    data_dir::{DataDir, DataDirError, LEDGER_FOLDER, Manifest, ManifestError, Occupants},
    durable_file::{self, FileError},
    group_start,
};

/// Everything is made in it, and moved to its place when it is proven.
const DRAFT_FOLDER: &str = "restore.draft";
/// What a folder may hold beside the names of a restore that was cut short.
const EMPTY_ENOUGH: [&str; 2] = ["lock", "lost+found"];
/// What a restore leaves that was cut short when all but its last step was done.
const LEFT_OVERS: [&str; 3] = [DRAFT_FOLDER, "custosd.json", group_start::TOKEN_FILE];

/// What is to be restored, and where to.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// Where backups are kept.
    pub from: BackupPlace,
    /// Which one; the newest when `None`.
    pub backup: Option<String>,
    /// The data folder of the process that will keep the ledger: missing or empty.
    pub data_dir: PathBuf,
    /// The cluster's name, as its configuration says it; any when `None`.
    pub cluster_name: Option<String>,
    /// Erasure profile of the first vault, of a process that made it of its own disks.
    pub profile: Option<ErasureProfile>,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub name: BackupName,
    /// Origin line of the custody log.
    pub origin: String,
    /// Entries of the custody log in the backup; the next one says that it was restored.
    pub entries: u64,
    /// The metadata node that keeps the ledger now.
    pub node: MetaId,
}

/// Why a ledger is not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup cannot be read, or is damaged.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The folder holds something.
    #[error(
        "{} holds {found:?}: a ledger is restored into an empty folder; nothing was changed",
        dir.display()
    )]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
        /// One thing that is there.
        found: String,
    },
    /// The backup is of another cluster.
    #[error("backup {name} is of cluster {found}, not of {given}: nothing was changed")]
    OtherCluster {
        /// The backup.
        name: BackupName,
        /// Its cluster's origin line.
        found: String,
        /// The name that was given.
        given: String,
    },
    /// The files are as they were written, and no ledger, or another one than the manifest says.
    #[error("backup {name} holds no ledger that verifies: {reason}; nothing was changed")]
    Unproven {
        /// The backup.
        name: BackupName,
        /// What does not verify.
        reason: String,
    },
    /// The restored ledger does not go on.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It does not take its first command.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// Its manifest cannot be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl RestoreError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Backup(error) => error.kind(),
            Self::NotEmpty { .. } => ErrorKind::Invalid,
            Self::OtherCluster { .. } | Self::Unproven { .. } => ErrorKind::Integrity,
            Self::Open(error) => error.kind(),
            Self::Ledger(error) => error.kind(),
            Self::DataDir(error) => error.kind(),
            Self::Manifest(error) => error.kind(),
            Self::File(error) => error.kind(),
        }
    }
}

/// A restore that is under way.
struct Restore<'a> {
    repository: &'a Repository,
    manifest: &'a BackupManifest,
    name: &'a BackupName,
    clock: Arc<dyn Clock>,
    entropy: &'a (dyn Entropy + 'static),
}

/// Restores a backup into an empty data folder: every file is compared with its hash, the custody
/// log is hashed anew and compared with the manifest, and the node that keeps the ledger from now on
/// is entered in it. `say` is told how far it is. Whatever fails, nothing stays but an empty folder.
///
/// # Errors
/// See [`RestoreError`].
pub async fn restore(
    options: RestoreOptions,
    clock: Arc<dyn Clock>,
    entropy: &(dyn Entropy + 'static),
    say: &(dyn Fn(String) + Sync),
) -> Result<Restored, RestoreError> {
    let RestoreOptions { from, backup, data_dir, cluster_name, profile } = options;
    let repository = Repository::open(from).await?;
    let name = repository.find(backup.as_deref()).await?;
    let manifest = repository.manifest(&name).await?;
    let origin = manifest.custody.origin.clone();
    if let Some(given) = cluster_name.filter(|given| given != manifest.cluster_name()) {
        return Err(RestoreError::OtherCluster { name, found: origin, given });
    }
    check_empty(&data_dir)?;
    let locked = DataDir::lock(&data_dir, Occupants::Anybody)?;
    let dir = locked.path();
    check_empty(dir)?;
    clear(&dir.join(DRAFT_FOLDER))?;
    let (repository, manifest, name) = (&repository, &manifest, &name);
    let restore = Restore { repository, manifest, name, clock, entropy };
    let made = restore.make(dir, profile, say).await;
    if made.is_err() {
        // The first error counts; what stays is cleared by the next restore.
        let _stays = clear(&dir.join(DRAFT_FOLDER));
    }
    let node = made?;
    Ok(Restored { name: name.clone(), origin, entries: manifest.custody.size, node })
}

impl Restore<'_> {
    async fn make(
        &self,
        dir: &Path,
        profile: Option<ErasureProfile>,
        say: &(dyn Fn(String) + Sync),
    ) -> Result<MetaId, RestoreError> {
        let draft = dir.join(DRAFT_FOLDER);
        durable_file::create_dir(&draft)?;
        let ledger = draft.join(LEDGER_FOLDER);
        let restoring = RestoreDraft::begin(&ledger)?;
        self.fetch(&restoring.files_dir(), say).await?;
        say("proving the custody log".to_owned());
        let state = self.prove(restoring).await?;
        let token = self.entropy.array::<16>();
        let node = self.go_on(state, &ledger, token).await?;
        // In this order: only with the last step is there a ledger that a process would start with.
        group_start::write_token(&dir.join(group_start::TOKEN_FILE), &token)?;
        let origin = self.manifest.custody.origin.clone();
        Manifest { profile, ..Manifest::of_cluster(origin) }.save(dir)?;
        durable_file::rename(&ledger, &dir.join(LEDGER_FOLDER))?;
        clear(&draft)?;
        Ok(node)
    }

    async fn fetch(&self, files: &Path, say: &(dyn Fn(String) + Sync)) -> Result<(), RestoreError> {
        let all = self.manifest.files.len();
        say(format!("reading backup {}: {all} files, {} bytes", self.name, self.manifest.bytes()));
        for file in &self.manifest.files {
            self.repository.fetch(self.name, file, &files.join(&file.name)).await?;
        }
        Ok(durable_file::sync_dir(files)?)
    }

    /// Opens the state and makes sure that it is the one that the manifest describes.
    async fn prove(&self, restoring: RestoreDraft) -> Result<RestoredState, RestoreError> {
        let manifest = self.manifest.clone();
        let proven = spawn_blocking(move || {
            let state = restoring.open().map_err(unproven_or_full)?;
            check_state(&state, &manifest).map(|()| state)
        });
        // The law panics at a value that it did not write.
        let proven = proven.await.unwrap_or_else(|error| Err(Fault::Unproven(error.to_string())));
        proven.map_err(|fault| self.error(fault))
    }

    /// Gives the state to a node that no other was, and lets it enter that it goes on.
    async fn go_on(
        &self,
        state: RestoredState,
        ledger: &Path,
        token: [u8; 16],
    ) -> Result<MetaId, RestoreError> {
        let given = spawn_blocking(move || {
            let node = next_node(&state)?;
            state.give_to(node).map_err(Fault::Open)?;
            Ok(node)
        });
        let given = given.await.unwrap_or_else(|error| Err(Fault::Unproven(error.to_string())));
        let node = given.map_err(|fault| self.error(fault))?;
        let options = Options { node_id: node, ..Options::new(ledger, self.clock.clone()) };
        let store = MetaStore::open(options).await?;
        let outcome = store.submit(self.first_command(token)).await;
        store.shutdown().await;
        match outcome? {
            Outcome::MetaAdmitted(member) if member.id == node => Ok(node),
            other => {
                let reason = format!("the restored ledger answered {other:?} to node {node}");
                Err(LedgerError::Fault { reason }.into())
            }
        }
    }

    fn first_command(&self, token: [u8; 16]) -> Envelope {
        let BackupManifest { log_term, log_node, log_index, custody, .. } = self.manifest;
        let source = format!(
            "backup {} (Raft log {log_term}-{log_node}-{log_index}, custody log of {} entries)",
            self.name, custody.size
        );
        Envelope {
            request_id: self.entropy.array(),
            actor: Actor::system(),
            entry_salt: self.entropy.array(),
            command: Command::RestoreLedger { token, source },
        }
    }

    fn error(&self, fault: Fault) -> RestoreError {
        match fault {
            Fault::Unproven(reason) => RestoreError::Unproven { name: self.name.clone(), reason },
            Fault::Open(error) => error.into(),
        }
    }
}

/// Why a state is not given to a node.
enum Fault {
    Unproven(String),
    Open(OpenError),
}

/// Files that do not open are no ledger, unless it was the disk that had no space for more.
fn unproven_or_full(error: OpenError) -> Fault {
    match error.kind() {
        ErrorKind::Exhausted => Fault::Open(error),
        _ => Fault::Unproven(error.to_string()),
    }
}

fn check_state(state: &RestoredState, manifest: &BackupManifest) -> Result<(), Fault> {
    let BackupManifest { log_term: term, log_node: node, log_index: index, .. } = *manifest;
    let expected = LogPosition { term, node, index };
    if state.position() != expected {
        let reason = format!("it ends at {:?}, its manifest says {expected:?}", state.position());
        return Err(Fault::Unproven(reason));
    }
    if *state.checkpoint() != manifest.custody {
        let found = state.checkpoint();
        let reason = format!(
            "its custody log is that of {} with {} entries, its manifest says {} with {}, or has \
             another root",
            found.origin, found.size, manifest.custody.origin, manifest.custody.size
        );
        return Err(Fault::Unproven(reason));
    }
    let tree = hash_custody_log(state)?;
    if (tree.size(), tree.root()) != (manifest.custody.size, manifest.custody.root) {
        let reason = format!(
            "the {} entries of its custody log do not hash to the root in its manifest",
            tree.size()
        );
        return Err(Fault::Unproven(reason));
    }
    Ok(())
}

/// Hashes every entry, whatever hashes are stored beside them.
fn hash_custody_log(state: &RestoredState) -> Result<merkle::GrowingTree, Fault> {
    let mut tree = merkle::GrowingTree::default();
    let mut from = Some(LogIndex(0)).filter(|_| state.checkpoint().size > 0);
    while let Some(at) = from {
        let query = Query::Entries { from: at, limit: usize::MAX, evidence_id: None, record: None };
        let Answer::Entries { items, next } = state.query(&query).map_err(Fault::Open)? else {
            return Err(Fault::Unproven("it does not list its custody log".to_owned()));
        };
        for entry in &items {
            if entry.index.0 != tree.size() {
                let reason = format!("entry {} of its custody log is missing", tree.size());
                return Err(Fault::Unproven(reason));
            }
            tree.push(merkle::leaf_hash(&entry.leaf));
        }
        from = next.filter(|next| *next > at);
    }
    Ok(tree)
}

/// The id that the law will give: one more than any that was given. The node that kept a ledger
/// alone was 1 without saying so.
fn next_node(state: &RestoredState) -> Result<MetaId, Fault> {
    match state.query(&Query::MetaMembers).map_err(Fault::Open)? {
        Answer::MetaMembers(members) => {
            Ok(MetaId(members.iter().map(|member| member.id.0).max().unwrap_or(1) + 1))
        }
        _ => Err(Fault::Unproven("it does not list its metadata nodes".to_owned())),
    }
}

/// Makes sure that a folder holds nothing, or only what a restore left that was cut short.
fn check_empty(dir: &Path) -> Result<(), RestoreError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(FileError::on("list", dir)(error).into()),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(FileError::on("list", dir))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    let was_cut_short = names.iter().any(|name| name == DRAFT_FOLDER);
    let may_be =
        |name: &str| EMPTY_ENOUGH.contains(&name) || (was_cut_short && LEFT_OVERS.contains(&name));
    match names.into_iter().find(|name| !may_be(name)) {
        None => Ok(()),
        Some(found) => Err(RestoreError::NotEmpty { dir: dir.to_owned(), found }),
    }
}

fn clear(dir: &Path) -> Result<(), RestoreError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::on("remove", dir)(error).into())
        }
        _ => Ok(()),
    }
}
