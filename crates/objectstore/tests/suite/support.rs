use std::time::Duration;

use custos_core::DiskId;
use custos_objectstore::{Deadlines, OpenMode, S3Credentials, S3Options, S3Store};
use custos_ports::ShardKey;

use crate::proxy::Proxy;
use crate::server::{ACCESS_KEY, BUCKET, SECRET_KEY, Server};

pub(crate) const ID: DiskId = DiskId::from_bytes([0xd1; 16]);
pub(crate) const PREFIX: &str = "custos/disk-7";

pub(crate) fn options(endpoint: &str, mode: OpenMode) -> S3Options {
    let credentials = S3Credentials::Keys {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: SECRET_KEY.to_owned(),
        session_token: None,
    };
    let mut options = S3Options::new("cold 1", "us-east-1", BUCKET, credentials, mode);
    options.endpoint = Some(endpoint.to_owned());
    options.prefix = PREFIX.to_owned();
    // Short enough to see them end, long enough for a machine that does much else.
    options.deadlines = Deadlines {
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(20),
        operation: Duration::from_secs(40),
    };
    options.attempts_max = 2;
    options.pause = Duration::from_millis(1);
    options
}

pub(crate) async fn create(endpoint: &str) -> S3Store {
    S3Store::open(options(endpoint, OpenMode::Create { id: ID })).await.expect("made")
}

/// A store, with a proxy between it and a server of its own.
pub(crate) async fn behind_proxy() -> (S3Store, Proxy, Server) {
    let server = Server::start();
    let proxy = Proxy::before(&server.address).await;
    let store = create(&proxy.endpoint).await;
    (store, proxy, server)
}

pub(crate) fn object(key: &ShardKey) -> String {
    let ShardKey { vault, evidence_id, chunk, slot, salt } = key;
    format!("{PREFIX}/{:08x}/{evidence_id}/{:08x}-{:02x}-{salt}", vault.0, chunk.0, slot.0)
}
