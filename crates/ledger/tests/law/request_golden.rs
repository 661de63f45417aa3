//! Persisted bytes of the memory of requests. `CUSTOS_BLESS=1` writes them anew.

use std::fmt::Write;

use custos_core::FailureDomain;
use custos_ledger::Command;
use data_encoding::HEXLOWER;

use crate::{
    cluster_world::{damage, disk_id, map, new_vault, with_nodes},
    golden::check,
    meta_members::{admit, retire},
    world::{complete, developer, open, seal, station, view},
};

/// Everything that is remembered, refusals of each class too.
#[test]
fn the_keys_and_values_of_remembered_requests_stay() {
    let mut world = with_nodes(1);
    let planned_at = map(&world.kv).epoch;
    let vaults = vec![new_vault(FailureDomain::Disk, &[1])];
    let commands = [
        (developer(), Command::ReportDamage { disk_id: disk_id(1), damage: damage(1, 0) }),
        (developer(), admit(1)),
        (developer(), admit(2)),
        (developer(), retire(1)),
        (developer(), retire(9)),
        (developer(), Command::CreateVaults { vaults, planned_at }),
        (station(), admit(3)),
        (station(), open(1, complete())),
        (station(), seal(1, crate::world::parts(1))),
        (developer(), view(1, 0, 1)),
    ];
    for (actor, command) in commands {
        let _ = world.act(&actor, command);
    }
    let mut text = String::new();
    for (key, value) in &world.kv {
        if matches!(key[0], 0x02 | 0x42 | 0x43) {
            let (key, value) = (HEXLOWER.encode(key), HEXLOWER.encode(value));
            writeln!(text, "{key} = {value}").expect("a string takes all");
        }
    }
    check("remembered_requests.txt", &text);
}
