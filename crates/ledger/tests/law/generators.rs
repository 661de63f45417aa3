//! Any value of the types that the ledger encodes.

use custos_core::{
    Act, Actor, Blake3Hash, Checkpoint, ChunkIndex, ChunkSize, ClusterMap, CustodyEntry,
    Descriptor, DiskGeneration, DiskId, DiskRecord, DiskState, Epoch, ErasureProfile, EvidenceId,
    EvidenceKind, EvidenceRecord, FailureDomain, InclusionProof, Labels, LogIndex, MetaId,
    MetaMember, MetaMemberState, NodeId, NodeRecord, Role, RunId, Salt, SealedParts, Sha256Hash,
    ShardDamage, ShardKey, ShardSlot, Stage, Timestamp, UploadKey, UploadSession, VaultId,
    VaultRecord,
    law::{Classification, GrantScope},
};
use custos_ledger::{
    Answer, ClusterInfo, Command, ConsistencyProof, DamageRecord, DiskClaim, Envelope,
    IncompleteDescriptor, LedgerGroup, LedgerGroupId, NewVault, Outcome, Policy, Query, Routing,
    ShardRange, VirtualShard,
};
use proptest::{
    collection::{btree_set, vec},
    option,
    prelude::*,
    sample::select,
};

pub(crate) fn actors() -> impl Strategy<Value = Actor> {
    let roles = select(vec![Role::Developer, Role::Station, Role::Playback, Role::System]);
    (".{0,80}", roles, any::<[u8; 32]>()).prop_map(|(name, role, fingerprint)| Actor {
        name,
        role,
        fingerprint,
    })
}

pub(crate) fn descriptors() -> impl Strategy<Value = Descriptor> {
    let text = || option::of(".{0,40}");
    let time = option::of(any::<i64>().prop_map(Timestamp::from_millis));
    let kind = select(EvidenceKind::ALL.to_vec());
    let stage = option::of(select(Stage::ALL.to_vec()));
    let texts = (text(), text(), text(), text(), text(), text());
    (kind, time, stage, vec(".{0,20}", 0..4), texts, other_claims()).prop_map(
        |(kind, captured_at, stage, officers, texts, claims)| Descriptor {
            kind,
            captured_at,
            recorder: texts.0,
            officers,
            case: texts.1,
            stage,
            place: texts.2,
            note: texts.3,
            file_name: texts.4,
            media_type: texts.5,
            ..claims
        },
    )
}

pub(crate) fn all_parts() -> impl Strategy<Value = SealedParts> {
    let hashes = (any::<[u8; 32]>(), any::<[u8; 32]>());
    (any::<u64>(), hashes, option::of(any::<[u8; 16]>()), any::<u32>()).prop_map(
        |(size, (blake3, sha256), salt, missing_shards)| SealedParts {
            size,
            blake3: Blake3Hash(blake3),
            sha256: Sha256Hash(sha256),
            head_salt: salt.map(Salt),
            missing_shards,
        },
    )
}

pub(crate) fn policies() -> impl Strategy<Value = Policy> {
    let incomplete =
        select(vec![IncompleteDescriptor::AcceptUnfiled, IncompleteDescriptor::Refuse]);
    (incomplete, any::<u32>(), any::<u32>()).prop_map(|(incomplete_descriptor, av, other)| Policy {
        incomplete_descriptor,
        retention_days_av: av,
        retention_days_other: other,
    })
}

pub(crate) fn openings() -> impl Strategy<Value = Command> {
    let layout = (select(ErasureProfile::ALL.to_vec()), 20u8..=26, any::<u32>());
    (any::<[u8; 32]>(), any::<[u8; 16]>(), descriptors(), layout, vec(any::<u8>(), 0..300))
        .prop_map(|(key, id, descriptor, (profile, log2, vault), wrapped_key)| {
            Command::OpenUpload {
                upload_key: UploadKey(key),
                evidence_id: EvidenceId::from_bytes(id),
                descriptor,
                profile,
                chunk_size: ChunkSize::from_log2(log2).expect("20 to 26"),
                vault: VaultId(vault),
                wrapped_key,
            }
        })
}

pub(crate) fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![about_evidence(), about_the_cluster(),]
}

fn about_evidence() -> impl Strategy<Value = Command> {
    let ids = evidence_ids;
    prop_oneof![
        (".{0,40}", policies())
            .prop_map(|(origin, policy)| Command::InitCluster { origin, policy }),
        openings(),
        (ids(), all_parts()).prop_map(|(evidence_id, parts)| Command::Seal { evidence_id, parts }),
        (ids(), ".{0,40}")
            .prop_map(|(evidence_id, reason)| Command::AbortUpload { evidence_id, reason }),
        (ids(), any::<u64>(), any::<u64>(), option::of(".{0,40}"), scopes()).prop_map(
            |(evidence_id, start, end, purpose, (scope, grant))| Command::RecordView {
                evidence_id,
                start,
                end,
                purpose,
                scope,
                grant,
            }
        ),
    ]
}

fn scopes() -> impl Strategy<Value = (GrantScope, Option<String>)> {
    (select(GrantScope::ALL.to_vec()), option::of(".{0,10}"))
}

pub(crate) fn envelopes() -> impl Strategy<Value = Envelope> {
    (any::<[u8; 16]>(), actors(), any::<[u8; 16]>(), commands()).prop_map(
        |(request_id, actor, entry_salt, command)| Envelope {
            request_id,
            actor,
            entry_salt,
            command,
        },
    )
}

fn evidence_ids() -> impl Strategy<Value = EvidenceId> {
    any::<[u8; 16]>().prop_map(EvidenceId::from_bytes)
}

fn times() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn profiles() -> impl Strategy<Value = ErasureProfile> {
    select(ErasureProfile::ALL.to_vec())
}

fn levels() -> impl Strategy<Value = FailureDomain> {
    select(FailureDomain::ALL.to_vec())
}

fn disk_ids() -> impl Strategy<Value = DiskId> {
    any::<[u8; 16]>().prop_map(DiskId)
}

fn run_ids() -> impl Strategy<Value = RunId> {
    any::<[u8; 16]>().prop_map(RunId)
}

fn all_labels() -> impl Strategy<Value = Labels> {
    (".{0,20}", ".{0,20}", ".{0,20}").prop_map(|(zone, rack, host)| Labels { zone, rack, host })
}

fn claims() -> impl Strategy<Value = DiskClaim> {
    (disk_ids(), ".{0,20}", any::<u32>(), any::<u64>(), run_ids()).prop_map(
        |(disk_id, name, weight, generation, opening)| DiskClaim {
            disk_id,
            name,
            weight,
            generation: DiskGeneration(generation),
            opening,
        },
    )
}

fn new_vaults() -> impl Strategy<Value = NewVault> {
    (profiles(), levels(), vec(disk_ids(), 0..15)).prop_map(|(profile, level, slots)| NewVault {
        profile,
        level,
        slots,
    })
}

fn shard_keys() -> impl Strategy<Value = ShardKey> {
    (any::<u32>(), evidence_ids(), any::<u32>(), any::<u8>(), any::<[u8; 16]>()).prop_map(
        |(vault, evidence_id, chunk, slot, salt)| ShardKey {
            vault: VaultId(vault),
            evidence_id,
            chunk: ChunkIndex(chunk),
            slot: ShardSlot(slot),
            salt: Salt(salt),
        },
    )
}

fn damages() -> impl Strategy<Value = ShardDamage> {
    (shard_keys(), ".{0,40}").prop_map(|(key, what)| ShardDamage { key, what })
}

fn about_the_cluster() -> impl Strategy<Value = Command> {
    let nodes = || any::<[u8; 16]>().prop_map(NodeId);
    prop_oneof![
        (nodes(), ".{0,20}", ".{0,20}", all_labels(), run_ids()).prop_map(
            |(node_id, name, endpoint, labels, run)| Command::RegisterNode {
                node_id,
                name,
                endpoint,
                labels,
                run,
            }
        ),
        (nodes(), vec(claims(), 0..4))
            .prop_map(|(node_id, disks)| Command::RegisterDisks { node_id, disks }),
        (disk_ids(), ".{0,20}")
            .prop_map(|(disk_id, reason)| Command::RemoveDisk { disk_id, reason }),
        (disk_ids(), ".{0,20}")
            .prop_map(|(disk_id, reason)| Command::ReleaseDisk { disk_id, reason }),
        (vec(new_vaults(), 0..4), any::<u64>()).prop_map(|(vaults, epoch)| {
            Command::CreateVaults { vaults, planned_at: Epoch(epoch) }
        }),
        (disk_ids(), damages())
            .prop_map(|(disk_id, damage)| Command::ReportDamage { disk_id, damage }),
        (disk_ids(), shard_keys())
            .prop_map(|(disk_id, key)| Command::ReportRepair { disk_id, key }),
        any::<[u8; 8]>().prop_map(|key_id| Command::AdoptKey { key_id }),
        (any::<[u8; 16]>(), ".{0,20}", ".{0,20}")
            .prop_map(|(token, name, endpoint)| Command::AdmitMeta { token, name, endpoint }),
        (any::<u64>(), ".{0,20}")
            .prop_map(|(id, reason)| Command::RetireMeta { id: MetaId(id), reason }),
        Just(Command::RecordBackup),
        (any::<[u8; 16]>(), ".{0,20}")
            .prop_map(|(token, source)| Command::RestoreLedger { token, source }),
    ]
}

fn meta_members() -> impl Strategy<Value = MetaMember> {
    let state = select(vec![MetaMemberState::Admitted, MetaMemberState::Retired]);
    (any::<u64>(), ".{0,20}", ".{0,20}", any::<[u8; 16]>(), state, times()).prop_map(
        |(id, name, endpoint, token, state, admitted_at)| MetaMember {
            id: MetaId(id),
            name,
            endpoint,
            token,
            state,
            admitted_at,
        },
    )
}

fn sessions() -> impl Strategy<Value = UploadSession> {
    let layout = (profiles(), 20u8..=26, any::<u32>());
    let ids = (evidence_ids(), any::<[u8; 32]>());
    (ids, actors(), descriptors(), layout, (times(), times()), vec(any::<u8>(), 0..80)).prop_map(
        |((evidence_id, key), actor, descriptor, (profile, log2, vault), times, wrapped_key)| {
            UploadSession {
                evidence_id,
                upload_key: UploadKey(key),
                actor,
                descriptor,
                opened_at: times.0,
                profile,
                chunk_size: ChunkSize::from_log2(log2).expect("20 to 26"),
                vault: VaultId(vault),
                wrapped_key,
                retain_until: times.1,
            }
        },
    )
}

fn records() -> impl Strategy<Value = EvidenceRecord> {
    (sessions(), all_parts(), times(), any::<u64>()).prop_map(
        |(session, parts, sealed_at, seal_index)| EvidenceRecord {
            evidence_id: session.evidence_id,
            actor: session.actor,
            descriptor: session.descriptor,
            opened_at: session.opened_at,
            sealed_at,
            seal_index: LogIndex(seal_index),
            parts,
            profile: session.profile,
            chunk_size: session.chunk_size,
            vault: session.vault,
            wrapped_key: session.wrapped_key,
            retain_until: session.retain_until,
        },
    )
}

pub(crate) fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Initialised),
        sessions().prop_map(|session| Outcome::UploadOpen(Box::new(session))),
        records().prop_map(|record| Outcome::AlreadySealed(Box::new(record))),
        records().prop_map(|record| Outcome::Sealed(Box::new(record))),
        any::<u64>().prop_map(|index| Outcome::Aborted(LogIndex(index))),
        any::<u64>().prop_map(|index| Outcome::ViewRecorded(LogIndex(index))),
        any::<u64>().prop_map(|epoch| Outcome::MapChanged(Epoch(epoch))),
        Just(Outcome::DamageNoted),
        any::<[u8; 8]>().prop_map(Outcome::KeyAdopted),
        meta_members().prop_map(Outcome::MetaAdmitted),
        meta_members().prop_map(Outcome::MetaRetired),
        any::<u64>().prop_map(|index| Outcome::BackupRecorded(LogIndex(index))),
    ]
}

pub(crate) fn queries() -> impl Strategy<Value = Query> {
    let by = |(reader, query)| Query::By { reader, query: Box::new(query) };
    prop_oneof![4 => plain_queries(), 1 => (actors(), plain_queries()).prop_map(by)]
}

fn plain_queries() -> impl Strategy<Value = Query> {
    let ids = evidence_ids;
    prop_oneof![
        Just(Query::Cluster),
        ids().prop_map(Query::Evidence),
        ids().prop_map(Query::Upload),
        (option::of(ids()), any::<usize>(), option::of(".{0,20}"), option::of(".{0,20}")).prop_map(
            |(after, limit, case, recording)| Query::ListEvidence { after, limit, case, recording }
        ),
        Just(Query::Checkpoint),
        (any::<u64>(), any::<usize>(), option::of(ids()), option::of(".{0,20}")).prop_map(
            |(from, limit, evidence_id, record)| {
                Query::Entries { from: LogIndex(from), limit, evidence_id, record }
            }
        ),
        any::<u64>().prop_map(|index| Query::ProveInclusion(LogIndex(index))),
        any::<u64>().prop_map(|old| Query::ProveConsistency { old }),
        any::<u64>().prop_map(|epoch| Query::ClusterMap { newer_than: Epoch(epoch) }),
        (option::of((disk_ids(), shard_keys())), any::<usize>(), option::of(ids())).prop_map(
            |(after, limit, evidence_id)| Query::ListDamage { after, limit, evidence_id }
        ),
        Just(Query::MetaMembers),
    ]
}

fn checkpoints() -> impl Strategy<Value = Checkpoint> {
    (".{0,20}", any::<u64>(), any::<[u8; 32]>()).prop_map(|(origin, size, root)| Checkpoint {
        origin,
        size,
        root,
    })
}

fn entries() -> impl Strategy<Value = CustodyEntry> {
    let texts = (option::of(".{0,20}"), option::of(".{0,20}"), option::of(".{0,20}"));
    let act = select(Act::ALL.to_vec());
    (any::<u64>(), times(), act, option::of(evidence_ids()), texts, vec(any::<u8>(), 0..80))
        .prop_map(|(index, time, act, evidence_id, (actor, detail, record), leaf)| CustodyEntry {
            index: LogIndex(index),
            time,
            act,
            evidence_id,
            actor,
            detail,
            record,
            leaf,
        })
}

fn nodes() -> impl Strategy<Value = NodeRecord> {
    (any::<[u8; 16]>(), ".{0,20}", ".{0,20}", all_labels(), run_ids(), times()).prop_map(
        |(id, name, endpoint, labels, run, registered_at)| NodeRecord {
            node_id: NodeId(id),
            name,
            endpoint,
            labels,
            run,
            registered_at,
        },
    )
}

fn disks() -> impl Strategy<Value = DiskRecord> {
    let state = select(vec![DiskState::InService, DiskState::Released, DiskState::Removed]);
    (claims(), any::<[u8; 16]>(), state).prop_map(|(claim, node_id, state)| DiskRecord {
        disk_id: claim.disk_id,
        node_id: NodeId(node_id),
        name: claim.name,
        weight: claim.weight,
        generation: claim.generation,
        opening: claim.opening,
        state,
    })
}

fn vaults() -> impl Strategy<Value = VaultRecord> {
    (new_vaults(), any::<u32>(), any::<u64>()).prop_map(|(vault, id, epoch)| VaultRecord {
        vault_id: VaultId(id),
        profile: vault.profile,
        level: vault.level,
        slots: vault.slots,
        epoch: Epoch(epoch),
    })
}

fn maps() -> impl Strategy<Value = ClusterMap> {
    (any::<u64>(), vec(nodes(), 0..3), vec(disks(), 0..3), vec(vaults(), 0..3)).prop_map(
        |(epoch, mut nodes, mut disks, mut vaults)| {
            nodes.sort_by_key(|node| node.node_id);
            disks.sort_by_key(|disk| disk.disk_id);
            vaults.sort_by_key(|vault| vault.vault_id);
            ClusterMap { epoch: Epoch(epoch), nodes, disks, vaults }
        },
    )
}

fn damage_records() -> impl Strategy<Value = DamageRecord> {
    (disk_ids(), damages(), times(), any::<u64>()).prop_map(
        |(disk_id, damage, reported_at, log_index)| DamageRecord {
            disk_id,
            damage,
            reported_at,
            log_index: LogIndex(log_index),
        },
    )
}

/// One to four groups that share the virtual shards.
fn routings() -> impl Strategy<Value = Routing> {
    (btree_set(1..VirtualShard::COUNT, 0..4), vec("[a-z:/.]{0,12}", 0..3)).prop_map(
        |(cuts, endpoints)| {
            let mut routing = Routing::single();
            routing.shards.clear();
            routing.groups.clear();
            let ends = cuts.iter().copied().chain([VirtualShard::COUNT]);
            let mut first = 0;
            for (number, end) in (1..).zip(ends) {
                let id = LedgerGroupId(number);
                routing.groups.push(LedgerGroup { id, endpoints: endpoints.clone() });
                routing.shards.push(ShardRange { first, last: end - 1, group: id });
                first = end;
            }
            routing
        },
    )
}

pub(crate) fn answers() -> impl Strategy<Value = Answer> {
    let infos = (".{0,20}", policies(), times(), routings())
        .prop_map(|(origin, policy, time, routing)| ClusterInfo { origin, policy, time, routing });
    let paths = || vec(any::<[u8; 32]>(), 0..4);
    let inclusions = (any::<u64>(), vec(any::<u8>(), 0..80), paths(), checkpoints()).prop_map(
        |(index, leaf, path, checkpoint)| {
            Box::new(InclusionProof { index: LogIndex(index), leaf, path, checkpoint })
        },
    );
    let consistencies = (any::<u64>(), paths(), checkpoints())
        .prop_map(|(old, path, checkpoint)| ConsistencyProof { old, path, checkpoint });
    prop_oneof![
        option::of(infos).prop_map(Answer::Cluster),
        option::of(records().prop_map(Box::new)).prop_map(Answer::Evidence),
        option::of(sessions().prop_map(Box::new)).prop_map(Answer::Upload),
        (vec(records(), 0..3), option::of(evidence_ids()))
            .prop_map(|(items, resume_after)| Answer::List { items, resume_after }),
        checkpoints().prop_map(Answer::Checkpoint),
        (vec(entries(), 0..3), option::of(any::<u64>().prop_map(LogIndex)))
            .prop_map(|(items, next)| Answer::Entries { items, next }),
        option::of(inclusions).prop_map(Answer::Inclusion),
        option::of(consistencies).prop_map(Answer::Consistency),
        option::of(maps().prop_map(Box::new)).prop_map(Answer::ClusterMap),
        (vec(damage_records(), 0..3), any::<u64>(), any::<bool>())
            .prop_map(|(items, total, more)| Answer::Damage { items, total, more }),
        vec(meta_members(), 0..4).prop_map(Answer::MetaMembers),
    ]
}

/// What a descriptor says of its recording, of clocks and of secrecy.
fn other_claims() -> impl Strategy<Value = Descriptor> {
    let times = (option::of(times()), option::of(times()));
    let numbers = (option::of(any::<u64>()), option::of(any::<u64>()), option::of(any::<i64>()));
    let texts = (option::of(".{0,20}"), option::of(".{0,20}"));
    let classification = option::of(select(Classification::ALL.to_vec()));
    (times, numbers, texts, classification).prop_map(
        |((captured_until, station_at), numbers, (recording, source), classification)| Descriptor {
            captured_until,
            station_at,
            sequence: numbers.0,
            notice_at_ms: numbers.1,
            device_ahead_ms: numbers.2,
            recording,
            source,
            classification,
            ..Descriptor::of_kind(EvidenceKind::Video)
        },
    )
}
