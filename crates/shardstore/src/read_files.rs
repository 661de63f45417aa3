use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::extent_file::{ExtentFile, IoMode};
use crate::extents::ExtentDir;
use crate::limits::READ_EXTENTS_OPEN_MAX;

/// Extents open for reading, the least recently used closed first.
#[derive(Debug, Default)]
pub(crate) struct ReadFiles {
    /// Most recently used last.
    open: Mutex<Vec<(u64, Arc<ExtentFile>)>>,
}

impl ReadFiles {
    pub(crate) fn get(
        &self,
        extents: &ExtentDir,
        number: u64,
        mode: IoMode,
    ) -> io::Result<Arc<ExtentFile>> {
        {
            let mut open = self.open.lock();
            if let Some(at) = open.iter().position(|(found, _)| *found == number) {
                let used = open.remove(at);
                let file = used.1.clone();
                open.push(used);
                return Ok(file);
            }
        }
        // Opened without the lock: a slow disk must not hold up reads of other extents.
        let file = Arc::new(ExtentFile::open_to_read(&extents.file(number), mode)?);
        let mut open = self.open.lock();
        if open.len() >= READ_EXTENTS_OPEN_MAX {
            open.remove(0);
        }
        open.push((number, file.clone()));
        Ok(file)
    }
}
