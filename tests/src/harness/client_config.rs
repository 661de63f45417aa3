use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::authority::TlsFiles;

/// A `client.toml` taken apart: where the cluster is, whom the client trusts, who it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    table: Table,
    dir: PathBuf,
}

/// Keys of the file.
const ENDPOINT: &str = "endpoint";
const CA: &str = "ca";
const CERTIFICATE: &str = "certificate";
const KEY: &str = "key";

impl ClientConfig {
    /// A client of the server at this address.
    ///
    /// # Panics
    /// When a path is no UTF-8.
    #[must_use]
    pub fn new(server: SocketAddr, tls: &TlsFiles) -> Self {
        let mut table = Table::new();
        table.insert(ENDPOINT.to_owned(), Value::String(format!("https://{server}")));
        for (key, path) in [(CA, &tls.ca), (CERTIFICATE, &tls.certificate), (KEY, &tls.key)] {
            let path = path.to_str().expect("paths of tests are UTF-8");
            table.insert(key.to_owned(), Value::String(path.to_owned()));
        }
        let dir = tls.ca.parent().expect("a file lies in a folder").to_path_buf();
        Self { table, dir }
    }

    /// Reads the file.
    ///
    /// # Panics
    /// When it is not what `custosd dev` writes.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { table, dir: path.parent().expect("a file lies in a folder").to_path_buf() }
    }

    /// Writes it to another file, with absolute paths.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) {
        let mut table = self.table.clone();
        for name in [CA, CERTIFICATE, KEY] {
            if table.contains_key(name) {
                table.insert(name.to_owned(), self.absolute(name));
            }
        }
        fs::write(path, table.to_string()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// The same client, with the certificate and key of another.
    #[must_use]
    pub fn with_identity_of(&self, other: &Self) -> Self {
        let mut changed = self.clone();
        for name in [CERTIFICATE, KEY] {
            changed.table.insert(name.to_owned(), other.absolute(name));
        }
        changed
    }

    /// The same client, trusting the certification authority of another.
    #[must_use]
    pub fn with_trust_of(&self, other: &Self) -> Self {
        let mut changed = self.clone();
        changed.table.insert(CA.to_owned(), other.absolute(CA));
        changed
    }

    /// The file without one of its keys.
    #[must_use]
    pub fn without(&self, key: &str) -> Self {
        let mut changed = self.clone();
        changed.table.remove(key);
        changed
    }

    /// The file with another text under one of its keys.
    #[must_use]
    pub fn with_text(&self, key: &str, text: &str) -> Self {
        let mut changed = self.clone();
        changed.table.insert(key.to_owned(), Value::String(text.to_owned()));
        changed
    }

    /// Names of the keys that no client can do without.
    #[must_use]
    pub fn required_keys() -> [&'static str; 4] {
        [ENDPOINT, CA, CERTIFICATE, KEY]
    }

    /// Where the server is: what follows `https://`.
    ///
    /// # Panics
    /// When the endpoint is no address.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        let endpoint = self.text(ENDPOINT);
        let address = endpoint.strip_prefix("https://").and_then(|text| text.parse().ok());
        address.unwrap_or_else(|| panic!("{endpoint:?} is no https:// address"))
    }

    /// Certificate of the authority that the client trusts, PEM.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.pem(CA)
    }

    /// Certificate of the client, PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.pem(CERTIFICATE)
    }

    /// Key of the client, PEM.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.pem(KEY)
    }

    fn text(&self, name: &str) -> &str {
        let text = self.table.get(name).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text {name:?} in {}", self.table))
    }

    /// Absolute path of the file that a key names, if it does not hold the PEM itself.
    fn path_of(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        let path = || self.dir.join(text).to_str().expect("paths of tests are UTF-8").to_owned();
        (!is_pem(text)).then(path)
    }

    /// The key's value so that it means the same in any folder.
    fn absolute(&self, name: &str) -> Value {
        Value::String(self.path_of(name).unwrap_or_else(|| self.text(name).to_owned()))
    }

    fn pem(&self, name: &str) -> String {
        match self.path_of(name) {
            Some(path) => fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}")),
            None => self.text(name).to_owned(),
        }
    }
}

fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN")
}
