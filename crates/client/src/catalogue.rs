use custos_core::{EvidenceId, EvidenceSummary};
use custos_wire::{
    WireError, evidence_from_wire,
    v1::{GetRequest, ListRequest},
};

use crate::{Client, ClientError};

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidencePage {
    /// The page, in order of opening.
    pub items: Vec<EvidenceSummary>,
    /// Token of the next page, if there may be one.
    pub next: Option<Vec<u8>>,
}

/// Which evidence is listed; all of it when nothing is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidenceSelection {
    /// Only of this case.
    pub case: Option<String>,
    /// Only segments of this recording.
    pub recording: Option<String>,
}

impl Client {
    /// One sealed evidence item.
    ///
    /// # Errors
    /// `NotFound`, or a server that does not answer.
    pub async fn evidence(&self, id: EvidenceId) -> Result<EvidenceSummary, ClientError> {
        let request = GetRequest { evidence_id: id.as_bytes().to_vec() };
        let response = self.catalogue().get(request).await.map_err(|error| self.error_of(error))?;
        let evidence = response.into_inner().evidence;
        let evidence = evidence.ok_or_else(|| WireError::invalid("evidence", "is missing"))?;
        Ok(evidence_from_wire(evidence)?)
    }

    /// A page of sealed evidence; `page_items` of 0 lets the server choose.
    ///
    /// # Errors
    /// A token that the server did not give, or a server that does not answer.
    pub async fn list_evidence(
        &self,
        token: Option<Vec<u8>>,
        page_items: u32,
        only: EvidenceSelection,
    ) -> Result<EvidencePage, ClientError> {
        let EvidenceSelection { case, recording } = only;
        let page_token = token.unwrap_or_default();
        let request = ListRequest { page_size: page_items, page_token, case, recording };
        let response =
            self.catalogue().list(request).await.map_err(|error| self.error_of(error))?;
        let response = response.into_inner();
        let items = response.items.into_iter().map(evidence_from_wire).collect::<Result<_, _>>()?;
        let next = (!response.next_page_token.is_empty()).then_some(response.next_page_token);
        Ok(EvidencePage { items, next })
    }
}
