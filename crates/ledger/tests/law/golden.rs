//! Persisted bytes are promises: these files change only with a new version of the format.
//! `CUSTOS_BLESS=1` writes them anew.

use std::{fmt::Write, fs, path::PathBuf};

use custos_core::Timestamp;
use custos_ledger::{CommandBatch, Envelope};
use data_encoding::HEXLOWER;

use crate::world::{World, abort, complete, developer, open, parts, policy, seal, station, view};

pub(crate) fn check(name: &str, actual: &str) {
    let path = PathBuf::from("tests/golden").join(name);
    if std::env::var_os("CUSTOS_BLESS").is_some() {
        fs::write(&path, actual).expect("the golden file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs: a persisted format changed\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    );
}

/// Every sort of command, in an order that leaves every sort of record behind.
fn commands(world: &mut World) -> Vec<Envelope> {
    let origin = crate::world::ORIGIN.to_owned();
    let policy = policy();
    let commands = [
        (developer(), custos_ledger::Command::InitCluster { origin, policy }),
        (station(), open(1, complete())),
        (station(), seal(1, parts(20_000_000))),
        (station(), open(2, complete())),
        (station(), abort(2)),
        (station(), open(3, complete())),
        (developer(), view(1, 0, 65_536)),
        (developer(), view(9, 0, 1)),
    ];
    commands.into_iter().map(|(actor, command)| world.envelope(&actor, command)).collect()
}

#[test]
fn the_bytes_of_envelopes_and_batches_stay() {
    let envelopes = commands(&mut World::new());
    let mut text = String::new();
    for envelope in &envelopes {
        let bytes = HEXLOWER.encode(&envelope.encode());
        writeln!(text, "envelope {bytes}").expect("a string takes all");
    }
    let batch = CommandBatch { stamped: Timestamp::from_millis(1_772_352_000_000), envelopes };
    writeln!(text, "batch {}", HEXLOWER.encode(&batch.encode())).expect("a string takes all");
    check("commands.txt", &text);
}

#[test]
fn the_bytes_of_custody_leaves_and_the_root_over_them_stay() {
    let mut world = World::new();
    for envelope in commands(&mut world) {
        let _ = world.apply(&envelope);
    }
    let mut text = String::new();
    for entry in world.log() {
        let leaf = HEXLOWER.encode(&entry.leaf);
        writeln!(text, "{} {} {leaf}", entry.index, entry.act).expect("a string takes all");
    }
    let root = HEXLOWER.encode(&world.checkpoint().root);
    writeln!(text, "root {root}").expect("a string takes all");
    check("custody_leaves.txt", &text);
}

#[test]
fn the_keys_and_values_of_the_state_stay() {
    let mut world = World::new();
    for envelope in commands(&mut world) {
        let _ = world.apply(&envelope);
    }
    let mut text = String::new();
    for (key, value) in &world.kv {
        let (key, value) = (HEXLOWER.encode(key), HEXLOWER.encode(value));
        writeln!(text, "{key} = {value}").expect("a string takes all");
    }
    check("state.txt", &text);
}
