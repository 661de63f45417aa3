use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use custos_core::{ChunkSize, ErasureProfile};
use custos_ledger::{IncompleteDescriptor, Policy, RETENTION_DAYS_MIN};
use toml::de::DeTable;
use tracing_subscriber::EnvFilter;

use super::{
    ConfigError, ConfigMistake, ConfigProblem, GatewayConfig, LogFormat, LogOptions, MetaConfig,
    Process, ServerConfig, TelemetryOptions, TlsFiles,
    read_storage::Surroundings,
    table_reader::{Document, TableReader},
};
use crate::durable_file;

/// Longest name of a cluster in bytes: an origin line has room for more.
const CLUSTER_NAME_BYTES_MAX: usize = 128;

/// Reads a configuration file; relative paths in it start at its folder.
///
/// # Errors
/// When it cannot be read, or with every mistake in it.
pub fn load(path: &Path) -> Result<Process, ConfigError> {
    let text = durable_file::read_text(path)?
        .ok_or_else(|| ConfigError::Missing { path: path.to_owned() })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&text, folder)
        .map_err(|mistakes| ConfigError::Mistakes { path: path.to_owned(), mistakes })
}

/// Reads configuration text; relative paths in it start at `folder`.
///
/// # Errors
/// Every mistake in it, in order of lines.
pub fn parse(text: &str, folder: &Path) -> Result<Process, Vec<ConfigMistake>> {
    let (table, syntax_errors) = DeTable::parse_recoverable(text);
    let document = Document::new(text);
    for error in &syntax_errors {
        let line = document.line(error.span().map_or(0, |span| span.start));
        let message = error.message().to_owned();
        document.report(line, "syntax", ConfigProblem::Syntax { message });
    }
    // Where the text is broken, values may be missing that are there: nothing more is said.
    if document.has_mistakes() {
        return Err(document.into_mistakes());
    }
    let process = Reading { document: &document, folder }.process(table.get_ref());
    match process {
        Some(process) if !document.has_mistakes() => Ok(process),
        _ => Err(document.into_mistakes()),
    }
}

pub(super) struct Reading<'d, 'i> {
    pub(super) document: &'d Document<'i>,
    pub(super) folder: &'d Path,
}

/// Which roles a process has.
#[derive(Debug, Clone, Copy)]
struct Roles {
    meta: bool,
    storage: bool,
    gateway: bool,
}

impl Roles {
    const ALL: Self = Self { meta: true, storage: true, gateway: true };
}

impl<'d, 'i> Reading<'d, 'i> {
    /// `None` when something is wrong. Everything is read before that is judged, so that all
    /// mistakes are found.
    fn process(&self, table: &'d DeTable<'i>) -> Option<Process> {
        let root = TableReader::root(self.document, table);
        let roles = self.roles(&root).unwrap_or(Roles::ALL);
        let data_dir = self.path(&root, "data_dir", "a folder");
        let listen = root
            .required_string("listen", ADDRESS)
            .and_then(|text| text.map(self.document, |text| address(&text)));
        let metrics_listen = root
            .string("metrics", ADDRESS)
            .and_then(|text| text.map(self.document, |text| address(&text)));
        let meta_endpoints = self.meta_endpoints(&root, roles);
        let profile = self.profile(&root, roles);
        let meta = roles.meta.then(|| self.meta(&root, profile));
        if !roles.meta {
            for key in ["cluster_name", "expect_nodes", "group", "policy"] {
                root.not_for_role(key, "meta");
            }
        }
        let is_complete = roles.meta && roles.storage && roles.gateway;
        let surroundings = Surroundings { listen, is_complete };
        let storage = roles.storage.then(|| self.storage(&root, &surroundings));
        if !roles.storage {
            for key in ["disks", "node", "buckets", "scrub"] {
                root.not_for_role(key, "storage");
            }
        }
        let gateway = roles.gateway.then(|| self.gateway(&root, profile));
        if !roles.gateway {
            for key in ["chunk_size_mib", "key_file"] {
                root.not_for_role(key, "gateway");
            }
        }
        let tls = self.tls(root.table("tls"));
        let log = self.log(root.table("log"));
        let telemetry = self.telemetry(root.table("telemetry"));
        root.finish();

        let server = ServerConfig {
            data_dir: data_dir?,
            listen: listen?,
            metrics_listen,
            tls: tls?,
            meta_endpoints: meta_endpoints?,
            meta: given(meta)?,
            storage: given(storage)?,
            gateway: given(gateway)?,
        };
        Some(Process { server, log: log?, telemetry: telemetry? })
    }

    fn roles(&self, root: &TableReader<'d, 'i>) -> Option<Roles> {
        root.required_strings("roles", ROLES)?.map(self.document, |names| {
            let mut roles = Roles { meta: false, storage: false, gateway: false };
            for (number, name) in names.iter().enumerate() {
                let role = match name.as_str() {
                    "meta" => &mut roles.meta,
                    "storage" => &mut roles.storage,
                    "gateway" => &mut roles.gateway,
                    _ => return bad(format!("{name:?}"), ROLES),
                };
                if names[..number].contains(name) {
                    return bad(format!("{name:?} twice"), ROLES);
                }
                *role = true;
            }
            if names.is_empty() { bad("an empty list", ROLES) } else { Ok(roles) }
        })
    }

    fn meta_endpoints(&self, root: &TableReader<'d, 'i>, roles: Roles) -> Option<Vec<String>> {
        if roles.meta {
            if let Some(given) = root.strings("meta", ENDPOINTS) {
                let problem: Result<(), _> =
                    bad("a list", "left out: the ledger is in this process, as `roles` says");
                given.map(self.document, |_| problem);
                return None;
            }
            return Some(Vec::new());
        }
        root.required_strings("meta", ENDPOINTS)?.map(self.document, |endpoints| {
            match endpoints.iter().find(|endpoint| !is_endpoint(endpoint)) {
                Some(wrong) => bad(format!("{wrong:?}"), ENDPOINTS),
                None if endpoints.is_empty() => bad("an empty list", ENDPOINTS),
                None => Ok(endpoints),
            }
        })
    }

    fn profile(&self, root: &TableReader<'d, 'i>, roles: Roles) -> Option<ErasureProfile> {
        if !roles.meta && !roles.gateway {
            root.not_for_role("profile", "meta or gateway");
            return None;
        }
        match root.string("profile", PROFILE) {
            Some(text) => text.map(self.document, |text| text.parse().or(bad(&text, PROFILE))),
            None => Some(ErasureProfile::P4_2),
        }
    }

    fn meta(
        &self,
        root: &TableReader<'d, 'i>,
        profile: Option<ErasureProfile>,
    ) -> Option<MetaConfig> {
        let cluster_name = match root.string("cluster_name", CLUSTER_NAME) {
            Some(name) => name.map(self.document, cluster_name),
            None => Some("custos.local".to_owned()),
        };
        let expect_nodes = self.count(root, "expect_nodes", EXPECT_NODES, 1);
        let policy = self.policy(root.table("policy"));
        let group = self.group(root.table("group"));
        Some(MetaConfig {
            cluster_name: cluster_name?,
            policy: policy?,
            profile: profile?,
            expect_nodes: expect_nodes?,
            group: group?,
        })
    }

    fn gateway(
        &self,
        root: &TableReader<'d, 'i>,
        profile: Option<ErasureProfile>,
    ) -> Option<GatewayConfig> {
        let chunk_size = match root.number("chunk_size_mib", CHUNK_SIZE) {
            Some(mib) => mib.map(self.document, |mib| {
                ChunkSize::new(u64::from(mib) << 20).map_or_else(|| bad(mib, CHUNK_SIZE), Ok)
            }),
            None => Some(ChunkSize::DEFAULT),
        };
        let key_file = self.path(root, "key_file", "a file");
        Some(GatewayConfig { profile: profile?, chunk_size: chunk_size?, key_file: key_file? })
    }

    /// A number of at least 1.
    pub(super) fn count(
        &self,
        table: &TableReader<'d, 'i>,
        key: &'static str,
        expected: &'static str,
        default: u32,
    ) -> Option<u32> {
        match table.number(key, expected) {
            Some(number) => number.map(self.document, |number| {
                if number == 0 { bad(number, expected) } else { Ok(number) }
            }),
            None => Some(default),
        }
    }

    fn tls(&self, table: TableReader<'d, 'i>) -> Option<TlsFiles> {
        let ca = self.path(&table, "ca", "a PEM file: who signs client certificates");
        let certificate = self.path(&table, "certificate", "a PEM file: the server's certificate");
        let key = self.path(&table, "key", "a PEM file: the server's private key");
        table.finish();
        Some(TlsFiles { ca: ca?, certificate: certificate?, key: key? })
    }

    fn policy(&self, table: TableReader<'d, 'i>) -> Option<Policy> {
        let expected = "\"accept-unfiled\" or \"refuse\"";
        let incomplete_descriptor = match table.string("incomplete_descriptor", expected) {
            Some(text) => text.map(self.document, |text| match text.as_str() {
                "accept-unfiled" => Ok(IncompleteDescriptor::AcceptUnfiled),
                "refuse" => Ok(IncompleteDescriptor::Refuse),
                _ => bad(format!("{text:?}"), expected),
            }),
            None => Some(IncompleteDescriptor::AcceptUnfiled),
        };
        let retention_days_av = self.retention(&table, "retention_days_av");
        let retention_days_other = self.retention(&table, "retention_days_other");
        table.finish();
        Some(Policy {
            incomplete_descriptor: incomplete_descriptor?,
            retention_days_av: retention_days_av?,
            retention_days_other: retention_days_other?,
        })
    }

    fn retention(&self, table: &TableReader<'d, 'i>, key: &'static str) -> Option<u32> {
        let expected = "a number of days, at least 365 (rule R10)";
        match table.number(key, expected) {
            Some(days) => days.map(self.document, |days| {
                if days >= RETENTION_DAYS_MIN { Ok(days) } else { bad(days, expected) }
            }),
            None => Some(RETENTION_DAYS_MIN),
        }
    }

    fn log(&self, table: TableReader<'d, 'i>) -> Option<LogOptions> {
        let default = LogOptions::default();
        let expected = "\"text\" or \"json\"";
        let format = match table.string("format", expected) {
            Some(text) => text.map(self.document, |text| {
                LogFormat::from_name(&text).map_or_else(|| bad(format!("{text:?}"), expected), Ok)
            }),
            None => Some(default.format),
        };
        let expected = "a filter such as \"info\" or \"info,custos_gateway=debug\"";
        let level = match table.string("level", expected) {
            Some(text) => text.map(self.document, |text| match EnvFilter::try_new(&text) {
                Ok(_) if !text.is_empty() => Ok(text),
                _ => bad(format!("{text:?}"), expected),
            }),
            None => Some(default.level),
        };
        table.finish();
        Some(LogOptions { format: format?, level: level? })
    }

    fn telemetry(&self, table: TableReader<'d, 'i>) -> Option<TelemetryOptions> {
        let expected = "the http:// address of an OTLP gRPC collector";
        let otlp_endpoint = table.string("otlp_endpoint", expected).and_then(|text| {
            text.map(self.document, |text| {
                let is_http = text.len() > "http://".len() && text.starts_with("http://");
                if is_http { Ok(text) } else { bad(format!("{text:?}"), expected) }
            })
        });
        table.finish();
        Some(TelemetryOptions { otlp_endpoint })
    }

    pub(super) fn path(
        &self,
        table: &TableReader<'d, 'i>,
        key: &'static str,
        expected: &'static str,
    ) -> Option<PathBuf> {
        table.required_string(key, expected)?.map(self.document, |text| {
            if text.is_empty() {
                bad("an empty path", expected)
            } else {
                Ok(self.folder.join(text))
            }
        })
    }
}

/// A part that is either not of this process, or was read, or has mistakes.
#[expect(clippy::option_option, reason = "outer: the role is there; inner: it could be read")]
fn given<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

const ROLES: &str = "a list of \"meta\", \"storage\", \"gateway\", each once at most";
pub(super) const ENDPOINTS: &str = "a list of addresses such as \"https://10.0.0.1:7400\"";
const EXPECT_NODES: &str = "a number of storage nodes, at least 1";
pub(super) const ADDRESS: &str = "an IP address and a port, such as \"0.0.0.0:7400\"";
const PROFILE: &str = "one of \"2+1\", \"4+2\", \"8+3\", \"10+4\"";
const CHUNK_SIZE: &str = "a power of two from 1 to 64";
const CLUSTER_NAME: &str =
    "a name such as \"evidence.example\": 1 to 128 letters, digits, dots, dashes";

pub(super) fn address(text: &str) -> Result<SocketAddr, ConfigProblem> {
    text.parse().or(bad(format!("{text:?}"), ADDRESS))
}

fn cluster_name(text: String) -> Result<String, ConfigProblem> {
    let is_fine = (1..=CLUSTER_NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if is_fine { Ok(text) } else { bad(format!("{text:?}"), CLUSTER_NAME) }
}

/// `https://`, a host and a port.
pub(super) fn is_endpoint(text: &str) -> bool {
    text.strip_prefix("https://").and_then(|rest| rest.rsplit_once(':')).is_some_and(
        |(host, port)| !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok(),
    )
}

pub(super) fn bad<T>(
    value: impl ToString,
    expected: impl Into<String>,
) -> Result<T, ConfigProblem> {
    Err(ConfigProblem::Value { value: value.to_string(), expected: expected.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DiskConfig;

    const WHOLE: &str = r#"
roles = ["meta", "storage", "gateway"]
data_dir = "data"
listen = "127.0.0.1:7400"
profile = "2+1"
disks = ["/a", "/b", "/c"]
key_file = "keys/kek"

[tls]
ca = "ca.pem"
certificate = "server.pem"
key = "server.key.pem"
"#;

    #[track_caller]
    fn check(from: &str, to: &str, expected: &[(usize, &str)]) {
        assert!(WHOLE.contains(from), "{from}");
        let text = WHOLE.replace(from, to);
        let mistakes = parse(&text, Path::new("/etc")).expect_err("refused");
        let found: Vec<_> = mistakes.iter().map(|m| (m.line, m.to_string())).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((line, text), (expected_line, expected_text)) in found.iter().zip(expected) {
            assert_eq!(line, expected_line, "{text}");
            assert!(text.contains(expected_text), "{text}");
        }
    }

    #[test]
    fn a_short_configuration_gets_the_defaults_and_paths_relative_to_its_folder() {
        let process = parse(WHOLE, Path::new("/etc/custos")).expect("fine");
        assert_eq!(process.server.data_dir, Path::new("/etc/custos/data"));
        let disk = DiskConfig::Folder { path: "/b".into(), cold: None };
        assert_eq!(process.server.storage.expect("has the role").disks[1], disk);
        assert_eq!(process.server.gateway.expect("has the role").chunk_size, ChunkSize::DEFAULT);
        let meta = process.server.meta.expect("has the role");
        assert_eq!((meta.policy.retention_days_av, meta.expect_nodes), (365, 1));
        assert_eq!(process.server.meta_endpoints, Vec::<String>::new());
        assert_eq!(process.log, LogOptions::default());
        assert_eq!(process.telemetry.otlp_endpoint, None);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_keys_there_are() {
        check("listen =", "lisen =", &[(1, "listen: is missing"), (4, "lisen: unknown key")]);
        check("ca =", "cacert =", &[(9, "tls.ca: is missing"), (10, "tls.cacert: unknown key")]);
        check("[tls]", "[telemetry]\notlp = 1\n[tls]", &[(10, "telemetry.otlp: unknown key")]);
        check("[tls]", "[tsl]\n[tls]", &[(9, "tsl: unknown key")]);
    }

    #[test]
    fn every_mistake_is_reported_at_once_in_order_of_lines() {
        let text = WHOLE
            .replace("127.0.0.1:7400", "localhost")
            .replace("\"2+1\"", "\"3+3\"")
            .replace("\"ca.pem\"", "7");
        let mistakes = parse(&text, Path::new("")).expect_err("refused");
        let keys: Vec<_> = mistakes.iter().map(|m| (m.line, m.key.as_str())).collect();
        assert_eq!(keys, [(4, "listen"), (5, "profile"), (10, "tls.ca")]);
    }

    #[test]
    fn values_that_cannot_be_are_named_with_what_can() {
        let apart = [(1, "meta: is missing; it must be a list of addresses"), (1, "node.name: is")];
        check("\"meta\", ", "", &apart);
        check("\"meta\"", "\"mata\"", &[(2, "\"mata\" cannot be")]);
        check("\"meta\"", "\"storage\"", &[(2, "\"storage\" twice")]);
        check("\"/c\"", "\"/a\"", &[(6, "different folders")]);
        check("[tls]", "meta = []\n[tls]", &[(9, "left out: the ledger is in this process")]);
        check("\"data\"", "\"\"", &[(3, "data_dir: an empty path")]);
        check("[tls]", "chunk_size_mib = 3\n[tls]", &[(9, "power of two from 1 to 64")]);
        check("[tls]", "chunk_size_mib = -8\n[tls]", &[(9, "power of two from 1 to 64")]);
        check("[tls]", "cluster_name = \"a b\"\n[tls]", &[(9, "letters, digits")]);
        let policy = "[policy]\nretention_days_av = 30\n[tls]";
        check("[tls]", policy, &[(10, "at least 365 (rule R10)")]);
        let log = "[log]\nlevel = \"x=y=z\"\nformat = \"xml\"\n[tls]";
        check("[tls]", log, &[(10, "log.level"), (11, "\"text\" or \"json\"")]);
        let telemetry = "[telemetry]\notlp_endpoint = \"https://x\"\n[tls]";
        check("[tls]", telemetry, &[(10, "http:// address")]);
    }

    #[test]
    fn a_process_of_one_role_takes_only_what_that_role_needs() {
        let text = r#"
roles = ["storage"]
data_dir = "data"
listen = "0.0.0.0:7400"
meta = ["https://meta.example:7400"]
disks = ["a", { path = "b", cold = "archive", cold_after_days = 90 }, { bucket = "archive" }]

[node]
name = "s1"
endpoint = "https://s1.example:7400"
rack = "r7"

[buckets.archive]
endpoint = "http://127.0.0.1:9000"
bucket = "evidence"
prefix = "s1"
path_style = true

[tls]
ca = "ca.pem"
certificate = "server.pem"
key = "server.key.pem"
"#;
        let process = parse(text, Path::new("/etc")).expect("fine");
        let storage = process.server.storage.expect("has the role");
        assert_eq!((storage.labels.host.as_str(), storage.labels.rack.as_str()), ("s1", "r7"));
        assert_eq!(storage.disks.len(), 3);
        let DiskConfig::Folder { cold: Some(cold), .. } = &storage.disks[1] else { panic!("cold") };
        assert_eq!((cold.after_days, cold.bucket.bucket.as_str()), (90, "evidence"));
        assert!(process.server.meta.is_none() && process.server.gateway.is_none());
        let DiskConfig::Bucket(bucket) = &storage.disks[2] else { panic!("a bucket") };
        assert_eq!(bucket.weight, None);
        let at_once = text
            .replace("cold_after_days = 90", "cold_after_days = 0")
            .replace("path_style = true", "weight = 700");
        let storage = parse(&at_once, Path::new("/etc")).expect("fine").server.storage;
        let disks = storage.expect("has the role").disks;
        let DiskConfig::Folder { cold: Some(cold), .. } = &disks[1] else { panic!("cold") };
        assert_eq!((cold.after_days, cold.bucket.weight), (0, Some(700)));

        let fails = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            let mistakes = parse(&text.replace(from, to), Path::new("/etc")).expect_err("refused");
            mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        let key = fails("data_dir =", "key_file = \"kek\"\ndata_dir =");
        assert_eq!(key, "key_file: belongs to role gateway, which `roles` does not name");
        let endpoint = fails("endpoint = \"https://s1.example:7400\"\n", "");
        assert!(endpoint.contains("node.endpoint: is missing"), "{endpoint}");
        let bucket = fails("cold = \"archive\"", "cold = \"attic\"");
        assert!(bucket.contains("a table [buckets.attic]"), "{bucket}");
        let weight = fails("path_style = true", "weight = 0");
        assert!(weight.contains("buckets.archive.weight"), "{weight}");
        let http = fails("https://meta.example:7400", "http://meta.example");
        assert!(http.contains("addresses such as"), "{http}");
    }

    #[test]
    fn text_that_is_no_toml_is_named_by_line() {
        check("listen = ", "listen ", &[(4, "not valid TOML")]);
        let twice = parse("a = 1\na = 2\n", Path::new("")).expect_err("refused");
        assert_eq!(twice[0].line, 2);
    }

    #[test]
    fn no_text_makes_the_reader_panic() {
        for cut in 0..WHOLE.len() {
            let _refused_or_not = parse(&WHOLE[..cut], Path::new(""));
        }
    }
}
