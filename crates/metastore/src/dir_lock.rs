use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
};

use tokio::sync::mpsc;

use crate::error::{OpenError, StoreError};

/// Exclusive use of a metastore's directory. Whatever keeps files of it open holds a clone, so
/// the lock ends when the last of them is really closed, not when closing was asked for.
#[derive(Debug, Clone)]
pub(crate) struct DirLock {
    _held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    _file: File,
    // Nothing is ever sent: its end is the message.
    _closed: mpsc::Sender<()>,
}

/// Resolves when the lock has ended.
#[derive(Debug)]
pub(crate) struct LockEnd(mpsc::Receiver<()>);

impl LockEnd {
    pub(crate) async fn wait(&mut self) {
        let ended = self.0.recv().await;
        debug_assert!(ended.is_none(), "nothing is ever sent");
    }
}

impl DirLock {
    /// Locks `dir/lock` without waiting.
    pub(crate) fn acquire(dir: &Path) -> Result<(Self, LockEnd), OpenError> {
        let path = dir.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse { dir: dir.to_owned() });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::io("lock", &path)(source).into());
            }
        }
        let (closed, end) = mpsc::channel(1);
        Ok((Self { _held: Arc::new(Held { _file: file, _closed: closed }) }, LockEnd(end)))
    }
}
