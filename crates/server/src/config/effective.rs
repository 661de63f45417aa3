use std::path::PathBuf;

use custos_ledger::IncompleteDescriptor;
use serde::Serialize;

use super::Process;

/// The configuration as it will be used, every default filled in, as TOML that reads back to the
/// same.
///
/// # Panics
/// Never: every value has a TOML form, as paths come from TOML text.
#[must_use]
pub fn effective(process: &Process) -> String {
    let server = &process.server;
    let shown = Shown {
        roles: ["meta", "storage", "gateway"],
        data_dir: &server.data_dir,
        listen: server.listen.to_string(),
        metrics: server.metrics_listen.map(|address| address.to_string()),
        profile: server.profile.to_string(),
        chunk_size_mib: server.chunk_size.bytes() >> 20,
        disks: &server.disks,
        key_file: &server.key_file,
        cluster_name: &server.cluster_name,
        tls: ShownTls {
            ca: &server.tls.ca,
            certificate: &server.tls.certificate,
            key: &server.tls.key,
        },
        policy: ShownPolicy {
            incomplete_descriptor: match server.policy.incomplete_descriptor {
                IncompleteDescriptor::AcceptUnfiled => "accept-unfiled",
                IncompleteDescriptor::Refuse => "refuse",
            },
            retention_days_av: server.policy.retention_days_av,
            retention_days_other: server.policy.retention_days_other,
        },
        log: ShownLog { format: process.log.format.name(), level: &process.log.level },
        telemetry: ShownTelemetry { otlp_endpoint: process.telemetry.otlp_endpoint.as_deref() },
    };
    toml::to_string(&shown).expect("plain values with the tables last")
}

// The order of fields is the order of keys in the printed file; TOML wants tables last.

#[derive(Serialize)]
struct Shown<'a> {
    roles: [&'static str; 3],
    data_dir: &'a PathBuf,
    listen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
    profile: String,
    chunk_size_mib: usize,
    disks: &'a [PathBuf],
    key_file: &'a PathBuf,
    cluster_name: &'a str,
    tls: ShownTls<'a>,
    policy: ShownPolicy,
    log: ShownLog<'a>,
    telemetry: ShownTelemetry<'a>,
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
struct ShownLog<'a> {
    format: &'static str,
    level: &'a str,
}

#[derive(Serialize)]
struct ShownTelemetry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    otlp_endpoint: Option<&'a str>,
}
