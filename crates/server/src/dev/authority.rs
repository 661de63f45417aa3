use std::{net::IpAddr, time::Duration};

use custos_core::{Role, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
    SanType, string::Ia5String,
};

/// Machines' clocks differ: certificates begin this long before they are made.
const BACKDATE: Duration = Duration::from_hours(24);
const CA_LIFE_DAYS: u32 = 3650;
const LEAF_LIFE_DAYS: u32 = 825;

/// The certificate authority of one development folder.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, in PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    /// The authority that has this key. Its name follows from the key, so that it can be made
    /// again from the key alone, and two of them can be told apart.
    pub(super) fn new(key: KeyPair) -> Self {
        let issuer = Issuer::new(ca_params(&key), key);
        Self { issuer }
    }

    /// Its own certificate, in PEM.
    pub(super) fn certificate(&self, now: Timestamp) -> Result<String, rcgen::Error> {
        let mut params = ca_params(self.issuer.key());
        set_life(&mut params, now, CA_LIFE_DAYS);
        Ok(params.self_signed(self.issuer.key())?.pem())
    }

    /// A certificate for a server on this machine that listens at `ip`; to other processes of its
    /// cluster it is a client too.
    pub(super) fn issue_server(&self, ip: IpAddr, now: Timestamp) -> Result<Issued, rcgen::Error> {
        let mut ips = vec![IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
        if !ip.is_unspecified() && !ips.contains(&ip) {
            ips.push(ip);
        }
        let localhost = Ia5String::try_from("localhost")?;
        let mut params = leaf_params("custosd", now);
        let unit = DnType::OrganizationalUnitName;
        params.distinguished_name.push(unit, Role::System.name());
        params.subject_alt_names = vec![SanType::DnsName(localhost)];
        params.subject_alt_names.extend(ips.into_iter().map(SanType::IpAddress));
        params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
        params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ClientAuth);
        self.issue(&params)
    }

    /// A certificate for a client: `name` is who acts, `role` what it may do.
    pub(super) fn issue_client(
        &self,
        name: &str,
        role: Role,
        now: Timestamp,
    ) -> Result<Issued, rcgen::Error> {
        self.issue(&client_params(name, role, now))
    }

    /// A certificate for a client with a key of its own, PEM: of its certificate signing request
    /// nothing but the public key is taken.
    pub(super) fn sign_client(
        &self,
        request_pem: &str,
        name: &str,
        role: Role,
        now: Timestamp,
    ) -> Result<String, rcgen::Error> {
        let request = CertificateSigningRequestParams::from_pem(request_pem)?;
        let params = client_params(name, role, now);
        Ok(params.signed_by(&request.public_key, &self.issuer)?.pem())
    }

    fn issue(&self, params: &CertificateParams) -> Result<Issued, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn ca_params(key: &KeyPair) -> CertificateParams {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.der_bytes());
    let tag = data_encoding::HEXLOWER.encode(&digest.as_ref()[..4]);
    let mut params = CertificateParams::default();
    params.distinguished_name = named(&format!("Custos development CA {tag}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn client_params(name: &str, role: Role, now: Timestamp) -> CertificateParams {
    let mut params = leaf_params(name, now);
    params.distinguished_name.push(DnType::OrganizationalUnitName, role.name());
    params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ClientAuth);
    params
}

fn leaf_params(name: &str, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    set_life(&mut params, now, LEAF_LIFE_DAYS);
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

fn set_life(params: &mut CertificateParams, now: Timestamp, days: u32) {
    let since_epoch = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_epoch;
    params.not_before = now - BACKDATE;
    params.not_after = now + Duration::from_hours(24) * days;
}
