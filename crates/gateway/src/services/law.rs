use custos_peers::actor_of;
use custos_wire::{
    WireError, law_answer_to_wire, law_command_from_wire, law_query_from_wire,
    recording_report_to_wire,
    v1::{
        ActRequest, ActResponse, AskRequest, AskResponse, CheckRecordingRequest,
        CheckRecordingResponse, IssueCertificateRequest, IssueCertificateResponse, law_server::Law,
    },
    versioned_to_wire,
};
use tonic::{Request, Response, Status};
use tracing::{Instrument, info_span};

use crate::Gateway;

pub(super) struct LawService {
    gateway: Gateway,
}

impl LawService {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }
}

#[tonic::async_trait]
impl Law for LawService {
    async fn act(&self, request: Request<ActRequest>) -> Result<Response<ActResponse>, Status> {
        let actor = actor_of(&request)?;
        let ActRequest { request_id, command } = request.into_inner();
        let request_id = request_id_from_wire(&request_id)?;
        let command = law_command_from_wire(command)?;
        let span = info_span!("Law.Act", actor = %actor.name);
        let done = self.gateway.act(&actor, request_id, command).instrument(span).await;
        let (log_index, record) = done.map_err(WireError::from)?;
        let record = record.as_ref().map(versioned_to_wire);
        Ok(Response::new(ActResponse { log_index: log_index.0, record }))
    }

    async fn ask(&self, request: Request<AskRequest>) -> Result<Response<AskResponse>, Status> {
        let reader = actor_of(&request)?;
        let query = law_query_from_wire(request.into_inner().query)?;
        let answer = self.gateway.ask(&reader, query).await.map_err(WireError::from)?;
        Ok(Response::new(AskResponse { answer: Some(law_answer_to_wire(&answer)) }))
    }

    async fn check_recording(
        &self,
        request: Request<CheckRecordingRequest>,
    ) -> Result<Response<CheckRecordingResponse>, Status> {
        let reader = actor_of(&request)?;
        let recording = request.into_inner().recording;
        let checked = self.gateway.check_recording(&reader, &recording).await;
        let checked = checked.map_err(WireError::from)?;
        let report = recording_report_to_wire(recording, &checked.report, checked.truncated);
        Ok(Response::new(CheckRecordingResponse { report: Some(report) }))
    }

    async fn issue_certificate(
        &self,
        request: Request<IssueCertificateRequest>,
    ) -> Result<Response<IssueCertificateResponse>, Status> {
        let actor = actor_of(&request)?;
        let IssueCertificateRequest { name, request_pem } = request.into_inner();
        let span = info_span!("Law.IssueCertificate", actor = %actor.name, name);
        let issued = self.gateway.issue_certificate(&actor, &name, &request_pem).instrument(span);
        let issued = issued.await.map_err(WireError::from)?;
        Ok(Response::new(IssueCertificateResponse {
            certificate_pem: issued.certificate_pem,
            ca_pem: issued.ca_pem,
        }))
    }
}

fn request_id_from_wire(bytes: &[u8]) -> Result<[u8; 16], WireError> {
    bytes.try_into().map_err(|_| {
        WireError::invalid("request_id", format!("{} bytes, 16 expected", bytes.len()))
    })
}
