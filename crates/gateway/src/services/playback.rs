use std::{
    future::pending,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use custos_core::{ErrorKind, law::GrantScope};
use custos_peers::actor_of;
use custos_wire::{
    WireError, evidence_id_from_wire,
    v1::{
        Frame, FrameBatch, StreamEnd, StreamHead, StreamRequest, StreamResponse,
        playback_server::Playback, stream_response,
    },
};
use futures::{FutureExt, Stream, StreamExt, stream::BoxStream};
use tokio::sync::{
    mpsc::{self, error::SendTimeoutError},
    oneshot,
};
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
    type StreamStream = BoxStream<'static, Result<StreamResponse, Status>>;

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
            scope: scope_from_wire(request.scope.as_deref())?,
            grant: request.grant,
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
        let (end_now, ended_now) = oneshot::channel();
        let run = async move {
            let watch = view.watch();
            let broken = async {
                match &watch {
                    Some(watch) => watch.broken().await,
                    None => pending().await,
                }
            };
            let error = tokio::select! {
                biased;
                error = broken => error,
                sent = send_view(view, &messages, &metrics, idle_max) => match sent {
                    Ok(()) => return,
                    Err(error) => error,
                },
            };
            warn!(%error, kind = %error.kind(), "stream stopped");
            let at_once = error.kind() == ErrorKind::Refused;
            let status = WireError::from(error).into();
            // The player may be gone: there is nobody else to tell.
            if at_once {
                let _gone = end_now.send(status);
            } else {
                let _gone = messages.send_timeout(Err(status), idle_max).await;
            }
        };
        tokio::spawn(run.instrument(span));
        let messages = Messages { waiting: ReceiverStream::new(receiver), ended_now };
        Ok(Response::new(messages.boxed()))
    }
}

/// What goes to the player, in order; but what ends the stream at once goes before all that waits
/// (rule R18: when a grant is revoked, nothing more leaves under it).
struct Messages {
    waiting: ReceiverStream<Result<StreamResponse, Status>>,
    ended_now: oneshot::Receiver<Status>,
}

impl Stream for Messages {
    type Item = Result<StreamResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Once it gave something or its sender is gone, it gives nothing more.
        if !self.ended_now.is_terminated()
            && let Poll::Ready(Ok(status)) = self.ended_now.poll_unpin(context)
        {
            self.waiting.close();
            while let Poll::Ready(Some(_)) = self.waiting.poll_next_unpin(context) {}
            return Poll::Ready(Some(Err(status)));
        }
        self.waiting.poll_next_unpin(context)
    }
}

fn scope_from_wire(scope: Option<&str>) -> Result<GrantScope, WireError> {
    match scope {
        None => Ok(GrantScope::View),
        Some(name) => name.parse().map_err(|error| WireError::invalid("scope", error)),
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
