//! The law over several gateways: what is decided over one holds over every other at once.

use custos_tests::{Agency, Content, NodeCluster, Scratch};

/// Holds placed and released in turn.
const ROUNDS: usize = 5;

#[test]
fn r11_a_hold_that_is_placed_over_one_gateway_holds_over_the_other_at_once() {
    let scratch = Scratch::new("law-gateways");
    let cluster = NodeCluster::start(&scratch);
    // The head talks to the second gateway, everybody else to the first.
    let agency = Agency::found_on_nodes(&cluster, &scratch, |name| usize::from(name == "wu.gang"));
    agency.open_case("C-1");
    let clip = scratch.source_file("clip.mp4", Content { seed: 3, size: 100_000 });
    let path = clip.path.to_str().expect("UTF-8");
    let put = ["put", "--json", path, "--case", "C-1", "--stage", "investigation"];
    let id = agency.officer.run(put).receipt().evidence_id;
    let propose = ["dispose", "propose", &id, "--reason", "is in the way"];
    for _round in 0..ROUNDS {
        let hold = ["hold", "place", "--reason", "complaint", "--case", "C-1"];
        let placed = agency.head.done(&hold);
        agency.custodian.refused(&propose, "R11", "evidence");
        let hold = placed["id"].as_str().expect("an id");
        agency.head.done(&["hold", "release", hold, "--reason", "it was withdrawn"]);
        agency.custodian.refused(&propose, "R10", "evidence");
    }
    let entries = agency.head.run(["log", "show", &id, "--json"]).json_lines();
    let refused = entries.iter().filter(|it| it["act"] == "refused").count();
    assert_eq!(refused, 2 * ROUNDS, "every attempt is on record: {entries:?}");
    let pending = agency.custodian.run(["today", "--list", "dispositions-pending", "--json"]);
    pending.expect_exit(0);
    assert!(pending.stdout.is_empty(), "nothing was proposed");
}
