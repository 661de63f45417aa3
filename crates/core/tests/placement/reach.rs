use custos_core::{
    ErasureProfile, ErrorKind, VaultId,
    placement::{check_reach, plan_vaults},
};

use crate::world::{cluster, create, host};

#[test]
fn a_vault_with_fewer_than_k_failure_domains_in_reach_is_named_with_its_counts() {
    let mut map = cluster(&vec![host(&[1]); 6]);
    let plan = plan_vaults(&map, ErasureProfile::P4_2, None, Some(1)).expect("6 hosts");
    create(&mut map, ErasureProfile::P4_2, plan);
    let vault = map.vault(VaultId(0)).expect("created");
    let first = |count: usize| vault.slots[..count].to_vec();
    assert_eq!(check_reach(&map, vault, |disk| first(4).contains(&disk)), Ok(()));
    let refusal = check_reach(&map, vault, |disk| first(3).contains(&disk)).expect_err("too few");
    assert_eq!(refusal.to_string(), "3 of 6 failure domains (host) of vault 0 in reach, 4 needed");
    assert_eq!(refusal.kind(), ErrorKind::Unavailable);
}
