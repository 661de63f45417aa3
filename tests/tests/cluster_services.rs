//! What each process of a cluster answers, and to whom.

use custos_ledger::Query;
use custos_tests::{GrpcAnswer, Member, NodeCluster, Scratch, grpc_call, metrics_page};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const SHARD_STATUS: &str = "/custos.internal.v1.Shard/Status";
const META_QUERY: &str = "/custos.internal.v1.Meta/Query";
/// `HealthCheckResponse { status: SERVING }`.
const SERVING: [u8; 2] = [8, 1];

#[test]
fn every_process_has_metrics_and_health_and_serves_its_inside_to_the_system_only() {
    let scratch = Scratch::new("services");
    let cluster = NodeCluster::start(&scratch);
    for member in cluster.members() {
        let page = metrics_page(cluster.config(member).metrics);
        assert!(page.contains("custos_"), "metrics of {member}: {page}");
        assert!(page.ends_with("# EOF\n"), "metrics of {member}: {page}");
        let client = cluster.client("probe", "system", member);
        let health = grpc_call(&client, HEALTH, &[]);
        assert_eq!(health, GrpcAnswer::Message(SERVING.to_vec()), "health of {member}");
    }
    expect_for_system_only(&cluster, Member::Storage(0), SHARD_STATUS, &[]);
    expect_for_system_only(&cluster, Member::Meta, META_QUERY, &checkpoint_request());
    for path in [SHARD_STATUS, META_QUERY] {
        let client = cluster.client("insider", "system", Member::Gateway(0));
        let answer = grpc_call(&client, path, &[]);
        assert_eq!(answer, GrpcAnswer::StatusOnly, "a gateway serves {path}");
    }
    cluster.cli(0).expect_untroubled(&[], &scratch);
}

fn expect_for_system_only(cluster: &NodeCluster, member: Member, path: &str, request: &[u8]) {
    for unit in ["developer", "station", "playback", "nobody"] {
        let client = cluster.client(&format!("outsider-{unit}"), unit, member);
        let answer = grpc_call(&client, path, request);
        assert_eq!(answer, GrpcAnswer::StatusOnly, "{path} of {member} for unit {unit}");
    }
    // The same request is answered to the system, so it was the certificate that was refused.
    let system = cluster.client("insider", "system", member);
    let answer = grpc_call(&system, path, request);
    assert!(matches!(answer, GrpcAnswer::Message(_)), "{path} of {member} for the system");
}

/// `QueryRequest` for the checkpoint, from a caller who does not know the cluster's name yet.
fn checkpoint_request() -> Vec<u8> {
    let query = Query::Checkpoint.encode();
    let len = u8::try_from(query.len()).ok().filter(|len| *len < 128).expect("a short query");
    // Field 1, a run of bytes.
    [&[0x0a, len], query.as_slice()].concat()
}
