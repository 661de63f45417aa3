//! What a service refuses is named, with what to do about it, and survived.

use std::time::Duration;

use custos_core::ErrorKind;
use custos_objectstore::{OpenError, OpenMode, S3Credentials, S3Options, S3Store};
use custos_ports::fakes::conformance::{ORDER, assert_whole, key, shard};
use custos_ports::{ShardError, ShardStore};

use crate::proxy::{Mischief, Proxy};
use crate::server::{ACCESS_KEY, SECRET_KEY, Server};
use crate::support::{ID, behind_proxy, create, options};

async fn refused(options: S3Options) -> String {
    S3Store::open(options).await.expect_err("refused").to_string()
}

fn keys(access: &str, secret: &str) -> S3Credentials {
    S3Credentials::Keys {
        access_key_id: access.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_named() {
    let server = Server::start();
    for credentials in [keys("nobody", SECRET_KEY), keys(ACCESS_KEY, "wrong")] {
        let mut options = options(&server.endpoint(), OpenMode::Create { id: ID });
        options.credentials = credentials;
        let text = refused(options).await;
        assert!(text.contains("refuses the credentials"), "{text}");
        assert!(text.contains("bucket footage at http://127.0.0.1"), "{text}");
        assert!(!text.contains("wrong"), "no secret is shown: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_named() {
    let server = Server::start();
    let mut options = options(&server.endpoint(), OpenMode::Create { id: ID });
    options.bucket = "nowhere".to_owned();
    let text = refused(options).await;
    assert!(text.contains("there is no bucket nowhere at http://127.0.0.1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_not_there_is_named() {
    let mut server = Server::start();
    let endpoint = server.endpoint();
    server.kill();
    let outcome = S3Store::open(options(&endpoint, OpenMode::Existing)).await;
    let error = outcome.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(error.to_string().contains(&endpoint), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_and_a_wrong_region_are_named() {
    let (store, proxy, _server) = behind_proxy().await;
    for (status, code, says) in [
        (403, "RequestTimeTooSkewed", "set the clock of this machine"),
        (301, "PermanentRedirect", "is not of region us-east-1"),
        (400, "AuthorizationHeaderMalformed", "is not of region us-east-1"),
    ] {
        proxy.set(Mischief::Error { status, code });
        let outcome = store.write(shard(1, 100)).await;
        let Err(ShardError::Offline { reason, .. }) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains(says), "{reason}");
        let offline = store.status().await.offline;
        assert!(offline.as_deref().is_some_and(|text| text.contains(says)), "{offline:?}");
        proxy.set(Mischief::None);
        assert_eq!(store.status().await.offline, None, "mended, as a look shows");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_answers_503_for_a_while_is_named_and_survived() {
    let (store, proxy, _server) = behind_proxy().await;
    let write = shard(1, 100_000);
    store.write(write.clone()).await.expect("written");
    proxy.set(Mischief::Error { status: 503, code: "SlowDown" });
    let before = proxy.requests();
    let outcomes = [
        store.write(shard(2, 100)).await.err(),
        store.read(&key(1), None).await.err(),
        store.verify(&key(1)).await.err(),
        store.list_all(None, None, 10).await.err(),
        store.remove(&[key(1)], ORDER).await.err(),
    ];
    for error in outcomes {
        let error = error.expect("refused");
        assert!(matches!(error, ShardError::Overloaded { .. }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Exhausted);
        assert!(error.to_string().contains("asks for fewer requests"), "{error}");
    }
    assert!(proxy.requests() - before <= 10, "no more attempts than allowed");
    let status = store.status().await;
    assert!(status.suspect.as_deref().is_some_and(|text| text.contains("5 failures in a row")));

    proxy.set(Mischief::None);
    assert_whole(&store, &write).await;
    store.write(shard(2, 100)).await.expect("written");
    let status = store.status().await;
    assert_eq!((status.suspect, status.io_errors), (None, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_from_s3_is_not_taken_for_a_missing_object() {
    let (store, proxy, _server) = behind_proxy().await;
    let write = shard(1, 100);
    store.write(write.clone()).await.expect("written");
    proxy.set(Mischief::StrangePage);
    let outcomes = [
        store.read(&key(1), None).await.err(),
        store.verify(&key(1)).await.err(),
        store.write(write.clone()).await.err(),
        store.list_all(None, None, 10).await.err(),
        store.remove(&[key(1)], ORDER).await.err(),
    ];
    for error in outcomes {
        let Some(ShardError::Offline { reason, .. }) = &error else { panic!("{error:?}") };
        assert!(reason.contains("check the endpoint"), "{reason}");
    }
    for mode in [OpenMode::Existing, OpenMode::Create { id: ID }] {
        let text = refused(options(&proxy.endpoint, mode)).await;
        assert!(text.contains("check the endpoint"), "{text}");
    }
    assert!(store.status().await.offline.is_some());
    proxy.set(Mischief::None);
    assert_eq!(store.status().await.offline, None, "mended, as a look shows");
    assert_whole(&store, &write).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_space_is_full_until_a_write_succeeds() {
    let (store, proxy, _server) = behind_proxy().await;
    proxy.set(Mischief::Error { status: 507, code: "InsufficientStorage" });
    let outcome = store.write(shard(1, 100)).await;
    assert!(matches!(outcome, Err(ShardError::Full { .. })), "{outcome:?}");
    assert_eq!(store.status().await.fullness, custos_core::Fullness::Full);
    proxy.set(Mischief::None);
    store.write(shard(1, 100)).await.expect("written");
    assert_eq!(store.status().await.fullness, custos_core::Fullness::Normal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_answers_costs_no_more_than_the_deadline() {
    let server = Server::start();
    let proxy = Proxy::before(&server.address).await;
    drop(create(&proxy.endpoint).await);
    let mut options = options(&proxy.endpoint, OpenMode::Existing);
    options.deadlines.attempt = Duration::from_millis(300);
    options.deadlines.operation = Duration::from_millis(500);
    let store = S3Store::open(options).await.expect("opened");
    proxy.set(Mischief::Hangs);
    let outcome = store.read(&key(1), None).await;
    let Err(ShardError::Io { reason, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("did not answer in time"), "{reason}");
    assert!(store.write(shard(1, 100)).await.is_err());
    proxy.set(Mischief::None);
    let outcome = store.read(&key(1), None).await;
    assert!(matches!(outcome, Err(ShardError::NotFound { .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_cannot_be_are_refused_by_name() {
    type Change = fn(&mut S3Options);
    let changes: [(&str, Change); 6] = [
        ("bucket", |options| options.bucket.clear()),
        ("region", |options| options.region.clear()),
        ("endpoint", |options| options.endpoint = Some("s3.example:9000".to_owned())),
        ("prefix", |options| options.prefix = "a/../b".to_owned()),
        ("attempts_max", |options| options.attempts_max = 0),
        ("operations_in_flight_max", |options| options.operations_in_flight_max = 0),
    ];
    for (name, change) in changes {
        let mut options = options("http://127.0.0.1:9", OpenMode::Existing);
        change(&mut options);
        let outcome = S3Store::open(options).await;
        assert!(
            matches!(&outcome, Err(OpenError::Option { option, .. }) if *option == name),
            "{name}: {outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_says_so() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    store.write(shard(1, 100)).await.expect("written");
    store.close().await;
    store.close().await;
    let outcome = store.read(&key(1), None).await;
    assert!(matches!(outcome, Err(ShardError::Offline { .. })), "{outcome:?}");
    assert_eq!(store.status().await.offline.as_deref(), Some("closed"));
}
