use custos_core::{MetaId, MetaMember, MetaMemberState, Timestamp};

use super::{fixed, need};
use crate::{DecodeError, proto};

impl From<&MetaMember> for proto::MetaMember {
    fn from(member: &MetaMember) -> Self {
        let state = match member.state {
            MetaMemberState::Admitted => proto::MetaMemberState::Admitted,
            MetaMemberState::Retired => proto::MetaMemberState::Retired,
        };
        Self {
            meta_id: member.id.0,
            name: member.name.clone(),
            endpoint: member.endpoint.clone(),
            token: member.token.to_vec(),
            state: state.into(),
            admitted_at_ms: member.admitted_at.as_millis(),
        }
    }
}

impl TryFrom<proto::MetaMember> for MetaMember {
    type Error = DecodeError;

    fn try_from(stored: proto::MetaMember) -> Result<Self, DecodeError> {
        const M: &str = "MetaMember";
        let state = match stored.state() {
            proto::MetaMemberState::Admitted => Some(MetaMemberState::Admitted),
            proto::MetaMemberState::Retired => Some(MetaMemberState::Retired),
            proto::MetaMemberState::Unspecified => None,
        };
        Ok(Self {
            id: MetaId(stored.meta_id),
            name: stored.name,
            endpoint: stored.endpoint,
            token: fixed(M, "token", &stored.token)?,
            state: need(M, "state", state)?,
            admitted_at: Timestamp::from_millis(stored.admitted_at_ms),
        })
    }
}
