//! The law as the gateway serves it: acts and questions passed on, what it judges itself beside
//! them, and the certificates that it has signed.

mod certificate;
mod recording;

use custos_core::{
    Actor, LogIndex, Refusal, Rule,
    law::{LawAnswer, LawCommand, LawQuery, RecordKind, RecordName, Versioned},
};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query};

pub use certificate::{CertificateAuthority, SignedCertificate};
pub use recording::CheckedRecording;

use crate::{Gateway, GatewayError};

impl Gateway {
    /// Does one act of the law: the entry of the custody log about it, and the record as the act
    /// left it. Asked again with the same request id it answers as it did first.
    ///
    /// # Errors
    /// What the law refuses, or a ledger that does not answer.
    pub async fn act(
        &self,
        actor: &Actor,
        request_id: [u8; 16],
        command: LawCommand,
    ) -> Result<(LogIndex, Option<Versioned>), GatewayError> {
        let command = Command::Law(Box::new(command));
        let envelope = Envelope { request_id, ..self.envelope(actor, command) };
        match self.submit_envelope(envelope).await? {
            Outcome::LawDone { log_index, record } => Ok((log_index, record.map(|it| *it))),
            _ => Err(GatewayError::unexpected("Law")),
        }
    }

    /// Asks what is on record.
    ///
    /// # Errors
    /// `NotFound` for one record that is not there, a refusal of what the reader may not read, or a
    /// ledger that does not answer.
    pub async fn ask(&self, reader: &Actor, query: LawQuery) -> Result<LawAnswer, GatewayError> {
        let named = match &query {
            LawQuery::Record(name) => Some(format!("{} {}", name.kind, name.id)),
            // What nobody changed yet has no version, and is there all the same.
            LawQuery::History(page)
                if page.after == 0
                    && !matches!(page.kind, RecordKind::Filing | RecordKind::Policy) =>
            {
                Some(format!("{} {}", page.kind, page.id))
            }
            _ => None,
        };
        let Answer::Law(answer) = self.query_by(reader, Query::Law(query)).await? else {
            return Err(GatewayError::unexpected("Law"));
        };
        match (*answer, named) {
            (LawAnswer::Records(page), Some(named)) if page.items.is_empty() => {
                let reason = format!("there is no {named} on record");
                Err(Refusal::not_found(Rule::R26, "id", reason).into())
            }
            (answer, _) => Ok(answer),
        }
    }

    /// One record as it is now.
    ///
    /// # Errors
    /// `NotFound`, a refusal of what the reader may not read, or a ledger that does not answer.
    pub(crate) async fn law_record(
        &self,
        reader: &Actor,
        kind: RecordKind,
        id: &str,
    ) -> Result<Versioned, GatewayError> {
        let query = LawQuery::Record(RecordName { kind, id: id.to_owned() });
        match self.ask(reader, query).await? {
            LawAnswer::Records(page) => {
                page.items.into_iter().next().ok_or_else(|| GatewayError::unexpected("Record"))
            }
            _ => Err(GatewayError::unexpected("Record")),
        }
    }
}
