use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use custos_codec::RangeVerifier;
use custos_core::{Blake3Hash, EvidenceId, LogIndex, law::GrantScope};
use custos_wire::v1::{Frame, StreamHead, StreamRequest, StreamResponse, stream_response};
use tonic::Streaming;
use tracing::warn;

use crate::{Client, ClientError};

/// Times in a row that a broken stream is opened again without a byte of progress.
const RETRIES_MAX: u32 = 5;
const BACKOFF: Duration = Duration::from_millis(200);

/// What to stream.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// Which evidence.
    pub evidence_id: EvidenceId,
    /// First byte.
    pub start: u64,
    /// One past the last byte; the end of the evidence when `None`.
    pub end: Option<u64>,
    /// Why; goes on the custody log.
    pub purpose: Option<String>,
    /// What it is for: looking at it, taking a copy, or taking the original out.
    pub scope: GrantScope,
    /// The grant that it is streamed under: a copy or an original needs one (rule R18).
    pub grant: Option<String>,
    /// The evidence's hash from a receipt: when given, bytes are proven against it and not against
    /// what the server says.
    pub expected: Option<Blake3Hash>,
}

impl StreamOptions {
    /// A view of the whole evidence, without a grant.
    #[must_use]
    pub fn whole(evidence_id: EvidenceId) -> Self {
        Self {
            evidence_id,
            start: 0,
            end: None,
            purpose: None,
            scope: GrantScope::View,
            grant: None,
            expected: None,
        }
    }
}

/// A byte range that is being streamed; every byte it hands out is proven.
pub struct VerifiedStream {
    client: Client,
    options: StreamOptions,
    root: Blake3Hash,
    size: u64,
    range: std::ops::Range<u64>,
    log_index: LogIndex,
    /// Position of the next byte to hand out.
    at: u64,
    open: Option<OpenStream>,
    /// The end was seen and everything before it proven.
    is_whole: bool,
}

struct OpenStream {
    messages: Streaming<StreamResponse>,
    verifier: RangeVerifier,
    frames: VecDeque<Frame>,
}

impl Client {
    /// Opens a stream of verified bytes. The view is on the custody log from here on.
    ///
    /// # Errors
    /// `NotFound`, a range outside the evidence, another hash than expected, or a server that does
    /// not answer.
    pub async fn open_stream(&self, options: StreamOptions) -> Result<VerifiedStream, ClientError> {
        let (head, messages) = self.open_messages(&options, options.start, options.end).await?;
        let root = Blake3Hash::from_slice(&head.blake3)
            .ok_or_else(|| protocol("the stream's hash is not 32 bytes long"))?;
        if let Some(expected) = options.expected.filter(|expected| *expected != root) {
            return Err(ClientError::OtherHash {
                evidence_id: options.evidence_id,
                expected: expected.to_string(),
                found: root.to_string(),
            });
        }
        let range = options.start..options.end.unwrap_or(head.size);
        if (head.start, head.end) != (range.start, range.end) || range.end > head.size {
            return Err(protocol("the stream is of another range than was asked for"));
        }
        let verifier = RangeVerifier::new(root, head.size, range.clone());
        let open = OpenStream { messages, verifier, frames: VecDeque::new() };
        Ok(VerifiedStream {
            client: self.clone(),
            root,
            size: head.size,
            at: range.start,
            range,
            log_index: LogIndex(head.log_index),
            open: Some(open),
            is_whole: false,
            options,
        })
    }

    async fn open_messages(
        &self,
        options: &StreamOptions,
        start: u64,
        end: Option<u64>,
    ) -> Result<(StreamHead, Streaming<StreamResponse>), ClientError> {
        let request = StreamRequest {
            evidence_id: options.evidence_id.as_bytes().to_vec(),
            start,
            end,
            purpose: options.purpose.clone(),
            scope: Some(options.scope.name().to_owned()),
            grant: options.grant.clone(),
        };
        let response = self.playback().stream(request).await;
        let mut messages = response.map_err(|error| self.error_of(error))?.into_inner();
        match messages.message().await.map_err(|error| self.error_of(error))? {
            Some(StreamResponse { message: Some(stream_response::Message::Head(head)) }) => {
                Ok((head, messages))
            }
            _ => Err(protocol("the stream does not begin with its head")),
        }
    }
}

impl VerifiedStream {
    /// Bytes of the whole evidence.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes that are streamed.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<u64> {
        self.range.clone()
    }

    /// The evidence's hash that bytes are proven against.
    #[must_use]
    pub fn root(&self) -> Blake3Hash {
        self.root
    }

    /// Entry of the custody log that records the view.
    #[must_use]
    pub fn log_index(&self) -> LogIndex {
        self.log_index
    }

    /// The next verified bytes, at most 64 KiB; `None` when the range is whole. A broken
    /// connection is made again where it broke off.
    ///
    /// # Errors
    /// Bytes that do not prove, or a server that stays away.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        let mut retries = 0;
        loop {
            let error = match self.try_next().await {
                Ok(bytes) => return Ok(bytes),
                Err(error) => error,
            };
            self.open = None;
            retries += 1;
            // What a server answers at once, such as too few disks, is final; in the middle of a
            // stream it may be a restart or a shortage that passes.
            let broke_off = matches!(error, ClientError::Connect { .. })
                || (self.at > self.range.start && error.kind().is_retryable());
            if !broke_off || retries > RETRIES_MAX {
                return Err(error);
            }
            warn!(%error, at = self.at, "stream broke off, opening it again");
            tokio::time::sleep(BACKOFF * retries).await;
        }
    }

    async fn try_next(&mut self) -> Result<Option<Bytes>, ClientError> {
        if self.is_whole {
            return Ok(None);
        }
        loop {
            if self.open.is_none() {
                self.open = Some(self.reopen().await?);
            }
            let open = self.open.as_mut().expect("just opened");
            if let Some(frame) = open.frames.pop_front() {
                let bytes = open
                    .verifier
                    .push(&frame.parents, frame.data)
                    .map_err(|proof| unproven(self.options.evidence_id, proof))?;
                self.at += bytes.len() as u64;
                return Ok(Some(bytes));
            }
            let message = open.messages.message().await;
            match message.map_err(|error| self.client.error_of(error))? {
                Some(StreamResponse { message: Some(stream_response::Message::Frames(batch)) }) => {
                    open.frames = batch.frames.into();
                }
                Some(StreamResponse { message: Some(stream_response::Message::End(_)) }) => {
                    let open = self.open.take().expect("is open");
                    open.verifier
                        .finish()
                        .map_err(|proof| unproven(self.options.evidence_id, proof))?;
                    if self.at != self.range.end {
                        return Err(protocol("the stream ended before its range did"));
                    }
                    self.is_whole = true;
                    return Ok(None);
                }
                Some(_) => return Err(protocol("a message of the stream is of no known sort")),
                None => {
                    return Err(ClientError::Connect {
                        endpoint: self.client.endpoint().to_owned(),
                        reason: "the stream was cut off".to_owned(),
                    });
                }
            }
        }
    }

    async fn reopen(&self) -> Result<OpenStream, ClientError> {
        let rest = self.at..self.range.end;
        let opened = self.client.open_messages(&self.options, rest.start, Some(rest.end)).await;
        let (head, messages) = opened?;
        if head.size != self.size || head.blake3 != self.root.0 {
            return Err(protocol("the evidence is another one than before the break"));
        }
        let verifier = RangeVerifier::new(self.root, self.size, rest);
        Ok(OpenStream { messages, verifier, frames: VecDeque::new() })
    }
}

fn unproven(evidence_id: EvidenceId, proof: custos_codec::ProofError) -> ClientError {
    ClientError::Unproven { evidence_id, proof }
}

fn protocol(reason: &str) -> ClientError {
    ClientError::Protocol { reason: reason.to_owned() }
}
