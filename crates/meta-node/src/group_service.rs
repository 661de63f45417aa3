use std::sync::Arc;

use custos_core::{Actor, Refusal, Rule};
use custos_ledger::{Command, Envelope, Outcome};
use custos_metastore::MetaStoreHandle;
use custos_peers::{
    failure::ledger_error_to_status,
    limits::{GROUP_CALLS_MAX, GROUP_MESSAGE_BYTES_MAX},
    system_actor_of,
};
use custos_ports::{Entropy, Ledger, LedgerError, PeerFault, PeerInbox};
use custos_wire::{
    WireError,
    internal_v1::{
        JoinRequest, JoinResponse, Packet,
        group_server::{Group, GroupServer},
    },
};
use futures::{Stream, StreamExt, stream::BoxStream};
use tonic::{Request, Response, Status, Streaming};
use tracing::info;

/// Serves a member of the ledger's group to the other members, and to nobody else.
#[derive(Clone)]
pub struct GroupService {
    store: MetaStoreHandle,
    origin: String,
    entropy: Arc<dyn Entropy>,
}

impl GroupService {
    /// Serves `store`, a member of the group of the cluster with this origin line.
    #[must_use]
    pub fn new(store: MetaStoreHandle, origin: String, entropy: Arc<dyn Entropy>) -> Self {
        Self { store, origin, entropy }
    }

    /// The service as a router takes it.
    #[must_use]
    pub fn into_server(self) -> GroupServer<Self> {
        GroupServer::new(self)
            .max_decoding_message_size(GROUP_MESSAGE_BYTES_MAX)
            .max_encoding_message_size(GROUP_MESSAGE_BYTES_MAX)
    }

    async fn admit(&self, actor: Actor, request: JoinRequest) -> Result<JoinResponse, LedgerError> {
        let JoinRequest { token, name, endpoint } = request;
        let token = token.try_into().map_err(|given: Vec<u8>| {
            let reason = format!("{} bytes, it has 16", given.len());
            Refusal::invalid(Rule::R14, "token", reason)
        })?;
        let envelope = Envelope {
            request_id: self.entropy.array(),
            actor,
            entry_salt: self.entropy.array(),
            command: Command::AdmitMeta { token, name, endpoint },
        };
        let member = match self.store.submit(envelope).await? {
            Outcome::MetaAdmitted(member) => member,
            other => {
                return Err(LedgerError::Fault { reason: format!("it answered {other:?}") });
            }
        };
        self.store.add_learner(member.id, member.endpoint.clone()).await?;
        info!(id = %member.id, name = member.name, endpoint = member.endpoint, "member joins");
        Ok(JoinResponse { origin: self.origin.clone(), id: member.id.0 })
    }
}

#[tonic::async_trait]
impl Group for GroupService {
    type ExchangeStream = BoxStream<'static, Result<Packet, Status>>;

    async fn ask(&self, request: Request<Packet>) -> Result<Response<Packet>, Status> {
        system_actor_of(&request)?;
        let body = self.store.receive(request.into_inner().body).await;
        let body = body.map_err(|fault| status_of(&fault))?;
        Ok(Response::new(Packet { body, ..Packet::default() }))
    }

    async fn exchange(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        system_actor_of(&request)?;
        Ok(Response::new(answers(self.store.clone(), request.into_inner()).boxed()))
    }

    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<JoinResponse>, Status> {
        let actor = system_actor_of(&request)?;
        let joined = self.admit(actor, request.into_inner()).await;
        Ok(Response::new(joined.map_err(|error| ledger_error_to_status(&error))?))
    }
}

fn answers(
    store: MetaStoreHandle,
    packets: Streaming<Packet>,
) -> impl Stream<Item = Result<Packet, Status>> {
    packets
        .map(move |packet| {
            let store = store.clone();
            async move {
                let Packet { number, body, .. } = packet?;
                Ok(match store.receive(body).await {
                    Ok(body) => Packet { number, body, refused: String::new() },
                    Err(fault) => {
                        Packet { number, refused: fault.to_string(), ..Packet::default() }
                    }
                })
            }
        })
        .buffer_unordered(GROUP_CALLS_MAX)
}

fn status_of(fault: &PeerFault) -> Status {
    let reason = fault.to_string();
    match fault {
        PeerFault::Refused { .. } => WireError::from(Refusal::refused(Rule::I6, "group", reason)),
        PeerFault::Unreachable { .. } | PeerFault::Unknown { .. } => {
            WireError::new(custos_core::ErrorKind::Unavailable, reason)
        }
    }
    .into()
}
