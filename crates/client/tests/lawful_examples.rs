//! What the documentation shows as examples is what a new agency can give to a new store.

use std::fs;

use custos_client::{
    import::{self, ImportKind, Planned, Step},
    policy_file,
};
use custos_core::{
    Actor, Role, Timestamp,
    law::{LawAnswer, LawCommand, LawPolicy, LawQuery, Record, RecordKind, RecordName, SetPolicy},
};
use custos_ledger::{
    Answer, Command, Envelope, IncompleteDescriptor, MemoryKv, Outcome, Policy, Query, apply, query,
};

/// A new store, and somebody who may do everything that one person may.
struct Store {
    kv: MemoryKv,
    commands: u64,
}

impl Store {
    fn new() -> Self {
        let mut store = Self { kv: MemoryKv::new(), commands: 0 };
        let policy = Policy {
            incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
            retention_days_av: 365,
            retention_days_other: 365,
        };
        let begin = Command::InitCluster { origin: "custos.test/1".to_owned(), policy };
        assert_eq!(store.command(Actor::system(), begin), Outcome::Initialised);
        store
    }

    fn act(&mut self, command: LawCommand) {
        let actor = Actor { name: "dev".to_owned(), role: Role::Developer, fingerprint: [1; 32] };
        self.command(actor, Command::Law(Box::new(command)));
    }

    fn command(&mut self, actor: Actor, command: Command) -> Outcome {
        self.commands += 1;
        let number = u128::from(self.commands).to_be_bytes();
        let envelope = Envelope { request_id: number, actor, entry_salt: number, command };
        let at = 1_772_352_000_000 + i64::try_from(self.commands).expect("few") * 1_000;
        let done = apply(&mut self.kv, &envelope, Timestamp::from_millis(at));
        done.unwrap_or_else(|refusal| panic!("{refusal}: {envelope:?}"))
    }

    fn record(&self, kind: RecordKind, id: &str) -> Option<Record> {
        let name = RecordName { kind, id: id.to_owned() };
        let answer = query(&self.kv, &Query::Law(LawQuery::Record(name))).expect("kept here");
        let Answer::Law(answer) = answer else { panic!("{answer:?}") };
        let LawAnswer::Records(page) = *answer else { panic!("{answer:?}") };
        page.items.into_iter().next().map(|versioned| versioned.record)
    }
}

fn example(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples");
    fs::read_to_string(format!("{folder}/{name}")).expect("an example")
}

fn planned(kind: ImportKind) -> Vec<Planned> {
    let plan = import::plan(kind, &example(&format!("import/{kind}.csv")));
    assert_eq!(plan.faults, []);
    plan.commands
}

#[test]
fn a_new_store_takes_the_tables_and_has_nothing_to_do_when_they_come_again() {
    let mut store = Store::new();
    for kind in ImportKind::ALL {
        for row in planned(*kind) {
            let standing = store.record(kind.record_kind(), &row.id);
            assert_eq!(standing, None, "{}", row.id);
            store.act(row.command);
        }
    }
    for kind in ImportKind::ALL {
        for row in planned(*kind) {
            let standing = store.record(kind.record_kind(), &row.id);
            assert_eq!(import::step(&row, standing.as_ref(), "again"), Step::Same, "{}", row.id);
        }
    }
}

#[test]
fn a_case_is_changed_by_what_the_comparison_gives() {
    let mut store = Store::new();
    for kind in ImportKind::ALL {
        for row in planned(*kind) {
            store.act(row.command);
        }
    }
    let text = example("import/cases.csv")
        .replace("Overloaded lorry", "Overloaded lorry and trailer")
        .replace("解放路口,LH-2024-0017,", "解放路口,LH-2024-0023;LH-2024-0017,");
    let rows = import::plan(ImportKind::Cases, &text).commands;
    let mut changed = 0;
    for row in &rows {
        let standing = store.record(RecordKind::Case, &row.id);
        if let Step::Change { command, .. } = import::step(row, standing.as_ref(), "corrected") {
            store.act(command);
            changed += 1;
        }
        let standing = store.record(RecordKind::Case, &row.id);
        assert_eq!(import::step(row, standing.as_ref(), "again"), Step::Same, "{}", row.id);
    }
    assert_eq!(changed, 2);
}

#[test]
fn a_new_store_takes_the_policy() {
    let mut store = Store::new();
    let policy = policy_file::parse(&example("policy.toml")).expect("can be read");
    store.act(SetPolicy { policy: policy.clone(), based_on: 0 }.into());
    assert_eq!(store.record(RecordKind::Policy, LawPolicy::ID), Some(Record::Policy(policy)));
}
