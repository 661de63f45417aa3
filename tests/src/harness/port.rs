use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::atomic::{AtomicU64, Ordering},
};

use super::seed::{self, Seed};

/// Below the range that Linux hands out on its own (32768 and up), so that no outgoing
/// connection takes the port while the server that owns it is down.
const PORT_FIRST: u16 = 16_000;
const PORT_COUNT: u64 = 16_000;
const TRIES_MAX: u32 = 200;

static DRAWN: AtomicU64 = AtomicU64::new(0);

/// A loopback address that nobody listens on. Fixed rather than `:0`, so that a server that is
/// started again is found by clients that are still trying.
///
/// # Panics
/// When no port is free.
#[must_use]
pub fn free_address() -> SocketAddr {
    let nth = DRAWN.fetch_add(1, Ordering::Relaxed);
    let mut random = Seed(seed::fresh().wrapping_add(nth)).random();
    (0..TRIES_MAX)
        .map(|_| PORT_FIRST + u16::try_from(random.below(PORT_COUNT)).expect("below 16,000"))
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a port between 16000 and 32000 is free")
}
