use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use custos_wire::v1::{
    self,
    cluster_server::{Cluster, ClusterServer},
    law_server::LawServer,
};
use tokio::{net::TcpListener, process::Command, sync::Mutex, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Identity, Server as TonicServer, ServerTlsConfig},
};

use crate::{
    answers::{self, Answers},
    law_server::CannedLaw,
};

/// A server on a port of its own; ends when dropped.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    orders: Orders,
    serving: JoinHandle<()>,
}

/// What the program did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Orders that came, in order.
pub(crate) type Orders = Arc<std::sync::Mutex<Vec<String>>>;

impl Server {
    /// Serves these answers.
    pub(crate) async fn start(answers: Answers) -> Self {
        // One certificate is authority, server and client: who may do what is the gateway's matter.
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let orders = Orders::default();
        let law = CannedLaw::new(answers.records.clone(), Arc::clone(&orders));
        let service = Canned { answers: Mutex::new(answers), orders: Arc::clone(&orders) };
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(&certificate, &key));
        let mut server = TonicServer::builder().tls_config(tls).expect("TLS");
        let serving = tokio::spawn(async move {
            let served = server
                .add_service(ClusterServer::new(service))
                .add_service(LawServer::new(law))
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await;
            served.expect("serves");
        });
        let folder = tempfile::tempdir().expect("temporary folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text);
        write("me.pem", &certificate).expect("written");
        write("me.key.pem", &key).expect("written");
        write("client.toml", &config(address)).expect("written");
        Self { folder, orders, serving }
    }

    /// Runs `custos` with these arguments.
    pub(crate) async fn custos(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_custos"))
            .arg("--config")
            .arg(self.config_path())
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("custos runs");
        Run {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The orders that came.
    pub(crate) fn orders(&self) -> Vec<String> {
        self.orders.lock().expect("not poisoned").clone()
    }

    /// A folder of the test's own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn config_path(&self) -> PathBuf {
        self.folder.path().join("client.toml")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn config(address: SocketAddr) -> String {
    format!(
        "endpoint = \"https://{address}\"\nca = \"me.pem\"\ncertificate = \"me.pem\"\n\
         key = \"me.key.pem\"\n"
    )
}

/// Answers what it was given and writes down what it was told to do.
struct Canned {
    answers: Mutex<Answers>,
    orders: Orders,
}

impl Canned {
    fn note(&self, order: String) {
        self.orders.lock().expect("not poisoned").push(order);
    }
}

pub(crate) type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Cluster for Canned {
    type BackupStream = tokio_stream::Iter<std::vec::IntoIter<Result<v1::BackupResponse, Status>>>;

    async fn backup(&self, _: Request<v1::BackupRequest>) -> Answered<Self::BackupStream> {
        Err(Status::unimplemented("no backup here"))
    }

    async fn status(
        &self,
        _: Request<v1::ClusterStatusRequest>,
    ) -> Answered<v1::ClusterStatusResponse> {
        Ok(Response::new(self.answers.lock().await.status.clone()))
    }

    async fn create_vaults(
        &self,
        request: Request<v1::CreateVaultsRequest>,
    ) -> Answered<v1::CreateVaultsResponse> {
        let v1::CreateVaultsRequest { profile, level, count } = request.into_inner();
        if profile == "10+4" {
            return Err(answers::too_few_disks());
        }
        self.note(format!("create-vaults {profile} {level} {count}"));
        let left_out = vec!["disk store-1/disk 1 (0a1b), which is full".to_owned()];
        Ok(Response::new(v1::CreateVaultsResponse { created: 3, level, epoch: 18, left_out }))
    }

    async fn add_disk(
        &self,
        request: Request<v1::AddDiskRequest>,
    ) -> Answered<v1::AddDiskResponse> {
        let v1::AddDiskRequest { node, path, create } = request.into_inner();
        self.note(format!("add-disk {node} {path} {create}"));
        Ok(Response::new(v1::AddDiskResponse { disk_id: answers::DISK_2.to_owned() }))
    }

    async fn remove_disk(
        &self,
        request: Request<v1::RemoveDiskRequest>,
    ) -> Answered<v1::RemoveDiskResponse> {
        let v1::RemoveDiskRequest { disk_id, for_good, reason } = request.into_inner();
        let how = if for_good { format!("for-good: {reason}") } else { "until-restart".to_owned() };
        self.note(format!("remove-disk {disk_id} {how}"));
        Ok(Response::new(v1::RemoveDiskResponse {}))
    }

    async fn release_disk(
        &self,
        request: Request<v1::ReleaseDiskRequest>,
    ) -> Answered<v1::ReleaseDiskResponse> {
        let v1::ReleaseDiskRequest { disk_id, reason } = request.into_inner();
        self.note(format!("release-disk {disk_id} {reason}"));
        Ok(Response::new(v1::ReleaseDiskResponse {}))
    }

    async fn set_scrub(
        &self,
        request: Request<v1::SetScrubRequest>,
    ) -> Answered<v1::SetScrubResponse> {
        let request = request.into_inner();
        let mut order = match request.disk_id.as_str() {
            "" => "set-scrub all".to_owned(),
            disk => format!("set-scrub {disk}"),
        };
        let parts = [
            request.bytes_per_second.map(|rate| format!(" rate={rate}")),
            request.period_days.map(|days| format!(" days={days}")),
            request.paused.map(|paused| format!(" paused={paused}")),
            request.start.then(|| " start".to_owned()),
        ];
        order.extend(parts.into_iter().flatten());
        self.note(order);
        let disks = self.answers.lock().await.scrub_disks;
        Ok(Response::new(v1::SetScrubResponse { disks }))
    }

    async fn list_damage(
        &self,
        request: Request<v1::ListDamageRequest>,
    ) -> Answered<v1::ListDamageResponse> {
        // One item a page; the token is the position of the next.
        let token = request.into_inner().page_token;
        let at = usize::from(token.first().copied().unwrap_or(0));
        let damage = &self.answers.lock().await.damage;
        let more = at + 1 < damage.len();
        Ok(Response::new(v1::ListDamageResponse {
            items: damage.get(at).cloned().into_iter().collect(),
            next_page_token: if more { vec![u8::try_from(at + 1).expect("few")] } else { vec![] },
            total: damage.len() as u64,
        }))
    }

    async fn list_quarantine(
        &self,
        request: Request<v1::ListQuarantineRequest>,
    ) -> Answered<v1::ListQuarantineResponse> {
        let limit = usize::try_from(request.into_inner().limit).expect("fits");
        let mut items = self.answers.lock().await.quarantine.clone();
        items.truncate(limit);
        Ok(Response::new(v1::ListQuarantineResponse { items }))
    }

    async fn list_meta(&self, _: Request<v1::ListMetaRequest>) -> Answered<v1::ListMetaResponse> {
        let members = self.answers.lock().await.status.meta.clone();
        Ok(Response::new(v1::ListMetaResponse { members }))
    }

    async fn remove_meta(
        &self,
        request: Request<v1::RemoveMetaRequest>,
    ) -> Answered<v1::RemoveMetaResponse> {
        let v1::RemoveMetaRequest { id, reason } = request.into_inner();
        if id == 1 {
            return Err(answers::no_quorum());
        }
        self.note(format!("remove-meta {id} {reason}"));
        Ok(Response::new(v1::RemoveMetaResponse {}))
    }

    async fn lead_meta(
        &self,
        request: Request<v1::LeadMetaRequest>,
    ) -> Answered<v1::LeadMetaResponse> {
        self.note(format!("lead-meta {}", request.into_inner().id));
        Ok(Response::new(v1::LeadMetaResponse {}))
    }
}
