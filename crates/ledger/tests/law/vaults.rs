use custos_core::{Act, Epoch, ErasureProfile, ErrorKind, FailureDomain, Rule, VaultId};
use custos_ledger::{Command, NewVault, Outcome, VAULTS_MAX, VAULTS_PER_COMMAND_MAX};

use crate::{
    cluster_world::{
        assert_changes_nothing, claim, disk_id, map, named, new_vault, refused, register_disks,
        register_node, with_nodes, with_vault,
    },
    world::{World, assert_refused, complete, developer, open, station},
};

const SIX: [u8; 6] = [1, 2, 3, 4, 5, 6];

/// Creates on the map as it stands.
fn create(world: &World, vaults: Vec<NewVault>) -> Command {
    Command::CreateVaults { vaults, planned_at: map(&world.kv).epoch }
}

fn remove(number: u8) -> Command {
    Command::RemoveDisk { disk_id: disk_id(number), reason: "broken".to_owned() }
}

#[test]
fn vaults_get_the_next_free_ids_and_the_epoch_of_their_creation() {
    let mut world = with_nodes(7);
    let host = |disks| new_vault(FailureDomain::Host, disks);
    let two = create(&world, vec![host(&SIX), host(&[2, 3, 4, 5, 6, 7])]);
    assert_eq!(world.act(&developer(), two), Ok(Outcome::MapChanged(Epoch(15))));
    let one = create(&world, vec![host(&[7, 6, 5, 4, 3, 2])]);
    assert_eq!(world.act(&developer(), one), Ok(Outcome::MapChanged(Epoch(16))));
    let map = map(&world.kv);
    let found: Vec<_> = map.vaults.iter().map(|vault| (vault.vault_id, vault.epoch)).collect();
    let (first, second) = (Epoch(15), Epoch(16));
    assert_eq!(found, [(VaultId(0), first), (VaultId(1), first), (VaultId(2), second)]);
    assert_eq!(map.vaults[2].slots[0], disk_id(7));
    let entry = world.last_entry();
    assert_eq!(entry.act, Act::ClusterChanged);
    let detail = "vaults created from 2 on: 1 of 4+2, slots apart by host";
    assert_eq!(entry.detail.as_deref(), Some(detail));
}

#[test]
fn i6_the_same_command_again_finds_its_vaults() {
    let mut world = with_nodes(6);
    let command = create(&world, vec![new_vault(FailureDomain::Host, &SIX)]);
    world.act(&developer(), command.clone()).expect("created");
    assert_changes_nothing(&mut world, command);
}

#[test]
fn i1_vaults_planned_on_an_older_map_are_refused() {
    let mut world = with_nodes(6);
    let command = create(&world, vec![new_vault(FailureDomain::Host, &SIX)]);
    world.act(&developer(), register_node(7)).expect("registered");
    let refusal = refused(&mut world, command);
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "planned_at"));
    assert!(refusal.reason.ends_with("plan again"), "{refusal}");
}

#[test]
fn i1_two_slots_in_one_failure_domain_are_refused() {
    let mut world = with_nodes(6);
    world.act(&developer(), register_disks(1, vec![claim(7, 1)])).expect("registered");
    let both_on_host_1 = [1, 2, 3, 4, 5, 7];
    let command = create(&world, vec![new_vault(FailureDomain::Host, &both_on_host_1)]);
    let refusal = refused(&mut world, command);
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "slots"));
    assert_eq!(refusal.reason, "vault 0 has two slots in host \"host-1\"");
    // All hosts are in three racks of one zone.
    for level in [FailureDomain::Rack, FailureDomain::Zone] {
        let command = create(&world, vec![new_vault(level, &SIX)]);
        let refusal = refused(&mut world, command);
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "slots"));
    }
    let command = create(&world, vec![new_vault(FailureDomain::Disk, &both_on_host_1)]);
    world.act(&developer(), command).expect("created");
}

#[test]
fn i1_slots_on_one_disk_or_on_none_in_service_are_refused() {
    let mut world = with_nodes(7);
    world.act(&developer(), remove(7)).expect("removed");
    for disks in [[1, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 7], [1, 2, 3, 4, 5, 99]] {
        let command = create(&world, vec![new_vault(FailureDomain::Disk, &disks)]);
        let refusal = refused(&mut world, command);
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "slots"));
    }
    let command = create(&world, vec![new_vault(FailureDomain::Disk, &[1, 2, 3, 4, 5])]);
    let refusal = refused(&mut world, command);
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I1, "slots"));
    assert_eq!(refusal.reason, "vault 0 has 5 slots, 4+2 needs 6");
}

#[test]
fn i10_a_command_has_1_to_128_vaults_and_a_cluster_4096() {
    let mut world = with_nodes(6);
    let many = |count| vec![new_vault(FailureDomain::Host, &SIX); count];
    for count in [0, VAULTS_PER_COMMAND_MAX + 1] {
        let command = create(&world, many(count));
        let refusal = refused(&mut world, command);
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, "vaults"));
    }
    for _ in 0..VAULTS_MAX / VAULTS_PER_COMMAND_MAX {
        let command = create(&world, many(VAULTS_PER_COMMAND_MAX));
        world.act(&developer(), command).expect("created");
    }
    let command = create(&world, many(1));
    let refusal = refused(&mut world, command);
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I10, "vaults"));
}

#[test]
fn i10_the_largest_lawful_creation_fits_a_command() {
    let mut world = with_nodes(1);
    let vault = NewVault {
        profile: ErasureProfile::P10_4,
        level: FailureDomain::Disk,
        slots: vec![disk_id(0xff); 14],
    };
    let vaults = vec![vault; VAULTS_PER_COMMAND_MAX];
    let command = Command::CreateVaults { vaults, planned_at: Epoch(u64::MAX) };
    assert_eq!(world.envelope(&developer(), command).check_size(), Ok(()));
}

#[test]
fn a_removed_disk_stays_in_the_map_and_removing_it_again_changes_nothing() {
    let mut world = with_nodes(2);
    let done = world.act(&developer(), remove(2));
    assert_eq!(done, Ok(Outcome::MapChanged(Epoch(5))));
    assert_eq!(map(&world.kv).disks_in_service().count(), 1);
    let detail = world.last_entry().detail.expect("has one");
    assert!(detail.ends_with("removed for good: broken"), "{detail}");
    assert_changes_nothing(&mut world, remove(2));
}

#[test]
fn i1_a_disk_that_vaults_need_is_not_removed() {
    let mut world = with_vault();
    let refusal = refused(&mut world, remove(3));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "disk_id"));
    assert!(refusal.reason.starts_with("1 vaults have a slot on disk"), "{refusal}");
}

#[test]
fn a_disk_is_removed_by_its_id_and_with_a_reason() {
    let mut world = with_nodes(1);
    let refusal = refused(&mut world, remove(9));
    assert_eq!(named(&refusal), (ErrorKind::NotFound, Rule::R14, "disk_id"));
    let because = |reason: String| Command::RemoveDisk { disk_id: disk_id(1), reason };
    let refusal = refused(&mut world, because(String::new()));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R26, "reason"));
    let refusal = refused(&mut world, because("x".repeat(513)));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, "reason"));
}

/// Opens upload `number` as 4+2 in `vault`.
fn open_in(number: u8, vault: u32) -> Command {
    let mut command = open(number, complete());
    if let Command::OpenUpload { vault: chosen, .. } = &mut command {
        *chosen = VaultId(vault);
    }
    command
}

#[test]
fn i1_an_upload_goes_into_a_vault_that_is_there_and_keeps_its_profile() {
    let mut world = with_vault();
    let small =
        NewVault { profile: ErasureProfile::P2_1, ..new_vault(FailureDomain::Host, &[1, 2, 3]) };
    let command = create(&world, vec![small]);
    world.act(&developer(), command).expect("created");

    world.act(&station(), open_in(1, 0)).expect("opened");
    let refusal = refused(&mut world, open_in(2, 9));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "vault"));
    assert_eq!(refusal.reason, "no vault 9 in the cluster");
    let refusal = refused(&mut world, open_in(2, 1));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "vault"));
    // An upload that stands is found again, whatever vault is proposed.
    world.act(&station(), open_in(1, 9)).expect("found");
}

#[test]
fn an_upload_of_before_the_first_node_stands_when_the_log_is_applied_again() {
    let mut world = World::begun();
    world.act(&station(), open_in(1, 0)).expect("opened without a map");
    world.act(&developer(), register_node(1)).expect("registered");
    let done = world.act(&station(), open_in(2, 0));
    assert_refused(done, ErrorKind::Refused, Rule::I1, "vault");
    world.act(&station(), open_in(1, 0)).expect("found");
}
