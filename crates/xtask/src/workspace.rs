use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where this checkout and its build products are.
pub(crate) struct Workspace {
    /// Folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Folder that cargo puts the dev profile's binaries in.
    pub(crate) binaries: PathBuf,
}

impl Workspace {
    /// Finds the checkout that this tool was started for.
    ///
    /// # Errors
    /// When the tool is run by other means than `cargo xtask`.
    pub(crate) fn find() -> Result<Self> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: run this tool as `cargo xtask`")?;
        let root = Path::new(&own)
            .ancestors()
            .find(|folder| folder.join("Cargo.lock").is_file())
            .context("no Cargo.lock above this tool's own folder")?
            .to_path_buf();
        // Beside this very program are the others: true whatever target folder cargo was told.
        let program = std::env::current_exe().context("where is this program?")?;
        let binaries = program.parent().context("this program is in no folder")?.to_path_buf();
        Ok(Self { root, binaries })
    }

    /// Folder for test footage, kept between runs with the build products.
    pub(crate) fn footage(&self) -> PathBuf {
        self.target().join("footage")
    }

    /// Folder of links to ccache under the names of compilers.
    pub(crate) fn ccache_links(&self) -> PathBuf {
        self.target().join("ccache-links")
    }

    fn target(&self) -> &Path {
        self.binaries.parent().unwrap_or(&self.binaries)
    }

    /// A Custos binary of the dev profile.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.binaries.join(name).with_extension(std::env::consts::EXE_EXTENSION)
    }
}
