//! Every act is on the custody log, and the log only grows.

use custos_ledger::merkle;
use custos_tests::{Cli, Content, DevCluster, Scratch, decode_digest_text};
use serde_json::Value;

/// Size and root of the log.
#[derive(Debug, PartialEq)]
struct Checkpoint {
    origin: String,
    size: u64,
    root: [u8; 32],
}

#[test]
fn i4_every_put_and_get_adds_entries_and_none_is_changed() {
    let scratch = Scratch::new("custody-log");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let genesis = checkpoint(&cli);
    assert!(genesis.size >= 1, "the log begins with the cluster");

    let file = scratch.source_file("source.bin", Content { seed: 1, size: 70_000 });
    let receipt = cli.put(&file);
    let after_put = checkpoint(&cli);
    assert_eq!(after_put.size, genesis.size + 2, "opened and sealed");
    let id = receipt.evidence_id;
    let put_entries = entries(&cli, &id);
    assert_eq!(acts(&put_entries), ["upload-opened", "sealed"]);
    assert_eq!(number(&put_entries[1], "index"), receipt.log_index, "the receipt names its entry");

    cli.get(&id, &scratch.path().join("copy.bin"));
    cli.get_range(&id, 10, 19);
    let after_get = checkpoint(&cli);
    assert_eq!(after_get.size, after_put.size + 2, "one entry for each time that bytes went out");
    let all_entries = entries(&cli, &id);
    assert_eq!(acts(&all_entries), ["upload-opened", "sealed", "copied", "viewed"]);
    assert_eq!(all_entries[..2], put_entries, "older entries stay as they are");
    let range = text(&all_entries[3], "detail");
    assert!(range.contains("10") && range.contains("19"), "the range is on record: {range}");
    for entry in &all_entries {
        assert!(!text(entry, "actor").is_empty(), "R26: who acted is on record: {entry}");
        assert!(!text(entry, "time").is_empty(), "when is on record: {entry}");
    }
    assert_eq!(genesis.origin, after_get.origin);
}

#[test]
fn i4_entries_are_proven_under_the_checkpoint_and_tampering_shows() {
    let scratch = Scratch::new("log-prove");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let ids: Vec<String> = (0..5)
        .map(|n| {
            let content = Content { seed: n, size: 1000 + n };
            cli.put(&scratch.source_file(&format!("{n}.bin"), content)).evidence_id
        })
        .collect();
    let mut leaves = Vec::new();
    for id in &ids {
        for proof in prove(&cli, id) {
            verify(&proof);
            leaves.push((number(&proof, "index"), bytes(&proof["leaf"])));
        }
    }
    // The log grows; what was proven before is proven under the new root, byte for byte.
    cli.get_range(&ids[0], 0, 99);
    let newest = checkpoint(&cli);
    for id in &ids {
        for proof in prove(&cli, id) {
            verify(&proof);
            let index = number(&proof, "index");
            let leaf = bytes(&proof["leaf"]);
            if let Some((_, before)) = leaves.iter().find(|(at, _)| *at == index) {
                assert_eq!(*before, leaf, "entry {index} has not changed");
            }
            let proven = checkpoint_of(&proof["checkpoint"]);
            assert_eq!(proven, newest, "proofs lead to the published checkpoint");
        }
    }
}

#[test]
fn i4_the_log_survives_kill_9_with_every_answered_act_in_it() {
    let scratch = Scratch::new("log-kill");
    let mut cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let file = scratch.source_file("source.bin", Content { seed: 9, size: 5000 });
    let id = cli.put(&file).evidence_id;
    for round in 1..=3 {
        cli.get_range(&id, 0, round);
        let before = checkpoint(&cli);
        let entries_before = entries(&cli, &id);
        cluster.kill9();
        cluster.restart();
        assert_eq!(checkpoint(&cli), before, "round {round}");
        assert_eq!(entries(&cli, &id), entries_before, "round {round}");
    }
}

fn checkpoint(cli: &Cli) -> Checkpoint {
    let run = cli.run(["log", "checkpoint", "--json"]);
    run.expect_exit(0);
    checkpoint_of(&run.json())
}

fn checkpoint_of(json: &Value) -> Checkpoint {
    let root = bytes(&json["root"]).try_into().expect("a root has 32 bytes");
    Checkpoint { origin: text(json, "origin").to_owned(), size: number(json, "size"), root }
}

fn entries(cli: &Cli, id: &str) -> Vec<Value> {
    let run = cli.run(["log", "show", id, "--json"]);
    run.expect_exit(0);
    run.json_lines()
}

fn prove(cli: &Cli, id: &str) -> Vec<Value> {
    let run = cli.run(["log", "prove", id, "--json"]);
    run.expect_exit(0);
    let proofs = run.json_lines();
    assert!(!proofs.is_empty(), "there is a proof");
    proofs
}

/// Verifies a proof with the public algorithm; the same proof of another leaf must fail.
fn verify(proof: &Value) {
    let checkpoint = checkpoint_of(&proof["checkpoint"]);
    let index = number(proof, "index");
    let leaf = bytes(&proof["leaf"]);
    let path: Vec<[u8; 32]> = proof["path"]
        .as_array()
        .expect("a proof has a path")
        .iter()
        .map(|hash| bytes(hash).try_into().expect("a hash has 32 bytes"))
        .collect();
    merkle::verify_inclusion(&leaf, index, checkpoint.size, &path, &checkpoint.root)
        .unwrap_or_else(|e| panic!("{e}: {proof}"));
    let mut forged = leaf;
    forged[0] ^= 1;
    let forgery =
        merkle::verify_inclusion(&forged, index, checkpoint.size, &path, &checkpoint.root);
    assert!(forgery.is_err(), "a forged entry verifies");
}

fn acts(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| text(entry, "act")).collect()
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no text {field:?} in {json}"))
}

fn number(json: &Value, field: &str) -> u64 {
    json[field].as_u64().unwrap_or_else(|| panic!("no number {field:?} in {json}"))
}

fn bytes(json: &Value) -> Vec<u8> {
    decode_digest_text(json.as_str().unwrap_or_else(|| panic!("no text: {json}")))
}
