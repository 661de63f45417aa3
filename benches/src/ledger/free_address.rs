use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result};

/// Below the range that Linux hands out on its own (32768 and up), so that no outgoing connection
/// takes a port before the process that it is for.
const PORT_FIRST: u16 = 16_000;
const PORT_COUNT: u16 = 16_000;
const TRIES_MAX: usize = 200;

/// Loopback addresses that nobody listens on, no two alike.
pub(super) fn free_addresses<const N: usize>() -> Result<[SocketAddr; N]> {
    let mut random = [0; 2];
    aws_lc_rs::rand::fill(&mut random).context("a random port")?;
    let first = u16::from_le_bytes(random) % PORT_COUNT;
    let ports = (0..PORT_COUNT).map(|step| PORT_FIRST + (first + step) % PORT_COUNT);
    let mut found = Vec::new();
    for port in ports.take(TRIES_MAX) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            found.push(address);
        }
        if found.len() == N {
            break;
        }
    }
    let addresses = found.try_into().ok();
    addresses.context("not enough ports between 16000 and 32000 are free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_free_and_no_two_alike() {
        let addresses: [SocketAddr; 6] = free_addresses().expect("free");
        let listeners: Vec<_> = addresses.iter().map(TcpListener::bind).collect();
        assert!(listeners.iter().all(Result::is_ok), "{listeners:?}");
    }
}
