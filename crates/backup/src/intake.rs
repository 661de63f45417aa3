use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::Write,
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use custos_core::{Blake3Hash, Timestamp};

use crate::{
    BackupError, BackupManifest, BackupName, ManifestFile, Pruned, Repository,
    folder::blocking,
    manifest::{FILES_MAX, is_plain_name},
    repository::Writing,
};

/// Hashes that are named to whoever gives a backup, at most.
const HAVE_ITEMS_MAX: usize = 65_536;

/// A backup that is being written: file after file, and its manifest last. Dropped before that, it
/// does not count, and the files that came whole wait for the next one.
pub struct Intake {
    repository: Repository,
    writing: Writing,
    kept: HashMap<Blake3Hash, u64>,
    /// Kept files that are not as long as they should be.
    doubted: HashSet<Blake3Hash>,
    files: Vec<ManifestFile>,
    names: HashSet<String>,
    arriving: Option<Arriving>,
}

/// The file that is being written.
struct Arriving {
    file: ManifestFile,
    draft: PathBuf,
    out: Arc<File>,
    hasher: blake3::Hasher,
    at: u64,
}

impl Intake {
    pub(crate) fn new(
        repository: Repository,
        writing: Writing,
        kept: HashMap<Blake3Hash, u64>,
    ) -> Self {
        let (doubted, files, names) = (HashSet::new(), Vec::new(), HashSet::new());
        Self { repository, writing, kept, doubted, files, names, arriving: None }
    }

    /// Hashes of the files that need not come, at most 65,536.
    #[must_use]
    pub fn have(&self) -> Vec<Blake3Hash> {
        let sure = self.kept.keys().filter(|hash| !self.doubted.contains(hash));
        sure.copied().take(HAVE_ITEMS_MAX).collect()
    }

    /// Begins to take the files from the first one again, such as when the way to whoever gives them
    /// broke. Those that came whole are kept.
    pub fn begin_again(&mut self) {
        self.files.clear();
        self.names.clear();
        self.arriving = None;
    }

    /// Notes a file that is kept already. Returns false when it is not as long as it should be: then
    /// it is no longer among those to [`have`](Self::have), and all begins again.
    ///
    /// # Errors
    /// When the file cannot be.
    pub async fn reuse(&mut self, file: ManifestFile) -> Result<bool, BackupError> {
        self.check(&file)?;
        self.expect_end()?;
        if self.kept.get(&file.blake3) != Some(&file.bytes) {
            self.doubted.insert(file.blake3);
            return Ok(false);
        }
        self.files.push(file);
        Ok(true)
    }

    /// Begins a file whose bytes follow.
    ///
    /// # Errors
    /// When the file cannot be, or cannot be written.
    pub async fn receive(&mut self, file: ManifestFile) -> Result<(), BackupError> {
        self.check(&file)?;
        self.expect_end()?;
        let draft = self.writing.drafts.folder().join(file.blake3.to_string());
        let out = File::create(&draft).map_err(BackupError::file("create", &draft))?;
        let hasher = blake3::Hasher::new();
        self.arriving = Some(Arriving { file, draft, out: Arc::new(out), hasher, at: 0 });
        self.finish_if_whole().await
    }

    /// Takes the next bytes of that file; with its last ones it is compared, and kept.
    ///
    /// # Errors
    /// When the bytes are not those that were announced, or cannot be written.
    pub async fn piece(&mut self, bytes: Bytes) -> Result<(), BackupError> {
        let Some(arriving) = &mut self.arriving else {
            let (file, reason) = ("a file".to_owned(), "more came than belong to it".to_owned());
            return Err(BackupError::WrongBytes { file, reason });
        };
        arriving.hasher.update(&bytes);
        arriving.at += bytes.len() as u64;
        let (out, path) = (arriving.out.clone(), arriving.draft.clone());
        blocking(move || (&*out).write_all(&bytes).map_err(BackupError::file("write", path)))
            .await?;
        self.finish_if_whole().await
    }

    async fn finish_if_whole(&mut self) -> Result<(), BackupError> {
        let is_whole = self.arriving.as_ref().is_some_and(|it| it.at >= it.file.bytes);
        match self.arriving.take_if(|_| is_whole) {
            Some(arrived) => self.keep(arrived).await,
            None => Ok(()),
        }
    }

    async fn keep(&mut self, arrived: Arriving) -> Result<(), BackupError> {
        let Arriving { file, draft, out, hasher, at } = arrived;
        let found = Blake3Hash(hasher.finalize().into());
        if at != file.bytes || found != file.blake3 {
            let reason =
                format!("{at} bytes with hash {found}, not {} with {}", file.bytes, file.blake3);
            return Err(BackupError::WrongBytes { file: file.name, reason });
        }
        let path = draft.clone();
        blocking(move || out.sync_all().map_err(BackupError::file("sync", path))).await?;
        let kept_as = file.blake3.to_string();
        if !self.repository.keeper().adopt(&kept_as, &draft, file.bytes).await? {
            // Nobody vouches for what the bucket has: it is read back.
            self.read_back(&file).await?;
        }
        let _gone_already = std::fs::remove_file(&draft);
        self.kept.insert(file.blake3, file.bytes);
        self.doubted.remove(&file.blake3);
        self.files.push(file);
        Ok(())
    }

    async fn read_back(&self, file: &ManifestFile) -> Result<(), BackupError> {
        let copy = self.writing.drafts.folder().join("read-back");
        let name = BackupName::new(Timestamp::from_millis(0), 0);
        match self.repository.fetch(&name, file, &copy).await {
            Ok(()) => std::fs::remove_file(&copy).map_err(BackupError::file("remove", copy)),
            Err(BackupError::Damaged { what, .. }) => {
                Err(BackupError::WrongBytes { file: file.name.clone(), reason: what })
            }
            Err(error) => Err(error),
        }
    }

    fn check(&mut self, file: &ManifestFile) -> Result<(), BackupError> {
        if self.names.len() >= FILES_MAX {
            return Err(BackupError::Limit { what: "files", limit: FILES_MAX as u64 });
        }
        if is_plain_name(&file.name) && self.names.insert(file.name.clone()) {
            return Ok(());
        }
        let reason = "its name is no plain one, or came twice".to_owned();
        Err(BackupError::WrongBytes { file: file.name.clone(), reason })
    }

    fn expect_end(&self) -> Result<(), BackupError> {
        match &self.arriving {
            None => Ok(()),
            Some(Arriving { file, at, .. }) => {
                let reason = format!("only {at} of {} bytes came", file.bytes);
                Err(BackupError::WrongBytes { file: file.name.clone(), reason })
            }
        }
    }

    /// Writes the manifest, with the files that were taken: from then on the backup counts.
    ///
    /// # Errors
    /// When not all came (the backup does not count then), or the place cannot be written.
    pub async fn publish(
        &mut self,
        manifest: BackupManifest,
    ) -> Result<BackupManifest, BackupError> {
        self.expect_end()?;
        let files = std::mem::take(&mut self.files);
        let manifest = BackupManifest { files, ..manifest };
        self.repository.publish(&manifest).await?;
        Ok(manifest)
    }

    /// Removes all but the newest `keep` backups (at least one stays), and every file that none of
    /// those needs.
    ///
    /// # Errors
    /// When one that stays has a damaged manifest (nothing is removed then), or the place cannot be
    /// written.
    pub async fn prune(&self, keep: usize) -> Result<Pruned, BackupError> {
        self.repository.prune(keep.max(1)).await
    }
}
