use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A small file system of its own (tmpfs), unmounted at the end. Only root can have one.
#[derive(Debug)]
pub struct SmallDisk {
    dir: PathBuf,
}

impl SmallDisk {
    /// Mounts a file system of `size_mib` MiB on the folder; `None`, said on standard output, when
    /// the system does not let us.
    #[must_use]
    pub fn mount(dir: &Path, size_mib: u32) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            println!("not root: no small file system can be mounted");
            return None;
        }
        let size = format!("size={size_mib}m");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self { dir: dir.to_path_buf() }),
            other => {
                println!("no small file system can be mounted: {other:?}");
                None
            }
        }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever still holds a file there must not keep the folder for ever.
        match Command::new("umount").arg("-l").arg(&self.dir).status() {
            Ok(status) if status.success() => {}
            other => eprintln!("umount {}: {other:?}", self.dir.display()),
        }
    }
}
