//! The key, certificate and configuration of somebody who is to use the store: files for one
//! person or station.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use custos_client::IssuedCertificate;
use custos_core::Role;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use crate::{
    error::CliError,
    output_file::{Existing, OutputError, OutputFile},
};

/// Only its owner may read a private key.
const PRIVATE: u32 = 0o600;
/// Everybody may read a certificate.
const PUBLIC: u32 = 0o644;
/// Name of the configuration in a folder.
const CONFIG_NAME: &str = "client.toml";
const CA_NAME: &str = "ca.pem";

/// A key that was just made, and where it will be written.
pub(crate) struct Identity {
    config: PathBuf,
    /// Name of the PEM files beside the configuration.
    stem: String,
    name: String,
    role: Role,
    key: KeyPair,
}

impl Identity {
    /// Makes a key for somebody. `out` is the configuration file, or the folder where it is to be.
    /// Nothing is written yet, and nothing that is there is to be written over.
    pub(crate) fn prepare(out: &Path, name: &str, role: Role) -> Result<Self, CliError> {
        let config = if out.is_dir() { out.join(CONFIG_NAME) } else { out.to_owned() };
        let stem = name.replace(['/', '\0'], "_");
        let key = KeyPair::generate().map_err(|error| cannot_make(&error))?;
        let identity = Self { config, stem, name: name.to_owned(), role, key };
        for path in [identity.config.clone(), identity.certificate_path(), identity.key_path()] {
            if fs::symlink_metadata(&path).is_ok() {
                let reason =
                    format!("{} exists already; name another FILE or move it", path.display());
                return Err(CliError::Argument { argument: "--out", reason });
            }
        }
        Ok(identity)
    }

    /// The certificate signing request (RFC 2986), PEM.
    pub(crate) fn request_pem(&self) -> Result<String, CliError> {
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CommonName, self.name.as_str());
        subject.push(DnType::OrganizationalUnitName, self.role.name());
        let mut params = CertificateParams::default();
        params.distinguished_name = subject;
        let request = params.serialize_request(&self.key).map_err(|error| cannot_make(&error))?;
        request.pem().map_err(|error| cannot_make(&error))
    }

    /// Writes key, certificate, authority and, last, the configuration; gives the place of that.
    pub(crate) fn write(
        &self,
        endpoint: &str,
        issued: &IssuedCertificate,
    ) -> Result<PathBuf, CliError> {
        write(&self.key_path(), self.key.serialize_pem().as_bytes(), PRIVATE, Existing::Keep)?;
        let certificate = issued.certificate_pem.as_bytes();
        write(&self.certificate_path(), certificate, PUBLIC, Existing::Keep)?;
        // Several persons may have their files in one folder, but not of several clusters.
        let ca = self.beside(CA_NAME);
        if fs::read(&ca).ok().as_deref() != Some(issued.ca_pem.as_bytes()) {
            write(&ca, issued.ca_pem.as_bytes(), PUBLIC, Existing::Keep)?;
        }
        let config = self.config_text(endpoint);
        write(&self.config, config.as_bytes(), PUBLIC, Existing::Keep)?;
        Ok(self.config.clone())
    }

    /// Writes key and request, for an authority elsewhere; gives the place of the request.
    pub(crate) fn write_request(&self) -> Result<PathBuf, CliError> {
        let path = self.beside(&format!("{}.csr.pem", self.stem));
        write(&self.key_path(), self.key.serialize_pem().as_bytes(), PRIVATE, Existing::Keep)?;
        write(&path, self.request_pem()?.as_bytes(), PUBLIC, Existing::Replace)?;
        Ok(path)
    }

    fn config_text(&self, endpoint: &str) -> String {
        let Self { stem, name, role, .. } = self;
        let certificate = format!("{stem}.pem");
        let key = format!("{stem}.key.pem");
        format!(
            "# {name} ({role})\nendpoint = {}\nca = {}\ncertificate = {}\nkey = {}\n",
            quoted(endpoint),
            quoted(CA_NAME),
            quoted(&certificate),
            quoted(&key)
        )
    }

    fn certificate_path(&self) -> PathBuf {
        self.beside(&format!("{}.pem", self.stem))
    }

    fn key_path(&self) -> PathBuf {
        self.beside(&format!("{}.key.pem", self.stem))
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.config.with_file_name(name)
    }
}

fn write(path: &Path, bytes: &[u8], mode: u32, existing: Existing) -> Result<(), OutputError> {
    let output = OutputFile::begin(path, existing)?;
    let mut file = output.writer()?;
    // Before the first byte is in it.
    file.set_permissions(Permissions::from_mode(mode)).map_err(|source| output.error(source))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|source| output.error(source))?;
    output.publish()
}

fn cannot_make(error: &rcgen::Error) -> CliError {
    CliError::Internal { reason: format!("a key or request cannot be made: {error}") }
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use custos_client::ClientConfig;

    use super::*;

    fn issued() -> IssuedCertificate {
        let made = rcgen::generate_simple_self_signed(["x".to_owned()]).expect("made");
        IssuedCertificate { certificate_pem: made.cert.pem(), ca_pem: made.cert.pem() }
    }

    #[test]
    fn the_files_of_a_person_are_ready_for_use_and_the_key_is_private() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let out = folder.path().join("zhao.toml");
        let identity = Identity::prepare(&out, "a/zhao.min", Role::Officer).expect("prepared");
        assert!(identity.request_pem().expect("made").contains("CERTIFICATE REQUEST"));
        identity.write("https://127.0.0.1:7400", &issued()).expect("written");
        let config = ClientConfig::load(&out).expect("loads");
        assert_eq!(config.endpoint, "https://127.0.0.1:7400");
        let key = fs::metadata(folder.path().join("a_zhao.min.key.pem")).expect("there");
        assert_eq!(key.permissions().mode() & 0o777, PRIVATE);
    }

    #[test]
    fn nothing_that_is_there_is_written_over() {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::write(folder.path().join("me.key.pem"), "precious").expect("written");
        let refused = Identity::prepare(folder.path(), "me", Role::Officer);
        let error = refused.err().expect("the key is there").to_string();
        assert!(error.contains("me.key.pem"), "{error}");
        let other = Identity::prepare(folder.path(), "you", Role::Officer).expect("prepared");
        fs::write(folder.path().join(CA_NAME), "of another cluster").expect("written");
        other.write("https://127.0.0.1:1", &issued()).expect_err("the authority is another");
        assert!(!folder.path().join(CONFIG_NAME).exists(), "the configuration comes last");
    }
}
