//! Random sequences of commands: what holds after every one of them, whatever they are.

use std::collections::{BTreeMap, BTreeSet};

use custos_core::{
    Actor, Blake3Hash, ClusterMap, Descriptor, DiskId, DiskState, Epoch, ErasureProfile,
    EvidenceId, EvidenceKind, EvidenceRecord, FailureDomain, MetaId, MetaMember, MetaMemberState,
    RunId, Salt, Sha256Hash, Timestamp, UploadKey, VaultId, law::GrantScope,
};
use custos_ledger::{
    Answer, Command, CommandBatch, DiskClaim, Envelope, MemoryKv, NewVault, Policy, Query, apply,
    merkle,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    cluster_world::{
        claim, damage, disk_id, list_damage, new_vault, register_disks, register_node,
        release_disk, shard,
    },
    meta_members::members,
    world::{
        ORIGIN, START_MS, complete, developer, id, law_of, open, other_station, parts, policy,
        query, station,
    },
};

/// First bytes of the custody log's keys, which a refused attempt may touch.
const LOG: [u8; 5] = [0x03, 0x30, 0x31, 0x32, 0x33];

const IDS: u8 = 4;

fn ids() -> impl Strategy<Value = EvidenceId> {
    (0..IDS).prop_map(id)
}

fn commands() -> impl Strategy<Value = Command> {
    prop_oneof![
        3 => about_evidence(),
        2 => about_the_cluster(),
    ]
}

fn about_the_cluster() -> impl Strategy<Value = Command> {
    // Few of each, so that they meet.
    let numbers = || 0u8..4;
    let claims = (numbers(), 0u64..6, 0u8..2).prop_map(|(number, generation, opening)| DiskClaim {
        opening: RunId([opening; 16]),
        ..claim(number, generation)
    });
    let vaults = vec(numbers(), 3).prop_map(|disks| NewVault {
        profile: ErasureProfile::P2_1,
        ..new_vault(FailureDomain::Disk, &disks)
    });
    prop_oneof![
        2 => numbers().prop_map(register_node),
        4 => (numbers(), vec(claims, 0..3)).prop_map(|(node, claims)| register_disks(node, claims)),
        1 => numbers().prop_map(|number| Command::RemoveDisk {
            disk_id: disk_id(number),
            reason: "why".to_owned(),
        }),
        2 => numbers().prop_map(release_disk),
        3 => (vec(vaults, 0..3), 0u64..12).prop_map(|(vaults, epoch)| Command::CreateVaults {
            vaults,
            planned_at: Epoch(epoch),
        }),
        2 => (numbers(), numbers()).prop_map(|(disk, slot)| Command::ReportDamage {
            disk_id: disk_id(disk),
            damage: damage(1, slot),
        }),
        1 => (numbers(), numbers()).prop_map(|(disk, slot)| Command::ReportRepair {
            disk_id: disk_id(disk),
            key: shard(1, slot),
        }),
        3 => (numbers(), numbers(), numbers()).prop_map(|(token, name, endpoint)| {
            Command::AdmitMeta {
                token: [token; 16],
                name: format!("meta-{name}"),
                endpoint: "https://meta:740".repeat(usize::from(endpoint)),
            }
        }),
        1 => (0u64..6).prop_map(|id| Command::RetireMeta {
            id: MetaId(id),
            reason: "why".to_owned(),
        }),
        1 => Just(Command::RecordBackup),
        1 => numbers().prop_map(|token| Command::RestoreLedger {
            token: [token; 16],
            source: "a backup".to_owned(),
        }),
    ]
}

fn about_evidence() -> impl Strategy<Value = Command> {
    let origins = select(vec![ORIGIN, "custos.test/other", "not an origin"]);
    let days = select(vec![0, 365, 730]);
    let descriptors = select(vec![
        complete(),
        Descriptor::of_kind(EvidenceKind::Photo),
        Descriptor { place: Some(String::new()), ..complete() },
    ]);
    let empty = custos_core::SealedParts {
        size: 0,
        blake3: Blake3Hash(*blake3::hash(b"").as_bytes()),
        sha256: Sha256Hash([0; 32]),
        head_salt: None,
        missing_shards: 0,
    };
    let all_parts = select(vec![
        parts(1000),
        parts(1001),
        custos_core::SealedParts { head_salt: Some(Salt([0; 16])), ..parts(1000) },
        empty,
        parts(u64::MAX),
    ]);
    let edges = || select(vec![0, 1, 999, 1000, 1001, u64::MAX]);
    let texts = || select(vec!["why", "two\nlines", ""]).prop_map(str::to_owned);
    prop_oneof![
        1 => (origins, days).prop_map(|(origin, days)| Command::InitCluster {
            origin: origin.to_owned(),
            policy: Policy { retention_days_av: days, ..policy() },
        }),
        4 => (0..IDS, ids(), descriptors, 0u32..2).prop_map(|(key, id, descriptor, number)| {
            let mut command = open(key, descriptor);
            if let Command::OpenUpload { upload_key, evidence_id, profile, vault, .. } = &mut command
            {
                *upload_key = UploadKey([key; 32]);
                *evidence_id = id;
                *profile = ErasureProfile::P2_1;
                *vault = VaultId(number);
            }
            command
        }),
        4 => (ids(), all_parts).prop_map(|(evidence_id, parts)| Command::Seal { evidence_id, parts }),
        1 => (ids(), texts())
            .prop_map(|(evidence_id, reason)| Command::AbortUpload { evidence_id, reason }),
        3 => (ids(), edges(), edges(), option::of(texts())).prop_map(
            |(evidence_id, start, end, purpose)| {
                Command::RecordView { evidence_id, start, end, purpose, scope: GrantScope::View, grant: None }
            }
        ),
    ]
}

/// Who asks, and for what.
pub(crate) fn asked() -> impl Strategy<Value = (Actor, Command)> {
    let nobody = Actor { name: String::new(), ..station() };
    let actors = select(vec![
        station(),
        station(),
        station(),
        other_station(),
        developer(),
        developer(),
        nobody,
    ]);
    (actors, commands())
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    // Few enough request ids that some are used twice.
    (0u8..200, any::<[u8; 16]>(), asked()).prop_map(|(request, entry_salt, (actor, command))| {
        Envelope { request_id: [request; 16], actor, entry_salt, command }
    })
}

/// What most sequences need to have something to act on: a cluster, and in some a vault.
pub(crate) fn beginning(has_vault: bool) -> Vec<(Actor, Command)> {
    let init = Command::InitCluster { origin: ORIGIN.to_owned(), policy: policy() };
    let vault =
        NewVault { profile: ErasureProfile::P2_1, ..new_vault(FailureDomain::Disk, &[0, 1, 2]) };
    let mut commands = vec![init];
    if has_vault {
        commands.extend([
            register_node(0),
            register_disks(0, (0..3).map(|number| claim(number, 1)).collect()),
            Command::CreateVaults { vaults: vec![vault], planned_at: Epoch(2) },
        ]);
    }
    commands.into_iter().map(|command| (Actor::system(), command)).collect()
}

fn batches() -> impl Strategy<Value = Vec<CommandBatch>> {
    let stamp = -5_000i64..5_000;
    (any::<bool>(), vec((stamp, vec(envelopes(), 1..6)), 1..20)).prop_map(|(has_vault, batches)| {
        let mut all: Vec<CommandBatch> = batches
            .into_iter()
            .map(|(stamp, envelopes)| CommandBatch {
                stamped: Timestamp::from_millis(START_MS + stamp),
                envelopes,
            })
            .collect();
        // What comes before the cluster began is refused.
        let position = all[0].envelopes.len() / 2;
        let envelope = |(number, (actor, command))| Envelope {
            request_id: [number; 16],
            actor,
            entry_salt: [0; 16],
            command,
        };
        let beginning = (200..).zip(beginning(has_vault)).map(envelope);
        all[0].envelopes.splice(position..position, beginning);
        all
    })
}

fn checkpoint(kv: &MemoryKv) -> custos_core::Checkpoint {
    match query(kv, &Query::Checkpoint) {
        Answer::Checkpoint(checkpoint) => checkpoint,
        other => panic!("{other:?}"),
    }
}

fn sealed(kv: &MemoryKv) -> BTreeMap<EvidenceId, EvidenceRecord> {
    match query(kv, &Query::ListEvidence { after: None, limit: 100, case: None, recording: None }) {
        Answer::List { items, resume_after: None } => {
            items.into_iter().map(|record| (record.evidence_id, record)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn open_uploads(kv: &MemoryKv) -> usize {
    (0..IDS)
        .filter(|number| matches!(query(kv, &Query::Upload(id(*number))), Answer::Upload(Some(_))))
        .count()
}

/// Sum of the stored counters, read as one-field messages `08 n`.
fn counted_uploads(kv: &MemoryKv) -> usize {
    kv.iter().filter(|(key, _)| key[0] == 0x12).map(|(_, value)| usize::from(value[1])).sum()
}

fn map(kv: &MemoryKv) -> ClusterMap {
    match query(kv, &Query::ClusterMap { newer_than: Epoch(0) }) {
        Answer::ClusterMap(map) => map.map(|map| *map).unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

fn check_cluster(before: &MemoryKv, after: &MemoryKv) {
    let (old, new) = (map(before), map(after));
    let same = |map: &ClusterMap| ClusterMap { epoch: Epoch(0), ..map.clone() };
    let grows = u64::from(same(&old) != same(&new));
    assert_eq!(new.epoch.0, old.epoch.0 + grows, "every change of the map is an epoch, once");
    for disk in &old.disks {
        let now = new.disk(disk.disk_id).expect("no disk is forgotten");
        assert!(now.generation >= disk.generation, "generations only grow");
        assert!(disk.state != DiskState::Removed || now == disk, "removed is for good");
        let is_free = disk.state == DiskState::Released;
        assert!(now.node_id == disk.node_id || is_free, "a node keeps what it did not release");
    }
    for vault in &new.vaults {
        let is_there =
            |id: &DiskId| new.disk(*id).is_some_and(|disk| disk.state != DiskState::Removed);
        assert!(vault.slots.iter().all(is_there), "no disk of a vault is removed");
    }
    check_group(&members(before), &members(after));
    assert!(list_damage(after).len() <= 16, "damage is on record once a shard and disk");
}

fn check_group(old: &[MetaMember], new: &[MetaMember]) {
    // A restored ledger counts the one that kept it alone and never said so.
    let first = new.first().map_or(1, |member| member.id.0);
    assert!(first <= 2, "ids begin with 1");
    let ids = new.iter().map(|member| member.id.0);
    assert!(ids.eq((first..).take(new.len())), "ids have no gap");
    for (was, is) in old.iter().zip(new) {
        assert_eq!((was.token, was.admitted_at), (is.token, is.admitted_at));
        assert!(was.state == MetaMemberState::Admitted || was == is, "retired is for good");
    }
    assert!(new.len() >= old.len(), "no member is forgotten");
    let admitted: Vec<&MetaMember> =
        new.iter().filter(|member| member.state == MetaMemberState::Admitted).collect();
    assert!(!admitted.is_empty() || new.is_empty(), "one keeps the ledger");
    let distinct = |text: fn(&MetaMember) -> &str| {
        admitted.iter().map(|member| text(member)).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(distinct(|member| &member.name), admitted.len());
    assert_eq!(distinct(|member| &member.endpoint), admitted.len());
    assert!(admitted.len() < 2 || admitted.iter().all(|member| !member.endpoint.is_empty()));
}

fn check_step(before: &MemoryKv, after: &MemoryKv, envelope: &Envelope, is_refused: bool) {
    let (old, new) = (checkpoint(before), checkpoint(after));
    assert!(new.size >= old.size && new.size <= old.size + 1, "an act is one entry at most");
    let Answer::Consistency(Some(proof)) = query(after, &Query::ProveConsistency { old: old.size })
    else {
        panic!("the log only grows");
    };
    let verified =
        merkle::verify_consistency(old.size, &old.root, new.size, &new.root, &proof.path);
    assert_eq!(verified, Ok(()));
    let still = sealed(after);
    for (id, record) in sealed(before) {
        assert_eq!(still.get(&id), Some(&record), "sealed evidence never changes");
    }
    assert_eq!(open_uploads(after), counted_uploads(after));
    check_cluster(before, after);
    if is_refused {
        let law = |kv: &MemoryKv| -> MemoryKv {
            let mut law = law_of(kv);
            law.retain(|key, _| !LOG.contains(&key[0]));
            law
        };
        assert_eq!(law(before), law(after), "nothing of a refused command is stored");
        let has_begun = old.size > 0;
        let is_attempt = matches!(
            envelope.command,
            Command::Seal { .. } | Command::AbortUpload { .. } | Command::RecordView { .. }
        );
        assert!(new.size - old.size <= u64::from(has_begun && is_attempt));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn i3_i4_whatever_is_asked_the_log_grows_and_what_is_sealed_stands(batches in batches()) {
        let mut kv = MemoryKv::new();
        for batch in &batches {
            for envelope in &batch.envelopes {
                let before = kv.clone();
                let done = apply(&mut kv, envelope, batch.stamped);
                check_step(&before, &kv, envelope, done.is_err());
            }
        }
        let mut replica = MemoryKv::new();
        for bytes in batches.iter().map(CommandBatch::encode) {
            let batch = CommandBatch::decode(&bytes).expect("just encoded");
            for envelope in &batch.envelopes {
                let _ = apply(&mut replica, envelope, batch.stamped);
            }
        }
        prop_assert!(kv == replica, "two replicas hold the same bytes");
    }
}
