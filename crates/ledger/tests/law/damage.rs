use custos_core::{Act, ChunkIndex, DiskId, ErrorKind, LogIndex, Rule, ShardDamage, ShardKey};
use custos_ledger::{
    Answer, Command, DAMAGE_ITEMS_MAX, DAMAGE_TEXT_BYTES_MAX, DamageRecord, Outcome, Query,
};
use data_encoding::HEXLOWER;

use crate::{
    cluster_world::{
        damage, disk_id, list_damage, map, named, refused, shard, with_nodes, with_vault,
    },
    world::{World, developer, id, query},
};

fn report(disk: u8, damage: ShardDamage) -> Command {
    Command::ReportDamage { disk_id: disk_id(disk), damage }
}

fn repair(disk: u8, key: ShardKey) -> Command {
    Command::ReportRepair { disk_id: disk_id(disk), key }
}

#[test]
fn i4_damage_and_its_repair_are_on_record_with_their_evidence() {
    let mut world = with_vault();
    let epoch = map(&world.kv).epoch;
    assert_eq!(world.act(&developer(), report(1, damage(5, 0))), Ok(Outcome::DamageNoted));
    let found = world.last_entry();
    assert_eq!((found.act, found.evidence_id), (Act::DamageFound, Some(id(5))));
    let detail = found.detail.expect("has one");
    assert!(detail.contains("slot 0") && detail.contains("checksum of block 3"), "{detail}");
    let record = DamageRecord {
        disk_id: disk_id(1),
        damage: damage(5, 0),
        reported_at: world.now,
        log_index: found.index,
    };
    assert_eq!(list_damage(&world.kv), [record]);

    assert_eq!(world.act(&developer(), repair(1, shard(5, 0))), Ok(Outcome::DamageNoted));
    let repaired = world.last_entry();
    assert_eq!((repaired.act, repaired.evidence_id), (Act::DamageRepaired, Some(id(5))));
    assert!(list_damage(&world.kv).is_empty());
    assert_eq!(map(&world.kv).epoch, epoch, "the map is the same");
}

#[test]
fn the_same_damage_again_and_a_repair_of_what_is_whole_change_nothing() {
    let mut world = with_vault();
    world.act(&developer(), report(1, damage(5, 0))).expect("noted");
    let (log, listed) = (world.log(), list_damage(&world.kv));
    let again = ShardDamage { what: "now another block".to_owned(), ..damage(5, 0) };
    assert_eq!(world.act(&developer(), report(1, again)), Ok(Outcome::DamageNoted));
    for other in [repair(2, shard(5, 0)), repair(1, shard(5, 1)), repair(99, shard(5, 0))] {
        assert_eq!(world.act(&developer(), other), Ok(Outcome::DamageNoted));
    }
    assert_eq!((world.log(), list_damage(&world.kv)), (log, listed));
}

#[test]
fn damage_is_listed_page_by_page_in_order_of_disk_and_shard() {
    let mut world = with_vault();
    let mut expected = Vec::new();
    for disk in [2, 1] {
        for (evidence, slot) in [(9, 1), (9, 0), (3, 2)] {
            world.act(&developer(), report(disk, damage(evidence, slot))).expect("noted");
            expected.push((disk_id(disk), shard(evidence, slot)));
        }
        let crown = ShardKey { chunk: ChunkIndex::CROWN, ..shard(3, 0) };
        let found = ShardDamage { key: crown, what: "gone".to_owned() };
        world.act(&developer(), report(disk, found)).expect("noted");
        expected.push((disk_id(disk), crown));
    }
    expected.sort_unstable();

    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let Answer::Damage { items, total, more } =
            query(&world.kv, &Query::ListDamage { after, limit: 3, evidence_id: None })
        else {
            panic!("asked for damage");
        };
        assert_eq!(total, 8);
        listed.extend(items.iter().map(|item| (item.disk_id, item.damage.key)));
        after = listed.last().copied();
        if !more {
            break;
        }
        assert_eq!(items.len(), 3);
    }
    assert_eq!(listed, expected);
}

/// Disks and shards of the damage of one evidence item, read in pages of two.
fn damage_of(world: &World, evidence: u8) -> Vec<(DiskId, ShardKey)> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let listing = Query::ListDamage { after, limit: 2, evidence_id: Some(id(evidence)) };
        let Answer::Damage { items, more, .. } = query(&world.kv, &listing) else {
            panic!("asked for damage");
        };
        listed.extend(items.iter().map(|item| (item.disk_id, item.damage.key)));
        after = listed.last().copied();
        if !more {
            return listed;
        }
        assert_eq!(items.len(), 2);
    }
}

#[test]
fn damage_of_one_evidence_item_is_listed_alone_in_order_of_disk_and_shard() {
    let mut world = with_vault();
    let mut expected = Vec::new();
    for disk in [3, 1, 2] {
        for (evidence, slot) in [(5, 1), (4, 0), (5, 0), (6, 0), (0xff, 3)] {
            world.act(&developer(), report(disk, damage(evidence, slot))).expect("noted");
            if evidence == 5 {
                expected.push((disk_id(disk), shard(evidence, slot)));
            }
        }
        let crown = ShardKey { chunk: ChunkIndex::CROWN, ..shard(5, 0) };
        let found = ShardDamage { key: crown, what: "gone".to_owned() };
        world.act(&developer(), report(disk, found)).expect("noted");
        expected.push((disk_id(disk), crown));
    }
    expected.sort_unstable();
    assert_eq!(damage_of(&world, 5), expected);
    assert_eq!(damage_of(&world, 0xff).len(), 3);
    assert_eq!(damage_of(&world, 9), []);

    world.act(&developer(), repair(2, shard(5, 0))).expect("repaired");
    expected.retain(|it| *it != (disk_id(2), shard(5, 0)));
    assert_eq!(damage_of(&world, 5), expected);
    for (disk, key) in expected {
        world.act(&developer(), Command::ReportRepair { disk_id: disk, key }).expect("repaired");
    }
    assert_eq!(damage_of(&world, 5), []);
    assert!(!world.kv.keys().any(|key| key[0] == 0x61 && key[1] == 5), "nothing is left behind");
}

#[test]
fn damage_that_an_earlier_version_put_on_record_is_listed_by_evidence_once_it_is_reported_again() {
    let mut world = with_vault();
    world.act(&developer(), report(1, damage(5, 0))).expect("noted");
    world.kv.retain(|key, _| key[0] != 0x61);
    assert_eq!(damage_of(&world, 5), []);
    let log = world.log();
    world.act(&developer(), report(1, damage(5, 0))).expect("on record already");
    assert_eq!(damage_of(&world, 5), [(disk_id(1), shard(5, 0))]);
    assert_eq!(world.log(), log);
    // One that is not listed can be repaired as well.
    world.kv.retain(|key, _| key[0] != 0x61);
    world.act(&developer(), repair(1, shard(5, 0))).expect("repaired");
    assert!(list_damage(&world.kv).is_empty());
}

#[test]
fn the_keys_of_damage_by_evidence_stay() {
    let mut world = with_vault();
    world.act(&developer(), report(1, damage(5, 2))).expect("noted");
    let listed: Vec<String> = world
        .kv
        .iter()
        .filter(|(key, _)| key[0] == 0x61)
        .map(|(key, value)| format!("{} = {}", HEXLOWER.encode(key), HEXLOWER.encode(value)))
        .collect();
    let key = [
        "61",
        "05050505050505050505050505050505",
        "01010101010101010101010101010101",
        "00000000",
        "00000007",
        "02",
        "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
    ];
    assert_eq!(listed, [format!("{} = ", key.concat())]);
}

#[test]
fn r14_damage_on_an_unknown_disk_is_refused() {
    let mut world = with_nodes(1);
    let refusal = refused(&mut world, report(9, damage(1, 0)));
    assert_eq!(named(&refusal), (ErrorKind::NotFound, Rule::R14, "disk_id"));
}

#[test]
fn i10_what_is_wrong_is_said_in_a_line_of_at_most_512_bytes() {
    let mut world = with_nodes(1);
    let what = |what: String| report(1, ShardDamage { what, ..damage(1, 0) });
    let refusal = refused(&mut world, what("x".repeat(DAMAGE_TEXT_BYTES_MAX + 1)));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, "what"));
    let refusal = refused(&mut world, what("two\nlines".to_owned()));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R26, "what"));
}

#[test]
fn i10_damage_on_record_is_bounded_until_some_is_repaired() {
    let mut world = with_nodes(1);
    world.act(&developer(), report(1, damage(1, 0))).expect("noted");
    // The count stands alone under its key; it is what the limit is judged by.
    world.kv.insert(vec![0x05], DAMAGE_ITEMS_MAX.to_be_bytes().to_vec());
    let refusal = refused(&mut world, report(1, damage(2, 0)));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I10, "damage"));
    world.act(&developer(), report(1, damage(1, 0))).expect("on record already");
    world.act(&developer(), repair(1, shard(1, 0))).expect("repaired");
    world.act(&developer(), report(1, damage(2, 0))).expect("noted");
    assert_eq!(world.last_entry().act, Act::DamageFound);
    assert_ne!(world.last_entry().index, LogIndex(0));
}
