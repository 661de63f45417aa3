//! I10 bounded: what is on its way at once, and what a failure leaves behind.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use custos_objectstore::{OpenMode, S3Store};
use custos_ports::fakes::conformance::{assert_whole, key, shard};
use custos_ports::{ShardError, ShardStore};

use crate::proxy::{Mischief, Proxy};
use crate::server::Server;
use crate::support::{ID, behind_proxy, options};

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_upload_in_parts_leaves_nothing_behind() {
    let (store, proxy, server) = behind_proxy().await;
    proxy.set(Mischief::RefusesParts);
    let write = shard(1, (16 << 20) + 5);
    let outcome = store.write(write.clone()).await;
    assert!(matches!(outcome, Err(ShardError::Io { .. })), "{outcome:?}");
    assert_eq!(server.upload_leftovers(), Vec::<String>::new());
    proxy.set(Mischief::None);
    let outcome = store.read(&key(1), None).await;
    assert!(matches!(outcome, Err(ShardError::NotFound { .. })), "{outcome:?}");
    store.write(write.clone()).await.expect("written");
    assert_whole(&store, &write).await;
    assert_eq!(server.upload_leftovers(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_operations_than_allowed_wait_and_are_then_told() {
    let server = Server::start();
    let proxy = Proxy::before(&server.address).await;
    let mut options = options(&proxy.endpoint, OpenMode::Create { id: ID });
    options.operations_in_flight_max = 1;
    options.deadlines.operation = Duration::from_secs(2);
    let store = Arc::new(S3Store::open(options).await.expect("made"));
    proxy.set(Mischief::Hangs);
    let number = proxy.requests();
    let first = tokio::spawn({
        let store = store.clone();
        async move { store.read(&key(1), None).await }
    });
    while proxy.requests() == number {
        tokio::task::yield_now().await;
    }
    // Its wait for a turn and the first read end at about the same time.
    let second = store.read(&key(2), None).await;
    assert!(
        matches!(second, Err(ShardError::Overloaded { .. } | ShardError::Io { .. })),
        "{second:?}"
    );
    assert!(first.await.expect("ended").is_err());
}

/// A payload with what its memory is counted by.
struct Counted {
    bytes: Bytes,
    _reservation: Arc<()>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_nobody_waits_for_holds_its_payload_until_it_ends() {
    let (store, proxy, _server) = behind_proxy().await;
    let store = Arc::new(store);
    let whole = shard(1, 1 << 20);
    let reservation = Arc::new(());
    let mut counted = whole.clone();
    let payload = Counted { bytes: whole.payload.clone(), _reservation: reservation.clone() };
    counted.payload = Bytes::from_owner(payload);
    proxy.set(Mischief::HoldsUploads);
    let writing = store.clone();
    let call = tokio::spawn(async move { writing.write(counted).await });
    proxy.held(1).await;
    call.abort();
    assert!(call.await.expect_err("given up").is_cancelled());
    assert_eq!(Arc::strong_count(&reservation), 2, "it is on its way still");
    proxy.set(Mischief::None);
    while Arc::strong_count(&reservation) > 1 {
        tokio::task::yield_now().await;
    }
    assert_whole(&*store, &whole).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_read_asks_for_little_more_than_it_needs() {
    let (store, proxy, _server) = behind_proxy().await;
    store.write(shard(1, 4 << 20)).await.expect("written");
    let before = proxy.requests();
    store.read(&key(1), Some(0..65_536)).await.expect("readable");
    assert_eq!(proxy.requests() - before, 1);
    store.read(&key(1), Some(3 << 20..(3 << 20) + 65_536)).await.expect("readable");
    assert_eq!(proxy.requests() - before, 3, "the head and the block");
}
