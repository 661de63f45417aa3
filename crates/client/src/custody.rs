use custos_core::{Checkpoint, CustodyEntry, EvidenceId, InclusionProof, LogIndex};
use custos_ledger::merkle;
use custos_wire::{
    checkpoint_from_wire, custody_entry_from_wire,
    v1::{GetCheckpointRequest, ListEntriesRequest, ProveInclusionRequest},
};

use crate::{Client, ClientError};

/// One page of the custody log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPage {
    /// The page, in order.
    pub entries: Vec<CustodyEntry>,
    /// Where the next page starts, if there may be one.
    pub next: Option<LogIndex>,
}

/// Which entries are listed; all of them when nothing is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntrySelection {
    /// Only about this evidence.
    pub evidence_id: Option<EvidenceId>,
    /// Only about this record of the law, as kind and id: `case/C-1`.
    pub record: Option<String>,
}

impl Client {
    /// Size and root of the custody log.
    ///
    /// # Errors
    /// A server that does not answer.
    pub async fn checkpoint(&self) -> Result<Checkpoint, ClientError> {
        let response = self.custody().get_checkpoint(GetCheckpointRequest {}).await;
        let response = response.map_err(|error| self.error_of(error))?;
        Ok(checkpoint_from_wire(response.into_inner().checkpoint)?)
    }

    /// A page of the custody log, of everything or of what is selected.
    ///
    /// # Errors
    /// A server that does not answer.
    pub async fn custody_entries(
        &self,
        from: LogIndex,
        only: EntrySelection,
    ) -> Result<EntryPage, ClientError> {
        let request = ListEntriesRequest {
            from: from.0,
            page_size: 0,
            evidence_id: only.evidence_id.map(|id| id.as_bytes().to_vec()),
            record: only.record,
        };
        let response = self.custody().list_entries(request).await;
        let response = response.map_err(|error| self.error_of(error))?.into_inner();
        let entries =
            response.entries.into_iter().map(custody_entry_from_wire).collect::<Result<_, _>>()?;
        Ok(EntryPage { entries, next: response.next.map(LogIndex) })
    }

    /// Proof that an entry is under the current checkpoint, verified here.
    ///
    /// # Errors
    /// `NotFound`, a proof that does not verify, or a server that does not answer.
    pub async fn prove_inclusion(&self, index: LogIndex) -> Result<InclusionProof, ClientError> {
        let response =
            self.custody().prove_inclusion(ProveInclusionRequest { index: index.0 }).await;
        let response = response.map_err(|error| self.error_of(error))?.into_inner();
        let protocol = |reason: String| ClientError::Protocol { reason };
        let path = response
            .path
            .iter()
            .map(|hash| hash.as_slice().try_into())
            .collect::<Result<Vec<[u8; 32]>, _>>()
            .map_err(|_| protocol("a hash of the proof is not 32 bytes long".to_owned()))?;
        let proof = InclusionProof {
            index,
            leaf: response.leaf,
            path,
            checkpoint: checkpoint_from_wire(response.checkpoint)?,
        };
        merkle::verify_inclusion(
            &proof.leaf,
            index.0,
            proof.checkpoint.size,
            &proof.path,
            &proof.checkpoint.root,
        )
        .map_err(|error| protocol(format!("proof of entry {index} does not verify: {error}")))?;
        Ok(proof)
    }
}
