use super::need;
use crate::{DecodeError, IncompleteDescriptor, Policy, proto};

impl From<&Policy> for proto::Policy {
    fn from(policy: &Policy) -> Self {
        let incomplete = match policy.incomplete_descriptor {
            IncompleteDescriptor::AcceptUnfiled => proto::IncompleteDescriptor::AcceptUnfiled,
            IncompleteDescriptor::Refuse => proto::IncompleteDescriptor::Refuse,
        };
        Self {
            incomplete_descriptor: incomplete.into(),
            retention_days_av: policy.retention_days_av,
            retention_days_other: policy.retention_days_other,
        }
    }
}

impl TryFrom<proto::Policy> for Policy {
    type Error = DecodeError;

    fn try_from(stored: proto::Policy) -> Result<Self, DecodeError> {
        let incomplete_descriptor = match stored.incomplete_descriptor() {
            proto::IncompleteDescriptor::AcceptUnfiled => Some(IncompleteDescriptor::AcceptUnfiled),
            proto::IncompleteDescriptor::Refuse => Some(IncompleteDescriptor::Refuse),
            proto::IncompleteDescriptor::Unspecified => None,
        };
        Ok(Self {
            incomplete_descriptor: need("Policy", "incomplete_descriptor", incomplete_descriptor)?,
            retention_days_av: stored.retention_days_av,
            retention_days_other: stored.retention_days_other,
        })
    }
}
