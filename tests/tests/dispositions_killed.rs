//! The lawful end of evidence, with the server killed at any moment of it: one outcome.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use custos_tests::{
    Agency, Content, DevCluster, DevOptions, Scratch, Seed, assert_same_bytes, wait_until,
};

/// Dispositions that are carried out while the server dies, and items of each.
const DISPOSITIONS: usize = 36;
const ITEMS: usize = 2;
/// Kills at most, and how many must have come in the middle.
const KILLS_MAX: u32 = 60;
const KILLS_MIN: u32 = 4;
/// Kills between two looks at what was done: a look takes as long as many items.
const LOOKED_EVERY: u32 = 4;
/// Retention of anything is over by then, and the grace of seven days after that.
const RETENTION_OVER: u32 = 4000;
const GRACE_OVER: u32 = RETENTION_OVER + 8;
const LIMIT: Duration = Duration::from_secs(120);

#[test]
fn i3_i8_kill_9_at_any_moment_of_a_disposition_leads_to_one_outcome() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("dispositions-killed");
    let options = DevOptions { profile: "2+1".to_owned(), ..DevOptions::in_scratch(&scratch) };
    let mut cluster = DevCluster::start_with(options);
    let agency = Agency::found(&cluster, &scratch);
    agency.open_case("C-1");
    agency.open_case("C-2");
    let mut put = |case: &str| {
        let content = Content { seed: random.next_u64(), size: 300_000 };
        let file = scratch.source_file("source.bin", content);
        let path = file.path.to_str().expect("UTF-8");
        let line = ["put", "--json", path, "--kind", "photo", "--case", case];
        let run = agency.officer.run([&line[..], &["--stage", "investigation"]].concat());
        (run.receipt().evidence_id, content)
    };
    let ending: Vec<[String; ITEMS]> =
        (0..DISPOSITIONS).map(|_| [put("C-1").0, put("C-1").0]).collect();
    let held: Vec<_> = (0..ITEMS).map(|_| put("C-2")).collect();
    let shards = || {
        let status = agency.developer.done(&["cluster", "status"]);
        let disks = status["nodes"].as_array().expect("nodes").iter();
        let disks = disks.flat_map(|node| node["disks"].as_array().expect("disks").clone());
        disks.map(|disk| disk["report"]["shards"].as_u64().expect("a count")).sum::<u64>()
    };
    // Every item is three shards of its one chunk.
    let per_item = 3;
    let all = (DISPOSITIONS * ITEMS + ITEMS) as u64 * per_item;
    wait_until("the disks to report all shards", LIMIT, || shards() == all);

    cluster.terminate();
    cluster.restart_ahead(RETENTION_OVER);
    agency.confirm_clock();
    let approved = |items: &[String]| {
        agency.approved_disposition(&items.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let mut dispositions: Vec<String> = ending.iter().map(|items| approved(items)).collect();
    let ids: Vec<String> = held.iter().map(|(id, _)| id.clone()).collect();
    let kept = approved(&ids);
    cluster.terminate();
    cluster.restart_ahead(GRACE_OVER);
    // In the last moment somebody holds one of the cases: after two confirmations the grace is over.
    agency.head.done(&["hold", "place", "--reason", "complaint", "--case", "C-2"]);
    agency.confirm_clock();
    dispositions.push(kept.clone());

    let states = || -> Vec<(String, String)> {
        let run = agency.developer.run(["dispose", "ls", "--json"]);
        run.expect_exit(0);
        let text = |it: &serde_json::Value| it.as_str().expect("a text").to_owned();
        run.json_lines().iter().map(|it| (text(&it["id"]), text(&it["state"]))).collect()
    };
    let is_done = |states: &[(String, String)]| states.iter().all(|(_, state)| state == "done");
    let (mut kills, mut in_the_middle) = (0, 0);
    let begun = Instant::now();
    loop {
        // The random moment is the fault itself; later ones come later, so that it ends.
        let most = Duration::from_millis(10 + 10 * u64::from(kills));
        thread::sleep(most.mul_f64(random.fraction()));
        cluster.kill9();
        cluster.restart();
        kills += 1;
        if kills % LOOKED_EVERY != 0 {
            continue;
        }
        let states = states();
        for (_, state) in &states {
            assert!(["approved", "ordered", "done"].contains(&state.as_str()), "{states:?}");
        }
        let done = states.iter().filter(|(_, state)| state == "done").count();
        println!("kill {kills}: {done} of {} done, {:?}", states.len(), begun.elapsed());
        if is_done(&states) || kills == KILLS_MAX {
            break;
        }
        // There was more to do, so all kills until now came while something was done.
        in_the_middle = kills;
    }
    assert!(in_the_middle >= KILLS_MIN, "{in_the_middle} of {kills} kills were in the middle");
    wait_until("all dispositions to be done", LIMIT, || is_done(&states()));

    for (id, items) in dispositions.iter().zip(&ending) {
        let shown = agency.custodian.done(&["dispose", "show", id]);
        let mut ended: Vec<_> = shown["ended"].as_array().expect("a list").clone();
        ended.sort_by_key(ToString::to_string);
        let mut asked: Vec<serde_json::Value> = items.iter().map(|it| it.clone().into()).collect();
        asked.sort_by_key(ToString::to_string);
        assert_eq!(ended, asked, "{shown}");
        for item in items {
            let entries = agency.custodian.run(["log", "show", item, "--json"]).json_lines();
            let count = |act: &str| entries.iter().filter(|it| it["act"] == act).count();
            let once = (count("sealed"), count("disposition-ordered"), count("disposed"));
            assert_eq!(once, (1, 1, 1), "{item}: {entries:?}");
            agency.custodian.run(["dispose", "certificate", item]).expect_exit(0);
            let gone = scratch.path().join("gone.bin");
            let get = ["get", item, "-o", gone.to_str().expect("UTF-8")];
            agency.developer.refused(&get, "I3", "evidence_id");
            assert!(!gone.exists());
        }
    }
    // What was held in time is struck off, and whole.
    let shown = agency.custodian.done(&["dispose", "show", &kept]);
    assert_eq!(shown["struck"].as_array().map(Vec::len), Some(ITEMS), "{shown}");
    for (id, content) in &held {
        let copy = scratch.path().join("copy.bin");
        agency.developer.get(id, &copy);
        let source = scratch.source_file("source.bin", *content);
        assert_same_bytes(&source.path, &copy);
        fs::remove_file(copy).expect("removed");
    }
    wait_until("no shard of what has ended to be left", LIMIT, || {
        shards() == ITEMS as u64 * per_item
    });
}
