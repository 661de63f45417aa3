use std::{
    fs::Metadata,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    time::Duration,
};

use custos_core::{Descriptor, ErasureProfile, EvidenceId, Receipt, UploadKey};
use custos_wire::{
    descriptor_to_wire, evidence_id_from_wire, receipt_from_wire,
    v1::{AbortRequest, Open, PushRequest, PushResponse, push_request, push_response},
};
use prost::Message;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tracing::{debug, warn};

use crate::{Client, ClientError, source_file::SourceFile};

/// Messages that may wait to be sent.
const MESSAGES_AHEAD: usize = 4;
/// First and longest pause before a broken upload is tried again.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a server to open an upload, or to give one up. Listing what a long upload has
/// reached takes a while.
const OPEN_MAX: Duration = Duration::from_secs(120);

/// How to put one file.
#[derive(Debug, Clone)]
pub struct PutOptions {
    /// Claims about the evidence.
    pub descriptor: Descriptor,
    /// Erasure profile; the server's default when `None`.
    pub profile: Option<ErasureProfile>,
    /// Name of the upload; [`upload_key_of`] the file when `None`.
    pub upload_key: Option<UploadKey>,
    /// How long to go on trying without any progress.
    pub retry_for: Duration,
}

impl PutOptions {
    /// Puts with this descriptor, resumable by file, trying for five minutes without progress.
    #[must_use]
    pub fn new(descriptor: Descriptor) -> Self {
        Self { descriptor, profile: None, upload_key: None, retry_for: Duration::from_secs(300) }
    }
}

/// What happens during a put.
#[derive(Debug)]
pub enum PutEvent {
    /// The upload is open; bytes go from `durable` on. Comes again after every break.
    Opened {
        /// Identity that the evidence will have.
        evidence_id: EvidenceId,
        /// Everything before survives loss of power.
        durable: u64,
        /// Bytes of the file.
        size: u64,
    },
    /// Everything before this offset survives loss of power.
    Durable(u64),
    /// The connection broke; it is tried again after this pause.
    Retrying {
        /// Why.
        error: ClientError,
        /// Pause.
        pause: Duration,
    },
}

/// What a put gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutReport {
    /// The store's receipt.
    pub receipt: Receipt,
    /// Offset that the last connection went on from: above 0 when the upload was resumed.
    pub resumed_from: u64,
    /// Times that the connection was made again.
    pub retries: u32,
}

/// The name of the upload of a file: the same for the same path, size, modification time and
/// descriptor, so that a client that crashed finds its upload again, and a file that was put
/// already gets its first receipt.
#[must_use]
pub fn upload_key_of(path: &Path, metadata: &Metadata, descriptor: &Descriptor) -> UploadKey {
    let mut hasher = blake3::Hasher::new_derive_key("custos.v1 upload key of a file");
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(absolute.as_os_str().as_bytes());
    for number in [metadata.dev(), metadata.ino(), metadata.len()] {
        field(&number.to_le_bytes());
    }
    field(&metadata.mtime().to_le_bytes());
    field(&metadata.mtime_nsec().to_le_bytes());
    field(&descriptor_to_wire(descriptor).encode_to_vec());
    UploadKey(*hasher.finalize().as_bytes())
}

impl Client {
    /// Puts a file: streams it, resumes after breaks from the last durable offset, and returns the
    /// receipt once it is sealed.
    ///
    /// # Errors
    /// A file that cannot be read or changes meanwhile (nothing is kept then), what the law
    /// refuses, or a cluster that is away for longer than `retry_for`.
    pub async fn put_file(
        &self,
        path: &Path,
        options: PutOptions,
        mut on_event: impl FnMut(PutEvent) + Send,
    ) -> Result<PutReport, ClientError> {
        let (source, metadata) = SourceFile::open(path)?;
        let upload_key = options
            .upload_key
            .unwrap_or_else(|| upload_key_of(path, &metadata, &options.descriptor));
        let open = Open {
            upload_key: upload_key.0.to_vec(),
            descriptor: Some(descriptor_to_wire(&options.descriptor)),
            profile: options.profile.map(|profile| profile.to_string()).unwrap_or_default(),
        };
        let mut put = Put {
            client: self,
            open,
            source: Some(source),
            evidence_id: None,
            resumed_from: None,
            durable: 0,
            on_event: &mut on_event,
        };
        let mut retries = 0;
        let mut backoff = BACKOFF_MIN;
        let mut failing_since = None;
        loop {
            let durable_before = put.durable;
            let error = match put.attempt().await {
                Ok(receipt) => {
                    let receipt = put.checked(receipt).await?;
                    let resumed_from = put.resumed_from.unwrap_or(receipt.size);
                    return Ok(PutReport { receipt, resumed_from, retries });
                }
                Err(error) => error,
            };
            if put.durable > durable_before {
                failing_since = None;
                backoff = BACKOFF_MIN;
            }
            // Counted from the first failure: sending over a slow link is not waiting.
            let waited = failing_since.get_or_insert_with(Instant::now).elapsed();
            let is_local = matches!(error, ClientError::File { .. });
            if is_local || !error.kind().is_retryable() || waited + backoff > options.retry_for {
                put.abandon(&error).await;
                return Err(error);
            }
            (put.on_event)(PutEvent::Retrying { error, pause: backoff });
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
            retries += 1;
        }
    }
}

struct Put<'a> {
    client: &'a Client,
    open: Open,
    source: Option<SourceFile>,
    evidence_id: Option<EvidenceId>,
    resumed_from: Option<u64>,
    durable: u64,
    on_event: &'a mut (dyn FnMut(PutEvent) + Send),
}

impl Put<'_> {
    /// One connection, from `Open` to the receipt or a break.
    async fn attempt(&mut self) -> Result<Receipt, ClientError> {
        let (messages, receiver) = mpsc::channel(MESSAGES_AHEAD);
        let open = push_request::Message::Open(self.open.clone());
        messages.try_send(PushRequest { message: Some(open) }).expect("a fresh channel has room");
        let mut ingest = self.client.ingest();
        let response = ingest.push(ReceiverStream::new(receiver)).await;
        let mut answers = response.map_err(|error| self.client.error_of(error))?.into_inner();
        let opened = timeout(OPEN_MAX, self.next_answer(&mut answers)).await;
        let opened = opened.unwrap_or_else(|_| Err(self.no_answer()))?;
        let offset = match opened {
            push_response::Message::Opened(opened) => {
                let evidence_id = evidence_id_from_wire(&opened.evidence_id)?;
                self.evidence_id = Some(evidence_id);
                self.resumed_from = Some(opened.durable_offset);
                self.durable = opened.durable_offset;
                let size = self.source.as_ref().map_or(0, SourceFile::size);
                let durable = self.durable;
                (self.on_event)(PutEvent::Opened { evidence_id, durable, size });
                opened.durable_offset
            }
            push_response::Message::Receipt(receipt) => return Ok(receipt_from_wire(receipt)?),
            push_response::Message::Durable(_) => {
                return Err(protocol("it acknowledged before it opened the upload"));
            }
        };
        let mut source = self.source.take().expect("put back after every attempt");
        let reader: JoinHandle<(SourceFile, Result<(), ClientError>)> =
            tokio::task::spawn_blocking(move || {
                let sent = source.send_from(offset, &messages);
                (source, sent)
            });
        let outcome = self.read_answers(&mut answers, &reader).await;
        // Ends the connection, and with it the reader's channel.
        drop(answers);
        drop(ingest);
        let (source, sent) = reader.await.expect("the reader does not panic");
        self.source = Some(source);
        // A file that cannot be sent is the cause, whatever the connection then said.
        sent?;
        outcome
    }

    async fn read_answers(
        &mut self,
        answers: &mut Streaming<PushResponse>,
        reader: &JoinHandle<(SourceFile, Result<(), ClientError>)>,
    ) -> Result<Receipt, ClientError> {
        loop {
            match self.next_answer(answers).await {
                Ok(push_response::Message::Durable(durable)) => {
                    self.durable = durable.offset;
                    (self.on_event)(PutEvent::Durable(durable.offset));
                }
                Ok(push_response::Message::Receipt(receipt)) => {
                    return Ok(receipt_from_wire(receipt)?);
                }
                Ok(push_response::Message::Opened(_)) => {
                    return Err(protocol("it opened the upload twice"));
                }
                Err(error) => {
                    debug!(%error, reader_done = reader.is_finished(), "upload stream ended");
                    return Err(error);
                }
            }
        }
    }

    async fn next_answer(
        &mut self,
        answers: &mut Streaming<PushResponse>,
    ) -> Result<push_response::Message, ClientError> {
        match answers.message().await {
            Ok(Some(PushResponse { message: Some(message) })) => Ok(message),
            Ok(Some(PushResponse { message: None })) => Err(protocol("an answer is empty")),
            Ok(None) => Err(ClientError::Connect {
                endpoint: self.client.endpoint().to_owned(),
                reason: "the server ended the upload before it was sealed".to_owned(),
            }),
            Err(status) => Err(self.client.error_of(status)),
        }
    }

    /// The receipt, when it is for this file: it lets a station wipe the recorder.
    async fn checked(&mut self, receipt: Receipt) -> Result<Receipt, ClientError> {
        let mut source = self.source.take().expect("put back after every attempt");
        let check = tokio::task::spawn_blocking(move || {
            let checked = source.check_receipt(&receipt);
            (source, checked.map(|()| receipt))
        });
        let (source, checked) = check.await.expect("reading does not panic");
        self.source = Some(source);
        checked
    }

    fn no_answer(&self) -> ClientError {
        ClientError::Connect {
            endpoint: self.client.endpoint().to_owned(),
            reason: format!("no answer within {} s", OPEN_MAX.as_secs()),
        }
    }

    /// A file that changed under our hands must not be resumed: what is stored of it is given up.
    async fn abandon(&mut self, error: &ClientError) {
        let (ClientError::FileChanged { .. }, Some(evidence_id)) = (error, self.evidence_id) else {
            return;
        };
        let request = AbortRequest {
            evidence_id: evidence_id.as_bytes().to_vec(),
            reason: "the file changed while it was read".to_owned(),
        };
        let mut ingest = self.client.ingest();
        match timeout(OPEN_MAX, ingest.abort(request)).await {
            Ok(Ok(_)) => {}
            Ok(Err(status)) => warn!(%evidence_id, %status, "the upload stays open"),
            Err(_) => warn!(%evidence_id, "the upload stays open: no answer"),
        }
    }
}

fn protocol(reason: &str) -> ClientError {
    ClientError::Protocol { reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use custos_core::EvidenceKind;

    use super::*;
    use crate::ClientConfig;

    #[tokio::test]
    async fn a_put_can_be_spawned_and_names_a_file_that_is_not_there() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let certificate_pem = made.cert.pem().into_bytes();
        let config = ClientConfig {
            endpoint: "https://127.0.0.1:1".to_owned(),
            ca_pem: certificate_pem.clone(),
            certificate_pem,
            key_pem: made.signing_key.serialize_pem().into_bytes(),
        };
        let client = Client::connect(&config).expect("nothing is reached yet");
        let options = PutOptions::new(Descriptor::of_kind(EvidenceKind::Video));
        let put = tokio::spawn(async move {
            client.put_file(Path::new("/nowhere/at/all"), options, |_| {}).await
        });
        let error = put.await.expect("does not panic").expect_err("there is no such file");
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}
