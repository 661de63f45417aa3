use custos_core::{ErrorKind, LogIndex};
use custos_ledger::{Answer, Query};
use custos_peers::actor_of;
use custos_wire::{
    WireError, checkpoint_to_wire, custody_entry_to_wire, evidence_id_from_wire,
    v1::{
        GetCheckpointRequest, GetCheckpointResponse, ListEntriesRequest, ListEntriesResponse,
        ProveConsistencyRequest, ProveConsistencyResponse, ProveInclusionRequest,
        ProveInclusionResponse, custody_server::Custody,
    },
};
use tonic::{Request, Response, Status};

use super::page_items;
use crate::{Gateway, GatewayError};

pub(super) struct CustodyService {
    gateway: Gateway,
}

impl CustodyService {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }

    async fn ask(&self, query: Query) -> Result<Answer, WireError> {
        self.gateway.query(query).await.map_err(WireError::from)
    }
}

fn unexpected(query: &str) -> Status {
    WireError::from(GatewayError::unexpected(query)).into()
}

#[tonic::async_trait]
impl Custody for CustodyService {
    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        actor_of(&request)?;
        let Answer::Checkpoint(checkpoint) = self.ask(Query::Checkpoint).await? else {
            return Err(unexpected("Checkpoint"));
        };
        let checkpoint = Some(checkpoint_to_wire(checkpoint));
        Ok(Response::new(GetCheckpointResponse { checkpoint }))
    }

    async fn list_entries(
        &self,
        request: Request<ListEntriesRequest>,
    ) -> Result<Response<ListEntriesResponse>, Status> {
        let reader = actor_of(&request)?;
        let request = request.into_inner();
        let evidence_id = request.evidence_id.as_deref().map(evidence_id_from_wire).transpose()?;
        let query = Query::Entries {
            from: LogIndex(request.from),
            limit: page_items(request.page_size),
            evidence_id,
            record: request.record,
        };
        let answer = self.gateway.query_by(&reader, query).await.map_err(WireError::from)?;
        let Answer::Entries { items, next } = answer else {
            return Err(unexpected("Entries"));
        };
        Ok(Response::new(ListEntriesResponse {
            entries: items.into_iter().map(custody_entry_to_wire).collect(),
            next: next.map(|index| index.0),
        }))
    }

    async fn prove_inclusion(
        &self,
        request: Request<ProveInclusionRequest>,
    ) -> Result<Response<ProveInclusionResponse>, Status> {
        actor_of(&request)?;
        let index = request.into_inner().index;
        match self.ask(Query::ProveInclusion(LogIndex(index))).await? {
            Answer::Inclusion(Some(proof)) => Ok(Response::new(ProveInclusionResponse {
                index: proof.index.0,
                leaf: proof.leaf,
                path: proof.path.into_iter().map(|hash| hash.to_vec()).collect(),
                checkpoint: Some(checkpoint_to_wire(proof.checkpoint)),
            })),
            Answer::Inclusion(None) => {
                let message = format!("the custody log has no entry {index}");
                Err(WireError::new(ErrorKind::NotFound, message).into())
            }
            _ => Err(unexpected("ProveInclusion")),
        }
    }

    async fn prove_consistency(
        &self,
        request: Request<ProveConsistencyRequest>,
    ) -> Result<Response<ProveConsistencyResponse>, Status> {
        actor_of(&request)?;
        let old = request.into_inner().old;
        match self.ask(Query::ProveConsistency { old }).await? {
            Answer::Consistency(Some(proof)) => Ok(Response::new(ProveConsistencyResponse {
                old: proof.old,
                path: proof.path.into_iter().map(|hash| hash.to_vec()).collect(),
                checkpoint: Some(checkpoint_to_wire(proof.checkpoint)),
            })),
            Answer::Consistency(None) => {
                let message = format!("the custody log is shorter than {old} entries");
                Err(WireError::new(ErrorKind::NotFound, message).into())
            }
            _ => Err(unexpected("ProveConsistency")),
        }
    }
}
