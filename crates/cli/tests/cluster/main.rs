//! The commands that operate a cluster, run as the program that people run, against a small server
//! that speaks `custos.v1` over TLS and answers what it was given.

mod answers;
mod law;
mod law_server;
mod server;

use serde_json::{Value, json};
use server::{Run, Server};

fn objects(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

#[tokio::test]
async fn a_status_begins_with_what_is_wrong() {
    let server = Server::start(answers::ill_cluster()).await;
    let run = server.custos(&["cluster", "status"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let expected = "\
What is wrong:
  2 damaged shards are on record: `custos damage ls`
  node store-2 at https://store-2:7400 does not answer: connection refused
  disk store-1/disk 1 (0a1bffff) is out of service: it is a copy of a disk that serves on store-9

Worth knowing:
  disk store-1/disk 0 (0a1b0000) is nearly full: 1.0 GiB of 10.0 GiB are free

cluster  custos.test/1, epoch 17, 2026-03-02T00:00:00.000Z
ledger   group 1 keeps the system and virtual shards 0-1023
vaults   12 of 4+2, apart by host
         1 of 2+1, apart by disk
shards   1,500 with 3.0 GiB
damaged  2

NODE ";
    assert!(run.stdout.starts_with(expected), "{}", run.stdout);
    assert!(run.stdout.contains("\nstore-2/disk 0  0b000000  -"), "{}", run.stdout);
}

#[tokio::test]
async fn a_status_for_programs_is_one_object_that_says_whether_all_is_well() {
    let server = Server::start(answers::ill_cluster()).await;
    let run = server.custos(&["cluster", "status", "--json"]).await;
    let [status] = &objects(&run)[..] else { panic!("one object: {}", run.stdout) };
    assert_eq!(status["healthy"], false);
    assert_eq!(status["troubles"][1]["kind"], "node-unreachable");
    assert_eq!(status["vaults"][0], json!({"profile": "4+2", "level": "host", "vaults": 12}));
    assert_eq!(status["nodes"][1]["unreachable"], "connection refused");
    let disk = &status["nodes"][0]["disks"][0];
    assert_eq!(disk["disk_id"], answers::DISK_0);
    assert_eq!(disk["report"]["fullness"], "near-full");
    assert_eq!(disk["report"]["offline"], Value::Null);
    assert_eq!(disk["report"]["scrub"]["under_way"], true);
    let nodes = server.custos(&["node", "ls", "--json"]).await;
    assert_eq!(&objects(&nodes)[0], &status["nodes"][0]);
    let disks = server.custos(&["disk", "ls", "--node", "store-1", "--json"]).await;
    let expected = status["nodes"][0]["disks"].as_array().expect("a list").clone();
    assert_eq!(objects(&disks), expected);
}

#[tokio::test]
async fn vaults_are_created_as_asked() {
    let server = Server::start(answers::ill_cluster()).await;
    let line = ["cluster", "vaults", "create", "--profile", "4+2", "--level", "host"];
    let run = server.custos(&line).await;
    assert_eq!(run.stdout, "created 3 vaults of 4+2, apart by host (epoch 18)\n", "{}", run.stderr);
    let run = server.custos(&[&line[..], &["--count", "3", "--json"]].concat()).await;
    assert!(run.stderr.contains("left out: disk store-1/disk 1 (0a1b), which is full"));
    let left_out = ["disk store-1/disk 1 (0a1b), which is full"];
    let expected = json!({
        "profile": "4+2", "created": 3, "level": "host", "epoch": 18, "left_out": left_out,
    });
    assert_eq!(objects(&run), [expected]);
    assert_eq!(server.orders(), ["create-vaults 4+2 host 0", "create-vaults 4+2 host 3"]);
    let run = server.custos(&["cluster", "vaults", "create", "--profile", "10+4"]).await;
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert!(run.stderr.contains("rule I1: profile: 10+4 needs 14 disks"), "{}", run.stderr);
}

#[tokio::test]
async fn a_disk_is_removed_by_any_name_that_leads_to_it_alone() {
    let server = Server::start(answers::ill_cluster()).await;
    for (name, order) in [
        ("0a1b00", format!("remove-disk {} until-restart", answers::DISK_0)),
        ("store-2/disk 0", format!("remove-disk {} until-restart", answers::DISK_2)),
        (answers::DISK_1, format!("remove-disk {} until-restart", answers::DISK_1)),
    ] {
        let run = server.custos(&["disk", "remove", name]).await;
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(run.stdout.ends_with("is out of service until its node starts again\n"));
        assert_eq!(server.orders().last(), Some(&order));
    }
    let run = server
        .custos(&["disk", "remove", "0b00", "--for-good", "--reason", "worn out", "--json"])
        .await;
    assert_eq!(objects(&run), [json!({"disk_id": answers::DISK_2, "for_good": true})]);
    let order = format!("remove-disk {} for-good: worn out", answers::DISK_2);
    assert_eq!(server.orders().last(), Some(&order));
}

#[tokio::test]
async fn a_disk_is_released_with_a_reason() {
    let server = Server::start(answers::ill_cluster()).await;
    let line = ["disk", "release", "store-2/disk 0"];
    let run = server.custos(&line).await;
    assert_eq!(run.code, 2, "without a reason: {}", run.stderr);
    let run = server.custos(&[&line[..], &["--reason", "moves to store-4"]].concat()).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    let expected = format!(
        "disk {} is released: any node may take it into service\n\
         take it into service where it is then: `custos disk add`\n",
        answers::DISK_2
    );
    assert_eq!(run.stdout, expected);
    let run = server.custos(&["disk", "release", "0a1b00", "--reason", "why", "--json"]).await;
    assert_eq!(objects(&run), [json!({"disk_id": answers::DISK_0})]);
    let orders = [
        format!("release-disk {} moves to store-4", answers::DISK_2),
        format!("release-disk {} why", answers::DISK_0),
    ];
    assert_eq!(server.orders(), orders);
}

#[tokio::test]
async fn a_name_of_several_disks_or_of_none_orders_nothing() {
    let server = Server::start(answers::ill_cluster()).await;
    let run = server.custos(&["disk", "remove", "0A1B", "--json"]).await;
    assert_eq!(run.code, 2, "{}", run.stderr);
    let error: Value = serde_json::from_str(&run.stderr).expect("JSON");
    assert_eq!(error["error"]["field"], "DISK");
    for disk in [answers::DISK_0, answers::DISK_1] {
        assert!(error["error"]["message"].as_str().is_some_and(|m| m.contains(disk)), "{error}");
    }
    for line in [
        &["disk", "remove", "ffff"][..],
        &["disk", "release", "ffff", "--reason", "why"],
        &["disk", "quarantine", "store-1/disk 9"],
        &["disk", "ls", "--node", "store-9"],
        &["disk", "add", "--node", "store-9", "/srv/d"],
        &["scrub", "pause", "--disk", "ffff"],
    ] {
        let run = server.custos(line).await;
        assert_eq!(run.code, 4, "{line:?}: {}", run.stderr);
    }
    assert_eq!(server.orders(), [""; 0]);
}

#[tokio::test]
async fn a_disk_is_added_to_the_node_that_is_named() {
    let server = Server::start(answers::ill_cluster()).await;
    let run = server.custos(&["disk", "add", "--node", "store-1", "/srv/d", "--create"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains(answers::DISK_2) && run.stdout.contains("on node store-1"));
    assert_eq!(server.orders(), [format!("add-disk {} /srv/d true", answers::NODE_1)]);
}

#[tokio::test]
async fn the_scrub_is_paced_while_it_runs() {
    let server = Server::start(answers::ill_cluster()).await;
    let one = answers::DISK_0;
    for (line, order) in [
        (&["scrub", "set", "--rate", "50MiB"][..], "set-scrub all rate=52428800".to_owned()),
        (
            &["scrub", "set", "--disk", "0a1b0000", "--rate", "1B", "--period-days", "14"],
            format!("set-scrub {one} rate=1 days=14"),
        ),
        (&["scrub", "start"], "set-scrub all start".to_owned()),
        (&["scrub", "pause", "--disk", "store-1/disk 0"], format!("set-scrub {one} paused=true")),
        (&["scrub", "resume"], "set-scrub all paused=false".to_owned()),
    ] {
        let run = server.custos(line).await;
        assert_eq!((run.code, run.stdout.as_str()), (0, "2 disks follow\n"), "{}", run.stderr);
        assert_eq!(server.orders().last(), Some(&order));
    }
    let run = server.custos(&["scrub", "status", "--json"]).await;
    let scrubs = objects(&run);
    assert_eq!(scrubs[0]["scrub"]["progress_permille"], 255);
    assert_eq!(scrubs[2]["scrub"], Value::Null);
    let run = server.custos(&["scrub", "status"]).await;
    assert!(run.stdout.contains("under way  25.5 %"), "{}", run.stdout);
}

#[tokio::test]
async fn an_order_to_the_scrub_that_nobody_follows_is_no_success() {
    let server = Server::start(answers::empty_cluster()).await;
    let run = server.custos(&["scrub", "pause"]).await;
    assert_eq!(run.code, 6, "{}", run.stderr);
    assert!(run.stderr.contains("no disk follows"), "{}", run.stderr);
}

#[tokio::test]
async fn damage_is_listed_over_all_pages() {
    let server = Server::start(answers::ill_cluster()).await;
    let run = server.custos(&["damage", "ls", "--json"]).await;
    let shards = objects(&run);
    assert_eq!(shards.len(), 2, "{}", run.stderr);
    assert_eq!((&shards[0]["chunk"], &shards[1]["chunk"]), (&json!("7"), &json!("crown")));
    assert_eq!(shards[1]["what"], "block 3 does not verify");
    assert_eq!(shards[1]["log_index"], 41);
    let run = server.custos(&["damage", "ls", "--limit", "1"]).await;
    assert_eq!(run.stdout.lines().count(), 2, "a heading and one row: {}", run.stdout);
    assert!(run.stderr.contains("1 of 2 damaged shards are listed"), "{}", run.stderr);
}

#[tokio::test]
async fn quarantined_things_cannot_drive_the_terminal() {
    let server = Server::start(answers::ill_cluster()).await;
    let run = server.custos(&["disk", "quarantine", "0a1b0000", "--limit", "1"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "   SIZE  PLACE              WHY\n4.0 KiB  extents/\\u{1b}[2J  not a name of ours\n"
    );
    assert!(run.stderr.contains("there may be more"), "{}", run.stderr);
}

#[tokio::test]
async fn an_empty_cluster_says_what_comes_next() {
    let server = Server::start(answers::empty_cluster()).await;
    let run = server.custos(&["cluster", "status"]).await;
    assert!(run.stdout.contains("no storage node has registered yet"), "{}", run.stdout);
    for line in [["node", "ls"], ["disk", "ls"], ["damage", "ls"], ["scrub", "status"]] {
        let run = server.custos(&line).await;
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{line:?}: {}", run.stderr);
    }
}

#[tokio::test]
async fn a_status_shows_the_group_that_keeps_the_ledger_and_what_it_has_lost() {
    let server = Server::start(answers::group_with_a_loss()).await;
    let run = server.custos(&["cluster", "status"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    for line in [
        "  only 2 of the 3 voters of the ledger's group answer: if one more fails, nothing can be \
         put or read",
        "  meta node meta-3 at https://meta-3:7402 does not answer: connection refused",
        "META    ID  ROLE      BEHIND  ENDPOINT             STATE",
        "meta-1   1  leader         0  https://meta-1:7402  answers",
        "meta-2   2  follower      34  https://meta-2:7402  answers",
        "meta-3   3  voter          -  https://meta-3:7402  does not answer: connection refused",
    ] {
        assert!(run.stdout.lines().any(|it| it == line), "{line:?} in {}", run.stdout);
    }
    let run = server.custos(&["cluster", "status", "--json"]).await;
    let [status] = &objects(&run)[..] else { panic!("one object: {}", run.stdout) };
    assert_eq!(status["healthy"], false);
    let report = json!({
        "role": "follower", "term": 4, "leader": 1, "last_log": 1234, "applied": 1200,
        "snapshot": null, "clock": "2026-03-02T00:00:00.000Z",
    });
    let expected = json!({
        "id": 2, "name": "meta-2", "endpoint": "https://meta-2:7402", "vote": "voter",
        "state": "admitted", "unreachable": null, "entries_behind": 34, "report": report,
    });
    assert_eq!(status["meta"][1], expected);
    assert_eq!(status["meta"][2]["report"], Value::Null);
    let members = server.custos(&["meta", "ls", "--json"]).await;
    assert_eq!(Some(&objects(&members)), status["meta"].as_array());
}

#[tokio::test]
async fn a_meta_node_is_removed_and_made_leader_by_name_or_id() {
    let server = Server::start(answers::group_with_a_loss()).await;
    let run = server.custos(&["meta", "remove", "meta-3", "--reason", "it burnt"]).await;
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("meta node 3 is out of the ledger's group"), "{}", run.stdout);
    let run = server.custos(&["meta", "remove", "7", "--reason", "again", "--json"]).await;
    assert_eq!(objects(&run), [json!({"id": 7})], "{}", run.stderr);
    let run = server.custos(&["meta", "lead", "meta-2"]).await;
    assert_eq!(run.stdout, "meta node 2 leads the ledger's group\n", "{}", run.stderr);
    let orders = ["remove-meta 3 it burnt", "remove-meta 7 again", "lead-meta 2"];
    assert_eq!(server.orders(), orders);

    for (line, code) in [
        (&["meta", "remove", "meta-3"][..], 2),
        (&["meta", "remove", "meta-1", "--reason", "why"], 3),
        (&["meta", "remove", "meta-9", "--reason", "why"], 4),
        (&["meta", "lead", "meta-9"], 4),
    ] {
        let run = server.custos(line).await;
        assert_eq!(run.code, code, "{line:?}: {}", run.stderr);
    }
    let run = server.custos(&["meta", "remove", "1", "--reason", "why"]).await;
    assert!(run.stderr.contains("rule I6: node: without node 1"), "{}", run.stderr);
    assert_eq!(server.orders(), orders, "what is refused or unclear orders nothing");
    let run = server.custos(&["meta", "remove", "--help"]).await;
    assert!(run.stdout.contains("finishes a removal that was cut off"), "{}", run.stdout);
}
