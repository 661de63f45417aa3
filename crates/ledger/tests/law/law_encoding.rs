//! Commands, queries, answers and outcomes of the law travel and are kept as they are; and whatever
//! is asked, the law answers.

use custos_core::{Act, Actor, EvidenceId, LogIndex, Role, Timestamp, law::LawCommand};
use custos_ledger::{Answer, Command, Envelope, MemoryKv, Outcome, Query, query};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    agency::{Agency, DAY_MS, law, officer, people, playback, without_log},
    law_generators::{Source, law_answers, law_commands, law_queries, versions},
    world::{developer, id, station},
};

fn envelope(number: u128, actor: &Actor, command: LawCommand) -> Envelope {
    Envelope {
        request_id: (number << 64).to_be_bytes(),
        actor: actor.clone(),
        entry_salt: number.to_be_bytes(),
        command: Command::Law(Box::new(command)),
    }
}

/// Such as name what is there, now and then.
fn knowing() -> Source {
    let known = [
        "C-1",
        "C-2",
        "C-3",
        "city",
        "market",
        "traffic",
        "harbour",
        "quay",
        "H1",
        "G1",
        "D1",
        "X1",
        "li.na",
        "wang.wei",
        "chen.jie",
        "he.ping",
        "310115-0001",
        "310115-0002",
        "310115-0003",
        "BWC-0042",
        "station-7",
        "a reason",
        "R-1",
        "policy",
        "Century Avenue 100",
    ];
    let texts = prop_oneof![
        6 => select(known.to_vec()).prop_map(str::to_owned),
        1 => "[a-z.]{1,8}",
        1 => ".{0,12}",
        1 => Just(String::new()),
        1 => Just("x".repeat(600)),
    ];
    let evidence = prop_oneof![
        5 => (1u8..8).prop_map(id),
        1 => any::<[u8; 16]>().prop_map(EvidenceId::from_bytes),
    ];
    Source { texts: texts.boxed(), evidence: evidence.boxed() }
}

fn actors() -> impl Strategy<Value = Actor> {
    let mut known: Vec<Actor> = people()
        .into_iter()
        .map(|person| Actor { name: person.id, role: person.role, fingerprint: [1; 32] })
        .collect();
    known.extend([developer(), developer(), station(), playback(), Actor::system()]);
    let strangers = (".{0,20}", select(Role::ALL.to_vec())).prop_map(|(name, role)| Actor {
        name,
        role,
        fingerprint: [1; 32],
    });
    prop_oneof![12 => select(known), 1 => strangers]
}

/// With something of every sort in it.
fn begun() -> Agency {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    agency.open_case("C-2");
    agency.sealed_in_case("C-2");
    agency.unfiled();
    agency.of_nobody();
    agency.proposed(&[evidence]);
    agency.apply_for(&officer(), evidence);
    agency
}

proptest! {
    #[test]
    fn any_command_of_the_law_is_read_back_as_written(
        command in law_commands(&Source::anything()),
        number in any::<u64>(),
    ) {
        let envelope = envelope(number.into(), &developer(), command);
        let bytes = envelope.encode();
        prop_assert_eq!(bytes.len(), envelope.encoded_len());
        prop_assert_eq!(Envelope::decode(&bytes), Ok(envelope));
    }

    #[test]
    fn any_query_of_the_law_is_read_back_as_sent(query in law_queries(&Source::anything())) {
        let query = Query::Law(query);
        prop_assert_eq!(Query::decode(&query.encode()), Ok(query));
    }

    #[test]
    fn any_answer_of_the_law_is_read_back_as_sent(answer in law_answers(&Source::anything())) {
        let answer = Answer::Law(Box::new(answer));
        prop_assert_eq!(Answer::decode(&answer.encode()), Ok(answer));
    }

    #[test]
    fn any_outcome_of_an_act_is_read_back_as_sent(
        log_index in any::<u64>(),
        record in option::of(versions(&Source::anything())),
    ) {
        let outcome =
            Outcome::LawDone { log_index: LogIndex(log_index), record: record.map(Box::new) };
        prop_assert_eq!(Outcome::decode(&outcome.encode()), Ok(outcome));
    }

    #[test]
    fn damaged_commands_of_the_law_never_panic_a_decoder(
        command in law_commands(&Source::anything()),
        position in any::<prop::sample::Index>(),
        flip in 1u8..,
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = envelope(1, &developer(), command).encode();
        let _ = Envelope::decode(&bytes[..cut.index(bytes.len())]);
        let position = position.index(bytes.len());
        bytes[position] ^= flip;
        let _ = Envelope::decode(&bytes);
    }
}

/// What holds after any act, whatever it is.
fn check_step(before: &MemoryKv, after: &Agency, done: &Result<Outcome, custos_core::Refusal>) {
    match done {
        Ok(Outcome::LawDone { log_index, record }) => {
            let entry = after.entry(*log_index);
            assert!(entry.actor.is_some());
            if let Some(record) = record {
                let (kind, id) = (record.record.kind(), record.record.id());
                assert_eq!(after.record(kind, id).as_ref(), Some(&**record));
            }
        }
        Ok(other) => panic!("{other:?}"),
        Err(refusal) => {
            assert!(!refusal.field.is_empty() && !refusal.reason.is_empty(), "{refusal:?}");
            assert_eq!(without_log(before), without_log(&after.kv), "{refusal}");
            assert_eq!(after.last_act(), Act::Refused);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_asked_of_the_law_is_done_or_refused_by_a_rule_and_a_field(
        asked in vec((actors(), law_commands(&knowing()), 0..3 * DAY_MS), 1..40),
        queries in vec(law_queries(&knowing()), 1..20),
    ) {
        let mut agency = begun();
        for (actor, command, later) in asked {
            agency.now = Timestamp::from_millis(agency.now.as_millis() + later);
            let before = agency.kv.clone();
            let done = agency.act(&actor, law(command));
            check_step(&before, &agency, &done);
        }
        for asked in queries {
            match query(&agency.kv, &Query::Law(asked)) {
                Ok(Answer::Law(_)) => {}
                Ok(other) => panic!("{other:?}"),
                Err(refusal) => prop_assert!(!refusal.field.is_empty(), "{refusal:?}"),
            }
        }
    }

    #[test]
    fn i6_two_replicas_that_apply_the_same_acts_hold_the_same_bytes(
        asked in vec((actors(), law_commands(&knowing())), 1..30),
    ) {
        let mut one = begun();
        let mut other = begun();
        for (number, (actor, command)) in asked.into_iter().enumerate() {
            let sent = envelope(number as u128 + 1, &actor, command);
            let read = Envelope::decode(&sent.encode()).expect("just encoded");
            prop_assert_eq!(one.apply(&sent), other.apply(&read));
        }
        prop_assert!(one.kv == other.kv);
    }
}
