use std::io;
use std::sync::Arc;

use custos_ports::{DiskFile, FileAccess};
use parking_lot::Mutex;

use crate::extents::Extents;
use crate::limits::READ_EXTENTS_OPEN_MAX;

/// Extents open for reading, the least recently used closed first.
#[derive(Debug, Default)]
pub(crate) struct ReadFiles {
    /// Most recently used last.
    open: Mutex<Vec<(u64, Arc<dyn DiskFile>)>>,
}

impl ReadFiles {
    pub(crate) fn get(&self, extents: &Extents, number: u64) -> io::Result<Arc<dyn DiskFile>> {
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
        let file = extents.open(number, FileAccess::Read)?;
        let mut open = self.open.lock();
        if open.len() >= READ_EXTENTS_OPEN_MAX {
            open.remove(0);
        }
        open.push((number, file.clone()));
        Ok(file)
    }

    /// Closes an extent that is gone, when the last read of it ends.
    pub(crate) fn forget(&self, number: u64) {
        self.open.lock().retain(|(found, _)| *found != number);
    }
}
