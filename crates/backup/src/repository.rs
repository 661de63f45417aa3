use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::Write,
    path::Path,
    sync::Arc,
};

use custos_core::Blake3Hash;

use crate::{
    BackupError, BackupManifest, BackupName, BackupPlace, Intake, ManifestFile,
    bucket::BucketKeeper,
    folder::{FolderKeeper, blocking},
    shelf::{Drafts, Keeper, Shelf},
};

/// What the name of a manifest ends with.
const SUFFIX: &str = ".manifest";
/// Bytes of a kept file in memory at once.
const PIECE_BYTES: usize = 1 << 20;
/// Largest manifest that is read.
const MANIFEST_BYTES_MAX: u64 = 256 << 20;

/// A place with backups, or for them. Clones share it.
#[derive(Clone)]
pub struct Repository {
    keeper: Arc<dyn Keeper>,
    place: BackupPlace,
}

/// The right to write to a repository.
pub(crate) struct Writing {
    pub(crate) drafts: Box<dyn Drafts>,
}

/// What a verification of one backup found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Which backup.
    pub name: BackupName,
    /// Its manifest, if that is whole.
    pub manifest: Option<BackupManifest>,
    /// What is wrong with it, in words; nothing when it is whole.
    pub damage: Vec<String>,
}

/// What a pruning removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Backups.
    pub backups: Vec<BackupName>,
    /// Files that no backup needs.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Repository {
    /// Prepares to read and write. Nothing is made: an empty or missing place has no backups.
    ///
    /// # Errors
    /// A bucket without credentials or with a wrong name.
    pub async fn open(place: BackupPlace) -> Result<Self, BackupError> {
        let keeper: Arc<dyn Keeper> = match &place {
            BackupPlace::Folder(path) => Arc::new(FolderKeeper::new(path.clone())),
            BackupPlace::Bucket { bucket, prefix } => {
                Arc::new(BucketKeeper::connect(bucket, prefix).await?)
            }
        };
        Ok(Self { keeper, place })
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &BackupPlace {
        &self.place
    }

    /// Names of all backups, the oldest first.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub async fn names(&self) -> Result<Vec<BackupName>, BackupError> {
        let listed = self.keeper.list(Shelf::Manifests).await?;
        let names = listed.iter().filter_map(|(name, _)| name.strip_suffix(SUFFIX)?.parse().ok());
        let mut names: Vec<BackupName> = names.collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The backup of this name, or the newest.
    ///
    /// # Errors
    /// When there is none.
    pub async fn find(&self, name: Option<&str>) -> Result<BackupName, BackupError> {
        let place = || self.place.to_string();
        let mut names = self.names().await?;
        let Some(newest) = names.pop() else { return Err(BackupError::Nothing { place: place() }) };
        match name {
            None => Ok(newest),
            Some(name) if newest.as_str() == name => Ok(newest),
            Some(name) => {
                let found = names.into_iter().find(|it| it.as_str() == name);
                let (name, newest) = (name.to_owned(), newest.to_string());
                found.ok_or(BackupError::Unknown { place: place(), name, newest })
            }
        }
    }

    /// What a backup is of.
    ///
    /// # Errors
    /// When it is damaged, of a newer format, or gone.
    pub async fn manifest(&self, name: &BackupName) -> Result<BackupManifest, BackupError> {
        let file = manifest_file(name);
        let mut bytes = Vec::new();
        loop {
            let at = bytes.len() as u64;
            let piece = self.keeper.read(Shelf::Manifests, &file, at, PIECE_BYTES).await?;
            let piece = piece.ok_or_else(|| BackupError::damaged(name, "its manifest is gone"))?;
            if at > MANIFEST_BYTES_MAX {
                return Err(BackupError::damaged(name, "its manifest is too long"));
            }
            bytes.extend_from_slice(&piece);
            if piece.len() < PIECE_BYTES {
                return BackupManifest::decode(name, &bytes);
            }
        }
    }

    /// Hash and length of every file that is kept, whether a backup needs it or not.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub async fn kept(&self) -> Result<HashMap<Blake3Hash, u64>, BackupError> {
        let listed = self.keeper.list(Shelf::Files).await?;
        let named =
            listed.into_iter().filter_map(|(name, bytes)| Some((name.parse().ok()?, bytes)));
        Ok(named.collect())
    }

    /// Makes the place ready for another backup of the cluster `origin`. In a folder, no other
    /// process can write meanwhile.
    ///
    /// # Errors
    /// When it cannot be written, somebody else writes, or it holds backups of another cluster.
    pub async fn begin(&self, origin: &str) -> Result<Intake, BackupError> {
        let drafts = self.keeper.open_to_write().await?;
        for name in self.names().await?.iter().rev() {
            match self.manifest(name).await {
                Ok(manifest) if manifest.custody.origin == origin => break,
                Ok(manifest) => {
                    let (place, found) = (self.place.to_string(), manifest.custody.origin);
                    return Err(BackupError::OtherCluster {
                        place,
                        found,
                        given: origin.to_owned(),
                    });
                }
                // What is damaged is for `verify` to name: the next backup must not wait for that.
                Err(BackupError::Damaged { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let kept = self.kept().await?;
        Ok(Intake::new(self.clone(), Writing { drafts }, kept))
    }

    /// Copies a kept file to a new local file, and compares its hash meanwhile; synced when it
    /// returns. What does not verify is not left behind.
    ///
    /// # Errors
    /// When it is not what the backup `name` says, or cannot be written.
    pub async fn fetch(
        &self,
        name: &BackupName,
        file: &ManifestFile,
        target: &Path,
    ) -> Result<(), BackupError> {
        let failed = |operation| BackupError::file(operation, target);
        let made = File::create_new(target).map_err(failed("create"))?;
        let out = Arc::new(made);
        let copied = self.read_through(file, |piece| {
            let (out, path) = (out.clone(), target.to_owned());
            blocking(move || (&*out).write_all(&piece).map_err(BackupError::file("write", path)))
        });
        let ended = match copied.await {
            Ok(None) => {
                let (out, path) = (out.clone(), target.to_owned());
                blocking(move || out.sync_all().map_err(BackupError::file("sync", path))).await
            }
            Ok(Some(what)) => Err(BackupError::damaged(name, what)),
            Err(error) => Err(error),
        };
        if ended.is_err() {
            let _stays = std::fs::remove_file(target);
        }
        ended
    }

    /// Reads all files of these backups, each once, and says what is wrong.
    ///
    /// # Errors
    /// When the place cannot be read.
    pub async fn verify(
        &self,
        names: &[BackupName],
        mut progress: impl FnMut(u64),
    ) -> Result<Vec<Verified>, BackupError> {
        let mut seen: HashMap<(Blake3Hash, u64), Option<String>> = HashMap::new();
        let mut all = Vec::new();
        for name in names {
            let manifest = match self.manifest(name).await {
                Ok(manifest) => manifest,
                Err(error @ (BackupError::Damaged { .. } | BackupError::NewerFormat { .. })) => {
                    let damage = vec![error.to_string()];
                    all.push(Verified { name: name.clone(), manifest: None, damage });
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut damage = Vec::new();
            for file in &manifest.files {
                let key = (file.blake3, file.bytes);
                let what = match seen.get(&key) {
                    Some(what) => what.clone(),
                    None => {
                        let nothing = |_| std::future::ready(Ok(()));
                        let what = self.read_through(file, nothing).await?;
                        progress(file.bytes);
                        seen.insert(key, what.clone());
                        what
                    }
                };
                damage.extend(what);
            }
            all.push(Verified { name: name.clone(), manifest: Some(manifest), damage });
        }
        Ok(all)
    }

    /// Reads a kept file piece by piece; says what is wrong with it, if something is.
    async fn read_through<F>(
        &self,
        file: &ManifestFile,
        mut take: impl FnMut(bytes::Bytes) -> F,
    ) -> Result<Option<String>, BackupError>
    where
        F: Future<Output = Result<(), BackupError>>,
    {
        let ManifestFile { name, bytes, blake3 } = file;
        let kept_as = blake3.to_string();
        let place = format!("{name} (files/{kept_as})");
        let mut hasher = blake3::Hasher::new();
        let mut at = 0;
        loop {
            let piece = self.keeper.read(Shelf::Files, &kept_as, at, PIECE_BYTES).await?;
            let Some(piece) = piece else { return Ok(Some(format!("{place} is missing"))) };
            hasher.update(&piece);
            at += piece.len() as u64;
            if at > *bytes {
                return Ok(Some(format!("{place} is longer than {bytes} bytes")));
            }
            let is_last = piece.len() < PIECE_BYTES;
            take(piece).await?;
            if is_last {
                break;
            }
        }
        if at < *bytes {
            return Ok(Some(format!("{place} is cut short: {at} of {bytes} bytes")));
        }
        if hasher.finalize().as_bytes() != blake3.as_bytes() {
            return Ok(Some(format!("{place} was altered: its hash differs")));
        }
        Ok(None)
    }

    pub(crate) fn keeper(&self) -> &dyn Keeper {
        &*self.keeper
    }

    /// Writes a backup's manifest: from then on it counts.
    pub(crate) async fn publish(&self, manifest: &BackupManifest) -> Result<(), BackupError> {
        let file = manifest_file(&manifest.name());
        self.keeper.write(Shelf::Manifests, &file, manifest.encode().into()).await
    }

    /// Removes all backups but the newest `keep`, and every file that none of those needs. The
    /// caller is the only one who writes.
    pub(crate) async fn prune(&self, keep: usize) -> Result<Pruned, BackupError> {
        let mut names = self.names().await?;
        let kept = names.split_off(names.len().saturating_sub(keep));
        let mut needed: HashSet<Blake3Hash> = HashSet::new();
        for name in &kept {
            // A damaged manifest may name any file: nothing goes then.
            needed.extend(self.manifest(name).await?.files.iter().map(|file| file.blake3));
        }
        for name in &names {
            self.keeper.remove(Shelf::Manifests, &manifest_file(name)).await?;
        }
        let mut pruned = Pruned { backups: names, ..Pruned::default() };
        let unneeded: BTreeMap<Blake3Hash, u64> =
            self.kept().await?.into_iter().filter(|(hash, _)| !needed.contains(hash)).collect();
        for (hash, bytes) in unneeded {
            self.keeper.remove(Shelf::Files, &hash.to_string()).await?;
            pruned.files += 1;
            pruned.bytes += bytes;
        }
        Ok(pruned)
    }
}

fn manifest_file(name: &BackupName) -> String {
    format!("{name}{SUFFIX}")
}
