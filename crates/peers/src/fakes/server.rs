use std::net::SocketAddr;

use tokio::{net::TcpListener, runtime::Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Server, ServerTlsConfig, server::Router};

use crate::limits::{CONNECTION_WINDOW_BYTES, FRAME_BYTES_MAX, STREAM_WINDOW_BYTES};

/// A gRPC server at a port of 127.0.0.1 on threads of its own, so that it can die like a process.
pub struct TestServer {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl TestServer {
    /// Serves at a free port.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub fn start(tls: ServerTlsConfig, services: impl FnOnce(Server) -> Router) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), tls, services)
    }

    /// Serves at this address, such as that of one that was killed.
    ///
    /// # Panics
    /// When it cannot be set up.
    pub fn start_at(
        address: SocketAddr,
        tls: ServerTlsConfig,
        services: impl FnOnce(Server) -> Router,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let socket = std::net::TcpListener::bind(address).expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        let address = socket.local_addr().expect("an address");
        let server = Server::builder()
            .tls_config(tls)
            .expect("certificates")
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES_MAX);
        let router = services(server);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(socket).expect("a socket");
            router.serve_with_incoming(TcpListenerStream::new(listener)).await
        });
        Self { address, runtime: Some(runtime) }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is, as a cluster map says it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Ends it at once: every connection breaks, whatever is under way. When it returns, the port
    /// is free.
    ///
    /// # Panics
    /// When one of its own threads did.
    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime may not be dropped where another runs.
            std::thread::spawn(move || drop(runtime)).join().expect("it ends");
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
    }
}
