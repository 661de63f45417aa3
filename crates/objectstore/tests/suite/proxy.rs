//! A proxy before the server that alters what passes; the server behind it stays real.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use tokio::sync::Notify;

type Body = BoxBody<Bytes, std::io::Error>;

/// What becomes of a request from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mischief {
    None,
    /// Every answer is this error.
    Error {
        status: u16,
        code: &'static str,
    },
    /// One byte of every object sent by the client is altered.
    AltersUploads,
    /// One byte of every object that is read is altered.
    AltersDownloads,
    /// As above, but for the next answer only.
    AltersNextDownload,
    /// Objects that are read end half-way, and the connection breaks.
    BreaksDownloads,
    /// As above, but for the next answer only.
    BreaksNextDownload,
    /// Objects that are read are half as long, and the answer says so.
    ShortensDownloads,
    /// Every object that is read is the first one that was read.
    Misdirects,
    /// The server's checksums are taken out of its answers.
    HidesChecksums,
    /// As above, and uploads are altered after the server took them, as far as anyone sees.
    LosesUploads,
    /// No answer ever comes.
    Hangs,
    /// Parts after the first are refused.
    RefusesParts,
    /// Objects sent by the client go on only when the mischief is another.
    HoldsUploads,
    /// Every answer is the page of a web server that knows nothing of S3.
    StrangePage,
    /// The first page of each listing has no names, and names the next.
    EmptiesFirstPages,
    /// No page of a listing has names, each names a next.
    EmptiesPages,
    /// No page of a listing has names or names a next, but there are more.
    LosesPages,
}

struct State {
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    mischief: Mutex<Mischief>,
    first_read: Mutex<Option<Bytes>>,
    requests: AtomicU64,
    held: AtomicU64,
    changed: Notify,
}

/// Listens on a port of its own until it is dropped.
pub(crate) struct Proxy {
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
    pub(crate) endpoint: String,
}

impl Proxy {
    pub(crate) async fn before(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(State {
            upstream: upstream.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            mischief: Mutex::new(Mischief::None),
            first_read: Mutex::new(None),
            requests: AtomicU64::new(0),
            held: AtomicU64::new(0),
            changed: Notify::new(),
        });
        let served = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.expect("accepted");
                let state = served.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| pass(state.clone(), request));
                    let serving = Builder::new(TokioExecutor::new());
                    let _ = serving.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { state, task, endpoint }
    }

    pub(crate) fn set(&self, mischief: Mischief) {
        *self.state.mischief.lock().unwrap_or_else(PoisonError::into_inner) = mischief;
        self.state.changed.notify_waiters();
    }

    /// Waits until this many uploads in all were held up.
    pub(crate) async fn held(&self, uploads: u64) {
        while self.state.held.load(Ordering::SeqCst) < uploads {
            tokio::task::yield_now().await;
        }
    }

    /// Requests that came.
    pub(crate) fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// The mischief for this request; what is for one answer only ends with an object's.
    fn take(&self, is_object_read: bool) -> Mischief {
        let mut mischief = self.mischief.lock().unwrap_or_else(PoisonError::into_inner);
        let current = *mischief;
        match current {
            Mischief::AltersNextDownload if is_object_read => *mischief = Mischief::None,
            Mischief::BreaksNextDownload if is_object_read => *mischief = Mischief::None,
            _ => {}
        }
        current
    }

    /// Returns when uploads are not held up any more.
    async fn hold(&self) {
        self.held.fetch_add(1, Ordering::SeqCst);
        loop {
            let changed = self.changed.notified();
            if self.take(false) != Mischief::HoldsUploads {
                return;
            }
            changed.await;
        }
    }
}

async fn pass(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::io::Error> {
    state.requests.fetch_add(1, Ordering::SeqCst);
    let query = request.uri().query().unwrap_or("").to_owned();
    let is_list = query.contains("list-type");
    let is_object_read = request.method() == Method::GET && !is_list;
    let is_upload = request.method() == Method::PUT;
    let mischief = state.take(is_object_read);
    let (mut parts, body) = request.into_parts();
    let mut body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    match mischief {
        Mischief::Error { status, code } => return Ok(error(status, code)),
        Mischief::Hangs => std::future::pending().await,
        Mischief::RefusesParts if query.contains("partNumber=2") => {
            return Ok(error(400, "InvalidPart"));
        }
        Mischief::HoldsUploads if is_upload => state.hold().await,
        Mischief::StrangePage => return Ok(strange_page()),
        Mischief::EmptiesFirstPages if is_list && !query.contains("continuation-token") => {
            let after = query.split('&').find_map(|pair| pair.strip_prefix("start-after="));
            return Ok(empty_page(Some(&after.unwrap_or("!").replace("%2F", "/"))));
        }
        Mischief::EmptiesPages if is_list => return Ok(empty_page(Some("!"))),
        Mischief::LosesPages if is_list => return Ok(empty_page(None)),
        Mischief::AltersUploads if is_upload && !body.is_empty() => body = altered(&body),
        _ => {}
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = format!("http://{}{path}", state.upstream).parse::<Uri>().expect("an address");
    let answer = state.client.request(Request::from_parts(parts, Full::new(body))).await;
    let (mut parts, body) = answer.map_err(std::io::Error::other)?.into_parts();
    let mut body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    if matches!(mischief, Mischief::HidesChecksums | Mischief::LosesUploads) {
        parts.headers.remove("x-amz-checksum-crc32c");
    }
    if is_object_read && parts.status.is_success() {
        match mischief {
            Mischief::AltersDownloads | Mischief::AltersNextDownload | Mischief::LosesUploads => {
                body = altered(&body);
            }
            Mischief::BreaksDownloads | Mischief::BreaksNextDownload => {
                let half = Ok(Frame::data(body.slice(..body.len() / 2)));
                // What waits lets the first half out.
                let broken = async {
                    tokio::task::yield_now().await;
                    Err(std::io::Error::other("broken"))
                };
                let body = stream::iter([half]).chain(stream::once(broken));
                let body = StreamBody::new(body);
                return Ok(Response::from_parts(parts, BoxBody::new(body)));
            }
            Mischief::ShortensDownloads => {
                body = body.slice(..body.len() / 2);
                parts.headers.remove("content-range");
                parts.headers.insert(CONTENT_LENGTH, body.len().into());
                parts.status = StatusCode::OK;
            }
            Mischief::Misdirects => {
                let mut first = state.first_read.lock().unwrap_or_else(PoisonError::into_inner);
                body = first.get_or_insert(body).clone();
                parts.headers.insert(CONTENT_LENGTH, body.len().into());
                parts.headers.remove("content-range");
            }
            _ => {}
        }
    }
    Ok(Response::from_parts(parts, whole(body)))
}

fn whole(body: Bytes) -> Body {
    BoxBody::new(Full::new(body).map_err(|never| match never {}))
}

/// The same bytes but for one, far behind the head of an object.
fn altered(body: &Bytes) -> Bytes {
    let mut bytes = body.to_vec();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 0x10;
    }
    bytes.into()
}

fn error(status: u16, code: &str) -> Response<Body> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>by the proxy</Message></Error>"
    );
    let mut response = Response::new(whole(text.into()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    response
}

fn strange_page() -> Response<Body> {
    let text = "<html><body><h1>404 Not Found</h1><hr>no backend for this host</body></html>";
    let mut response = Response::new(whole(text.into()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// A page of a listing without names, though more follow.
fn empty_page(token: Option<&str>) -> Response<Body> {
    let token = token.map_or(String::new(), |token| {
        format!("<NextContinuationToken>{token}</NextContinuationToken>")
    });
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult><KeyCount>0</KeyCount>\
         <IsTruncated>true</IsTruncated>{token}</ListBucketResult>"
    );
    Response::new(whole(text.into()))
}
