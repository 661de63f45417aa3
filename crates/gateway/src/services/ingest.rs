use custos_core::{Actor, Blake3Hash, ErasureProfile, ErrorKind, UploadKey};
use custos_peers::actor_of;
use custos_wire::{
    WireError, descriptor_from_wire, evidence_id_from_wire, receipt_to_wire,
    v1::{
        self, AbortRequest, AbortResponse, PushRequest, PushResponse, ingest_server::Ingest,
        push_request, push_response,
    },
};
use tokio::{
    sync::mpsc::{self, error::SendTimeoutError},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::{Instrument, info_span, warn};

use crate::{
    Gateway, GatewayError,
    metrics::RunningGuard,
    upload::{OpenUpload, Opened, Upload},
};

/// Answers that may wait for a client that does not read.
const ANSWERS_MAX: usize = 16;

pub(super) struct IngestService {
    gateway: Gateway,
}

impl IngestService {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }
}

#[tonic::async_trait]
impl Ingest for IngestService {
    type PushStream = ReceiverStream<Result<PushResponse, Status>>;

    async fn push(
        &self,
        request: Request<Streaming<PushRequest>>,
    ) -> Result<Response<Self::PushStream>, Status> {
        let actor = actor_of(&request)?;
        let span = info_span!("Ingest.Push", actor = %actor.name);
        let (answers, receiver) = mpsc::channel(ANSWERS_MAX);
        let push = Push {
            gateway: self.gateway.clone(),
            requests: request.into_inner(),
            answers: answers.clone(),
        };
        let idle_max = self.gateway.inner.options.idle_max;
        let run = async move {
            let _running = RunningGuard::new(&push.gateway.metrics().uploads_running);
            if let Err(error) = push.run(&actor).await {
                warn!(%error, kind = %error.kind(), "upload stopped");
                // The client may be gone: there is nobody else to tell.
                let _gone =
                    answers.send_timeout(Err(WireError::from(error).into()), idle_max).await;
            }
        };
        tokio::spawn(run.instrument(span));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn abort(
        &self,
        request: Request<AbortRequest>,
    ) -> Result<Response<AbortResponse>, Status> {
        let actor = actor_of(&request)?;
        let request = request.into_inner();
        let evidence_id = evidence_id_from_wire(&request.evidence_id)?;
        self.gateway
            .abort_upload(&actor, evidence_id, &request.reason)
            .await
            .map_err(WireError::from)?;
        Ok(Response::new(AbortResponse {}))
    }
}

/// One running `Push`.
struct Push {
    gateway: Gateway,
    requests: Streaming<PushRequest>,
    answers: mpsc::Sender<Result<PushResponse, Status>>,
}

/// What happens next on a running upload.
#[allow(clippy::large_enum_variant, reason = "taken apart where it is made; data must cost no box")]
enum Event {
    Message(Option<push_request::Message>),
    Durable(u64),
    Failed(GatewayError),
}

impl Push {
    async fn run(mut self, actor: &Actor) -> Result<(), GatewayError> {
        let Some(push_request::Message::Open(open)) = self.next_message().await? else {
            return Err(WireError::invalid("open", "must be the first message").into());
        };
        let upload = match self.gateway.open_upload(actor, parse_open(open)?).await? {
            Opened::Upload(upload) => upload,
            Opened::Sealed(receipt) => {
                self.answer(push_response::Message::Receipt(receipt_to_wire(receipt))).await?;
                return Ok(());
            }
        };
        let opened = v1::Opened {
            evidence_id: upload.evidence_id().as_bytes().to_vec(),
            durable_offset: upload.durable_offset(),
            chunk_size: u32::try_from(upload.chunk_size().bytes()).expect("at most 64 MiB"),
        };
        self.answer(push_response::Message::Opened(opened)).await?;
        self.take_in(upload).await
    }

    /// Takes messages in while there is room, so that flow control holds the client back when the
    /// stores are slower than it is.
    async fn take_in(&mut self, mut upload: Box<Upload>) -> Result<(), GatewayError> {
        loop {
            match self.next_event(&mut upload).await {
                Event::Message(Some(push_request::Message::Data(data))) => {
                    upload.push(data.offset, &data.data).await?;
                }
                Event::Message(Some(push_request::Message::Finish(finish))) => {
                    let blake3 = Blake3Hash::from_slice(&finish.blake3).ok_or_else(|| {
                        let len = finish.blake3.len();
                        WireError::invalid("blake3", format!("{len} bytes, 32 expected"))
                    })?;
                    let receipt = upload.finish(finish.size, blake3).await?;
                    self.answer(push_response::Message::Receipt(receipt_to_wire(receipt))).await?;
                    return Ok(());
                }
                Event::Message(Some(push_request::Message::Open(_))) => {
                    return Err(WireError::invalid("open", "may come only once").into());
                }
                // The client hung up: what is on its way becomes durable, the upload stays open.
                Event::Message(None) => {
                    while upload.is_writing() {
                        upload.next_durable().await?;
                    }
                    return Ok(());
                }
                Event::Durable(offset) => {
                    self.answer(push_response::Message::Durable(v1::Durable { offset })).await?;
                }
                Event::Failed(error) => return Err(error),
            }
        }
    }

    async fn next_event(&mut self, upload: &mut Upload) -> Event {
        let has_room = upload.has_room();
        let taken_over = upload.taken_over_handle();
        tokio::select! {
            biased;
            () = taken_over.wait() => Event::Failed(upload.taken_over_error()),
            durable = upload.next_durable() => match durable {
                Ok(offset) => Event::Durable(offset),
                Err(error) => Event::Failed(error),
            },
            message = self.next_message(), if has_room => match message {
                Ok(message) => Event::Message(message),
                Err(error) => Event::Failed(error),
            },
        }
    }

    /// The next message; `None` when the client ended its side or the connection broke.
    async fn next_message(&mut self) -> Result<Option<push_request::Message>, GatewayError> {
        let idle_max = self.gateway.inner.options.idle_max;
        match timeout(idle_max, self.requests.message()).await {
            Ok(Ok(Some(PushRequest { message: Some(message) }))) => Ok(Some(message)),
            Ok(Ok(Some(PushRequest { message: None }))) => {
                Err(WireError::invalid("message", "is empty or of an unknown sort").into())
            }
            Ok(Ok(None)) => Ok(None),
            Ok(Err(status)) => {
                let error = WireError::from(status);
                // A message that is too large or cannot be decoded is the client's fault.
                if matches!(error.kind, ErrorKind::Invalid | ErrorKind::Internal) {
                    return Err(WireError::invalid("message", error.message).into());
                }
                Ok(None)
            }
            Err(_) => Err(GatewayError::Idle { seconds: idle_max.as_secs() }),
        }
    }

    /// Answers the client; one that is gone shows by its next message, one that does not read is
    /// let go.
    async fn answer(&self, message: push_response::Message) -> Result<(), GatewayError> {
        let idle_max = self.gateway.inner.options.idle_max;
        let answer = Ok(PushResponse { message: Some(message) });
        match self.answers.send_timeout(answer, idle_max).await {
            Ok(()) | Err(SendTimeoutError::Closed(_)) => Ok(()),
            Err(SendTimeoutError::Timeout(_)) => {
                Err(GatewayError::Idle { seconds: idle_max.as_secs() })
            }
        }
    }
}

fn parse_open(open: v1::Open) -> Result<OpenUpload, WireError> {
    let upload_key = UploadKey::from_slice(&open.upload_key).ok_or_else(|| {
        let len = open.upload_key.len();
        WireError::invalid("upload_key", format!("{len} bytes, 32 expected"))
    })?;
    let descriptor =
        open.descriptor.ok_or_else(|| WireError::invalid("descriptor", "is missing"))?;
    let profile = match open.profile.as_str() {
        "" => None,
        text => Some(
            text.parse::<ErasureProfile>().map_err(|error| WireError::invalid("profile", error))?,
        ),
    };
    Ok(OpenUpload { upload_key, descriptor: descriptor_from_wire(descriptor)?, profile })
}
