use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The demo's own folder under the system's temporary folder; removed when dropped.
pub(super) struct DemoFolder {
    path: PathBuf,
}

impl DemoFolder {
    /// Makes a new, empty folder.
    pub(super) fn create() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("custos-demo-{}", std::process::id()));
        // Not `create_dir_all`: a folder that somebody else has put there is not ours to use.
        std::fs::create_dir(&path)
            .with_context(|| format!("cannot make the demo's folder {}", path.display()))?;
        Ok(Self { path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, and says so when that fails.
    pub(super) fn remove(self) -> Result<()> {
        std::fs::remove_dir_all(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }
}

impl Drop for DemoFolder {
    fn drop(&mut self) {
        // Gone already after `remove`; on a panic nobody is left to be told.
        let _best_effort = std::fs::remove_dir_all(&self.path);
    }
}
