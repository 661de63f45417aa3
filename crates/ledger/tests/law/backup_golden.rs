//! Persisted bytes of backups and restored ledgers. `CUSTOS_BLESS=1` writes them anew.

use std::fmt::Write;

use custos_ledger::{Command, Envelope};
use data_encoding::HEXLOWER;

use crate::{
    backup::restore,
    golden::check,
    meta_members::admit,
    world::{ORIGIN, World, developer, policy},
};

fn commands(world: &mut World) -> Vec<Envelope> {
    let begin = Command::InitCluster { origin: ORIGIN.to_owned(), policy: policy() };
    [begin, admit(1), Command::RecordBackup, restore(9)]
        .into_iter()
        .map(|command| world.envelope(&developer(), command))
        .collect()
}

#[test]
fn the_bytes_of_backups_and_restored_ledgers_stay() {
    let mut world = World::new();
    let mut text = String::new();
    for envelope in commands(&mut world) {
        let bytes = HEXLOWER.encode(&envelope.encode());
        writeln!(text, "envelope {bytes}").expect("a string takes all");
        world.apply(&envelope).expect("lawful");
    }
    for (key, value) in &world.kv {
        if matches!(key[0], 0x07 | 0x42 | 0x53) {
            let (key, value) = (HEXLOWER.encode(key), HEXLOWER.encode(value));
            writeln!(text, "{key} = {value}").expect("a string takes all");
        }
    }
    for entry in world.log() {
        let leaf = HEXLOWER.encode(&entry.leaf);
        writeln!(text, "{} {} {leaf}", entry.index, entry.act).expect("a string takes all");
    }
    check("backup.txt", &text);
}
