use custos_core::{Actor, Refusal, Role, Rule};
use custos_wire::WireError;
use tonic::{Request, transport::CertificateDer};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Longest common name that is accepted.
const NAME_BYTES_MAX: usize = 64;

/// Who acts: the holder of the client certificate of the connection (rule R26).
///
/// # Errors
/// `Refused` under R26 when there is no certificate, or it names nobody or no role.
pub fn actor_of<T>(request: &Request<T>) -> Result<Actor, WireError> {
    let certificates = request.peer_certs();
    let leaf = certificates.as_ref().and_then(|chain| chain.first());
    leaf.ok_or_else(|| refused("no client certificate was presented")).and_then(actor_from)
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

fn actor_from(certificate: &CertificateDer<'_>) -> Result<Actor, WireError> {
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|_| refused("the client certificate cannot be parsed"))?;
    let subject = parsed.subject();
    let name = subject
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok())
        .filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX)
        .ok_or_else(|| refused("the client certificate has no usable common name"))?;
    let role = subject
        .iter_organizational_unit()
        .find_map(|unit| unit.as_str().ok().and_then(Role::from_name))
        .ok_or_else(|| refused("the client certificate names no role"))?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
    let fingerprint = digest.as_ref().try_into().expect("SHA-256 gives 32 bytes");
    Ok(Actor { name: name.to_owned(), role, fingerprint })
}

fn refused(reason: &str) -> WireError {
    Refusal::refused(Rule::R26, "client_certificate", reason).into()
}
