use std::sync::{Arc, OnceLock};

use custos_core::{Actor, Refusal, Role, Rule};
use custos_wire::WireError;
use tonic::{
    Request,
    transport::{CertificateDer, server::TlsConnectInfo},
};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Longest common name that is accepted.
const NAME_BYTES_MAX: usize = 64;

/// Who is at the other end of a connection, for whoever accepts connections to give each one
/// (`Connected::ConnectInfo`): the certificate is then read once, and not for every request.
#[derive(Debug, Clone, Default)]
pub struct Caller(Arc<OnceLock<Result<Actor, &'static str>>>);

/// Who acts: the holder of the client certificate of the connection (rule R26).
///
/// # Errors
/// `Refused` under R26 when there is no certificate, or it names nobody or no role.
pub fn actor_of<T>(request: &Request<T>) -> Result<Actor, WireError> {
    let connection = request.extensions().get::<TlsConnectInfo<Caller>>();
    let certificates = match connection {
        Some(connection) => connection.peer_certs(),
        None => request.peer_certs(),
    };
    let leaf = certificates.as_ref().and_then(|chain| chain.first());
    let read = || leaf.ok_or("no client certificate was presented").and_then(actor_from);
    let actor = match connection {
        Some(connection) => connection.get_ref().0.get_or_init(read).clone(),
        None => read(),
    };
    actor.map_err(refused)
}

/// Who acts, if it is the store itself: what nodes serve to each other is for nobody else.
///
/// # Errors
/// As [`actor_of`]; `Refused` under R23 when the certificate's role is not `system`.
pub fn system_actor_of<T>(request: &Request<T>) -> Result<Actor, WireError> {
    let actor = actor_of(request)?;
    if actor.role == Role::System {
        return Ok(actor);
    }
    let reason = format!(
        "{} has the role {}, this service is for the nodes of the cluster (role system)",
        actor.name, actor.role
    );
    Err(Refusal::refused(Rule::R23, "client_certificate", reason).into())
}

fn actor_from(certificate: &CertificateDer<'_>) -> Result<Actor, &'static str> {
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|_| "the client certificate cannot be parsed")?;
    let subject = parsed.subject();
    let name = subject
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok())
        .filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX)
        .ok_or("the client certificate has no usable common name")?;
    let role = subject
        .iter_organizational_unit()
        .find_map(|unit| unit.as_str().ok().and_then(Role::from_name))
        .ok_or("the client certificate names no role")?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    let fingerprint = digest.as_ref().try_into().expect("SHA-256 gives 32 bytes");
    Ok(Actor { name: name.to_owned(), role, fingerprint })
}

fn refused(reason: &str) -> WireError {
    Refusal::refused(Rule::R26, "client_certificate", reason).into()
}
