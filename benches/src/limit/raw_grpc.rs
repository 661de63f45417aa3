use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use custos_core::limits;
use custos_wire::v1::{
    Data, Finish, Open, PushRequest, StreamRequest, ingest_client::IngestClient,
    playback_client::PlaybackClient, push_request, push_response, stream_response,
};
use futures::stream;
use tokio::process::Command;
use tonic::transport::{Channel, Endpoint};

use super::{Measure, baseline::Figure};
use crate::{
    certificates,
    content::Content,
    process_probe::ProcessProbe,
    ready_child::{ReadyChild, StopBy},
    work::{Work, cpu_s_per_gib},
};

/// HTTP/2 windows and largest frame of both ends: those of the server. Frames of the default
/// 16 KiB cost a receiver nearly twice the processor time.
pub(super) const STREAM_WINDOW_BYTES: u32 = 4 << 20;
pub(super) const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
pub(super) const FRAME_BYTES_MAX: u32 = 1 << 20;
/// Bytes in one message on the way up: what the client library sends.
const PIECE_BYTES: usize = 512 << 10;
/// Most bytes of one stream.
const STREAM_BYTES_MAX: u64 = limits::EVIDENCE_BYTES_MAX;

/// Streams up and down, with and without TLS, each for the time `each`, over one connection.
pub(super) async fn measure(each: Duration) -> Result<Vec<Figure>> {
    let certificates = tempfile::tempdir().context("a temporary folder for certificates")?;
    certificates::write_all(certificates.path())?;
    let with_tls = measure_over(Some(certificates.path()), each).await?;
    let without = measure_over(None, each).await?;
    Ok(with_tls.into_iter().chain(without).collect())
}

async fn measure_over(tls_dir: Option<&Path>, each: Duration) -> Result<[Figure; 2]> {
    let (up_measure, down_measure) = match tls_dir {
        Some(_) => (Measure::GrpcUpTls, Measure::GrpcDownTls),
        None => (Measure::GrpcUpPlain, Measure::GrpcDownPlain),
    };
    let server = start_server(tls_dir).await?;
    let probes = Probes { server: ProcessProbe::of(server.pid()?) };
    let channel = connect(server.address(), tls_dir).await?;
    let up = probes.around(up_measure, push(channel.clone(), each)).await?;
    let down = probes.around(down_measure, pull(channel, each)).await?;
    server.stop().await?;
    Ok([up, down])
}

async fn start_server(tls_dir: Option<&Path>) -> Result<ReadyChild> {
    let program = std::env::current_exe().context("the path of this program")?;
    let mut command = Command::new(program);
    command.arg("raw-grpc-server");
    if let Some(dir) = tls_dir {
        command.arg("--tls-dir").arg(dir);
    }
    ReadyChild::start("the raw gRPC server", StopBy::EndOfInput, command).await
}

async fn connect(address: &str, tls_dir: Option<&Path>) -> Result<Channel> {
    let scheme = if tls_dir.is_some() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))?
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX);
    if let Some(dir) = tls_dir {
        endpoint = endpoint.tls_config(certificates::client_tls(dir)?)?;
    }
    endpoint.connect().await.with_context(|| format!("connecting to {address}"))
}

/// The processes at both ends of a stream.
struct Probes {
    server: ProcessProbe,
}

impl Probes {
    /// Measures a stream that returns how many bytes went over it.
    async fn around(
        &self,
        measure: Measure,
        stream: impl Future<Output = Result<u64>>,
    ) -> Result<Figure> {
        let (own_before, server_before) = (ProcessProbe::own().cpu()?, self.server.cpu()?);
        let start = Instant::now();
        let bytes = stream.await.with_context(|| measure.label())?;
        let elapsed = start.elapsed();
        let cpu = ProcessProbe::own().cpu()?.saturating_sub(own_before);
        let server_cpu = self.server.cpu()?.saturating_sub(server_before);
        let rate = Work { bytes, elapsed, cpu }.rate().context("no byte was streamed in time")?;
        let server_cpu_s_per_gib = Some(cpu_s_per_gib(server_cpu, bytes));
        Ok(Figure { server_cpu_s_per_gib, ..Figure::new(measure, rate) })
    }
}

/// Sends for the time `each`, and returns the bytes that arrived.
async fn push(channel: Channel, each: Duration) -> Result<u64> {
    let piece: Bytes = Content::new(2).bytes(PIECE_BYTES).into();
    let start = Instant::now();
    let request = |message| PushRequest { message: Some(message) };
    let pieces = (0..STREAM_BYTES_MAX / PIECE_BYTES as u64)
        .take_while(move |_| start.elapsed() < each)
        .map(move |i| Data { offset: i * PIECE_BYTES as u64, data: piece.clone() });
    let messages = std::iter::once(push_request::Message::Open(Open::default()))
        .chain(pieces.map(push_request::Message::Data))
        .chain([push_request::Message::Finish(Finish::default())])
        .map(request);
    let mut ingest = IngestClient::new(channel);
    let mut answers = ingest.push(stream::iter(messages)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        if let Some(push_response::Message::Receipt(receipt)) = answer.message {
            return Ok(receipt.size);
        }
    }
    bail!("the stream ended without a receipt")
}

/// Receives for the time `each`, and returns the bytes that arrived.
async fn pull(channel: Channel, each: Duration) -> Result<u64> {
    let mut playback =
        PlaybackClient::new(channel).max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX);
    let request = StreamRequest { end: Some(STREAM_BYTES_MAX), ..StreamRequest::default() };
    let start = Instant::now();
    let mut messages = playback.stream(request).await?.into_inner();
    let mut bytes = 0;
    while start.elapsed() < each {
        let Some(message) = messages.message().await? else { break };
        if let Some(stream_response::Message::Frames(batch)) = message.message {
            bytes += batch.frames.iter().map(|frame| frame.data.len() as u64).sum::<u64>();
        }
    }
    Ok(bytes)
}
