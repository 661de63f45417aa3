use custos_core::{Actor, ErasureProfile, FailureDomain, MetaId, Refusal, Role, Rule};
use custos_ledger::{Answer, Query, Routing};
use custos_peers::actor_of;
use custos_wire::{
    WireError, backup_to_wire, damage_to_wire, damage_token_from_wire, damage_token_to_wire,
    disk_id_from_wire, meta_member_to_wire, nodes_to_wire, quarantined_to_wire,
    v1::{
        AddDiskRequest, AddDiskResponse, BackupRequest, BackupResponse, ClusterStatusRequest,
        ClusterStatusResponse, CreateVaultsRequest, CreateVaultsResponse, LeadMetaRequest,
        LeadMetaResponse, LedgerGroup, ListDamageRequest, ListDamageResponse, ListMetaRequest,
        ListMetaResponse, ListQuarantineRequest, ListQuarantineResponse, ReleaseDiskRequest,
        ReleaseDiskResponse, RemoveDiskRequest, RemoveDiskResponse, RemoveMetaRequest,
        RemoveMetaResponse, SetScrubRequest, SetScrubResponse, VirtualShards,
        cluster_server::Cluster,
    },
    vault_groups_to_wire,
};
use futures::{StreamExt, stream::BoxStream};
use tonic::{Request, Response, Status};

use super::page_items;
use crate::{
    Gateway, GatewayError,
    operation::{DiskRemoval, ScrubChange},
};

pub(super) struct ClusterService {
    gateway: Gateway,
}

impl ClusterService {
    pub(super) fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }
}

/// Whoever operates the cluster: nobody who only puts or plays evidence (rule R23).
fn operator_of<T>(request: &Request<T>) -> Result<Actor, WireError> {
    actor_of(request).and_then(check_operator)
}

fn check_operator(actor: Actor) -> Result<Actor, WireError> {
    match actor.role {
        Role::Developer | Role::System => Ok(actor),
        role => {
            let reason = format!("a {role} may look at the cluster, not change it");
            Err(Refusal::refused(Rule::R23, "role", reason).into())
        }
    }
}

fn unexpected(query: &str) -> Status {
    WireError::from(GatewayError::unexpected(query)).into()
}

fn ledger_groups_to_wire(routing: Routing) -> Vec<LedgerGroup> {
    let Routing { here: _, system, groups, shards } = routing;
    let groups = groups.into_iter().map(|group| LedgerGroup {
        id: group.id.0,
        system: group.id == system,
        shards: shards
            .iter()
            .filter(|range| range.group == group.id)
            .map(|range| VirtualShards { first: range.first.into(), last: range.last.into() })
            .collect(),
        endpoints: group.endpoints,
    });
    groups.collect()
}

#[tonic::async_trait]
impl Cluster for ClusterService {
    type BackupStream = BoxStream<'static, Result<BackupResponse, Status>>;

    async fn backup(
        &self,
        request: Request<BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let actor = operator_of(&request)?;
        let have = request.into_inner().have;
        let (recorded_at, parts) =
            self.gateway.begin_backup(&actor, have).await.map_err(WireError::from)?;
        let parts = parts.map(move |part| match part {
            Ok(part) => Ok(backup_to_wire(part, recorded_at)),
            Err(error) => Err(WireError::from(GatewayError::from(error)).into()),
        });
        Ok(Response::new(parts.boxed()))
    }

    async fn status(
        &self,
        request: Request<ClusterStatusRequest>,
    ) -> Result<Response<ClusterStatusResponse>, Status> {
        actor_of(&request)?;
        let picture = self.gateway.cluster_picture().await.map_err(WireError::from)?;
        let (meta, meta_unreachable) = match picture.members {
            Ok(members) => (members, String::new()),
            Err(why) => (Vec::new(), why),
        };
        Ok(Response::new(ClusterStatusResponse {
            ledger_groups: ledger_groups_to_wire(picture.info.routing),
            origin: picture.info.origin,
            epoch: picture.map.epoch.0,
            time: picture.info.time.to_string(),
            vaults: vault_groups_to_wire(&picture.map),
            nodes: nodes_to_wire(&picture.map, picture.said),
            damaged_shards: picture.damaged_shards,
            meta: meta.into_iter().map(meta_member_to_wire).collect(),
            meta_unreachable,
        }))
    }

    async fn create_vaults(
        &self,
        request: Request<CreateVaultsRequest>,
    ) -> Result<Response<CreateVaultsResponse>, Status> {
        let actor = operator_of(&request)?;
        let request = request.into_inner();
        let profile: ErasureProfile =
            request.profile.parse().map_err(|error| WireError::invalid("profile", error))?;
        let level = match request.level.as_str() {
            "" => None,
            text => Some(
                text.parse::<FailureDomain>()
                    .map_err(|error| WireError::invalid("level", error))?,
            ),
        };
        let count = (request.count > 0).then_some(request.count);
        let created = self.gateway.create_vaults(&actor, profile, level, count).await;
        let created = created.map_err(WireError::from)?;
        Ok(Response::new(CreateVaultsResponse {
            created: created.count,
            level: created.level.to_string(),
            epoch: created.epoch.0,
            left_out: created.left_out,
        }))
    }

    async fn add_disk(
        &self,
        request: Request<AddDiskRequest>,
    ) -> Result<Response<AddDiskResponse>, Status> {
        let actor = operator_of(&request)?;
        let AddDiskRequest { node, path, create } = request.into_inner();
        let request = custos_wire::internal_v1::AddDiskRequest { path, create };
        let disk_id =
            self.gateway.add_disk(&actor, &node, request).await.map_err(WireError::from)?;
        Ok(Response::new(AddDiskResponse { disk_id: disk_id.to_string() }))
    }

    async fn remove_disk(
        &self,
        request: Request<RemoveDiskRequest>,
    ) -> Result<Response<RemoveDiskResponse>, Status> {
        let actor = operator_of(&request)?;
        let RemoveDiskRequest { disk_id, for_good, reason } = request.into_inner();
        let disk_id = disk_id_from_wire(&disk_id)?;
        let removal =
            if for_good { DiskRemoval::ForGood { reason } } else { DiskRemoval::UntilNodeRestarts };
        self.gateway.remove_disk(&actor, disk_id, removal).await.map_err(WireError::from)?;
        Ok(Response::new(RemoveDiskResponse {}))
    }

    async fn release_disk(
        &self,
        request: Request<ReleaseDiskRequest>,
    ) -> Result<Response<ReleaseDiskResponse>, Status> {
        let actor = operator_of(&request)?;
        let ReleaseDiskRequest { disk_id, reason } = request.into_inner();
        let disk_id = disk_id_from_wire(&disk_id)?;
        self.gateway.release_disk(&actor, disk_id, reason).await.map_err(WireError::from)?;
        Ok(Response::new(ReleaseDiskResponse {}))
    }

    async fn set_scrub(
        &self,
        request: Request<SetScrubRequest>,
    ) -> Result<Response<SetScrubResponse>, Status> {
        let actor = operator_of(&request)?;
        let SetScrubRequest { disk_id, bytes_per_second, period_days, paused, start } =
            request.into_inner();
        let disk = match disk_id.as_str() {
            "" => None,
            text => Some(disk_id_from_wire(text)?),
        };
        let change = ScrubChange { bytes_per_second, period_days, paused, start };
        let disks = self.gateway.set_scrub(&actor, disk, change).await.map_err(WireError::from)?;
        Ok(Response::new(SetScrubResponse { disks }))
    }

    async fn list_damage(
        &self,
        request: Request<ListDamageRequest>,
    ) -> Result<Response<ListDamageResponse>, Status> {
        actor_of(&request)?;
        let request = request.into_inner();
        let after = damage_token_from_wire(&request.page_token)?;
        let limit = page_items(request.limit);
        let query = Query::ListDamage { after, limit, evidence_id: None };
        let answer = self.gateway.query(query).await.map_err(WireError::from)?;
        let Answer::Damage { items, total, more } = answer else {
            return Err(unexpected("ListDamage"));
        };
        let next_page_token = match items.last() {
            Some(last) if more => damage_token_to_wire(last.disk_id, &last.damage.key),
            _ => Vec::new(),
        };
        let items = items
            .iter()
            .map(|item| {
                damage_to_wire(item.disk_id, &item.damage, item.reported_at, item.log_index)
            })
            .collect();
        Ok(Response::new(ListDamageResponse { items, next_page_token, total }))
    }

    async fn list_quarantine(
        &self,
        request: Request<ListQuarantineRequest>,
    ) -> Result<Response<ListQuarantineResponse>, Status> {
        actor_of(&request)?;
        let ListQuarantineRequest { disk_id, limit } = request.into_inner();
        let disk_id = disk_id_from_wire(&disk_id)?;
        let items = self.gateway.quarantine(disk_id, page_items(limit)).await;
        let items = items.map_err(WireError::from)?.into_iter().map(quarantined_to_wire).collect();
        Ok(Response::new(ListQuarantineResponse { items }))
    }

    async fn list_meta(
        &self,
        request: Request<ListMetaRequest>,
    ) -> Result<Response<ListMetaResponse>, Status> {
        actor_of(&request)?;
        let members = self.gateway.meta_members().await.map_err(WireError::from)?;
        let members = members.into_iter().map(meta_member_to_wire).collect();
        Ok(Response::new(ListMetaResponse { members }))
    }

    async fn remove_meta(
        &self,
        request: Request<RemoveMetaRequest>,
    ) -> Result<Response<RemoveMetaResponse>, Status> {
        let actor = operator_of(&request)?;
        let RemoveMetaRequest { id, reason } = request.into_inner();
        self.gateway.remove_meta(&actor, MetaId(id), reason).await.map_err(WireError::from)?;
        Ok(Response::new(RemoveMetaResponse {}))
    }

    async fn lead_meta(
        &self,
        request: Request<LeadMetaRequest>,
    ) -> Result<Response<LeadMetaResponse>, Status> {
        let actor = operator_of(&request)?;
        let id = MetaId(request.into_inner().id);
        self.gateway.lead_meta(&actor, id).await.map_err(WireError::from)?;
        Ok(Response::new(LeadMetaResponse {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r23_stations_and_players_may_not_change_the_cluster() {
        let check = |role| check_operator(Actor { role, ..Actor::system() });
        for role in [Role::Developer, Role::System] {
            check(role).expect("operates the cluster");
        }
        for role in [Role::Station, Role::Playback] {
            let error = check(role).expect_err("does not");
            assert_eq!(error.rule, Some(Rule::R23));
            assert_eq!(error.field.as_deref(), Some("role"));
        }
    }
}
