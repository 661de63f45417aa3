use custos_core::{Act, Rule};
use custos_ledger::{Command, Outcome};

use crate::{
    cluster_world::{named, with_nodes},
    world::{developer, station},
};

#[test]
fn the_first_key_is_the_clusters_and_every_later_one_is_told_so() {
    let mut world = with_nodes(1);
    let adopt = |key_id| Command::AdoptKey { key_id };
    let first = world.act(&developer(), adopt([1; 8]));
    assert_eq!(first, Ok(Outcome::KeyAdopted([1; 8])));
    let entry = world.last_entry();
    assert_eq!(entry.act, Act::ClusterChanged);
    assert!(entry.detail.expect("has one").ends_with("key 0101010101010101"));
    let log = world.log();
    assert_eq!(world.act(&developer(), adopt([2; 8])), Ok(Outcome::KeyAdopted([1; 8])));
    assert_eq!(world.act(&developer(), adopt([1; 8])), Ok(Outcome::KeyAdopted([1; 8])));
    assert_eq!(world.log(), log);
}

#[test]
fn r23_a_station_names_no_key() {
    let mut world = with_nodes(1);
    let refusal = world.act(&station(), Command::AdoptKey { key_id: [1; 8] }).expect_err("refused");
    assert_eq!((refusal.rule, named(&refusal).2), (Rule::R23, "actor"));
}
