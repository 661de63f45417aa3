use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use custos_core::{ErrorKind, Role, Timestamp};
use rcgen::KeyPair;
use x509_parser::prelude::{FromDer, GeneralName, Pem, X509Certificate};

use super::authority::{Authority, Issued};
use crate::durable_file::{self, FileError, Readers};

/// A certificate with less life left than this is made anew.
const RENEW_BEFORE_SECONDS: i64 = 30 * 86_400;

/// Client certificates that development mode makes: file name and common name, and the role.
const CLIENTS: [(&str, Role); 2] = [("dev-user", Role::Developer), ("dev-station", Role::Station)];

/// File name of the process's own certificate.
const SERVER: &str = "server";

/// Why the certificates of development mode could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A private key that is there cannot be read.
    #[error(
        "{} is damaged: restore it, or remove the whole tls folder to have new certificates made",
        path.display()
    )]
    DamagedKey {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: rcgen::Error,
    },
    /// A certificate could not be made.
    #[error("certificate cannot be made")]
    Issue(#[from] rcgen::Error),
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl CertificateError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::DamagedKey { .. } => ErrorKind::Integrity,
            Self::Issue(_) => ErrorKind::Internal,
            Self::File(error) => error.kind(),
        }
    }
}

/// Makes what is missing in `dir`. The server's certificate is made anew when the one that is there
/// does not do for its address; otherwise nothing is written, so that a full disk keeps no cluster
/// from starting.
pub(super) fn prepare(dir: &Path, ip: IpAddr, now: Timestamp) -> Result<(), CertificateError> {
    durable_file::create_dir(dir)?;
    let authority = authority(dir, now)?;
    if !(is_usable(dir, SERVER, now)? && is_for(&certificate_path(dir, SERVER), ip)?) {
        write(dir, SERVER, &authority.issue_server(ip, now)?)?;
    }
    for (name, role) in CLIENTS {
        if !is_usable(dir, name, now)? {
            write(dir, name, &authority.issue_client(name, role, now)?)?;
        }
    }
    Ok(())
}

fn authority(dir: &Path, now: Timestamp) -> Result<Authority, CertificateError> {
    let key_path = dir.join("ca.key.pem");
    let (key, is_new) = match durable_file::read_text(&key_path)? {
        Some(pem) => {
            let key = KeyPair::from_pem(&pem)
                .map_err(|source| CertificateError::DamagedKey { path: key_path, source })?;
            (key, false)
        }
        None => {
            // What the lost authority signed is worthless now.
            for name in CLIENTS.map(|(name, _)| name).into_iter().chain([SERVER]) {
                durable_file::remove(&certificate_path(dir, name))?;
            }
            let key = KeyPair::generate()?;
            let pem = key.serialize_pem();
            durable_file::replace(&key_path, pem.as_bytes(), Readers::OwnerOnly)?;
            (key, true)
        }
    };
    let authority = Authority::new(key);
    if is_new || !has_life_left(&certificate_path(dir, "ca"), now)? {
        let certificate = authority.certificate(now)?;
        let path = certificate_path(dir, "ca");
        durable_file::replace(&path, certificate.as_bytes(), Readers::Everyone)?;
    }
    Ok(authority)
}

/// The authority of a folder that was prepared, and its certificate, PEM.
pub(super) fn open_authority(
    dir: &Path,
    now: Timestamp,
) -> Result<(Authority, String), CertificateError> {
    let authority = authority(dir, now)?;
    let ca_pem = match durable_file::read_text(&certificate_path(dir, "ca"))? {
        Some(pem) => pem,
        None => authority.certificate(now)?,
    };
    Ok((authority, ca_pem))
}

/// The certificate goes last: where it is, its key is too.
fn write(dir: &Path, name: &str, issued: &Issued) -> Result<(), FileError> {
    let certificate = certificate_path(dir, name);
    durable_file::remove(&certificate)?;
    durable_file::replace(&key_path(dir, name), issued.key.as_bytes(), Readers::OwnerOnly)?;
    durable_file::replace(&certificate, issued.certificate.as_bytes(), Readers::Everyone)
}

fn is_usable(dir: &Path, name: &str, now: Timestamp) -> Result<bool, FileError> {
    let has_key = durable_file::read_text(&key_path(dir, name))?.is_some();
    Ok(has_key && has_life_left(&certificate_path(dir, name), now)?)
}

/// Whether a certificate is there, can be parsed and does not expire soon.
fn has_life_left(path: &Path, now: Timestamp) -> Result<bool, FileError> {
    let needed = now.as_millis() / 1000 + RENEW_BEFORE_SECONDS;
    let outlives =
        |certificate: &X509Certificate<'_>| certificate.validity().not_after.timestamp() > needed;
    Ok(look(path, outlives)?.unwrap_or(false))
}

/// Whether a server at `ip` can use a certificate, to clients and to the rest of its cluster.
fn is_for(path: &Path, ip: IpAddr) -> Result<bool, FileError> {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let fits = |certificate: &X509Certificate<'_>| {
        let is_system = certificate
            .subject()
            .iter_organizational_unit()
            .any(|unit| unit.as_str() == Ok(Role::System.name()));
        let names = certificate.subject_alternative_name().ok().flatten();
        let is_named = ip.is_unspecified()
            || names.is_some_and(|names| {
                names.value.general_names.contains(&GeneralName::IPAddress(&octets))
            });
        is_system && is_named
    };
    Ok(look(path, fits)?.unwrap_or(false))
}

/// What `judge` says of the first certificate in a file; `None` when there is none to be read.
fn look(
    path: &Path,
    judge: impl Fn(&X509Certificate<'_>) -> bool,
) -> Result<Option<bool>, FileError> {
    let Some(text) = durable_file::read_text(path)? else { return Ok(None) };
    Ok(Pem::iter_from_buffer(text.as_bytes()).next().and_then(|pem| {
        let pem = pem.ok()?;
        let (_, certificate) = X509Certificate::from_der(&pem.contents).ok()?;
        Some(judge(&certificate))
    }))
}

fn certificate_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.pem"))
}

fn key_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.key.pem"))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn now() -> Timestamp {
        "2026-03-01T08:00:00Z".parse().expect("time")
    }

    fn with_certificate<T>(path: &Path, look: impl FnOnce(&X509Certificate<'_>) -> T) -> T {
        let text = fs::read(path).expect("read");
        let pem = Pem::iter_from_buffer(&text).next().expect("one").expect("PEM");
        let (_, certificate) = X509Certificate::from_der(&pem.contents).expect("X.509");
        look(&certificate)
    }

    fn prepare_in(dir: &Path) {
        prepare(dir, IpAddr::from([10, 1, 2, 3]), now()).expect("prepared");
    }

    #[test]
    fn client_certificates_say_who_acts_and_in_which_role_and_keys_are_private() {
        let dir = tempfile::tempdir().expect("tempdir");
        prepare_in(dir.path());
        for (name, role) in [("dev-user", "developer"), ("dev-station", "station")] {
            with_certificate(&certificate_path(dir.path(), name), |certificate| {
                let subject = certificate.subject();
                let common = subject.iter_common_name().next().expect("CN");
                let unit = subject.iter_organizational_unit().next().expect("OU");
                assert_eq!(common.as_str(), Ok(name));
                assert_eq!(unit.as_str(), Ok(role));
            });
        }
        for name in ["ca", "server", "dev-user", "dev-station"] {
            let metadata = fs::metadata(key_path(dir.path(), name)).expect("key");
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn the_server_certificate_names_this_machine_and_its_address() {
        let dir = tempfile::tempdir().expect("tempdir");
        prepare_in(dir.path());
        let names = with_certificate(&certificate_path(dir.path(), "server"), |certificate| {
            let names = certificate.subject_alternative_name().expect("fine").expect("there");
            let unit = certificate.subject().iter_organizational_unit().next().expect("OU");
            assert_eq!(unit.as_str(), Ok("system"));
            let usage = certificate.extended_key_usage().expect("fine").expect("there").value;
            assert!(usage.server_auth && usage.client_auth);
            format!("{:?}", names.value.general_names)
        });
        assert!(names.contains("localhost"), "{names}");
        assert!(names.contains("10, 1, 2, 3") || names.contains("[a, 1, 2, 3]"), "{names}");
    }

    #[test]
    fn what_is_there_stays_and_what_is_missing_or_old_is_made() {
        let dir = tempfile::tempdir().expect("tempdir");
        prepare_in(dir.path());
        let read = |name: &str| fs::read(dir.path().join(name)).expect("read");
        let (ca, user, server) = (read("ca.pem"), read("dev-user.pem"), read("server.pem"));
        fs::remove_file(dir.path().join("dev-station.key.pem")).expect("removed");
        prepare_in(dir.path());
        assert_eq!((read("ca.pem"), read("dev-user.pem")), (ca, user.clone()));
        assert_eq!(read("server.pem"), server);
        assert!(dir.path().join("dev-station.key.pem").exists());
        let later = now().plus_days(800);
        prepare(dir.path(), IpAddr::from([127, 0, 0, 1]), later).expect("prepared");
        assert_ne!(read("dev-user.pem"), user);
        let server = read("server.pem");
        prepare(dir.path(), IpAddr::from([10, 9, 9, 9]), later).expect("prepared");
        assert_ne!(read("server.pem"), server, "it is for another address");
    }

    #[test]
    fn a_damaged_authority_key_is_named_and_not_replaced() {
        let dir = tempfile::tempdir().expect("tempdir");
        prepare_in(dir.path());
        let path = dir.path().join("ca.key.pem");
        fs::write(&path, "no key").expect("write");
        let error = prepare(dir.path(), IpAddr::from([127, 0, 0, 1]), now()).expect_err("damaged");
        assert!(error.to_string().contains("ca.key.pem is damaged"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("read"), "no key");
    }
}
