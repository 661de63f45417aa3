use custos_core::{Act, ChunkIndex, ErrorKind, LogIndex, Rule, ShardDamage, ShardKey};
use custos_ledger::{
    Answer, Command, DAMAGE_ITEMS_MAX, DAMAGE_TEXT_BYTES_MAX, DamageRecord, Outcome, Query, query,
};

use crate::{
    cluster_world::{
        damage, disk_id, list_damage, map, named, refused, shard, with_nodes, with_vault,
    },
    world::{developer, id},
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
            query(&world.kv, &Query::ListDamage { after, limit: 3 })
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
