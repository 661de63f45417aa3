use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use anyhow::{Context, Result};
use bytes::Bytes;
use custos_core::units::FRAME_BYTES;
use custos_wire::v1::{
    AbortRequest, AbortResponse, Durable, Frame, FrameBatch, Opened, PushRequest, PushResponse,
    Receipt, StreamEnd, StreamHead, StreamRequest, StreamResponse,
    ingest_server::{Ingest, IngestServer},
    playback_server::{Playback, PlaybackServer},
    push_request, push_response, stream_response,
};
use tokio::{io::AsyncReadExt, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, server::TcpIncoming},
};

use super::raw_grpc::{CONNECTION_WINDOW_BYTES, FRAME_BYTES_MAX, STREAM_WINDOW_BYTES};
use crate::{certificates, content::Content, sample_chunk::CHUNK_SIZE};

/// Frames in one message, answers and messages that may wait: as the gateway has them.
const FRAMES_PER_MESSAGE: usize = 8;
const ANSWERS_MAX: usize = 16;
const MESSAGES_AHEAD: usize = 8;

/// Speaks the services' protocol and keeps nothing: what streaming alone costs.
#[derive(Debug, Clone, Copy)]
struct Sink;

type Answers<T> = mpsc::Sender<Result<T, Status>>;

/// Serves until standard input ends, as it does with the process that started this one.
pub(super) async fn serve(tls_dir: Option<&Path>) -> Result<()> {
    let incoming = TcpIncoming::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let incoming = incoming.context("a port on loopback")?.with_nodelay(Some(true));
    let address = incoming.local_addr()?;
    let mut server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX);
    if let Some(dir) = tls_dir {
        server = server.tls_config(certificates::server_tls(dir)?)?;
    }
    let server = server
        .add_service(IngestServer::new(Sink))
        .add_service(PlaybackServer::new(Sink))
        .serve_with_incoming(incoming);
    println!("ready {address}");
    tokio::select! {
        served = server => served?,
        () = end_of_input() => {}
    }
    Ok(())
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut byte = [0];
    while let Ok(1) = input.read(&mut byte).await {}
}

#[tonic::async_trait]
impl Ingest for Sink {
    type PushStream = ReceiverStream<Result<PushResponse, Status>>;

    async fn push(
        &self,
        request: Request<Streaming<PushRequest>>,
    ) -> Result<Response<Self::PushStream>, Status> {
        let (answers, receiver) = mpsc::channel(ANSWERS_MAX);
        tokio::spawn(async move {
            if let Err(status) = take_in(request.into_inner(), &answers).await {
                // The client may be gone: there is nobody else to tell.
                let _gone = answers.send(Err(status)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn abort(&self, _: Request<AbortRequest>) -> Result<Response<AbortResponse>, Status> {
        Ok(Response::new(AbortResponse {}))
    }
}

async fn take_in(
    mut requests: Streaming<PushRequest>,
    answers: &Answers<PushResponse>,
) -> Result<(), Status> {
    let chunk_bytes = CHUNK_SIZE.bytes() as u64;
    let mut offset = 0;
    while let Some(request) = requests.message().await? {
        let answer = match request.message {
            Some(push_request::Message::Open(_)) => push_response::Message::Opened(Opened {
                evidence_id: vec![0; 16],
                durable_offset: 0,
                chunk_size: u32::try_from(chunk_bytes).expect("at most 64 MiB"),
            }),
            Some(push_request::Message::Data(data)) => {
                let chunk = offset / chunk_bytes;
                offset += data.data.len() as u64;
                if offset / chunk_bytes == chunk {
                    continue;
                }
                push_response::Message::Durable(Durable { offset })
            }
            Some(push_request::Message::Finish(_)) => {
                push_response::Message::Receipt(Receipt { size: offset, ..Receipt::default() })
            }
            None => return Err(Status::invalid_argument("a message is empty")),
        };
        if answers.send(Ok(PushResponse { message: Some(answer) })).await.is_err() {
            break;
        }
    }
    Ok(())
}

#[tonic::async_trait]
impl Playback for Sink {
    type StreamStream = ReceiverStream<Result<StreamResponse, Status>>;

    async fn stream(
        &self,
        request: Request<StreamRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let end = request.into_inner().end.unwrap_or(0);
        let (messages, receiver) = mpsc::channel(MESSAGES_AHEAD);
        tokio::spawn(send_frames(end, messages));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// Sends frames until they are `end` bytes, or nobody listens any more.
async fn send_frames(end: u64, messages: Answers<StreamResponse>) {
    let frame: Bytes = Content::new(1).bytes(FRAME_BYTES).into();
    let frame = Frame { parents: Bytes::new(), data: frame };
    let frames = vec![frame; FRAMES_PER_MESSAGE];
    let batch_bytes = (FRAMES_PER_MESSAGE * FRAME_BYTES) as u64;
    let head = StreamHead { size: end, end, ..StreamHead::default() };
    let batches = (0..end.div_ceil(batch_bytes))
        .map(|_| stream_response::Message::Frames(FrameBatch { frames: frames.clone() }));
    let stream = std::iter::once(stream_response::Message::Head(head))
        .chain(batches)
        .chain([stream_response::Message::End(StreamEnd {})]);
    for message in stream {
        if messages.send(Ok(StreamResponse { message: Some(message) })).await.is_err() {
            return;
        }
    }
}
