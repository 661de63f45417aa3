use std::{fs, net::TcpListener, path::Path};

use tonic_health::pb::health_check_response::ServingStatus;

use crate::node::{Node, custosd, dev_arguments, refused};

fn endpoint(dir: &Path) -> String {
    let text = fs::read_to_string(dir.join("client.toml")).expect("client.toml");
    let table: toml::Table = text.parse().expect("TOML");
    for key in ["ca", "certificate", "key"] {
        let file = table[key].as_str().expect("a path");
        assert!(dir.join(file).is_file(), "{file} is relative to client.toml");
    }
    table["endpoint"].as_str().expect("text").to_owned()
}

#[test]
fn a_node_says_where_it_serves_ends_cleanly_and_goes_on_as_the_same() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut identities = Vec::new();
    for _start in 0..2 {
        let mut node = Node::dev(&data);
        let address = node.ready();
        assert_eq!(endpoint(&data), format!("https://{address}"));
        identities.push(fs::read_to_string(data.join("custosd.json")).expect("read"));
        assert!(node.terminate().success(), "{}", node.log());
    }
    assert_eq!(identities[0], identities[1]);
}

#[test]
fn a_node_that_was_killed_goes_on_as_the_same() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut node = Node::dev(&data);
    node.ready();
    let identity = fs::read_to_string(data.join("custosd.json")).expect("read");
    node.kill();
    let node = Node::dev(&data);
    node.ready();
    assert_eq!(fs::read_to_string(data.join("custosd.json")).expect("read"), identity);
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut node = Node::dev(&data);
    node.ready();
    let (code, message) = refused(custosd(dev_arguments(&data)));
    assert_eq!(code, 6, "{message}");
    assert!(message.contains("in use by another custosd"), "{message}");
    assert!(node.terminate().success());
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_made() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").expect("free port");
    let address = taken.local_addr().expect("address").to_string();
    let data_text = data.to_str().expect("UTF-8");
    let (code, message) =
        refused(custosd(["dev", "--data", data_text, "--listen", address.as_str()]));
    assert_eq!(code, 6, "{message}");
    assert!(message.contains(&format!("address {address} is in use")), "{message}");
    assert!(!data.join("custosd.json.draft").exists() && !data.join("tls").exists());
}

#[test]
fn a_folder_of_a_newer_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut node = Node::dev(&data);
    node.ready();
    assert!(node.terminate().success());
    let manifest = data.join("custosd.json");
    let newer = "{\"format_version\": 3}";
    fs::write(&manifest, newer).expect("write");
    let (code, message) = refused(custosd(dev_arguments(&data)));
    assert_eq!(code, 2, "{message}");
    let expected = "written by a newer custosd (format 3, this one knows 2)";
    assert!(message.contains(expected), "{message}");
    assert_eq!(fs::read_to_string(&manifest).expect("read"), newer);
}

#[test]
fn a_missing_or_foreign_disk_is_left_out_and_never_made_anew() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut node = Node::dev(&data);
    node.ready();
    assert!(node.terminate().success());
    fs::remove_dir_all(data.join("disks/0")).expect("removed");
    fs::remove_dir_all(data.join("disks/1")).expect("removed");
    fs::rename(data.join("disks/2"), data.join("disks/1")).expect("renamed");
    let mut node = Node::dev(&data);
    node.ready();
    let log = node.log();
    assert_eq!(log.matches("disk is left out of service").count(), 3, "{log}");
    assert!(log.contains("the disks may be swapped"), "{log}");
    assert!(!data.join("disks/0").exists() && !data.join("disks/2").exists());
    assert!(node.terminate().success());
}

#[test]
fn a_missing_key_or_ledger_stops_the_start() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut node = Node::dev(&data);
    node.ready();
    assert!(node.terminate().success());
    fs::rename(data.join("keys/kek"), dir.path().join("kek")).expect("renamed");
    let (code, message) = refused(custosd(dev_arguments(&data)));
    assert_eq!(code, 6, "{message}");
    assert!(message.contains("keys/kek is missing"), "{message}");
    fs::rename(dir.path().join("kek"), data.join("keys/kek")).expect("renamed");
    fs::rename(data.join("meta"), dir.path().join("meta")).expect("renamed");
    let (code, message) = refused(custosd(dev_arguments(&data)));
    assert_eq!(code, 5, "{message}");
    assert!(message.contains("meta is gone"), "{message}");
    fs::rename(dir.path().join("meta"), data.join("meta")).expect("renamed");
    Node::dev(&data).ready();
}

#[test]
fn a_node_runs_from_a_configuration_file() {
    let dir = tempfile::tempdir().expect("tempdir");
    // Its certificates come from a development folder.
    let mut dev = Node::dev(&dir.path().join("dev"));
    dev.ready();
    assert!(dev.terminate().success());
    let file = dir.path().join("custosd.toml");
    let text = "roles = [\"storage\", \"meta\", \"gateway\"]\n\
                data_dir = \"data\"\nlisten = \"127.0.0.1:0\"\nprofile = \"2+1\"\n\
                disks = [\"disk-a\", \"disk-b\", \"disk-c\"]\nkey_file = \"secret/kek\"\n\
                cluster_name = \"evidence.example\"\n\
                [tls]\nca = \"dev/tls/ca.pem\"\ncertificate = \"dev/tls/server.pem\"\n\
                key = \"dev/tls/server.key.pem\"\n";
    fs::write(&file, text).expect("write");
    let path = file.to_str().expect("UTF-8");
    for _start in 0..2 {
        let mut node = Node::spawn(custosd(["run", "--config", path]), &dir.path().join("log"));
        node.ready();
        assert!(node.terminate().success(), "{}", node.log());
    }
    let manifest = fs::read_to_string(dir.path().join("data/custosd.json")).expect("read");
    assert!(manifest.contains("\"evidence.example/"), "{manifest}");
    assert!(dir.path().join("disk-c/disk.json").is_file());
    // A key that does not belong to the certificate is a mistake of the configuration.
    fs::write(&file, text.replace("server.key.pem", "dev-user.key.pem")).expect("write");
    let (code, message) = refused(custosd(["run", "--config", path]));
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("TLS cannot be set up") && message.contains("dev-user.key.pem"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_does_not_hold_up_the_end_and_is_told_of_it() {
    let dir = tempfile::tempdir().expect("tempdir");
    let data = dir.path().join("data");
    let mut node = Node::dev(&data);
    let mut statuses = crate::tls::watch_health(node.ready(), &data).await;
    let ended = tokio::task::spawn_blocking(move || (node.terminate(), node));
    let told = statuses.message().await.expect("still served").expect("a status");
    assert_eq!(told.status(), ServingStatus::NotServing);
    let (status, node) = ended.await.expect("ends");
    assert!(status.success(), "{}", node.log());
    assert!(node.log().contains("requests under way were cut off"), "{}", node.log());
}
