use std::{
    io::{Read, Write},
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
    let mut answer = String::new();
    let asked = TcpStream::connect(address).and_then(|mut tcp| {
        tcp.set_read_timeout(Some(ANSWER_LIMIT))?;
        let host = address.to_string();
        write!(tcp, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        tcp.read_to_string(&mut answer)
    });
    asked.unwrap_or_else(|e| panic!("metrics of {address}: {e}"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "metrics of {address}: {answer}");
    let (_head, page) = answer.split_once("\r\n\r\n").expect("HTTP has a head and a body");
    page.to_owned()
}
