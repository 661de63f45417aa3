use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType,
};
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

/// File of the authority.
pub(crate) const CA_FILE: &str = "ca.pem";
/// Certificate and key of the processes of a cluster, made by [`write_system`].
pub(crate) const SYSTEM_FILES: [&str; 2] = ["system.pem", "system.key.pem"];

/// Makes an authority and a certificate for each side of a connection on this machine, as Custos
/// uses them, in `dir`.
pub(crate) fn write_all(dir: &Path) -> Result<()> {
    let issuer = write_authority(dir)?;
    for (name, usage) in [
        ("server", ExtendedKeyUsagePurpose::ServerAuth),
        ("client", ExtendedKeyUsagePurpose::ClientAuth),
    ] {
        let mut params = params_of(name);
        params.insert_extended_key_usage(usage);
        write_signed(dir, name, params, &issuer)?;
    }
    Ok(())
}

/// Makes an authority and one certificate of the role `system` in `dir`, which serves on either
/// side of a connection, as the processes of a cluster are both.
pub(crate) fn write_system(dir: &Path) -> Result<()> {
    let issuer = write_authority(dir)?;
    let mut params = params_of("custos-bench");
    params.distinguished_name.push(DnType::OrganizationalUnitName, "system");
    params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ServerAuth);
    params.insert_extended_key_usage(ExtendedKeyUsagePurpose::ClientAuth);
    write_signed(dir, "system", params, &issuer)
}

/// The server's side, which asks the client for its certificate.
pub(crate) fn server_tls(dir: &Path) -> Result<ServerTlsConfig> {
    Ok(ServerTlsConfig::new().identity(identity(dir, "server")?).client_ca_root(authority(dir)?))
}

/// The client's side.
pub(crate) fn client_tls(dir: &Path) -> Result<ClientTlsConfig> {
    tls_as(dir, "client")
}

/// The side of a process of the cluster that calls another one.
pub(crate) fn system_tls(dir: &Path) -> Result<ClientTlsConfig> {
    tls_as(dir, "system")
}

fn tls_as(dir: &Path, name: &str) -> Result<ClientTlsConfig> {
    let tls = ClientTlsConfig::new().ca_certificate(authority(dir)?);
    Ok(tls.identity(identity(dir, name)?))
}

fn authority(dir: &Path) -> Result<Certificate> {
    Ok(Certificate::from_pem(read(dir, CA_FILE)?))
}

fn identity(dir: &Path, name: &str) -> Result<Identity> {
    let certificate = read(dir, &format!("{name}.pem"))?;
    Ok(Identity::from_pem(certificate, read(dir, &format!("{name}.key.pem"))?))
}

fn write_authority(dir: &Path) -> Result<Issuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "custos-bench CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate()?;
    write(dir, CA_FILE, &params.self_signed(&key)?.pem())?;
    Ok(Issuer::new(params, key))
}

fn params_of(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
    params
}

fn write_signed(
    dir: &Path,
    name: &str,
    params: CertificateParams,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<()> {
    let key = KeyPair::generate()?;
    write(dir, &format!("{name}.pem"), &params.signed_by(&key, issuer)?.pem())?;
    write(dir, &format!("{name}.key.pem"), &key.serialize_pem())
}

fn read(dir: &Path, name: &str) -> Result<String> {
    let path = dir.join(name);
    fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
}

fn write(dir: &Path, name: &str, text: &str) -> Result<()> {
    let path = dir.join(name);
    fs::write(&path, text).with_context(|| format!("{}", path.display()))
}
