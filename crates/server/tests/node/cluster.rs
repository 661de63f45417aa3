//! Roles in processes of their own: how they find each other, and what they refuse.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use custos_client::{Client, ClientConfig, PutOptions};
use custos_core::{Descriptor, EvidenceKind};
use tonic_health::pb::health_check_response::ServingStatus;

use crate::{
    node::{Node, custosd, free_address, refused},
    tls,
};

/// A folder with certificates for every process in it.
struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("tempdir");
        // A development node makes certificates that do for a whole cluster on this machine.
        let mut dev = Node::dev(&dir.path().join("dev"));
        dev.ready();
        assert!(dev.terminate().success(), "{}", dev.log());
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the configuration of a process, whose data folder has its name.
    fn config(&self, name: &str, roles: &str, listen: &str, rest: &str) -> PathBuf {
        let text = format!(
            "roles = [{roles}]\ndata_dir = \"{name}\"\nlisten = \"{listen}\"\n{rest}\n\
             [tls]\nca = \"dev/tls/ca.pem\"\ncertificate = \"dev/tls/server.pem\"\n\
             key = \"dev/tls/server.key.pem\"\n"
        );
        let path = self.path(&format!("{name}.toml"));
        fs::write(&path, text).expect("write");
        path
    }

    fn start(&self, name: &str, roles: &str, listen: &str, rest: &str) -> Node {
        let config = self.config(name, roles, listen, rest);
        let path = config.to_str().expect("UTF-8");
        Node::spawn(custosd(["run", "--config", path]), &self.path(&format!("{name}.log")))
    }

    fn refused(&self, name: &str, roles: &str, rest: &str) -> (i32, String) {
        let config = self.config(name, roles, "127.0.0.1:0", rest);
        refused(custosd(["run", "--config", config.to_str().expect("UTF-8")]))
    }

    fn meta(&self, name: &str, listen: &str, rest: &str) -> Node {
        self.start(name, "\"meta\"", listen, &format!("profile = \"2+1\"\n{rest}"))
    }

    fn storage(&self, name: &str, meta: &str) -> Node {
        self.start(name, "\"storage\"", "127.0.0.1:0", &storage_keys(name, meta))
    }

    /// Which cluster a process belongs to, as it remembers.
    fn origin(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name).join("custosd.json")).expect("read");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        value["origin"].as_str().expect("text").to_owned()
    }

    async fn health(&self, address: SocketAddr, service: &str) -> ServingStatus {
        tls::health_of(address, &self.path("dev"), service).await
    }
}

fn storage_keys(name: &str, meta: &str) -> String {
    format!(
        "meta = [\"https://{meta}\"]\ndisks = [\"{name}-d0\", \"{name}-d1\"]\n\
         [node]\nname = \"{name}\""
    )
}

fn gateway_keys(meta: &str, key_file: &str) -> String {
    format!("meta = [\"https://{meta}\"]\nprofile = \"2+1\"\nkey_file = \"{key_file}\"")
}

/// Puts a file over the development node in `data`.
async fn put(data: &Path, address: SocketAddr) {
    let mut config = ClientConfig::load(&data.join("client.toml")).expect("a configuration");
    config.endpoint = format!("https://{address}");
    let file = data.with_extension("footage");
    fs::write(&file, vec![7; 100_000]).expect("write");
    let client = Client::connect(&config).expect("a client");
    let options = PutOptions::new(Descriptor::of_kind(EvidenceKind::Video));
    client.put_file(&file, options, |_event| {}).await.expect("taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_a_process_for_each_role_comes_together() {
    let site = Site::new();
    let meta = site.meta("m1", "127.0.0.1:0", "expect_nodes = 3");
    let meta_address = meta.ready();
    let mut members = Vec::new();
    for name in ["s1", "s2", "s3"] {
        members.push(site.storage(name, &meta_address.to_string()));
    }
    let storage_addresses: Vec<_> = members.iter().map(Node::ready).collect();
    let gateway = gateway_keys(&meta_address.to_string(), "kek");
    let gateway = site.start("g1", "\"gateway\"", "127.0.0.1:0", &gateway);
    let address = gateway.ready();
    meta.said("vaults are created").await;
    put(&site.path("dev"), address).await;

    let serving = ServingStatus::Serving;
    assert_eq!(site.health(meta_address, "custos.internal.v1.Meta").await, serving);
    assert_eq!(site.health(storage_addresses[0], "custos.internal.v1.Shard").await, serving);
    assert_eq!(site.health(address, "custos.v1.Ingest").await, serving);
    assert_eq!(site.health(address, "custos.v1.Cluster").await, serving);
    for name in ["s1", "g1"] {
        assert_eq!(site.origin(name), site.origin("m1"));
    }
    for mut member in members.into_iter().chain([gateway, meta]) {
        assert!(member.terminate().success(), "{}", member.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_waits_for_its_ledger_says_so_and_a_stop_ends_the_wait() {
    let site = Site::new();
    let meta_address = free_address();
    let waiting = format!("waiting for the ledger at https://{meta_address}");
    let mut gateway =
        site.start("g1", "\"gateway\"", "127.0.0.1:0", &gateway_keys(&meta_address, "kek"));
    gateway.said(&waiting).await;
    assert!(gateway.terminate().success(), "{}", gateway.log());
    assert!(!site.path("kek").exists() && !site.path("g1/custosd.json").exists());

    let storage = site.storage("s1", &meta_address);
    storage.said(&waiting).await;
    let meta = site.meta("m1", &meta_address, "expect_nodes = 3");
    meta.ready();
    storage.ready();
    assert_eq!(site.origin("s1"), site.origin("m1"));
}

#[test]
fn the_ledger_of_another_cluster_is_refused_by_name() {
    let site = Site::new();
    let mut first = site.meta("m1", "127.0.0.1:0", "expect_nodes = 3");
    let address = first.ready().to_string();
    let mut storage = site.storage("s1", &address);
    storage.ready();
    assert!(storage.terminate().success(), "{}", storage.log());
    assert!(first.terminate().success(), "{}", first.log());

    let second = site.meta("m2", "127.0.0.1:0", "expect_nodes = 3");
    let address = second.ready().to_string();
    let (code, message) = site.refused("s1", "\"storage\"", &storage_keys("s1", &address));
    assert_eq!(code, 5, "{message}");
    let (own, other) = (site.origin("m1"), site.origin("m2"));
    let expected = format!(
        "this folder belongs to cluster {own}, the ledger at https://{address} is that of {other}"
    );
    assert!(message.contains(&expected), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_the_key_of_its_cluster_is_refused_and_told_which_it_needs() {
    let site = Site::new();
    let dev = Node::dev(&site.path("dev"));
    let address = dev.ready();
    let meta = address.to_string();
    let start = |key_file: &str| site.refused("g1", "\"gateway\"", &gateway_keys(&meta, key_file));
    let other_cluster = Node::dev(&site.path("dev2"));
    other_cluster.ready();
    drop(other_cluster);
    let other = "dev2/keys/kek";

    let kek = fs::read_to_string(site.path("dev/keys/kek")).expect("read");
    let needed = kek.lines().find_map(|line| line.strip_prefix("id ")).expect("its name");
    let (code, message) = start("nowhere");
    assert_eq!(code, 6, "{message}");
    assert!(message.contains(&format!("sealed under key {needed}: copy that")), "{message}");
    assert!(!site.path("nowhere").exists() && !site.path("nowhere.first").exists());
    // The first gateway's key is the cluster's before anything is sealed under it, and after.
    for _ in 0..2 {
        let (code, message) = start(other);
        assert_eq!(code, 5, "{message}");
        assert!(message.contains(&format!("sealed under key {needed}: move this")), "{message}");
        put(&site.path("dev"), address).await;
    }

    let right =
        site.start("g1", "\"gateway\"", "127.0.0.1:0", &gateway_keys(&meta, "dev/keys/kek"));
    right.ready();
    drop(right);
    // From then on, no other does, whatever the cluster has.
    let (code, message) = start(other);
    assert_eq!(code, 5, "{message}");
    assert!(message.contains(&format!("this store is sealed under key {needed}")), "{message}");
}

#[test]
fn a_cluster_of_one_process_with_too_few_disks_is_told_what_it_lacks() {
    let site = Site::new();
    let rest = "profile = \"4+2\"\ndisks = [\"d0\", \"d1\"]\nkey_file = \"kek\"";
    let (code, message) = site.refused("all", "\"meta\", \"storage\", \"gateway\"", rest);
    assert_eq!(code, 2, "{message}");
    assert!(message.contains("4+2 needs 6"), "{message}");
    assert!(message.contains("expect_nodes"), "{message}");
}
