//! The values of the law in their stored messages.

use custos_core::{Descriptor, Mirror, MirrorError, mirror_law};

use crate::proto;

mirror_law!(proto);

impl Mirror<proto::Descriptor> for Descriptor {
    fn to_message(&self) -> proto::Descriptor {
        self.into()
    }

    fn from_message(message: proto::Descriptor) -> Result<Self, MirrorError> {
        message.try_into().map_err(MirrorError::here)
    }
}
