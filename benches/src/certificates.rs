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

/// Makes an authority and a certificate for each side of a connection on this machine, as Custos
/// uses them, in `dir`.
pub(crate) fn write_all(dir: &Path) -> Result<()> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "custos-bench CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate()?;
    write(dir, "ca.pem", &params.self_signed(&key)?.pem())?;
    let issuer = Issuer::new(params, key);
    for (name, usage) in [
        ("server", ExtendedKeyUsagePurpose::ServerAuth),
        ("client", ExtendedKeyUsagePurpose::ClientAuth),
    ] {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        params.insert_extended_key_usage(usage);
        let key = KeyPair::generate()?;
        write(dir, &format!("{name}.pem"), &params.signed_by(&key, &issuer)?.pem())?;
        write(dir, &format!("{name}.key.pem"), &key.serialize_pem())?;
    }
    Ok(())
}

/// The server's side, which asks the client for its certificate.
pub(crate) fn server_tls(dir: &Path) -> Result<ServerTlsConfig> {
    Ok(ServerTlsConfig::new().identity(identity(dir, "server")?).client_ca_root(authority(dir)?))
}

/// The client's side.
pub(crate) fn client_tls(dir: &Path) -> Result<ClientTlsConfig> {
    let tls = ClientTlsConfig::new().ca_certificate(authority(dir)?);
    Ok(tls.identity(identity(dir, "client")?))
}

fn authority(dir: &Path) -> Result<Certificate> {
    Ok(Certificate::from_pem(read(dir, "ca.pem")?))
}

fn identity(dir: &Path, name: &str) -> Result<Identity> {
    let certificate = read(dir, &format!("{name}.pem"))?;
    Ok(Identity::from_pem(certificate, read(dir, &format!("{name}.key.pem"))?))
}

fn read(dir: &Path, name: &str) -> Result<String> {
    let path = dir.join(name);
    fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
}

fn write(dir: &Path, name: &str, text: &str) -> Result<()> {
    let path = dir.join(name);
    fs::write(&path, text).with_context(|| format!("{}", path.display()))
}
