//! The law from the command line: persons with keys of their own, a case, a hold, a grant, and what
//! is refused.

use std::time::Duration;

use custos_tests::{Agency, Cli, Content, DevCluster, Scratch, wait_until};
use serde_json::Value;

/// Far more than lies in buffers between a disk and whoever plays it.
const STREAM_BYTES: u64 = 256 << 20;

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

    let shown = agency.officer.done(&["case", "show", "C-1"]);
    assert_eq!(shown["evidence"][0]["evidence_id"], *id, "{shown}");
    assert_eq!(shown["evidence"][0]["filed"], "investigation", "{shown}");
    let missing = shown["report"]["missing"].as_array().expect("a list");
    assert!(missing.iter().any(|it| it.as_str().is_some_and(|it| it.starts_with("R1"))), "{shown}");
    let text = String::from_utf8(agency.officer.run(["case", "show", "C-1"]).stdout);
    let text = text.expect("text");
    assert!(text.contains("investigation: 1 item, 1 audio-visual"), "{text}");
    assert!(text.contains("What is missing:") && text.contains(&id), "{text}");

    let note = agency.officer.done(&["note", "add", &id, "--text", "shows the stall\nat 08:31"]);
    assert_eq!((&note["evidence"], &note["author"]), (&(*id).into(), &"zhao.min".into()));
    let notes = agency.custodian.run(["note", "ls", &id, "--json"]).json();
    assert_eq!(notes, note);
    let described = ["describe", &id, "--place", "South Gate Market", "--reason", "was too short"];
    let described = agency.custodian.done(&described);
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
    let placed = agency.officer.done(&[
        "hold",
        "place",
        "--reason",
        "complaint",
        "--case",
        "C-1",
        "--reference",
        "2026-88",
    ]);
    let hold = placed["id"].as_str().expect("an id").to_owned();
    let why = agency.custodian.done(&["hold", "why", &id]);
    assert_eq!(why["holds"][0]["id"], *hold, "{why}");
    assert_eq!(why["retention_over"], false);
    let line = ["hold", "release", &hold, "--reason", "it was withdrawn"];
    agency.officer.run([&line[..], &["--json"]].concat()).expect_refused("R23", "role");
    let released = agency.head.done(&line);
    assert_eq!(released["released"]["by"], "wu.gang");
    let why = agency.custodian.done(&["hold", "why", &id]);
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
    agency.officer.run(get).expect_refused("R18", "grant");
    assert!(!copy.exists());

    let apply = ["grant", "apply", "--scope", "copy", "--evidence", &id, "--purpose", "appeal"];
    let applied = agency.officer.done(&apply);
    let grant = applied["id"].as_str().expect("an id");
    let approve = ["grant", "approve", grant, "--reason", "party to the case", "--uses", "2"];
    let waiting = agency.head.done(&["today", "--list", "applications-waiting"]);
    assert_eq!((&waiting["list"], &waiting["id"]), (&"applications-waiting".into(), &grant.into()));
    agency.officer.run([&approve[..], &["--json"]].concat()).expect_refused("R23", "role");
    let approved = agency.head.done(&approve);
    assert_eq!((&approved["state"], &approved["uses_max"]), (&"approved".into(), &2.into()));

    let under = ["get", &id, "--grant", grant, "-o", to_copy, "--json"];
    agency.other_officer.run(under).expect_refused("R18", "grant");
    let got = agency.officer.done(&["get", &id, "--grant", grant, "-o", to_copy]);
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
    assert_eq!(agency.head.done(&revoked)["state"], "revoked");
    let again = ["get", &id, "--grant", grant, "-o", to_copy, "--force", "--json"];
    agency.officer.run(again).expect_refused("R18", "grant");
}

#[test]
fn r18_a_stream_that_runs_ends_when_its_grant_is_revoked() {
    let scratch = Scratch::new("law-revoked");
    let cluster = DevCluster::start(&scratch);
    let agency = Agency::found(&cluster, &scratch);
    let clip = scratch.source_file("long.mp4", Content { seed: 5, size: STREAM_BYTES });
    let path = clip.path.to_str().expect("UTF-8");
    let id = agency.officer.run(["put", "--json", path]).receipt().evidence_id;
    let apply = ["grant", "apply", "--scope", "view", "--evidence", &id, "--purpose", "appeal"];
    let applied = agency.auditor.done(&apply);
    let grant = applied["id"].as_str().expect("an id");
    agency.head.done(&["grant", "approve", grant, "--reason", "of the inspection"]);

    // It plays until the pipe is full, and waits for its viewer.
    let stream = agency.auditor.spawn_held(["get", &id, "--grant", grant, "-o", "-", "--json"]);
    wait_until("the view to be on record", Duration::from_secs(60), || {
        let entries = agency.head.run(["log", "show", &id, "--json"]).json_lines();
        entries.iter().any(|it| it["act"] == "viewed" && it["record"] == format!("grant/{grant}"))
    });
    agency.head.done(&["grant", "revoke", grant, "--reason", "it was withdrawn"]);
    let run = stream.wait();
    run.expect_refused("R18", "grant");
    let got = u64::try_from(run.stdout.len()).expect("small");
    println!("{got} of {STREAM_BYTES} bytes had left");
    assert!(got < STREAM_BYTES, "the whole stream left");
    assert!(run.stdout == clip.content.bytes(0..got), "what had left was the evidence");
}

#[test]
fn r23_r19_records_are_read_within_the_agency_and_ones_clearance() {
    let scratch = Scratch::new("law-reading");
    let cluster = DevCluster::start(&scratch);
    let agency = Agency::found(&cluster, &scratch);
    agency.open_case("C-1");
    let id = put_into_case(&agency.officer, &scratch, "C-1");
    let developer = &agency.developer;
    developer.done(&["unit", "add", "harbour", "--title", "Harbour bureau"]);
    let config = scratch.path().join("han.mei.toml");
    let out = config.to_str().expect("UTF-8");
    let line = ["person", "add", "han.mei", "--role", "auditor", "--unit", "harbour"];
    developer.done(&[&line[..], &["--clearance", "state-secret", "--out", out]].concat());
    let stranger = custos_tests::Cli::new(config, scratch.path());

    stranger.refused(&["show", &id], "R23", "unit");
    stranger.refused(&["case", "show", "C-1"], "R23", "unit");
    stranger.refused(&["hold", "why", &id], "R23", "unit");
    assert_eq!(stranger.list_ids(), [""; 0]);
    // What proves the log is everybody's, what it tells is not.
    let entries = stranger.run(["log", "show", &id, "--json"]).json_lines();
    let acts: Vec<_> = entries.iter().map(|it| &it["act"]).collect();
    assert_eq!(acts, ["upload-opened", "sealed"]);
    assert!(
        entries.iter().all(|it| it["actor"].is_null() && it["detail"].is_null()),
        "{entries:?}"
    );
    let index = entries[1]["index"].to_string();
    stranger.run(["log", "prove", "--entry", &index]).expect_exit(0);

    agency.officer.done(&["show", &id]);
    let raise = ["classify", &id, "--to", "privacy", "--reason", "a child is seen"];
    agency.head.run([&raise[..], &["--json"]].concat()).expect_refused("R19", "to");
    developer.done(&raise);
    agency.officer.refused(&["show", &id], "R19", "clearance");
    assert_eq!(agency.officer.list_ids(), [""; 0]);
    assert_eq!(developer.list_ids(), [id]);
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
    let report = developer.done(&["recording", "check", "R-1"]);
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
    agency.officer.run(add).expect_refused("R23", "role");
    let nobody = ["case", "show", "C-404", "--json"];
    agency.officer.run(nobody).expect_exit(4);
    let twice = ["unit", "add", "city", "--title", "again", "--json"];
    agency.developer.run(twice).expect_exit(2);
    // An officer without a number is none, whoever registers it.
    let nameless = ["person", "add", "he.yi", "--role", "officer", "--unit", "traffic", "--json"];
    agency.developer.run(nameless).expect_refused("R7", "certificate_no");
}

fn put_into_case(cli: &Cli, scratch: &Scratch, case: &str) -> String {
    let clip = scratch.source_file("clip.mp4", Content { seed: 3, size: 300_000 });
    let line = ["put", "--json", clip.path.to_str().expect("UTF-8"), "--case", case];
    cli.run([&line[..], &["--stage", "investigation"]].concat()).receipt().evidence_id
}
