use custos_core::Role;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::PeerTls;

/// The certificate authority of one test.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    ca_pem: String,
}

impl Default for TestAuthority {
    fn default() -> Self {
        Self::new()
    }
}

impl TestAuthority {
    /// An authority that nobody else trusts.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Custos test CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let ca_pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), ca_pem }
    }

    /// A server at 127.0.0.1 that asks its clients for certificates of this authority.
    ///
    /// # Panics
    /// When no certificate can be made.
    #[must_use]
    pub fn server(&self) -> ServerTlsConfig {
        self.server_named("127.0.0.1")
    }

    /// A server whose certificate is for `host` alone.
    ///
    /// # Panics
    /// When no certificate can be made.
    #[must_use]
    pub fn server_named(&self, host: &str) -> ServerTlsConfig {
        let (certificate, key) = self.issue(host, Role::System, host);
        ServerTlsConfig::new()
            .identity(Identity::from_pem(certificate, key))
            .client_ca_root(Certificate::from_pem(&self.ca_pem))
    }

    /// A client that is `name` and has this role.
    ///
    /// # Panics
    /// When no certificate can be made.
    #[must_use]
    pub fn client(&self, name: &str, role: Role) -> PeerTls {
        let (certificate_pem, key_pem) = self.issue(name, role, "127.0.0.1");
        PeerTls { ca_pem: self.ca_pem.clone(), certificate_pem, key_pem }
    }

    fn issue(&self, name: &str, role: Role, host: &str) -> (String, String) {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a host");
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.distinguished_name.push(DnType::OrganizationalUnitName, role.name());
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }
}
