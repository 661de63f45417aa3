use std::net::IpAddr;

use custos_core::ErrorKind;
use tonic::transport::Uri;

/// Who says that a cluster may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Nobody: only this machine is.
    ThisMachineOnly,
    /// The user, for whatever cluster the endpoint names.
    Asserted,
}

/// A cluster that must not be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointRefused {
    /// The endpoint cannot be understood.
    #[error("the endpoint {endpoint:?} is no URI with a host")]
    Unreadable {
        /// As the configuration has it.
        endpoint: String,
    },
    /// The endpoint is on another machine.
    #[error(
        "{host} is not this machine: a load test can stop a cluster from doing its work; \
         give --i-own-this-cluster when it is yours to load"
    )]
    NotLoopback {
        /// The host that the endpoint names.
        host: String,
    },
}

impl EndpointRefused {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. } => ErrorKind::Invalid,
            Self::NotLoopback { .. } => ErrorKind::Refused,
        }
    }
}

/// Lets through the endpoints that may be loaded. Names are not looked up: of them only
/// `localhost` is sure to be this machine.
pub(crate) fn check(endpoint: &str, ownership: Ownership) -> Result<(), EndpointRefused> {
    let unreadable = || EndpointRefused::Unreadable { endpoint: endpoint.to_owned() };
    let uri: Uri = endpoint.parse().map_err(|_| unreadable())?;
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(unreadable)?;
    if ownership == Ownership::Asserted || is_loopback(host) {
        return Ok(());
    }
    Err(EndpointRefused::NotLoopback { host: host.to_owned() })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_may_be_loaded() {
        for endpoint in [
            "https://127.0.0.1:7400",
            "https://127.8.9.10",
            "https://[::1]:7400",
            "https://[::ffff:127.0.0.1]:1",
            "https://localhost:7400",
            "https://LOCALHOST",
        ] {
            assert_eq!(check(endpoint, Ownership::ThisMachineOnly), Ok(()), "{endpoint}");
        }
    }

    #[test]
    fn another_machine_is_refused_unless_its_owner_says_so() {
        for endpoint in [
            "https://10.0.0.7:7400",
            "https://evidence.example",
            "https://localhost.example:7400",
            "https://127.0.0.1.example",
            "https://0.0.0.0:7400",
            "https://[2001:db8::1]:7400",
            "https://127.0.0.1@evidence.example",
        ] {
            let refused = check(endpoint, Ownership::ThisMachineOnly).expect_err(endpoint);
            assert_eq!(refused.kind(), ErrorKind::Refused, "{endpoint}");
            assert_eq!(check(endpoint, Ownership::Asserted), Ok(()), "{endpoint}");
        }
    }

    #[test]
    fn what_names_no_host_is_refused_whoever_owns_it() {
        for endpoint in ["", "https://", "/only/a/path", "not a uri"] {
            let refused = check(endpoint, Ownership::Asserted).expect_err(endpoint);
            assert_eq!(refused.kind(), ErrorKind::Invalid, "{endpoint}");
        }
    }
}
