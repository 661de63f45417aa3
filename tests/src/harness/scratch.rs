use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{content::Content, digests::FileDigests, programs};

/// A folder of one test, on the file system of the build, removed at the end.
#[derive(Debug)]
pub struct Scratch {
    dir: TempDir,
}

/// A source file that lies in a [`Scratch`] folder.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub content: Content,
    /// What is true of its bytes.
    pub digests: FileDigests,
}

impl Scratch {
    /// Makes an empty folder; `name` is part of its name.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let root = programs::scratch_root();
        fs::create_dir_all(&root).unwrap_or_else(|e| panic!("{}: {e}", root.display()));
        let dir = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir_in(&root)
            .unwrap_or_else(|e| panic!("{}: {e}", root.display()));
        Self { dir }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a folder inside.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }

    /// Writes a text file.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn text_file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }

    /// Writes a file of generated content.
    #[must_use]
    pub fn source_file(&self, name: &str, content: Content) -> SourceFile {
        let path = self.path().join(name);
        content.write_to(&path);
        let digests = FileDigests::of(&path);
        SourceFile { path, content, digests }
    }
}

impl SourceFile {
    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.content.size
    }
}
