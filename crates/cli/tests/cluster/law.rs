//! The commands of the law against a server that has some records.

use std::{fs, os::unix::fs::PermissionsExt};

use custos_core::{
    Role, Timestamp,
    law::{
        Classification, EvidenceFilter, Hold, HoldReason, Person, Record, Recorder, Sign, Versioned,
    },
};
use serde_json::{Value, json};

use crate::{
    answers::{self, Answers},
    law_server::versioned,
    objects,
    server::Server,
};

fn sign() -> Sign {
    let (by, reason) = ("zhao.min".to_owned(), "it was withdrawn".to_owned());
    Sign { by, role: Role::Officer, at: Timestamp::from_millis(2_000), reason }
}

fn hold(id: &str, released: Option<Sign>) -> Versioned {
    versioned(Record::Hold(Hold {
        id: id.to_owned(),
        reason: HoldReason::Complaint,
        text: None,
        reference: None,
        target: EvidenceFilter { case: Some("C-1".to_owned()), ..EvidenceFilter::default() },
        unit: None,
        placed: sign(),
        review_at: Timestamp::from_millis(9_000),
        release_asked: None,
        released,
    }))
}

fn person() -> Person {
    Person {
        id: "li.na".to_owned(),
        title: Some("Li Na".to_owned()),
        role: Role::Custodian,
        unit: "traffic".to_owned(),
        certificate_no: None,
        clearance: Classification::Ordinary,
        active: true,
    }
}

fn recorder() -> Recorder {
    Recorder {
        id: "BWC-1".to_owned(),
        model: None,
        unit: "traffic".to_owned(),
        signing_key: None,
        issued_to: None,
        active: true,
    }
}

async fn server() -> Server {
    let records = vec![
        hold("H1", None),
        hold("H2", Some(sign())),
        hold("H3", None),
        versioned(Record::Person(person())),
        versioned(Record::Recorder(recorder())),
    ];
    Server::start(Answers { records, ..answers::empty_cluster() }).await
}

#[tokio::test]
async fn r11_holds_that_stand_are_listed_over_all_pages() {
    let server = server().await;
    let run = server.custos(&["hold", "ls"]).await;
    let expected = "\
HOLD  REASON     PLACED BY  STATE                                            COVERS
H1    complaint  zhao.min   stands, to be reviewed at 1970-01-01T00:00:09.000Z  case C-1
";
    let cells = |text: &str| {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect::<Vec<_>>()
    };
    assert_eq!(cells(&run.stdout)[..2], cells(expected), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 3, "H3 is there too: {}", run.stdout);
    let ids = |run: &crate::server::Run| {
        objects(run).iter().map(|it| it["id"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(ids(&server.custos(&["hold", "ls", "--json"]).await), ["H1", "H3"]);
    assert_eq!(ids(&server.custos(&["hold", "ls", "--all", "--json"]).await), ["H1", "H2", "H3"]);
    let one = server.custos(&["hold", "ls", "--limit", "1", "--json"]).await;
    assert_eq!(ids(&one), ["H1"]);
}

#[tokio::test]
async fn a_record_is_shown_whole_to_people_and_to_programs() {
    let server = server().await;
    let run = server.custos(&["person", "show", "li.na"]).await;
    let expected = "\
person       li.na
title        Li Na
role         custodian
unit         traffic
certificate  -
clearance    ordinary
state        custodian of traffic, active
version      1, 1970-01-01T00:00:01.000Z, by li.na (custodian), custody entry 17
";
    assert_eq!(run.stdout, expected, "{}", run.stderr);
    let run = server.custos(&["person", "show", "li.na", "--json"]).await;
    let expected = json!({
        "version": 1, "changed_at": "1970-01-01T00:00:01.000Z", "changed_by": "li.na (custodian)",
        "log_index": 17, "kind": "person", "id": "li.na", "title": "Li Na", "role": "custodian",
        "unit": "traffic", "certificate_no": null, "clearance": "ordinary", "active": true,
    });
    assert_eq!(objects(&run), [expected]);
    let run = server.custos(&["person", "show", "nobody"]).await;
    assert_eq!(run.code, 4, "{}", run.stderr);
}

#[tokio::test]
async fn what_is_set_keeps_what_is_not_named() {
    let server = server().await;
    let line = ["person", "set", "li.na", "--clearance", "privacy", "--title", ""];
    let run = server.custos(&line).await;
    let said = "person li.na: custodian of traffic, active; custody entry 17\n";
    assert_eq!(run.stdout, said, "{}", run.stderr);
    let wanted = Person { clearance: Classification::Privacy, title: None, ..person() };
    assert_eq!(server.orders(), [format!("SetPerson(SetPerson {{ person: {wanted:?} }})")]);
    let run = server.custos(&["recorder", "issue", "BWC-1", "--to", "zhao.min"]).await;
    assert_eq!(run.stdout, "recorder BWC-1: issued to zhao.min; custody entry 17\n");
}

#[tokio::test]
async fn r11_a_refusal_ends_with_exit_code_3_and_names_rule_and_field() {
    let server = server().await;
    let line = ["hold", "release", "H1", "--reason", "why", "--json"];
    let run = server.custos(&line).await;
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{}", run.stderr);
    let error: Value = serde_json::from_str(&run.stderr).expect("JSON");
    let error = &error["error"];
    assert_eq!((&error["rule"], &error["field"]), (&"R11".into(), &"actor".into()), "{error}");
}

#[tokio::test]
async fn who_is_there_is_not_added_again_and_nothing_is_changed() {
    let server = server().await;
    let line = ["person", "add", "li.na", "--role", "auditor", "--unit", "traffic"];
    let run = server.custos(&line).await;
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("custos person set"), "{}", run.stderr);
    assert_eq!(server.orders(), [""; 0]);
}

#[tokio::test]
async fn r26_without_an_authority_key_and_request_are_kept_for_another_one() {
    let server = server().await;
    let out = server.folder().join("zhao.toml");
    let out_text = out.to_str().expect("UTF-8");
    let line = ["person", "add", "zhao.min", "--role", "custodian", "--unit", "traffic"];
    let run = server.custos(&[&line[..], &["--out", out_text]].concat()).await;
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("zhao.min.csr.pem"), "{}", run.stderr);
    assert!(!out.exists(), "a configuration without a certificate is of no use");
    let key = fs::metadata(server.folder().join("zhao.min.key.pem")).expect("is kept");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let request = fs::read_to_string(server.folder().join("zhao.min.csr.pem")).expect("is kept");
    assert!(request.contains("CERTIFICATE REQUEST"));
}

#[tokio::test]
async fn the_lists_of_the_day_come_under_their_names() {
    let server = server().await;
    let run = server.custos(&["today", "--list", "holds-to-review", "--limit", "2"]).await;
    assert!(run.stdout.starts_with("Holds to be reviewed (holds-to-review):\n"), "{}", run.stdout);
    assert!(run.stdout.ends_with("`custos today --list holds-to-review`\n"), "{}", run.stdout);
    let run =
        server.custos(&["today", "--list", "holds-to-review", "--json", "--limit", "1"]).await;
    let object = &objects(&run)[0];
    assert_eq!((&object["list"], &object["id"]), (&"holds-to-review".into(), &"H1".into()));
}

#[tokio::test]
async fn a_whole_recording_says_so() {
    let server = server().await;
    let run = server.custos(&["recording", "check", "R-1"]).await;
    assert!(run.stdout.ends_with("findings        none: it is whole\n"), "{}", run.stdout);
    let run = server.custos(&["recording", "check", "R-1", "--json"]).await;
    let expected = json!({
        "recording": "R-1", "segments": 2, "captured_from": "1970-01-01T00:00:01.000Z",
        "captured_until": null, "findings": [], "truncated": false,
    });
    assert_eq!(objects(&run), [expected]);
}

#[tokio::test]
async fn an_act_without_a_record_tells_its_entry() {
    let server = server().await;
    let run = server.custos(&["cluster", "clock", "confirm", "--reason", "radio clock"]).await;
    let told = "confirmed by one; somebody of another role must confirm it too; custody entry 17\n";
    assert_eq!(run.stdout, told, "{}", run.stderr);
    let line = ["cluster", "clock", "confirm", "--reason", "radio clock", "--json"];
    assert_eq!(objects(&server.custos(&line).await), [json!({"log_index": 17})]);
    let shown = server.custos(&["cluster", "clock", "show"]).await.stdout;
    assert!(shown.contains("400 d 01 h 00 min"), "{shown}");
    assert!(shown.contains("zheng.yi (auditor)"), "{shown}");
}

#[tokio::test]
async fn a_policy_file_that_cannot_be_read_is_named_and_the_attempt_reported() {
    let server = server().await;
    let file = server.folder().join("policy.toml");
    fs::write(&file, "floor_days = \"long\"\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let run = server.custos(&["policy", "check", file, "--json"]).await;
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("policy.toml"), "{}", run.stderr);
    assert_eq!(server.orders(), [""; 0], "a check asks no cluster");
    let run = server.custos(&["policy", "set", file]).await;
    assert_eq!(run.code, 3, "{}", run.stderr);
    let orders = server.orders();
    assert!(orders[0].starts_with("ReportRefusal(ReportRefusal { attempt: \"set_policy\""));
}
