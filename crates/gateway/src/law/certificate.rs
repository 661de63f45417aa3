use custos_core::{
    Actor, ErrorKind, Refusal, Role, Rule,
    law::{Record, RecordKind},
};

use crate::{Gateway, GatewayError};

/// Longest certificate signing request: 16 KiB, several times the longest that is of use.
const REQUEST_BYTES_MAX: usize = 16 << 10;

/// A certificate that an authority signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCertificate {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Certificate of the authority, PEM.
    pub ca_pem: String,
}

/// The cluster's own certificate authority, where it has one.
pub trait CertificateAuthority: Send + Sync {
    /// Signs a client certificate for the public key of a certificate signing request (RFC 2986,
    /// PEM): `name` becomes its common name, `role` its organisational unit. Nothing but the key is
    /// taken from the request.
    ///
    /// # Errors
    /// In words, when the request cannot be read or its key was not used to sign it.
    fn sign(&self, request_pem: &str, name: &str, role: Role) -> Result<SignedCertificate, String>;
}

impl Gateway {
    /// Has the cluster's own authority sign a certificate for a person or station that is on the
    /// register and active.
    ///
    /// # Errors
    /// Refused under R23 unless an administrator or developer asks, under R26 when whoever asks or is
    /// asked for is not active, and where the cluster has no authority of its own; `NotFound` for
    /// somebody who is not on the register; `Invalid` for a request that cannot be read.
    pub async fn issue_certificate(
        &self,
        actor: &Actor,
        name: &str,
        request_pem: &str,
    ) -> Result<SignedCertificate, GatewayError> {
        check_right(actor)?;
        let role = self.role_on_register(actor, name).await?;
        let Some(authority) = &self.inner.deps.authority else {
            let reason = format!(
                "this cluster has no certificate authority of its own: have the certificate signed \
                 by yours with CN {name} and OU {role}"
            );
            return Err(Refusal::refused(Rule::R26, "certificate", reason).into());
        };
        if request_pem.len() > REQUEST_BYTES_MAX {
            let reason =
                format!("{} bytes, at most {REQUEST_BYTES_MAX} are taken", request_pem.len());
            return Err(Refusal::invalid(Rule::I10, "request_pem", reason).into());
        }
        authority
            .sign(request_pem, name, role)
            .map_err(|reason| Refusal::invalid(Rule::R26, "request_pem", reason).into())
    }

    /// The role under which somebody stands on the register, read by who asks for it.
    async fn role_on_register(&self, actor: &Actor, name: &str) -> Result<Role, GatewayError> {
        for kind in [RecordKind::Person, RecordKind::Station] {
            let found = match self.law_record(actor, kind, name).await {
                Ok(found) => found.record,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let (role, active) = match found {
                Record::Person(person) => (person.role, person.active),
                Record::Station(station) => (Role::Station, station.active),
                _ => return Err(GatewayError::unexpected("Record of the register")),
            };
            if !active {
                let reason = format!("{name} is on the register, but not active");
                return Err(Refusal::refused(Rule::R26, "name", reason).into());
            }
            return Ok(role);
        }
        let reason = format!("no person and no station is called {name}");
        Err(Refusal::not_found(Rule::R26, "name", reason).into())
    }
}

fn check_right(actor: &Actor) -> Result<(), Refusal> {
    match actor.role {
        Role::Administrator | Role::Developer => Ok(()),
        role => {
            let reason = format!("a {role} may not have certificates signed");
            Err(Refusal::refused(Rule::R23, "role", reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r23_only_administrators_and_the_developer_have_certificates_signed() {
        for role in Role::ALL {
            let may = matches!(role, Role::Administrator | Role::Developer);
            let checked = check_right(&Actor { role: *role, ..Actor::system() });
            assert_eq!(checked.is_ok(), may, "{role}");
        }
    }
}
