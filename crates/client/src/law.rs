use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    time::Duration,
};

use custos_core::{
    EvidenceId, LogIndex,
    continuity::Report,
    law::{
        CaseName, CaseReport, ClockAsked, ClockState, EvidenceName, HistoryPage, Keeping,
        LawAnswer, LawCommand, LawQuery, ListPage, RecordKind, RecordName, RecordPage, Tombstone,
        Versioned,
    },
};
use custos_wire::{
    law_answer_from_wire, law_command_to_wire, law_query_to_wire, recording_report_from_wire,
    v1::{ActRequest, ActResponse, AskRequest, CheckRecordingRequest, IssueCertificateRequest},
    versioned_from_wire,
};
use serde::Serialize;
use tokio::time::Instant;
use tracing::warn;

use crate::{Client, ClientError};

/// First and longest pause before an act is tried again.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long an act is tried again while the cluster does not answer.
const RETRY_FOR: Duration = Duration::from_secs(60);
/// Where random bytes come from.
const RANDOM: &str = "/dev/urandom";

/// A certificate that the cluster's own authority signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// Certificate of the authority, PEM.
    pub ca_pem: String,
}

/// What a recording shows of its own continuity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordingReport {
    /// Which recording.
    pub recording: String,
    /// What was found.
    #[serde(flatten)]
    pub report: Report,
    /// It has more segments than were looked at.
    pub truncated: bool,
}

/// A list of records or versions that is read page by page.
#[derive(Debug)]
pub struct Records<'a> {
    client: &'a Client,
    next: Option<LawQuery>,
}

impl Client {
    /// Does one act of the law: the entry of the custody log about it, and the record that it is
    /// about as the act left it.
    ///
    /// While the cluster does not answer it is tried again under the same request id, so that it is
    /// done once, for a minute at most.
    ///
    /// # Errors
    /// A refusal with its rule and field, `NotFound`, or a cluster that stays away: whether the act
    /// was done is unknown then.
    pub async fn act(
        &self,
        command: impl Into<LawCommand>,
    ) -> Result<(LogIndex, Option<Versioned>), ClientError> {
        let request = ActRequest {
            request_id: request_id()?.to_vec(),
            command: Some(law_command_to_wire(&command.into())),
        };
        let began = Instant::now();
        let mut backoff = BACKOFF_MIN;
        loop {
            let error = match self.law().act(request.clone()).await {
                Ok(response) => return done(response.into_inner()),
                Err(status) => self.error_of(status),
            };
            if !error.kind().is_retryable() || began.elapsed() + backoff > RETRY_FOR {
                return Err(error);
            }
            warn!(%error, "the act is tried again");
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// Asks what is on record.
    ///
    /// # Errors
    /// `NotFound` for one record that is not there, or a server that does not answer.
    pub async fn ask(&self, query: LawQuery) -> Result<LawAnswer, ClientError> {
        let request = AskRequest { query: Some(law_query_to_wire(&query)) };
        let response = self.law().ask(request).await.map_err(|status| self.error_of(status))?;
        Ok(law_answer_from_wire(response.into_inner().answer)?)
    }

    /// One record as it is now.
    ///
    /// # Errors
    /// `NotFound`, or a server that does not answer.
    pub async fn record(&self, kind: RecordKind, id: &str) -> Result<Versioned, ClientError> {
        let query = LawQuery::Record(RecordName { kind, id: id.to_owned() });
        let page = self.page(query).await?;
        page.items.into_iter().next().ok_or_else(|| protocol("the record is missing"))
    }

    /// A list, from the page that `list` names on.
    #[must_use]
    pub fn records(&self, list: ListPage) -> Records<'_> {
        Records { client: self, next: Some(LawQuery::List(list)) }
    }

    /// Every version of a record, the oldest first.
    #[must_use]
    pub fn history(&self, kind: RecordKind, id: &str) -> Records<'_> {
        let page = HistoryPage { kind, id: id.to_owned(), after: 0, limit: 0 };
        Records { client: self, next: Some(LawQuery::History(page)) }
    }

    /// All that keeps an evidence item.
    ///
    /// # Errors
    /// `NotFound`, or a server that does not answer.
    pub async fn keeping(&self, evidence: EvidenceId) -> Result<Keeping, ClientError> {
        match self.ask(LawQuery::Keeping(EvidenceName { evidence })).await? {
            LawAnswer::Keeping(keeping) => Ok(keeping),
            _ => Err(other_answer()),
        }
    }

    /// What a case has on record under each stage, and what it lacks.
    ///
    /// # Errors
    /// `NotFound`, or a server that does not answer.
    pub async fn case_report(&self, case: &str) -> Result<CaseReport, ClientError> {
        match self.ask(LawQuery::Case(CaseName { case: case.to_owned() })).await? {
            LawAnswer::Case(report) => Ok(report),
            _ => Err(other_answer()),
        }
    }

    /// Cluster time, and how much of it counts for retention.
    ///
    /// # Errors
    /// A server that does not answer.
    pub async fn clock(&self) -> Result<ClockState, ClientError> {
        match self.ask(LawQuery::Clock(ClockAsked { limit: 0 })).await? {
            LawAnswer::Clock(clock) => Ok(clock),
            _ => Err(other_answer()),
        }
    }

    /// What remains of evidence that has lawfully ended.
    ///
    /// # Errors
    /// `NotFound` when it has not, or a server that does not answer.
    pub async fn tombstone(&self, evidence: EvidenceId) -> Result<Tombstone, ClientError> {
        match self.ask(LawQuery::Tombstone(EvidenceName { evidence })).await? {
            LawAnswer::Tombstone(tombstone) => Ok(tombstone),
            _ => Err(other_answer()),
        }
    }

    /// What a recording shows of its own continuity (rules R3, R5).
    ///
    /// # Errors
    /// `NotFound` for a recording without a segment, or a server that does not answer.
    pub async fn check_recording(&self, recording: &str) -> Result<RecordingReport, ClientError> {
        let request = CheckRecordingRequest { recording: recording.to_owned() };
        let response = self.law().check_recording(request).await;
        let response = response.map_err(|status| self.error_of(status))?.into_inner();
        let wire = response.report.ok_or_else(|| protocol("the report is missing"))?;
        let (recording, truncated) = (wire.recording.clone(), wire.truncated);
        Ok(RecordingReport { recording, report: recording_report_from_wire(wire)?, truncated })
    }

    /// Has the cluster's own authority sign a certificate for a person or station on the register:
    /// for the public key of a certificate signing request (RFC 2986), in PEM.
    ///
    /// # Errors
    /// Refused for want of the right (R23), for somebody who is not on the register, and where the
    /// cluster has no authority of its own (R26 `certificate`).
    pub async fn issue_certificate(
        &self,
        name: &str,
        request_pem: String,
    ) -> Result<IssuedCertificate, ClientError> {
        let request = IssueCertificateRequest { name: name.to_owned(), request_pem };
        let response = self.law().issue_certificate(request).await;
        let issued = response.map_err(|status| self.error_of(status))?.into_inner();
        Ok(IssuedCertificate { certificate_pem: issued.certificate_pem, ca_pem: issued.ca_pem })
    }

    async fn page(&self, query: LawQuery) -> Result<RecordPage, ClientError> {
        match self.ask(query).await? {
            LawAnswer::Records(page) => Ok(page),
            _ => Err(other_answer()),
        }
    }
}

impl Records<'_> {
    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// A token that the server did not give, or a server that does not answer.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Versioned>>, ClientError> {
        let Some(query) = self.next.clone() else { return Ok(None) };
        let page = self.client.page(query.clone()).await?;
        self.next = match (query, page.next) {
            (_, None) => None,
            (LawQuery::List(list), after) => Some(LawQuery::List(ListPage { after, ..list })),
            (LawQuery::History(history), Some(next)) => {
                let after = next.parse().map_err(|_| protocol("a version is no number"))?;
                Some(LawQuery::History(HistoryPage { after, ..history }))
            }
            _ => None,
        };
        Ok(Some(page.items))
    }

    /// Everything that is left of the list.
    ///
    /// # Errors
    /// As [`next_page`](Self::next_page).
    pub async fn all(mut self) -> Result<Vec<Versioned>, ClientError> {
        let mut all = Vec::new();
        while let Some(page) = self.next_page().await? {
            all.extend(page);
        }
        Ok(all)
    }
}

fn done(response: ActResponse) -> Result<(LogIndex, Option<Versioned>), ClientError> {
    let record = response.record.map(versioned_from_wire).transpose()?;
    Ok((LogIndex(response.log_index), record))
}

fn request_id() -> Result<[u8; 16], ClientError> {
    let mut id = [0; 16];
    let read = File::open(RANDOM).and_then(|mut random| random.read_exact(&mut id));
    read.map_err(|source: io::Error| ClientError::File { path: PathBuf::from(RANDOM), source })?;
    Ok(id)
}

fn protocol(reason: &str) -> ClientError {
    ClientError::Protocol { reason: reason.to_owned() }
}

fn other_answer() -> ClientError {
    protocol("the answer is to another question")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i6_two_acts_never_have_one_request_id() {
        let id = || request_id().expect("random bytes");
        assert_ne!(id(), id());
    }
}
