//! The law from the command line: persons with keys of their own, a case, a hold, a grant, and what
//! is refused.

use std::path::PathBuf;

use custos_tests::{Cli, CliRun, Content, DevCluster, Scratch};
use serde_json::Value;

/// A city with one squad, and everybody whom a case needs, each with a configuration of their own.
struct Agency {
    developer: Cli,
    head: Cli,
    custodian: Cli,
    officer: Cli,
    other_officer: Cli,
}

impl Agency {
    fn found(cluster: &DevCluster, scratch: &Scratch) -> Self {
        let developer = cluster.cli();
        done(&developer, &["unit", "add", "city", "--title", "City bureau"]);
        let squad = ["unit", "add", "traffic", "--title", "Traffic squad", "--parent", "city"];
        done(&developer, &squad);
        let add = |name: &str, role: &str, more: &[&str]| {
            let config: PathBuf = scratch.path().join(format!("{name}.toml"));
            let out = config.to_str().expect("paths of tests are UTF-8");
            let line = ["person", "add", name, "--role", role, "--unit", "traffic", "--out", out];
            let added = done(&developer, &[&line[..], more].concat());
            assert_eq!((&added["role"], &added["config"]), (&role.into(), &out.into()), "{added}");
            Cli::new(config, scratch.path())
        };
        Self {
            head: add("qian.wei", "unit-head", &[]),
            custodian: add("li.na", "custodian", &[]),
            officer: add("zhao.min", "officer", &["--certificate-no", "110421"]),
            other_officer: add("sun.li", "officer", &["--certificate-no", "110422"]),
            developer,
        }
    }

    /// A case of both officers, at the stage of investigation.
    fn open_case(&self, case: &str) {
        let line = ["case", "open", case, "--act-type", "penalty", "--unit", "traffic"];
        let people = ["--custodian", "li.na", "--officer", "110421", "--officer", "110422"];
        let party = ["--party", "Wei Ming=respondent", "--title", "a stall in the road"];
        let opened = done(&self.officer, &[&line[..], &people, &party].concat());
        assert_eq!((&opened["state"], &opened["stage"]), (&"open".into(), &"initiation".into()));
        assert_eq!(opened["changed_by"], "zhao.min (officer)", "R26: {opened}");
        let moved = done(&self.officer, &["case", "move", case, "--to", "investigation"]);
        assert_eq!(moved["stage"], "investigation");
    }
}

#[test]
fn r1_a_case_is_told_as_its_timeline_with_what_is_missing() {
    let scratch = Scratch::new("law-case");
    let cluster = DevCluster::start(&scratch);
    let agency = Agency::found(&cluster, &scratch);
    agency.open_case("C-1");
    let clip = scratch.source_file("clip.mp4", Content { seed: 1, size: 70_000 });
    let put = ["put", "--json", clip.path.to_str().expect("UTF-8"), "--case", "C-1"];
    let claims = ["--stage", "investigation", "--recorder", "BWC-1", "--officer", "110421"];
    let times = ["--captured-at", "2026-03-01T08:30:00Z", "--place", "South Gate"];
    let id = agency.officer.run([&put[..], &claims, &times].concat()).receipt().evidence_id;

    let shown = done(&agency.officer, &["case", "show", "C-1"]);
    assert_eq!(shown["evidence"][0]["evidence_id"], *id, "{shown}");
    assert_eq!(shown["evidence"][0]["filed"], "investigation", "{shown}");
    let missing = shown["report"]["missing"].as_array().expect("a list");
    assert!(missing.iter().any(|it| it.as_str().is_some_and(|it| it.starts_with("R1"))), "{shown}");
    let text = String::from_utf8(agency.officer.run(["case", "show", "C-1"]).stdout);
    let text = text.expect("text");
    assert!(text.contains("investigation: 1 item, 1 audio-visual"), "{text}");
    assert!(text.contains("What is missing:") && text.contains(&id), "{text}");

    let note = done(&agency.officer, &["note", "add", &id, "--text", "shows the stall\nat 08:31"]);
    assert_eq!((&note["evidence"], &note["author"]), (&(*id).into(), &"zhao.min".into()));
    let notes = agency.custodian.run(["note", "ls", &id, "--json"]).json();
    assert_eq!(notes, note);
    let described = ["describe", &id, "--place", "South Gate Market", "--reason", "was too short"];
    let described = done(&agency.custodian, &described);
    assert_eq!(described["descriptor"]["place"], "South Gate Market");
    assert_eq!(described["descriptor"]["recorder"], "BWC-1", "what is not named stays");
    let entries = agency.officer.run(["log", "show", "--record", "case/C-1", "--json"]);
    let acts: Vec<_> = entries.json_lines().iter().map(|it| it["act"].clone()).collect();
    assert!(acts.contains(&"case-opened".into()), "{acts:?}");
}

#[test]
fn r11_a_hold_keeps_evidence_until_it_is_released() {
    let scratch = Scratch::new("law-hold");
    let cluster = DevCluster::start(&scratch);
    let agency = Agency::found(&cluster, &scratch);
    agency.open_case("C-1");
    let id = put_into_case(&agency.officer, &scratch, "C-1");
    let placed = done(
        &agency.officer,
        &["hold", "place", "--reason", "complaint", "--case", "C-1", "--reference", "2026-88"],
    );
    let hold = placed["id"].as_str().expect("an id").to_owned();
    let why = done(&agency.custodian, &["hold", "why", &id]);
    assert_eq!(why["holds"][0]["id"], *hold, "{why}");
    assert_eq!(why["retention_over"], false);
    let line = ["hold", "release", &hold, "--reason", "it was withdrawn"];
    refused(&agency.officer.run([&line[..], &["--json"]].concat()), "R23", "role");
    let released = done(&agency.head, &line);
    assert_eq!(released["released"]["by"], "qian.wei");
    let why = done(&agency.custodian, &["hold", "why", &id]);
    assert_eq!(why["holds"], Value::Array(Vec::new()));
    let listed = agency.officer.run(["hold", "ls", "--all", "--json"]).json();
    assert_eq!(listed["id"], *hold);
}

#[test]
fn r18_a_copy_leaves_only_under_a_grant_that_somebody_else_agreed_to() {
    let scratch = Scratch::new("law-grant");
    let cluster = DevCluster::start(&scratch);
    let agency = Agency::found(&cluster, &scratch);
    agency.open_case("C-1");
    let id = put_into_case(&agency.officer, &scratch, "C-1");
    let copy = scratch.path().join("copy.mp4");
    let to_copy = copy.to_str().expect("UTF-8");

    // To look at it is the officer's own right, to take it along is not.
    agency.officer.run(["get", &id, "-o", "-"]).expect_exit(0);
    let get = ["get", &id, "-o", to_copy, "--json"];
    refused(&agency.officer.run(get), "R18", "grant");
    assert!(!copy.exists());

    let apply = ["grant", "apply", "--scope", "copy", "--evidence", &id, "--purpose", "appeal"];
    let applied = done(&agency.officer, &apply);
    let grant = applied["id"].as_str().expect("an id");
    let approve = ["grant", "approve", grant, "--reason", "party to the case", "--uses", "2"];
    let waiting = done(&agency.head, &["today", "--list", "applications-waiting"]);
    assert_eq!((&waiting["list"], &waiting["id"]), (&"applications-waiting".into(), &grant.into()));
    refused(&agency.officer.run([&approve[..], &["--json"]].concat()), "R23", "role");
    let approved = done(&agency.head, &approve);
    assert_eq!((&approved["state"], &approved["uses_max"]), (&"approved".into(), &2.into()));

    let under = ["get", &id, "--grant", grant, "-o", to_copy, "--json"];
    refused(&agency.other_officer.run(under), "R18", "grant");
    let got = done(&agency.officer, &["get", &id, "--grant", grant, "-o", to_copy]);
    assert_eq!(got["verified"], true);
    let source = scratch.path().join("clip.mp4");
    assert_eq!(std::fs::read(&copy).expect("read"), std::fs::read(source).expect("read"));
    let entries = agency.officer.run(["log", "show", &id, "--json"]).json_lines();
    let last = entries.last().expect("entries");
    assert_eq!(
        (&last["act"], &last["record"]),
        (&"copied".into(), &format!("grant/{grant}").into())
    );

    let revoked = ["grant", "revoke", grant, "--reason", "it was withdrawn"];
    assert_eq!(done(&agency.head, &revoked)["state"], "revoked");
    let again = ["get", &id, "--grant", grant, "-o", to_copy, "--force", "--json"];
    refused(&agency.officer.run(again), "R18", "grant");
}

#[test]
fn r5_a_recording_with_a_gap_says_so() {
    let scratch = Scratch::new("law-recording");
    let cluster = DevCluster::start(&scratch);
    let developer = cluster.cli();
    for (number, from, until) in [("1", "08:30:00", "08:35:00"), ("3", "08:40:00", "08:45:00")] {
        let seed = number.parse().expect("a number");
        let clip = scratch.source_file(&format!("{number}.mp4"), Content { seed, size: 1000 });
        let (from, until) = (format!("2026-03-01T{from}Z"), format!("2026-03-01T{until}Z"));
        let put = ["put", "--json", clip.path.to_str().expect("UTF-8"), "--recording", "R-1"];
        let times = ["--sequence", number, "--captured-at", &from, "--captured-until", &until];
        developer.run([&put[..], &times].concat()).expect_exit(0);
    }
    let report = done(&developer, &["recording", "check", "R-1"]);
    assert_eq!((&report["segments"], &report["truncated"]), (&2.into(), &false.into()));
    let kinds: Vec<_> = report["findings"].as_array().expect("a list").iter().collect();
    let missing = kinds.iter().find(|it| it["kind"] == "missing-number").expect("2 is missing");
    assert_eq!((&missing["first_number"], &missing["last_number"]), (&2.into(), &2.into()));
    developer.run(["recording", "check", "R-9", "--json"]).expect_exit(4);
    let segments = developer.run(["ls", "--recording", "R-1", "--json"]).json_lines();
    assert_eq!(segments.len(), 2);
}

#[test]
fn r23_who_may_not_is_refused_by_rule_and_field() {
    let scratch = Scratch::new("law-refused");
    let cluster = DevCluster::start(&scratch);
    let agency = Agency::found(&cluster, &scratch);
    let add = ["person", "add", "wu.di", "--role", "auditor", "--unit", "city", "--json"];
    refused(&agency.officer.run(add), "R23", "role");
    let nobody = ["case", "show", "C-404", "--json"];
    agency.officer.run(nobody).expect_exit(4);
    let twice = ["unit", "add", "city", "--title", "again", "--json"];
    agency.developer.run(twice).expect_exit(2);
    // An officer without a number is none, whoever registers it.
    let nameless = ["person", "add", "he.yi", "--role", "officer", "--unit", "traffic", "--json"];
    refused(&agency.developer.run(nameless), "R7", "certificate_no");
}

/// Does it and gives the one object that it prints.
#[track_caller]
fn done(cli: &Cli, line: &[&str]) -> Value {
    let run = cli.run([line, &["--json"]].concat());
    run.expect_exit(0);
    run.json()
}

/// It ended with exit code 3, and its error names rule and field.
#[track_caller]
fn refused(run: &CliRun, rule: &str, field: &str) {
    run.expect_exit(3);
    let error: Value = serde_json::from_str(run.stderr.trim()).expect("one object");
    let error = &error["error"];
    assert_eq!(error["kind"], "refused", "{error}");
    assert_eq!((&error["rule"], &error["field"]), (&rule.into(), &field.into()), "{error}");
}

fn put_into_case(cli: &Cli, scratch: &Scratch, case: &str) -> String {
    let clip = scratch.source_file("clip.mp4", Content { seed: 3, size: 300_000 });
    let line = ["put", "--json", clip.path.to_str().expect("UTF-8"), "--case", case];
    cli.run([&line[..], &["--stage", "investigation"]].concat()).receipt().evidence_id
}
