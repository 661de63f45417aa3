//! Persisted bytes of the group of metadata nodes. `CUSTOS_BLESS=1` writes them anew.

use std::fmt::Write;

use custos_ledger::{Command, Envelope};
use data_encoding::HEXLOWER;

use crate::{
    golden::check,
    meta_members::{admit, retire},
    world::{ORIGIN, World, developer, policy},
};

fn commands(world: &mut World) -> Vec<Envelope> {
    let begin = Command::InitCluster { origin: ORIGIN.to_owned(), policy: policy() };
    [begin, admit(1), admit(2), retire(1), admit(3)]
        .into_iter()
        .map(|command| world.envelope(&developer(), command))
        .collect()
}

#[test]
fn the_bytes_of_envelopes_about_metadata_nodes_stay() {
    let mut text = String::new();
    for envelope in commands(&mut World::new()) {
        let bytes = HEXLOWER.encode(&envelope.encode());
        writeln!(text, "envelope {bytes}").expect("a string takes all");
    }
    check("meta_commands.txt", &text);
}

#[test]
fn the_keys_values_and_leaves_of_metadata_nodes_stay() {
    let mut world = World::new();
    for envelope in commands(&mut world) {
        world.apply(&envelope).expect("lawful");
    }
    let mut text = String::new();
    for (key, value) in &world.kv {
        if matches!(key[0], 0x07 | 0x53) {
            let (key, value) = (HEXLOWER.encode(key), HEXLOWER.encode(value));
            writeln!(text, "{key} = {value}").expect("a string takes all");
        }
    }
    for entry in world.log() {
        let leaf = HEXLOWER.encode(&entry.leaf);
        writeln!(text, "{} {} {leaf}", entry.index, entry.act).expect("a string takes all");
    }
    check("meta_state.txt", &text);
}
