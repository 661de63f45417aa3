use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// The metrics page of a process.
///
/// # Panics
/// When it is not served.
#[must_use]
#[track_caller]
pub fn metrics_page(address: SocketAddr) -> String {
    try_metrics_page(address).unwrap_or_else(|e| panic!("metrics of {address}: {e}"))
}

/// The metrics page of a process that may not be there.
pub(crate) fn try_metrics_page(address: SocketAddr) -> io::Result<String> {
    let mut answer = String::new();
    let mut tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(ANSWER_LIMIT))?;
    write!(tcp, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    tcp.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, page)) if head.starts_with("HTTP/1.1 200 ") => Ok(page.to_owned()),
        _ => Err(io::Error::other(answer)),
    }
}
