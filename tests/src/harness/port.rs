use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Mutex, PoisonError},
};

use super::seed::{self, Seed};

/// Below the range that Linux hands out on its own (32768 and up), so that no outgoing
/// connection takes the port while the server that owns it is down.
const PORT_FIRST: u16 = 16_000;
const PORT_COUNT: u64 = 16_000;
const TRIES_MAX: u32 = 200;

/// What this process has handed out: nobody may listen there yet.
static DRAWN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A loopback address that nobody listens on, never the same twice in one test. Fixed rather than
/// `:0`, so that a server that is started again is found by clients that are still trying.
///
/// # Panics
/// When no port is free.
#[must_use]
pub fn free_address() -> SocketAddr {
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut random = Seed(seed::fresh().wrapping_add(drawn.len() as u64)).random();
    let (port, address) = (0..TRIES_MAX)
        .map(|_| PORT_FIRST + u16::try_from(random.below(PORT_COUNT)).expect("below 16,000"))
        .filter(|port| !drawn.contains(port))
        .map(|port| (port, SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
        .find(|(_, address)| TcpListener::bind(address).is_ok())
        .expect("a port between 16000 and 32000 is free");
    drawn.insert(port);
    address
}
