use std::{collections::BTreeMap, path::PathBuf};

use custos_ledger::IncompleteDescriptor;
use serde::Serialize;

use super::{BucketConfig, ColdConfig, DiskConfig, MetaConfig, Process};

/// The configuration as it will be used, every default filled in, as TOML that reads back to the
/// same.
///
/// # Panics
/// Never: every value has a TOML form, as paths come from TOML text.
#[must_use]
pub fn effective(process: &Process) -> String {
    let server = &process.server;
    let (meta, storage) = (server.meta.as_ref(), server.storage.as_ref());
    let gateway = server.gateway.as_ref();
    let roles = [meta.map(|_| "meta"), storage.map(|_| "storage"), gateway.map(|_| "gateway")];
    let profile = meta.map(|meta| meta.profile).or(gateway.map(|gateway| gateway.profile));
    let mut buckets = Buckets::default();
    let disks = storage
        .map(|storage| storage.disks.iter().map(|disk| shown_disk(disk, &mut buckets)).collect());
    let shown = Shown {
        roles: roles.into_iter().flatten().collect(),
        data_dir: &server.data_dir,
        listen: server.listen.to_string(),
        metrics: server.metrics_listen.map(|address| address.to_string()),
        meta: &server.meta_endpoints,
        profile: profile.map(|profile| profile.to_string()),
        expect_nodes: meta.map(|meta| meta.expect_nodes),
        chunk_size_mib: gateway.map(|gateway| gateway.chunk_size.bytes() >> 20),
        key_file: gateway.map(|gateway| &gateway.key_file),
        cluster_name: meta.map(|meta| meta.cluster_name.as_str()),
        disks,
        node: storage.map(|storage| ShownNode {
            name: &storage.name,
            endpoint: storage.endpoint.as_deref(),
            zone: Some(storage.labels.zone.as_str()).filter(|zone| !zone.is_empty()),
            rack: Some(storage.labels.rack.as_str()).filter(|rack| !rack.is_empty()),
            host: &storage.labels.host,
        }),
        scrub: storage.map(|storage| ShownScrub {
            mib_per_second: storage.scrub.bytes_per_second >> 20,
            period_days: storage.scrub.period_days,
        }),
        buckets: buckets.shown,
        tls: ShownTls {
            ca: &server.tls.ca,
            certificate: &server.tls.certificate,
            key: &server.tls.key,
        },
        policy: meta.map(|MetaConfig { policy, .. }| ShownPolicy {
            incomplete_descriptor: match policy.incomplete_descriptor {
                IncompleteDescriptor::AcceptUnfiled => "accept-unfiled",
                IncompleteDescriptor::Refuse => "refuse",
            },
            retention_days_av: policy.retention_days_av,
            retention_days_other: policy.retention_days_other,
        }),
        group: meta.and_then(|meta| meta.group.as_ref()).map(|group| ShownGroup {
            name: &group.name,
            listen: group.listen.to_string(),
            endpoint: &group.endpoint,
            join: &group.join,
        }),
        log: ShownLog { format: process.log.format.name(), level: &process.log.level },
        telemetry: ShownTelemetry { otlp_endpoint: process.telemetry.otlp_endpoint.as_deref() },
    };
    toml::to_string(&shown).expect("plain values with the tables last")
}

/// The buckets met so far, under names made for them: the file's own names are not kept.
#[derive(Default)]
struct Buckets<'a> {
    shown: BTreeMap<String, ShownBucket<'a>>,
    known: Vec<&'a BucketConfig>,
}

impl<'a> Buckets<'a> {
    fn name(&mut self, bucket: &'a BucketConfig) -> String {
        let known = self.known.iter().position(|known| *known == bucket);
        let number = known.unwrap_or_else(|| {
            self.known.push(bucket);
            self.known.len() - 1
        });
        let name = format!("b{number}");
        let shown = ShownBucket {
            endpoint: bucket.endpoint.as_deref(),
            region: &bucket.region,
            bucket: &bucket.bucket,
            prefix: &bucket.prefix,
            path_style: bucket.path_style,
            default_chain: bucket.default_chain,
            weight: bucket.weight,
        };
        self.shown.insert(name.clone(), shown);
        name
    }
}

fn shown_disk<'a>(disk: &'a DiskConfig, buckets: &mut Buckets<'a>) -> ShownDisk<'a> {
    match disk {
        DiskConfig::Folder { path, cold: None } => ShownDisk::Folder(path),
        DiskConfig::Folder { path, cold: Some(ColdConfig { bucket, after_days }) } => {
            ShownDisk::Tiered { path, cold: buckets.name(bucket), cold_after_days: *after_days }
        }
        DiskConfig::Bucket(bucket) => ShownDisk::Bucket { bucket: buckets.name(bucket) },
    }
}

// The order of fields is the order of keys in the printed file; TOML wants tables last.

#[derive(Serialize)]
struct Shown<'a> {
    roles: Vec<&'static str>,
    data_dir: &'a PathBuf,
    listen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    meta: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expect_nodes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chunk_size_mib: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<&'a PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disks: Option<Vec<ShownDisk<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<ShownNode<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scrub: Option<ShownScrub>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    buckets: BTreeMap<String, ShownBucket<'a>>,
    tls: ShownTls<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<ShownPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<ShownGroup<'a>>,
    log: ShownLog<'a>,
    telemetry: ShownTelemetry<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ShownDisk<'a> {
    Folder(&'a PathBuf),
    Tiered { path: &'a PathBuf, cold: String, cold_after_days: u32 },
    Bucket { bucket: String },
}

#[derive(Serialize)]
struct ShownNode<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rack: Option<&'a str>,
    host: &'a str,
}

#[derive(Serialize)]
struct ShownScrub {
    mib_per_second: u64,
    period_days: u32,
}

#[derive(Serialize)]
struct ShownBucket<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<&'a str>,
    region: &'a str,
    bucket: &'a str,
    prefix: &'a str,
    path_style: bool,
    default_chain: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
}

#[derive(Serialize)]
struct ShownTls<'a> {
    ca: &'a PathBuf,
    certificate: &'a PathBuf,
    key: &'a PathBuf,
}

#[derive(Serialize)]
struct ShownPolicy {
    incomplete_descriptor: &'static str,
    retention_days_av: u32,
    retention_days_other: u32,
}

#[derive(Serialize)]
struct ShownGroup<'a> {
    name: &'a str,
    listen: String,
    endpoint: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    join: &'a [String],
}

#[derive(Serialize)]
struct ShownLog<'a> {
    format: &'static str,
    level: &'a str,
}

#[derive(Serialize)]
struct ShownTelemetry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    otlp_endpoint: Option<&'a str>,
}
