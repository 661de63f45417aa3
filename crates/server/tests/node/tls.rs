use std::{fs, net::SocketAddr, path::Path};

use custos_wire::v1::{GetCheckpointRequest, custody_client::CustodyClient};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_client::HealthClient,
};

use crate::node::Node;

fn ca(data: &Path) -> ClientTlsConfig {
    let pem = fs::read(data.join("tls/ca.pem")).expect("ca");
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)).domain_name("localhost")
}

fn identity(data: &Path, name: &str) -> Identity {
    let read = |file: String| fs::read(data.join("tls").join(file)).expect("read");
    Identity::from_pem(read(format!("{name}.pem")), read(format!("{name}.key.pem")))
}

fn channel(address: SocketAddr, tls: ClientTlsConfig) -> Channel {
    let endpoint = Endpoint::from_shared(format!("https://{address}")).expect("fine");
    endpoint.tls_config(tls).expect("fine").connect_lazy()
}

/// Asks a development node whether it serves, as its dev user.
pub(crate) async fn ask_health(address: SocketAddr, data: &Path) {
    let known = channel(address, ca(data).identity(identity(data, "dev-user")));
    let answer = HealthClient::new(known).check(HealthCheckRequest::default()).await;
    assert_eq!(answer.expect("served").into_inner().status(), ServingStatus::Serving);
}

/// Whether a service of a process is served, by certificates of the development node in `data`.
pub(crate) async fn health_of(address: SocketAddr, data: &Path, service: &str) -> ServingStatus {
    let known = channel(address, ca(data).identity(identity(data, "dev-user")));
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(known).check(request).await;
    answer.expect("served").into_inner().status()
}

/// A request that never ends by itself.
pub(crate) async fn watch_health(
    address: SocketAddr,
    data: &Path,
) -> tonic::Streaming<HealthCheckResponse> {
    let known = channel(address, ca(data).identity(identity(data, "dev-user")));
    let watch = HealthClient::new(known).watch(HealthCheckRequest::default()).await;
    let mut statuses = watch.expect("served").into_inner();
    let first = statuses.message().await.expect("served").expect("a status");
    assert_eq!(first.status(), ServingStatus::Serving);
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn r26_only_holders_of_a_certificate_of_the_authority_are_served() {
    let dir = tempfile::tempdir().expect("tempdir");
    let (data, other) = (dir.path().join("data"), dir.path().join("other"));
    let (node, stranger) = (Node::dev(&data), Node::dev(&other));
    let (address, _) = (node.ready(), stranger.ready());

    for user in ["dev-user", "dev-station"] {
        let known = channel(address, ca(&data).identity(identity(&data, user)));
        let request = HealthCheckRequest { service: "custos.v1.Ingest".to_owned() };
        let health = HealthClient::new(known.clone()).check(request).await.expect("served");
        assert_eq!(health.into_inner().status(), ServingStatus::Serving);
        let checkpoint = CustodyClient::new(known).get_checkpoint(GetCheckpointRequest {}).await;
        assert!(checkpoint.is_ok(), "{checkpoint:?}");
    }

    let nameless = channel(address, ca(&data));
    let foreign = channel(address, ca(&data).identity(identity(&other, "dev-user")));
    let plain = Endpoint::from_shared(format!("http://{address}")).expect("fine").connect_lazy();
    for stranger in [nameless, foreign, plain] {
        let health = HealthClient::new(stranger).check(HealthCheckRequest::default()).await;
        health.expect_err("not served");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_names_every_service_in_both_versions_of_the_protocol() {
    use tonic_reflection::pb::{v1, v1alpha};

    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let node = Node::dev(&data);
    let known = channel(node.ready(), ca(&data).identity(identity(&data, "dev-user")));

    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(known.clone());
    let answers = client.server_reflection_info(tokio_stream::iter([request])).await;
    let answer = answers.expect("served").into_inner().message().await.expect("sent");
    let newer = format!("{answer:?}");

    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(v1alpha::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        )),
    };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(known);
    let answers = client.server_reflection_info(tokio_stream::iter([request])).await;
    let answer = answers.expect("served").into_inner().message().await.expect("sent");
    let older = format!("{answer:?}");

    for service in ["Ingest", "Playback", "Catalogue", "Custody", "Cluster"] {
        let name = format!("custos.v1.{service}");
        assert!(newer.contains(&name), "{name} in {newer}");
        assert!(older.contains(&name), "{name} in {older}");
    }
    assert!(!newer.contains("custos.internal"), "{newer}");
}
