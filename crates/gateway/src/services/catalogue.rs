use custos_core::EvidenceId;
use custos_ledger::{Answer, Query};
use custos_peers::actor_of;
use custos_wire::{
    WireError, evidence_id_from_wire, evidence_to_wire,
    v1::{GetRequest, GetResponse, ListRequest, ListResponse, catalogue_server::Catalogue},
};
use tonic::{Request, Response, Status};

use super::page_items;
use crate::{Gateway, GatewayError};

pub(super) struct CatalogueService {
    gateway: Gateway,
}

impl CatalogueService {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }
}

#[tonic::async_trait]
impl Catalogue for CatalogueService {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let reader = actor_of(&request)?;
        let evidence_id = evidence_id_from_wire(&request.into_inner().evidence_id)?;
        let record = self.gateway.evidence(&reader, evidence_id).await.map_err(WireError::from)?;
        Ok(Response::new(GetResponse { evidence: Some(evidence_to_wire(record.into())) }))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let reader = actor_of(&request)?;
        let request = request.into_inner();
        let after = match request.page_token.as_slice() {
            [] => None,
            token => Some(EvidenceId::from_slice(token).ok_or_else(|| {
                WireError::invalid("page_token", "is not one that this service gave")
            })?),
        };
        let query = Query::ListEvidence {
            after,
            limit: page_items(request.page_size),
            case: request.case,
            recording: request.recording,
        };
        let answer = self.gateway.query_by(&reader, query).await.map_err(WireError::from)?;
        let Answer::List { items, resume_after } = answer else {
            return Err(WireError::from(GatewayError::unexpected("ListEvidence")).into());
        };
        Ok(Response::new(ListResponse {
            items: items.into_iter().map(|record| evidence_to_wire(record.into())).collect(),
            next_page_token: resume_after.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        }))
    }
}
