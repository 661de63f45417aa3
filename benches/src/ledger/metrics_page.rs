use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Largest page that is read.
const PAGE_BYTES_MAX: u64 = 1 << 20;

/// The metrics of a process of ours at one moment.
pub(super) struct MetricsPage(String);

impl MetricsPage {
    /// Asks for the page at this address.
    pub(super) async fn read(address: SocketAddr) -> Result<Self> {
        let page = timeout(ANSWER_LIMIT, get(address)).await;
        let page = page.with_context(|| format!("no metrics within {ANSWER_LIMIT:?}"));
        page.flatten().with_context(|| format!("the metrics page at {address}"))
    }

    /// A gauge without labels.
    pub(super) fn gauge(&self, name: &str) -> Option<f64> {
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
        self.0.lines().find_map(value)
    }
}

async fn get(address: SocketAddr) -> Result<MetricsPage> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(PAGE_BYTES_MAX).read_to_end(&mut answer).await?;
    let text = String::from_utf8(answer)?;
    let status = text.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200 "), "it answers {status:?}");
    Ok(MetricsPage(text))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answered_with(answer: &'static str) -> Result<MetricsPage> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("address");
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("accepted");
            let mut request = [0; 256];
            let read = stream.read(&mut request).await.expect("read");
            assert!(request[..read].starts_with(b"GET /metrics HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.expect("answered");
        };
        let ((), page) = tokio::join!(serve, MetricsPage::read(address));
        page
    }

    #[tokio::test]
    async fn a_gauge_is_found_by_its_whole_name() {
        let answer = "HTTP/1.1 200 OK\r\n\r\n# HELP custos_ledger_voters Nodes.\n\
                      custos_ledger_voters_ever 9\ncustos_ledger_voters 3\n";
        let page = answered_with(answer).await.expect("read");
        assert_eq!(page.gauge("custos_ledger_voters"), Some(3.0));
        assert_eq!(page.gauge("custos_ledger"), None);
    }

    #[tokio::test]
    async fn an_answer_that_is_no_page_is_an_error_that_shows_it() {
        let error = answered_with("HTTP/1.1 404 Not Found\r\n\r\n").await.err().expect("error");
        assert!(format!("{error:#}").contains("404"), "{error:#}");
    }
}
