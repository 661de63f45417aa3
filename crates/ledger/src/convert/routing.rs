use super::need;
use crate::{DecodeError, LedgerGroup, LedgerGroupId, Routing, ShardRange, proto};

impl From<&Routing> for proto::Routing {
    fn from(routing: &Routing) -> Self {
        let groups = routing
            .groups
            .iter()
            .map(|group| proto::LedgerGroup { id: group.id.0, endpoints: group.endpoints.clone() });
        let shards = routing.shards.iter().map(|range| proto::ShardRange {
            first: range.first.into(),
            last: range.last.into(),
            group: range.group.0,
        });
        Self {
            here: routing.here.0,
            system: routing.system.0,
            groups: groups.collect(),
            shards: shards.collect(),
        }
    }
}

impl TryFrom<proto::Routing> for Routing {
    type Error = DecodeError;

    fn try_from(stored: proto::Routing) -> Result<Self, DecodeError> {
        const M: &str = "Routing";
        let groups = stored
            .groups
            .into_iter()
            .map(|group| LedgerGroup { id: LedgerGroupId(group.id), endpoints: group.endpoints });
        let shards = stored.shards.into_iter().map(|range| {
            Ok(ShardRange {
                first: need(M, "shards", u16::try_from(range.first).ok())?,
                last: need(M, "shards", u16::try_from(range.last).ok())?,
                group: LedgerGroupId(range.group),
            })
        });
        let routing = Self {
            here: LedgerGroupId(stored.here),
            system: LedgerGroupId(stored.system),
            groups: groups.collect(),
            shards: shards.collect::<Result<_, DecodeError>>()?,
        };
        need(M, "shards", routing.is_whole().then_some(routing))
    }
}
