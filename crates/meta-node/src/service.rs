use std::sync::Arc;

use custos_core::{
    MetaId, Refusal, Rule,
    limits::{COMMAND_BYTES_MAX, GRPC_MESSAGE_BYTES_MAX},
};
use custos_ledger::{Envelope, Query};
use custos_peers::{failure::ledger_error_to_status, system_actor_of};
use custos_ports::{Ledger, LedgerError};
use custos_wire::{
    WireError,
    internal_v1::{
        BackupRequest, BackupResponse, LeadMemberRequest, LeadMemberResponse, MembersRequest,
        MembersResponse, QueryRequest, QueryResponse, RemoveMemberRequest, RemoveMemberResponse,
        SubmitRequest, SubmitResponse,
        meta_server::{Meta, MetaServer},
    },
};
use futures::{StreamExt, stream::BoxStream};
use tonic::{Request, Response, Status};

use crate::GroupAdmin;

/// Serves a ledger, and the group that keeps it, to the nodes of its cluster, and to nobody else.
///
/// The actor of a command is taken as it is sent: gateways act for their users, whom they have
/// identified. That is why only callers whose certificate has the role `system` are heard.
pub struct MetaService {
    ledger: Arc<dyn Ledger>,
    group: GroupAdmin,
    origin: String,
}

impl MetaService {
    /// Serves the `ledger` of the cluster whose custody log has this origin line, kept by `group`.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>, group: GroupAdmin, origin: String) -> Self {
        Self { ledger, group, origin }
    }

    /// The service as a router takes it.
    #[must_use]
    pub fn into_server(self) -> MetaServer<Self> {
        MetaServer::new(self).max_decoding_message_size(GRPC_MESSAGE_BYTES_MAX)
    }

    /// A caller that belongs to another cluster must never write to this one; one that does not
    /// know yet where it belongs says nothing.
    fn check_origin(&self, given: &str) -> Result<(), Status> {
        if given.is_empty() || given == self.origin {
            return Ok(());
        }
        let reason = format!(
            "this ledger belongs to cluster {}, the caller to {given:?}: check its endpoints of \
             meta nodes",
            self.origin
        );
        Err(refused(Refusal::refused(Rule::R14, "origin", reason)))
    }
}

#[tonic::async_trait]
impl Meta for MetaService {
    type BackupStream = BoxStream<'static, Result<BackupResponse, Status>>;

    async fn backup(
        &self,
        request: Request<BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        system_actor_of(&request)?;
        let BackupRequest { have, origin } = request.into_inner();
        self.check_origin(&origin)?;
        let parts = self.group.backup(&have).await;
        let parts = parts.map_err(|error| ledger_error_to_status(&error))?;
        let parts = parts.map(|part| part.map_err(|error| ledger_error_to_status(&error)));
        Ok(Response::new(parts.boxed()))
    }

    async fn submit(
        &self,
        request: Request<SubmitRequest>,
    ) -> Result<Response<SubmitResponse>, Status> {
        system_actor_of(&request)?;
        let SubmitRequest { envelope, origin } = request.into_inner();
        self.check_origin(&origin)?;
        let envelope = envelope_of(&envelope)?;
        let outcome = self.ledger.submit(envelope).await;
        let outcome = outcome.map_err(|error| ledger_error_to_status(&error))?.encode();
        Ok(Response::new(SubmitResponse { outcome }))
    }

    async fn query(
        &self,
        request: Request<QueryRequest>,
    ) -> Result<Response<QueryResponse>, Status> {
        system_actor_of(&request)?;
        let QueryRequest { query, origin } = request.into_inner();
        self.check_origin(&origin)?;
        let query = Query::decode(&query)
            .map_err(|error| WireError::invalid("query", with_source(&error)))?;
        let answer = self.ledger.query(query).await;
        let answer = answer.map_err(|error| ledger_error_to_status(&error))?.encode();
        Ok(Response::new(QueryResponse { answer }))
    }

    async fn members(
        &self,
        request: Request<MembersRequest>,
    ) -> Result<Response<MembersResponse>, Status> {
        system_actor_of(&request)?;
        self.check_origin(&request.get_ref().origin)?;
        let members = self.group.members().await;
        let members = members.map_err(|error| ledger_error_to_status(&error))?;
        Ok(Response::new(MembersResponse { members }))
    }

    async fn remove_member(
        &self,
        request: Request<RemoveMemberRequest>,
    ) -> Result<Response<RemoveMemberResponse>, Status> {
        system_actor_of(&request)?;
        let RemoveMemberRequest { envelope, origin } = request.into_inner();
        self.check_origin(&origin)?;
        let removed = self.group.remove(envelope_of(&envelope)?).await;
        removed.map_err(|error| ledger_error_to_status(&error))?;
        Ok(Response::new(RemoveMemberResponse {}))
    }

    async fn lead_member(
        &self,
        request: Request<LeadMemberRequest>,
    ) -> Result<Response<LeadMemberResponse>, Status> {
        system_actor_of(&request)?;
        let LeadMemberRequest { id, origin } = request.into_inner();
        self.check_origin(&origin)?;
        let led = self.group.lead(MetaId(id)).await;
        led.map_err(|error| ledger_error_to_status(&error))?;
        Ok(Response::new(LeadMemberResponse {}))
    }
}

fn envelope_of(bytes: &[u8]) -> Result<Envelope, Status> {
    if bytes.len() > COMMAND_BYTES_MAX {
        let reason =
            format!("{} bytes encoded, at most {COMMAND_BYTES_MAX} are allowed", bytes.len());
        return Err(refused(Refusal::invalid(Rule::I10, "command", reason)));
    }
    let envelope = Envelope::decode(bytes)
        .map_err(|error| WireError::invalid("envelope", with_source(&error)))?;
    Ok(envelope)
}

fn refused(refusal: Refusal) -> Status {
    ledger_error_to_status(&LedgerError::Refused(refusal))
}

fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
