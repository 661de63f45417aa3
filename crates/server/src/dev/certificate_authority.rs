use std::{path::Path, sync::Arc};

use custos_core::Role;
use custos_gateway::{CertificateAuthority, SignedCertificate};
use custos_ports::Clock;

use super::{authority::Authority, certificates};
use crate::dev::CertificateError;

/// The certificate authority of a development cluster, as its gateway uses it.
pub(super) struct DevAuthority {
    authority: Authority,
    ca_pem: String,
    clock: Arc<dyn Clock>,
}

impl DevAuthority {
    /// The one in a folder that was prepared.
    pub(super) fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, CertificateError> {
        let (authority, ca_pem) = certificates::open_authority(dir, clock.now())?;
        Ok(Self { authority, ca_pem, clock })
    }
}

impl CertificateAuthority for DevAuthority {
    fn sign(&self, request_pem: &str, name: &str, role: Role) -> Result<SignedCertificate, String> {
        let certificate_pem = self
            .authority
            .sign_client(request_pem, name, role, self.clock.now())
            .map_err(|error| format!("the request cannot be signed: {error}"))?;
        Ok(SignedCertificate { certificate_pem, ca_pem: self.ca_pem.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use custos_core::Timestamp;
    use custos_ports::Clock;
    use rcgen::{CertificateParams, KeyPair};
    use x509_parser::prelude::{FromDer, Pem, X509Certificate};

    use super::*;

    struct Fixed(Timestamp);

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    fn authority(dir: &Path) -> DevAuthority {
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().expect("time");
        certificates::prepare(dir, IpAddr::from([127, 0, 0, 1]), now).expect("prepared");
        DevAuthority::open(dir, Arc::new(Fixed(now))).expect("opened")
    }

    #[test]
    fn r26_nothing_but_the_key_is_taken_from_a_request() {
        let dir = tempfile::tempdir().expect("tempdir");
        let key = KeyPair::generate().expect("key");
        // Its own idea of who it is does not count.
        let params = CertificateParams::new(["evil.example".to_owned()]).expect("params");
        let request = params.serialize_request(&key).expect("request").pem().expect("PEM");
        let signed =
            authority(dir.path()).sign(&request, "zhao.min", Role::Officer).expect("signed");
        assert!(signed.ca_pem.contains("BEGIN CERTIFICATE"));
        let pem = Pem::iter_from_buffer(signed.certificate_pem.as_bytes());
        let pem = pem.last().expect("one").expect("PEM");
        let (_, certificate) = X509Certificate::from_der(&pem.contents).expect("X.509");
        let subject = certificate.subject();
        let common = subject.iter_common_name().next().expect("CN");
        let unit = subject.iter_organizational_unit().next().expect("OU");
        assert_eq!((common.as_str(), unit.as_str()), (Ok("zhao.min"), Ok("officer")));
        assert!(certificate.subject_alternative_name().expect("fine").is_none());
        let usage = certificate.extended_key_usage().expect("fine").expect("there").value;
        assert!(usage.client_auth && !usage.server_auth, "it is no server's");
        assert_eq!(certificate.public_key().subject_public_key.data.as_ref(), key.public_key_raw());
    }

    #[test]
    fn what_is_no_request_is_not_signed() {
        let dir = tempfile::tempdir().expect("tempdir");
        let authority = authority(dir.path());
        let certificate = std::fs::read_to_string(dir.path().join("ca.pem")).expect("read");
        for text in ["", "no PEM", &certificate] {
            authority.sign(text, "zhao.min", Role::Officer).expect_err("is no request");
        }
    }
}
