//! A real S3 server (`s3s-fs`) as a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;

const CHILD_DIR: &str = "CUSTOS_OBJECTSTORE_SERVER_DIR";
const ANNOUNCEMENT: &str = "serves at ";

pub(crate) const ACCESS_KEY: &str = "custos-access";
pub(crate) const SECRET_KEY: &str = "custos-secret";
pub(crate) const BUCKET: &str = "footage";

/// Not a test by itself: what the server's process runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_serves_until_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let files = s3s_fs::FileSystem::new(dir).expect("a folder");
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let mut out = std::io::stdout();
    let address = listener.local_addr().expect("an address");
    writeln!(out, "\n{ANNOUNCEMENT}{address}").expect("the parent listens");
    out.flush().expect("the parent listens");
    loop {
        let (socket, _) = listener.accept().await.expect("accepted");
        let service = service.clone();
        tokio::spawn(async move {
            let serving = Builder::new(TokioExecutor::new());
            // A client may go at any time.
            let _ = serving.serve_connection(TokioIo::new(socket), service).await;
        });
    }
}

/// The process with its folder; both end with it.
pub(crate) struct Server {
    child: Child,
    dir: TempDir,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir(dir.path().join(BUCKET)).expect("bucket made");
        let (child, address) = spawn(dir.path());
        Self { child, dir, address }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The file that holds an object's bytes.
    pub(crate) fn file(&self, object: &str) -> PathBuf {
        self.dir.path().join(BUCKET).join(object)
    }

    /// What is left in the server's folder of uploads that were not completed.
    pub(crate) fn upload_leftovers(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path()).expect("listed");
        let names = entries.map(|entry| entry.expect("entry").file_name());
        names
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.starts_with(".upload"))
            .collect()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(dir: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "server::child_serves_until_killed", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("child started");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while out.read_line(&mut line).expect("text") > 0 {
        if let Some(address) = line.trim_end().strip_prefix(ANNOUNCEMENT) {
            return (child, address.to_owned());
        }
        line.clear();
    }
    panic!("the server ended before it served: {:?}", child.wait());
}
