//! For tests over real sockets with real TLS.

mod authority;
mod server;

pub use authority::TestAuthority;
pub use server::TestServer;
