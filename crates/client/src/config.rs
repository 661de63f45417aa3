use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::ClientError;

/// Environment variable that names the configuration file.
pub const CONFIG_ENV: &str = "CUSTOS_CONFIG";

/// Where the server is and who the client is: `client.toml`.
///
/// ```toml
/// endpoint = "https://127.0.0.1:7400"
/// ca = "tls/ca.pem"              # relative to this file
/// certificate = "tls/dev-user.pem"
/// key = "tls/dev-user.key.pem"
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// `https://host:port`.
    pub endpoint: String,
    /// PEM of the cluster's certificate authority.
    pub ca_pem: Vec<u8>,
    /// PEM of the client's certificate: who acts.
    pub certificate_pem: Vec<u8>,
    /// PEM of its private key.
    pub key_pem: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    endpoint: String,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
}

impl ClientConfig {
    /// The file to read: `explicit`, else `$CUSTOS_CONFIG`, else `custos/client.toml` in the
    /// user's configuration directory.
    #[must_use]
    pub fn locate(explicit: Option<&Path>) -> PathBuf {
        if let Some(path) = explicit {
            return path.to_owned();
        }
        if let Some(path) = env::var_os(CONFIG_ENV).filter(|path| !path.is_empty()) {
            return path.into();
        }
        let base = env::var_os("XDG_CONFIG_HOME")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))
            .unwrap_or_default();
        base.join("custos").join("client.toml")
    }

    /// Reads a configuration file and the PEM files that it names.
    ///
    /// # Errors
    /// [`ClientError::Config`], naming the file and what is wrong with it.
    pub fn load(path: &Path) -> Result<Self, ClientError> {
        let error = |reason: String| ClientError::Config { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|source| {
            error(format!("{source}; name one with --config FILE or {CONFIG_ENV}"))
        })?;
        let raw: RawConfig = toml::from_str(&text).map_err(|source| error(source.to_string()))?;
        if !raw.endpoint.starts_with("https://") {
            return Err(error(format!(
                "endpoint: {:?} does not begin with https://",
                raw.endpoint
            )));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let pem = |field: &str, name: &Path| -> Result<Vec<u8>, ClientError> {
            let file = folder.join(name);
            let bytes = fs::read(&file)
                .map_err(|source| error(format!("{field}: {}: {source}", file.display())))?;
            if !String::from_utf8_lossy(&bytes).contains("-----BEGIN") {
                return Err(error(format!("{field}: {} is not a PEM file", file.display())));
            }
            Ok(bytes)
        };
        Ok(Self {
            ca_pem: pem("ca", &raw.ca)?,
            certificate_pem: pem("certificate", &raw.certificate)?,
            key_pem: pem("key", &raw.key)?,
            endpoint: raw.endpoint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<ClientConfig, ClientError> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("client.toml");
        fs::write(&path, text).expect("written");
        for name in ["ca.pem", "me.pem", "me.key.pem"] {
            fs::write(folder.path().join(name), "-----BEGIN X-----").expect("written");
        }
        ClientConfig::load(&path)
    }

    const GOOD: &str = "endpoint = \"https://localhost:1\"\nca = \"ca.pem\"\n\
                        certificate = \"me.pem\"\nkey = \"me.key.pem\"\n";

    #[test]
    fn paths_are_relative_to_the_file() {
        assert_eq!(load(GOOD).expect("loads").endpoint, "https://localhost:1");
    }

    #[test]
    fn a_damaged_file_is_named_with_what_is_wrong() {
        for (text, names) in [
            ("endpoint = \"htt", "endpoint"),
            (&GOOD.replace("ca = ", "cb = "), "cb"),
            (&GOOD.replace("me.key.pem", "gone.pem"), "gone.pem"),
            (&GOOD.replace("https://", "http://"), "https://"),
        ] {
            let error = load(text).expect_err("damaged").to_string();
            assert!(error.contains("client.toml") && error.contains(names), "{error}");
        }
    }
}
