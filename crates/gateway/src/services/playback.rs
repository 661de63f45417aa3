use std::time::Duration;

use custos_peers::actor_of;
use custos_wire::{
    WireError, evidence_id_from_wire,
    v1::{
        Frame, FrameBatch, StreamEnd, StreamHead, StreamRequest, StreamResponse,
        playback_server::Playback, stream_response,
    },
};
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tracing::{Instrument, info_span, warn};

use crate::{
    Gateway, GatewayError, GatewayMetrics,
    playback::{View, ViewRequest},
};

/// Frames in one message: 512 KiB of data.
const FRAMES_PER_MESSAGE: usize = 8;
/// Messages that may wait for a player that reads slowly.
const MESSAGES_AHEAD: usize = 8;

pub(super) struct PlaybackService {
    gateway: Gateway,
}

impl PlaybackService {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }
}

#[tonic::async_trait]
impl Playback for PlaybackService {
    type StreamStream = ReceiverStream<Result<StreamResponse, Status>>;

    async fn stream(
        &self,
        request: Request<StreamRequest>,
    ) -> Result<Response<Self::StreamStream>, Status> {
        let actor = actor_of(&request)?;
        let request = request.into_inner();
        let evidence_id = evidence_id_from_wire(&request.evidence_id)?;
        let span = info_span!("Playback.Stream", actor = %actor.name, evidence = %evidence_id);
        let wanted = ViewRequest {
            evidence_id,
            start: request.start,
            end: request.end,
            purpose: request.purpose,
        };
        let view = self
            .gateway
            .open_view(&actor, wanted)
            .instrument(span.clone())
            .await
            .map_err(WireError::from)?;
        let (messages, receiver) = mpsc::channel(MESSAGES_AHEAD);
        let metrics = self.gateway.metrics().clone();
        let idle_max = self.gateway.inner.options.idle_max;
        let run = async move {
            if let Err(error) = send_view(view, &messages, &metrics, idle_max).await {
                warn!(%error, kind = %error.kind(), "stream stopped");
                // The player may be gone: there is nobody else to tell.
                let _gone =
                    messages.send_timeout(Err(WireError::from(error).into()), idle_max).await;
            }
        };
        tokio::spawn(run.instrument(span));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// Whether the player took a message.
#[derive(PartialEq, Eq)]
enum Taken {
    Yes,
    PlayerIsGone,
}

async fn send_view(
    mut view: View,
    messages: &mpsc::Sender<Result<StreamResponse, Status>>,
    metrics: &GatewayMetrics,
    idle_max: Duration,
) -> Result<(), GatewayError> {
    let send = |message| async {
        // A player that pauses for long must not keep buffers from the others.
        let sent = messages.send_timeout(Ok(StreamResponse { message: Some(message) }), idle_max);
        match sent.await {
            Ok(()) => Ok(Taken::Yes),
            Err(SendTimeoutError::Closed(_)) => Ok(Taken::PlayerIsGone),
            Err(SendTimeoutError::Timeout(_)) => {
                Err(GatewayError::Idle { seconds: idle_max.as_secs() })
            }
        }
    };
    let head = StreamHead {
        size: view.record().parts.size,
        blake3: view.record().parts.blake3.0.to_vec(),
        start: view.range().start,
        end: view.range().end,
        log_index: view.log_index().0,
    };
    if send(stream_response::Message::Head(head)).await? == Taken::PlayerIsGone {
        return Ok(());
    }
    while let Some(proven) = view.next_frames().await? {
        let mut proven = proven.into_iter().peekable();
        while proven.peek().is_some() {
            let frames: Vec<_> = proven
                .by_ref()
                .take(FRAMES_PER_MESSAGE)
                .map(|frame| Frame { parents: frame.parents, data: frame.data })
                .collect();
            let bytes = frames.iter().map(|frame| frame.data.len() as u64).sum();
            let message = stream_response::Message::Frames(FrameBatch { frames });
            if send(message).await? == Taken::PlayerIsGone {
                return Ok(());
            }
            metrics.playback_bytes.inc_by(bytes);
        }
    }
    send(stream_response::Message::End(StreamEnd {})).await?;
    Ok(())
}
