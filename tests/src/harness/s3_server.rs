use std::{
    fs,
    io::BufReader,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    daemon::watch_for_ready,
    node_bucket::{BucketUsage, NodeBucket},
    port,
    process::Process,
    programs,
    scratch::Scratch,
};

const ACCESS_KEY_ID: &str = "custos-access";
const SECRET_ACCESS_KEY: &str = "custos-secret";
const BUCKET: &str = "footage";
/// What lies beside the shards of a prefix (`docs/formats/objectstore.md`).
const IDENTITY: &str = "custos-disk.json";
const READY_LIMIT: Duration = Duration::from_secs(30);

/// A running S3 server with one bucket: a process of its own on a folder of the test.
#[derive(Debug)]
pub struct S3Server {
    root: PathBuf,
    address: SocketAddr,
    process: Process,
}

impl S3Server {
    /// Starts a server without objects.
    ///
    /// # Panics
    /// When it does not get ready.
    #[must_use]
    pub fn start(scratch: &Scratch) -> Self {
        let root = scratch.folder("s3");
        let address = port::free_address();
        make_folder(&root.join(BUCKET));
        Self { process: spawn(&root, address), root, address }
    }

    /// What a storage node must know to use the bucket.
    #[must_use]
    pub fn bucket(&self, usage: BucketUsage) -> NodeBucket {
        NodeBucket {
            endpoint: format!("http://{}", self.address),
            bucket: BUCKET.to_owned(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            usage,
        }
    }

    /// The bucket as a disk with as many slots of vaults as a folder beside it.
    ///
    /// # Panics
    /// When the size of the folder's file system cannot be read.
    #[must_use]
    pub fn bucket_like_a_folder(&self) -> NodeBucket {
        let stat = rustix::fs::statvfs(&self.root).expect("the folder is there");
        let gib = (stat.f_blocks * stat.f_frsize) >> 30;
        let weight = u32::try_from(gib).unwrap_or(u32::MAX).max(1);
        self.bucket(BucketUsage::Disk { weight })
    }

    /// Makes one more bucket.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn make_bucket(&self, name: &str) {
        make_folder(&self.root.join(name));
    }

    /// Files of the shards under a prefix, which is a node's name.
    ///
    /// # Panics
    /// When the server's folder cannot be read.
    #[must_use]
    pub fn shards(&self, prefix: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.join(BUCKET).join(prefix)];
        while let Some(folder) = folders.pop() {
            // A prefix without an object is no folder yet.
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let entry = entry.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
                let path = entry.path();
                let name = entry.file_name();
                if path.is_dir() {
                    folders.push(path);
                } else if name != IDENTITY && !name.as_encoded_bytes().starts_with(b".") {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    /// Ends it at once, as loss of power would.
    pub fn kill9(&mut self) {
        self.process.kill();
    }

    /// Starts it again at the same address after it was killed.
    ///
    /// # Panics
    /// When it still runs, or does not get ready.
    pub fn restart(&mut self) {
        assert!(self.process.has_ended(), "the S3 server still runs");
        self.process = spawn(&self.root, self.address);
    }
}

fn spawn(root: &Path, address: SocketAddr) -> Process {
    let mut command = Command::new(programs::program("custos-test-s3"));
    command.arg(root).arg(address.to_string());
    command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID);
    command.env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = Process::spawn("custos-test-s3", &mut command);
    let stdout = process.child().stdout.take().expect("standard output is a pipe");
    let ready = watch_for_ready(BufReader::new(stdout)).recv_timeout(READY_LIMIT);
    let ready = ready.unwrap_or_else(|e| panic!("the S3 server is not ready: {e}"));
    assert_eq!(ready, address.to_string(), "`ready` names the address");
    process
}

fn make_folder(path: &Path) {
    fs::create_dir_all(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn the_server_is_killed_and_started_again_where_it_was() {
        let scratch = Scratch::new("s3-server");
        let mut server = S3Server::start(&scratch);
        let connects = |server: &S3Server| TcpStream::connect(server.address).is_ok();
        assert!(connects(&server));
        server.kill9();
        assert!(!connects(&server));
        server.restart();
        assert!(connects(&server));
        assert!(server.shards("s0").is_empty());
    }
}
