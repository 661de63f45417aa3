use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc,
};

use axum::{Router, body::to_bytes, extract::Request, response::IntoResponse};
use tonic::{service::Routes, transport::Server};

use crate::node::{DEADLINE, Node, custosd, dev_arguments, free_address};

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn the_metrics_page_shows_gateway_disks_ledger_and_process() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let metrics = free_address();
    let mut command = custosd(dev_arguments(&data));
    command.args(["--metrics", &metrics]);
    let mut node = Node::spawn(command, &dir.path().join("log"));
    node.ready();
    let page = get(&metrics, "/metrics");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for line in [
        "custos_gateway_sealed_total 0",
        "custos_disk_online{disk=\"disk 2\"} 1",
        "custos_disk_suspect{disk=\"disk 2\"} 0",
        "custos_disk_fullness{disk=\"disk 2\"} 0",
        "custos_disk_io_errors{disk=\"disk 2\"} 0",
        "custos_disk_scrub_damaged{disk=\"disk 2\"} 0",
        "custos_ledger_leader 1",
        "custos_ledger_leader_known 1",
        "custos_ledger_role{role=\"leader\"} 1",
        "custos_ledger_role{role=\"follower\"} 0",
        "custos_ledger_term ",
        "custos_ledger_applied_index ",
        "custos_ledger_last_log_index ",
        "custos_ledger_voters 1",
        "custosd_build_info{version=",
        "process_resident_memory_bytes ",
        "process_cpu_seconds ",
        "process_open_fds ",
    ] {
        assert!(page.contains(&format!("\n{line}")), "{line} in {page}");
    }
    fs::remove_dir_all(data.join("disks/2")).expect("removed");
    assert!(node.terminate().success(), "{}", node.log());
    let mut command = custosd(dev_arguments(&data));
    command.args(["--metrics", &metrics]);
    let node = Node::spawn(command, &dir.path().join("log"));
    node.ready();
    assert!(get(&metrics, "/metrics").contains("custos_disk_online{disk=\"disk 2\"} 0"));
    assert!(get(&metrics, "/").starts_with("HTTP/1.1 404"));
}

#[test]
fn logs_are_json_lines_when_asked_for_and_the_filter_in_the_environment_counts() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut command = custosd(dev_arguments(&data));
    command.args(["--log-format", "json"]);
    let mut node = Node::spawn(command, &dir.path().join("log"));
    node.ready();
    assert!(node.terminate().success());
    let log = node.log();
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(value["level"].is_string() && value["fields"]["message"].is_string(), "{line}");
    }
    let mut command = custosd(dev_arguments(&data));
    command.env("CUSTOS_LOG", "error");
    let mut node = Node::spawn(command, &dir.path().join("log"));
    node.ready();
    assert!(node.terminate().success());
    assert_eq!(node.log(), "");
    let mut command = custosd(dev_arguments(&data));
    command.env("CUSTOS_LOG", "a=b=c");
    let (code, message) = crate::node::refused(command);
    assert_eq!(code, 2);
    assert!(message.contains("CUSTOS_LOG"), "{message}");
}

/// A collector that passes on the path and the body of every export.
async fn collector(exports: mpsc::Sender<(String, Vec<u8>)>) -> String {
    let app = Router::new().fallback(move |request: Request| {
        let exports = exports.clone();
        async move {
            let path = request.uri().path().to_owned();
            let body = to_bytes(request.into_body(), 4 << 20).await.expect("small");
            // The test may have seen enough.
            let _ = exports.send((path, body.to_vec()));
            // An empty gRPC message: all spans were accepted.
            ([("content-type", "application/grpc"), ("grpc-status", "0")], vec![0_u8; 5])
                .into_response()
        }
    });
    let address = free_address();
    let socket = address.parse().expect("address");
    tokio::spawn(Server::builder().add_routes(Routes::from(app)).serve(socket));
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_of_requests_reach_the_collector_before_the_process_ends() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let (sender, exports) = mpsc::channel();
    let address = collector(sender).await;
    let mut command = custosd(dev_arguments(&data));
    command.args(["--otlp", &format!("http://{address}")]);
    let mut node = Node::spawn(command, &dir.path().join("log"));
    crate::tls::ask_health(node.ready(), &data).await;
    assert!(tokio::task::block_in_place(|| node.terminate()).success(), "{}", node.log());
    let (path, body) = exports.recv_timeout(DEADLINE).expect("an export");
    assert_eq!(path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("custosd") && body.contains("/grpc.health.v1.Health/Check"), "{body}");
}

#[test]
fn a_collector_that_is_not_there_stops_nothing() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut command = custosd(dev_arguments(dir.path()));
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", free_address()));
    let mut node = Node::spawn(command, &dir.path().with_extension("log"));
    node.ready();
    assert!(node.terminate().success(), "{}", node.log());
}
