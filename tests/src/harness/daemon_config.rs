use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    authority::TlsFiles,
    daemon::DaemonOptions,
    node_bucket::{NodeBucket, WrittenBuckets, WrittenDisk},
};

/// Erasure profile of clusters of several storage nodes,
const PROFILE: &str = "4+2";
/// and of those of one.
const PROFILE_OF_ONE: &str = "2+1";

/// What one process of a cluster is told; everything of it lies in one folder.
#[derive(Debug, Clone)]
pub struct DaemonConfig {
    /// Its name, which is also that of the machine it pretends to be.
    pub name: String,
    /// Configuration, data and log.
    pub folder: PathBuf,
    /// Address of its gRPC services.
    pub listen: SocketAddr,
    /// Address of its metrics page.
    pub metrics: SocketAddr,
    /// The network namespace that it runs in; the test's own when `None`.
    pub namespace: Option<String>,
    /// Who it is.
    pub tls: TlsFiles,
    /// What it does.
    pub duty: Duty,
}

/// The role of a process, with what only this role is told.
#[derive(Debug, Clone)]
pub enum Duty {
    /// Keeps the ledger.
    Meta {
        /// Vaults are made once this many storage nodes have registered.
        expect_nodes: usize,
        /// How it is a member of the ledger's group; without it, it keeps the ledger alone.
        group: Option<GroupDuty>,
    },
    /// Keeps shards.
    Storage {
        /// Where the ledger is.
        meta: SocketAddr,
        /// One folder per disk.
        disks: Vec<PathBuf>,
        /// Its bucket.
        bucket: Option<NodeBucket>,
    },
    /// Serves clients.
    Gateway {
        /// Where the ledger is.
        meta: SocketAddr,
    },
    /// Keeps all shards and serves clients.
    Worker {
        /// Where the members of the ledger's group are.
        metas: Vec<SocketAddr>,
        /// One folder per disk.
        disks: Vec<PathBuf>,
    },
}

/// How a process is a member of the ledger's group.
#[derive(Debug, Clone)]
pub struct GroupDuty {
    /// Address of its port for the other members.
    pub listen: SocketAddr,
    /// Who takes it in; nobody founds the group.
    pub join: Option<SocketAddr>,
}

impl DaemonConfig {
    /// File of the key-encryption key, which all gateways have in common.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.folder.join("kek")
    }

    /// Folder of what the process keeps besides shards.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What it says to standard error.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("custosd.log")
    }

    /// Its bucket.
    #[must_use]
    pub fn bucket(&self) -> Option<&NodeBucket> {
        match &self.duty {
            Duty::Storage { bucket, .. } => bucket.as_ref(),
            Duty::Meta { .. } | Duty::Gateway { .. } | Duty::Worker { .. } => None,
        }
    }

    /// Folders of its disks, in the order of the configuration.
    #[must_use]
    pub fn disks(&self) -> &[PathBuf] {
        match &self.duty {
            Duty::Storage { disks, .. } | Duty::Worker { disks, .. } => disks,
            Duty::Meta { .. } | Duty::Gateway { .. } => &[],
        }
    }

    /// Writes its file, and says how to start it.
    ///
    /// # Panics
    /// When the folder or the file cannot be made.
    #[must_use]
    pub fn prepare(&self) -> DaemonOptions {
        fs::create_dir_all(&self.folder)
            .unwrap_or_else(|e| panic!("{}: {e}", self.folder.display()));
        let path = self.folder.join("custosd.toml");
        fs::write(&path, self.text()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        DaemonOptions {
            name: self.name.clone(),
            args: vec!["run".into(), "--config".into(), path.into()],
            environment: self.bucket().map(NodeBucket::environment).unwrap_or_default(),
            namespace: self.namespace.clone(),
            listen: self.listen,
            log: self.log(),
        }
    }

    fn text(&self) -> String {
        let (roles, metas): (&[_], &[SocketAddr]) = match &self.duty {
            Duty::Meta { .. } => (&["meta"], &[]),
            Duty::Storage { meta, .. } => (&["storage"], std::slice::from_ref(meta)),
            Duty::Gateway { meta } => (&["gateway"], std::slice::from_ref(meta)),
            Duty::Worker { metas, .. } => (&["storage", "gateway"], metas),
        };
        let has = |role: &str| roles.contains(&role);
        let (expect_nodes, group) = match &self.duty {
            Duty::Meta { expect_nodes, group } => (Some(*expect_nodes), group.as_ref()),
            Duty::Storage { .. } | Duty::Gateway { .. } | Duty::Worker { .. } => (None, None),
        };
        let is_of_one = expect_nodes == Some(1) || matches!(self.duty, Duty::Worker { .. });
        let profile = if is_of_one { PROFILE_OF_ONE } else { PROFILE };
        let written = Written {
            roles,
            data_dir: self.data_dir(),
            listen: self.listen.to_string(),
            metrics: self.metrics.to_string(),
            meta: metas.iter().map(|address| format!("https://{address}")).collect(),
            expect_nodes,
            profile: (has("meta") || has("gateway")).then_some(profile),
            cluster_name: has("meta").then_some("custos.test"),
            key_file: has("gateway").then(|| self.key_file()),
            disks: has("storage").then(|| WrittenDisk::all(self.disks(), self.bucket())),
            buckets: self.bucket().map(|bucket| WrittenBuckets::new(bucket, &self.name)),
            node: has("storage").then(|| WrittenNode { name: &self.name, host: &self.name }),
            group: group.map(|group| WrittenGroup {
                name: &self.name,
                listen: group.listen.to_string(),
                join: group.join.map(|address| [format!("https://{address}")]),
            }),
            tls: WrittenTls {
                ca: &self.tls.ca,
                certificate: &self.tls.certificate,
                key: &self.tls.key,
            },
        };
        toml::to_string(&written).expect("plain values with the tables last")
    }
}

#[derive(Serialize)]
struct Written<'a> {
    roles: &'a [&'static str],
    data_dir: PathBuf,
    listen: String,
    metrics: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    meta: Vec<String>,
    expect_nodes: Option<usize>,
    profile: Option<&'static str>,
    cluster_name: Option<&'static str>,
    key_file: Option<PathBuf>,
    disks: Option<Vec<WrittenDisk<'a>>>,
    buckets: Option<WrittenBuckets<'a>>,
    node: Option<WrittenNode<'a>>,
    group: Option<WrittenGroup<'a>>,
    tls: WrittenTls<'a>,
}

#[derive(Serialize)]
struct WrittenNode<'a> {
    name: &'a str,
    host: &'a str,
}

#[derive(Serialize)]
struct WrittenGroup<'a> {
    name: &'a str,
    listen: String,
    join: Option<[String; 1]>,
}

#[derive(Serialize)]
struct WrittenTls<'a> {
    ca: &'a Path,
    certificate: &'a Path,
    key: &'a Path,
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;
    use crate::BucketUsage;

    fn written(duty: Duty) -> Table {
        let file = |name: &str| Path::new("/tls").join(name);
        let config = DaemonConfig {
            name: "s3".to_owned(),
            folder: PathBuf::from("/test/s3"),
            listen: SocketAddr::from(([127, 0, 0, 1], 17_000)),
            metrics: SocketAddr::from(([127, 0, 0, 1], 17_001)),
            namespace: None,
            tls: TlsFiles { ca: file("ca"), certificate: file("cert"), key: file("key") },
            duty,
        };
        config.text().parse().expect("TOML")
    }

    #[test]
    fn a_process_is_told_what_its_role_needs_and_nothing_else() {
        let address = SocketAddr::from(([127, 0, 0, 1], 17_002));
        let meta = written(Duty::Meta { expect_nodes: 6, group: None });
        assert_eq!(meta["roles"].as_array().map(Vec::len), Some(1));
        assert_eq!(meta["expect_nodes"].as_integer(), Some(6));
        assert!(!meta.contains_key("meta") && !meta.contains_key("key_file"));

        let disks = vec![PathBuf::from("/d0"), PathBuf::from("/d1")];
        let storage = written(Duty::Storage { meta: address, disks: disks.clone(), bucket: None });
        assert_eq!(storage["meta"][0].as_str(), Some("https://127.0.0.1:17002"));
        assert_eq!(storage["disks"][1].as_str(), Some("/d1"));
        assert_eq!(storage["node"]["name"].as_str(), Some("s3"));
        assert!(!storage.contains_key("profile") && !storage.contains_key("key_file"));
        assert!(!storage.contains_key("buckets"));

        let mut bucket = NodeBucket {
            endpoint: "http://127.0.0.1:9".to_owned(),
            bucket: "footage".to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: "hidden".to_owned(),
            usage: BucketUsage::Disk { weight: 7 },
        };
        let with = |bucket: &NodeBucket| {
            let (disks, bucket) = (disks.clone(), Some(bucket.clone()));
            written(Duty::Storage { meta: address, disks, bucket })
        };
        let storage = with(&bucket);
        assert_eq!(storage["disks"][2]["bucket"].as_str(), Some("s3"));
        assert_eq!(storage["buckets"]["s3"]["prefix"].as_str(), Some("s3"));
        assert_eq!(storage["buckets"]["s3"]["weight"].as_integer(), Some(7));
        assert!(!storage.to_string().contains("hidden"), "secrets are no configuration");
        bucket.usage = BucketUsage::Cold { after_days: 0 };
        let storage = with(&bucket);
        assert_eq!(storage["disks"].as_array().map(Vec::len), Some(2));
        assert_eq!(storage["disks"][1]["cold_after_days"].as_integer(), Some(0));

        let group = GroupDuty { listen: address, join: Some(address) };
        let joining = written(Duty::Meta { expect_nodes: 1, group: Some(group) });
        assert_eq!(joining["group"]["join"][0].as_str(), Some("https://127.0.0.1:17002"));
        let worker = written(Duty::Worker { metas: vec![address; 3], disks: disks.clone() });
        assert_eq!(worker["meta"].as_array().map(Vec::len), Some(3));
        assert_eq!(worker["profile"].as_str(), Some("2+1"));

        let gateway = written(Duty::Gateway { meta: address });
        assert_eq!(gateway["key_file"].as_str(), Some("/test/s3/kek"));
        assert_eq!(gateway["tls"]["ca"].as_str(), Some("/tls/ca"));
        assert!(!gateway.contains_key("disks") && !gateway.contains_key("node"));
    }
}
