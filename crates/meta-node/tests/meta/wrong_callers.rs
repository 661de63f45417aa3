use std::sync::atomic::Ordering;

use custos_core::{ErrorKind, Role, Rule, limits::COMMAND_BYTES_MAX};
use custos_peers::PeerTls;
use custos_wire::{
    WireError,
    internal_v1::{
        LeadMemberRequest, MembersRequest, QueryRequest, RemoveMemberRequest, SubmitRequest,
        meta_client::MetaClient,
    },
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::world::{World, register};

async fn client(world: &World, role: Role) -> MetaClient<Channel> {
    let PeerTls { ca_pem, certificate_pem, key_pem } = world.authority.client("somebody", role);
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(ca_pem))
        .identity(Identity::from_pem(certificate_pem, key_pem));
    let endpoint = Endpoint::from_shared(world.server.endpoint()).expect("an endpoint");
    MetaClient::new(endpoint.tls_config(tls).expect("TLS").connect().await.expect("a server"))
}

fn submit(envelope: Vec<u8>) -> SubmitRequest {
    SubmitRequest { envelope, origin: String::new() }
}

#[tokio::test]
async fn r23_nobody_but_the_nodes_of_the_cluster_reaches_the_ledger_itself() {
    let world = World::new().await;
    for role in [Role::Developer, Role::Station, Role::Playback] {
        let mut meta = client(&world, role).await;
        let envelope = register(1, 1).encode();
        let error: WireError = meta.submit(submit(envelope)).await.expect_err("refused").into();
        assert_eq!((error.kind, error.rule), (ErrorKind::Refused, Some(Rule::R23)), "{error}");
        assert!(error.message.contains(role.name()), "{error}");
        let query = QueryRequest { query: Vec::new(), origin: String::new() };
        assert!(meta.query(query).await.is_err());
        let members = meta.members(MembersRequest::default()).await.map(drop);
        let removed = meta.remove_member(RemoveMemberRequest::default()).await.map(drop);
        let led = meta.lead_member(LeadMemberRequest::default()).await.map(drop);
        for answer in [members, removed, led] {
            let error: WireError = answer.expect_err("refused").into();
            assert_eq!(error.rule, Some(Rule::R23), "{error}");
        }
    }
    assert_eq!(world.ledger.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn commands_that_are_too_long_or_garbage_are_refused_by_name_and_others_go_on() {
    let world = World::new().await;
    let mut meta = client(&world, Role::System).await;
    let long = vec![7; COMMAND_BYTES_MAX + 1];
    let error: WireError = meta.submit(submit(long)).await.expect_err("too long").into();
    assert_eq!((error.kind, error.rule), (ErrorKind::Invalid, Some(Rule::I10)));
    assert!(error.message.contains("65537 bytes encoded, at most 65536"), "{error}");

    let huge = vec![7; 10 << 20];
    let error: WireError = meta.submit(submit(huge)).await.expect_err("too long").into();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    assert!(error.message.contains("4194304"), "{error}");

    for garbage in [Vec::new(), vec![0xff; 1000], b"no envelope".to_vec()] {
        let error: WireError = meta.submit(submit(garbage.clone())).await.expect_err("bad").into();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
        assert_eq!(error.field.as_deref(), Some("envelope"), "{error}");
        let query = QueryRequest { query: garbage, origin: String::new() };
        let error: WireError = meta.query(query).await.expect_err("bad").into();
        assert_eq!(error.field.as_deref(), Some("query"), "{error}");
    }
    let other = RemoveMemberRequest { envelope: register(1, 1).encode(), origin: String::new() };
    let error: WireError = meta.remove_member(other).await.expect_err("bad").into();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Invalid, Some("command")));
    let elsewhere = MembersRequest { origin: "custos.elsewhere/1".to_owned() };
    let error: WireError = meta.members(elsewhere).await.expect_err("not ours").into();
    assert_eq!(error.field.as_deref(), Some("origin"), "{error}");
    assert_eq!(world.ledger.calls.load(Ordering::SeqCst), 0);
    meta.submit(submit(register(1, 1).encode())).await.expect("a good one is taken");
}
