use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use crate::durable_file::{self, FileError, Readers};

/// Writes the client configuration of the dev user next to the `tls` folder.
pub(super) fn write(path: &Path, address: SocketAddr) -> Result<(), FileError> {
    let text = text(address);
    // A full disk must not keep a cluster from starting at its old address.
    if durable_file::read_text(path)?.is_some_and(|old| old == text) {
        return Ok(());
    }
    durable_file::replace(path, text.as_bytes(), Readers::Everyone)
}

fn text(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let reachable = SocketAddr::new(ip, address.port());
    format!(
        "# Written by `custosd dev` when its address changes. Paths are relative to this file.\n\
         endpoint = \"https://{reachable}\"\n\
         ca = \"tls/ca.pem\"\n\
         certificate = \"tls/dev-user.pem\"\n\
         key = \"tls/dev-user.key.pem\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_an_address_that_it_can_reach() {
        let endpoint = |address: &str| {
            let text = text(address.parse().expect("address"));
            let table: toml::Table = text.parse().expect("TOML");
            assert_eq!(table.len(), 4);
            assert_eq!(table["certificate"].as_str(), Some("tls/dev-user.pem"));
            table["endpoint"].as_str().expect("text").to_owned()
        };
        assert_eq!(endpoint("127.0.0.1:41234"), "https://127.0.0.1:41234");
        assert_eq!(endpoint("0.0.0.0:7400"), "https://127.0.0.1:7400");
        assert_eq!(endpoint("[::]:7400"), "https://[::1]:7400");
    }
}
