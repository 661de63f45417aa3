use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use custos_core::{ChunkSize, ErasureProfile};
use custos_ledger::{IncompleteDescriptor, Policy, RETENTION_DAYS_MIN};
use toml::de::DeTable;
use tracing_subscriber::EnvFilter;

use super::{
    ConfigError, ConfigMistake, ConfigProblem, LogFormat, LogOptions, Process, ServerConfig,
    TelemetryOptions, TlsFiles,
    table_reader::{Document, TableReader},
};
use crate::durable_file;

const ROLES: [&str; 3] = ["meta", "storage", "gateway"];
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

struct Reading<'d, 'i> {
    document: &'d Document<'i>,
    folder: &'d Path,
}

impl<'d, 'i> Reading<'d, 'i> {
    /// `None` when something is wrong. Everything is read before that is judged, so that all
    /// mistakes are found.
    fn process(&self, table: &'d DeTable<'i>) -> Option<Process> {
        let root = TableReader::root(self.document, table);
        let roles = self.roles(&root);
        let data_dir = self.path(&root, "data_dir", "a folder");
        let listen = root
            .required_string("listen", ADDRESS)
            .and_then(|text| text.map(self.document, |text| address(&text)));
        let metrics_listen = root
            .string("metrics", ADDRESS)
            .and_then(|text| text.map(self.document, |text| address(&text)));
        let profile = match root.string("profile", PROFILE) {
            Some(text) => text.map(self.document, |text| text.parse().or(bad(&text, PROFILE))),
            None => Some(ErasureProfile::P4_2),
        };
        let disks = self.disks(&root, profile);
        let chunk_size = match root.number("chunk_size_mib", CHUNK_SIZE) {
            Some(mib) => mib.map(self.document, |mib| {
                ChunkSize::new(u64::from(mib) << 20).map_or_else(|| bad(mib, CHUNK_SIZE), Ok)
            }),
            None => Some(ChunkSize::DEFAULT),
        };
        let key_file = self.path(&root, "key_file", "a file");
        let cluster_name = match root.string("cluster_name", CLUSTER_NAME) {
            Some(name) => name.map(self.document, cluster_name),
            None => Some("custos.local".to_owned()),
        };
        let tls = self.tls(root.table("tls"));
        let policy = self.policy(root.table("policy"));
        let log = self.log(root.table("log"));
        let telemetry = self.telemetry(root.table("telemetry"));
        root.finish();

        roles?;
        let server = ServerConfig {
            data_dir: data_dir?,
            listen: listen?,
            metrics_listen,
            tls: tls?,
            disks: disks?,
            profile: profile?,
            chunk_size: chunk_size?,
            policy: policy?,
            key_file: key_file?,
            cluster_name: cluster_name?,
        };
        Some(Process { server, log: log?, telemetry: telemetry? })
    }

    fn roles(&self, root: &TableReader<'d, 'i>) -> Option<()> {
        let expected = "[\"meta\", \"storage\", \"gateway\"]: in this release one process runs \
                        all three roles";
        root.required_strings("roles", expected)?.map(self.document, |roles| {
            let is_complete = ROLES.iter().all(|role| roles.iter().any(|given| given == role));
            if is_complete && roles.len() == ROLES.len() {
                Ok(())
            } else {
                bad(format!("{roles:?}"), expected)
            }
        })
    }

    fn disks(
        &self,
        root: &TableReader<'d, 'i>,
        profile: Option<ErasureProfile>,
    ) -> Option<Vec<PathBuf>> {
        let disks = root.required_strings("disks", "a list of folders, one per disk")?;
        disks.map(self.document, |disks| {
            for (number, disk) in disks.iter().enumerate() {
                if disk.is_empty() {
                    return bad("an empty path", "a list of folders, one per disk");
                }
                if disks[..number].contains(disk) {
                    return bad(format!("{disk:?} twice"), "a list of different folders");
                }
            }
            if let Some(profile) = profile
                && disks.len() != profile.total()
            {
                let needed = profile.total();
                let expected =
                    format!("{needed} folders, as profile {profile} has {needed} shards");
                return bad(format!("a list of {}", disks.len()), expected);
            }
            Ok(disks.iter().map(|disk| self.folder.join(disk)).collect())
        })
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

    fn path(
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

const ADDRESS: &str = "an IP address and a port, such as \"0.0.0.0:7400\"";
const PROFILE: &str = "one of \"2+1\", \"4+2\", \"8+3\", \"10+4\"";
const CHUNK_SIZE: &str = "a power of two from 1 to 64";
const CLUSTER_NAME: &str =
    "a name such as \"evidence.example\": 1 to 128 letters, digits, dots, dashes";

fn address(text: &str) -> Result<SocketAddr, ConfigProblem> {
    text.parse().or(bad(format!("{text:?}"), ADDRESS))
}

fn cluster_name(text: String) -> Result<String, ConfigProblem> {
    let is_fine = (1..=CLUSTER_NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if is_fine { Ok(text) } else { bad(format!("{text:?}"), CLUSTER_NAME) }
}

fn bad<T>(value: impl ToString, expected: impl Into<String>) -> Result<T, ConfigProblem> {
    Err(ConfigProblem::Value { value: value.to_string(), expected: expected.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(process.server.disks[1], Path::new("/b"));
        assert_eq!(process.server.chunk_size, ChunkSize::DEFAULT);
        assert_eq!(process.server.policy.retention_days_av, 365);
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
        check("\"meta\", ", "", &[(2, "one process runs all three roles")]);
        check(", \"/c\"", "", &[(6, "3 folders, as profile 2+1 has 3 shards")]);
        check("\"/c\"", "\"/a\"", &[(6, "different folders")]);
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
