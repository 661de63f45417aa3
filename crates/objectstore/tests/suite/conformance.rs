//! A bucket under the promises that every shard store keeps.

use std::sync::Arc;

use custos_objectstore::{Addressing, OpenMode, S3Credentials, S3Store};
use custos_ports::fakes::conformance::check;

use crate::proxy::{Mischief, Proxy};
use crate::server::Server;
use crate::support::{ID, create, options};

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_the_promises_of_a_shard_store() {
    let server = Server::start();
    check(Arc::new(create(&server.endpoint()).await)).await;
    assert_eq!(server.upload_leftovers(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_a_server_without_checksums_keeps_them_too() {
    let server = Server::start();
    let proxy = Proxy::before(&server.address).await;
    let store = create(&proxy.endpoint).await;
    proxy.set(Mischief::HidesChecksums);
    check(Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_a_prefix_keeps_them_too() {
    let server = Server::start();
    let mut options = options(&server.endpoint(), OpenMode::Create { id: ID });
    options.prefix = String::new();
    check(Arc::new(S3Store::open(options).await.expect("made"))).await;
}

/// Another implementation can be tried by naming it: `CUSTOS_TEST_S3_ENDPOINT`, `…_BUCKET`,
/// `…_ACCESS_KEY`, `…_SECRET_KEY` (the usual chain's credentials without them), and where needed
/// `…_REGION` and `…_ADDRESSING=host`. Without an endpoint there is nothing to try.
#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_named_by_the_environment_keeps_them_too() {
    let variable = |name: &str| std::env::var(format!("CUSTOS_TEST_S3_{name}")).ok();
    let Some(endpoint) = variable("ENDPOINT") else { return };
    let must = |name: &str| variable(name).unwrap_or_else(|| panic!("CUSTOS_TEST_S3_{name}"));
    let mut options = options(&endpoint, OpenMode::Create { id: ID });
    options.bucket = must("BUCKET");
    options.credentials = match variable("ACCESS_KEY") {
        Some(access_key_id) => S3Credentials::Keys {
            access_key_id,
            secret_access_key: must("SECRET_KEY"),
            session_token: None,
        },
        None => S3Credentials::UsualChain,
    };
    options.region = variable("REGION").unwrap_or_else(|| "us-east-1".to_owned());
    if variable("ADDRESSING").is_some_and(|addressing| addressing == "host") {
        options.addressing = Addressing::Host;
    }
    // The process and the folder make it one that was not there.
    options.prefix = format!("custos-test/{}", std::process::id());
    check(Arc::new(S3Store::open(options).await.expect("made"))).await;
}
