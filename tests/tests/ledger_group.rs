//! The ledger on three machines: briefly away at worst, and never wrong.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use custos_tests::{Cli, Content, LedgerGroup, Scratch, Seed, SmallDisk, SourceFile, wait_until};

/// Kills of the leader in one run.
const KILLS: usize = 20;
/// Clients that put at the same time.
const CLIENTS: usize = 3;
/// Half of the kills must be over within this time, from the signal to the answer to a question
/// that was asked afterwards.
const MEDIAN_LIMIT: Duration = Duration::from_secs(2);

/// Size of a disk that gets full: some times what an empty ledger takes.
const FULL_DISK_MIB: u32 = 96;

#[test]
fn i6_twenty_killed_leaders_fail_no_put_and_do_none_twice() {
    let seed = Seed::draw();
    let mut random = seed.random();
    let scratch = Scratch::new("leaders-killed");
    let mut group = LedgerGroup::start(&scratch, 3);
    let cli = group.cli();
    let stop = AtomicBool::new(false);
    let (ids, mut outages) = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (cli, stop, scratch, seed) = (&cli, &stop, &scratch, random.next_u64());
                scope.spawn(move || put_until_told(cli, stop, scratch, client, seed))
            })
            .collect();
        let mut outages = Vec::new();
        for _kill in 0..KILLS {
            let leader = group.leader();
            let killed = Instant::now();
            group.meta(leader).kill9();
            cli.run(["log", "checkpoint", "--json"]).expect_exit(0);
            outages.push(killed.elapsed());
            group.meta(leader).restart();
            group.wait_until_current(leader);
        }
        stop.store(true, Ordering::Release);
        let ids = clients.into_iter().flat_map(|client| client.join().expect("no put failed"));
        (ids.collect::<Vec<_>>(), outages)
    });
    outages.sort_unstable();
    let median = outages[outages.len() / 2];
    eprintln!("{} puts; away for {outages:?}, median {median:?}", ids.len());
    assert!(median <= MEDIAN_LIMIT, "median {median:?} of {outages:?}");

    let mut listed = cli.list_ids();
    let mut put = ids.clone();
    listed.sort_unstable();
    put.sort_unstable();
    assert_eq!(listed, put, "every put is there once, and nothing else");
    for id in ids.iter().step_by(7) {
        let run = cli.run(["log", "show", id, "--json"]);
        run.expect_exit(0);
        let acts: Vec<_> = run.json_lines().iter().map(|entry| entry["act"].to_string()).collect();
        let seals = acts.iter().filter(|act| act.contains("sealed")).count();
        let opens = acts.iter().filter(|act| act.contains("opened")).count();
        assert_eq!((opens, seals), (1, 1), "{id}: {acts:?}");
    }
}

#[test]
fn i6_without_a_quorum_nothing_is_decided_and_all_goes_on_when_it_is_back() {
    let scratch = Scratch::new("quorum-lost");
    let mut group = LedgerGroup::start(&scratch, 3);
    let before = scratch.source_file("before.bin", Content { seed: 1, size: 100_000 });
    let id = group.cli().put(&before).evidence_id;
    let survivor = group.leader();
    let others: Vec<usize> = group.members().filter(|number| *number != survivor).collect();
    for other in &others {
        group.meta(*other).kill9();
    }
    // A read that needs the ledger is refused, not answered from what one member happens to know.
    let brief = group.cli().within(Duration::from_secs(60));
    brief.run(["log", "checkpoint"]).expect_exit(6);
    for other in &others {
        group.meta(*other).restart();
    }
    let copy = scratch.path().join("copy.bin");
    group.cli().get(&id, &copy);
    custos_tests::assert_same_bytes(&before.path, &copy);
    let after = scratch.source_file("after.bin", Content { seed: 2, size: 100_000 });
    group.cli().put(&after);
}

#[test]
fn a_planned_stop_of_the_leader_hands_over_and_a_dead_member_is_replaced() {
    let scratch = Scratch::new("member-replaced");
    let mut group = LedgerGroup::start(&scratch, 3);
    let leader = group.leader();
    let stopped = Instant::now();
    assert!(group.meta(leader).terminate().success());
    eprintln!("stopped in {:?}", stopped.elapsed());
    assert!(group.meta(leader).log().contains("leadership was handed over"));
    let file = scratch.source_file("meanwhile.bin", Content { seed: 3, size: 50_000 });
    group.cli().put(&file);

    // Its folder is gone: it comes back as a new member, and never as its old self.
    let folder = group.config(leader).data_dir();
    fs::remove_dir_all(&folder).expect("removed");
    let kinds = trouble_kinds(&group.cli());
    assert!(kinds.contains(&"meta-unreachable".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"meta-no-redundancy".to_owned()), "{kinds:?}");
    let dead = group.config(leader).name.clone();
    let line = ["meta", "remove", &dead, "--reason", "its machine burnt"];
    group.cli().run(line).expect_exit(0);
    assert_eq!(trouble_kinds(&group.cli()), ["meta-even"]);
    let newcomer = group.add(group.leader());
    group.wait_for_vote(newcomer);
    group.cli().put(&scratch.source_file("after.bin", Content { seed: 4, size: 50_000 }));
    assert_eq!(trouble_kinds(&group.cli()), [""; 0]);

    let name = group.config(newcomer).name.clone();
    group.cli().run(["meta", "lead", &name]).expect_exit(0);
    assert_eq!(group.leader(), newcomer);
    let members = group.cli().run(["meta", "ls", "--json"]).json_lines();
    let roles: Vec<_> = members.iter().map(|it| (&it["name"], &it["report"]["role"])).collect();
    assert_eq!(roles.len(), 3, "{roles:?}");
    assert!(roles.iter().all(|(named, _)| **named != dead.as_str()), "{roles:?}");
    assert!(roles.iter().all(|(named, role)| (**named == name.as_str()) == (**role == "leader")));
    // Two of three would be left of which one is away, so nobody may go.
    let other = group.members().find(|it| ![leader, newcomer].contains(it)).expect("two stay");
    group.meta(other).kill9();
    let stays = members.iter().find(|it| it["name"] != group.config(other).name.as_str());
    let stays = stays.expect("two stay")["name"].as_str().expect("a name");
    group.cli().run(["meta", "remove", stays, "--reason", "a mistake"]).expect_exit(3);
}

#[test]
fn i1_a_member_whose_log_finds_no_room_stops_and_says_why_and_the_others_go_on() {
    let scratch = Scratch::new("log-full");
    let full = 1;
    let Some(disk) = SmallDisk::mount(&scratch.folder("group/meta-1/data"), FULL_DISK_MIB) else {
        return;
    };
    let mut group = LedgerGroup::start(&scratch, 3);
    let filler = disk.path().join("something-else");
    let room = fill(&filler);
    eprintln!("{room} bytes were free");
    // What is put is on the other two, whoever led.
    let (cli, stop) = (group.cli(), AtomicBool::new(false));
    let put: usize = thread::scope(|scope| {
        let (cli, stop, scratch) = (&cli, &stop, &scratch);
        let clients = (0..CLIENTS as u64).map(|client| {
            scope.spawn(move || {
                let puts = (0..).take_while(|_| !stop.load(Ordering::Acquire));
                let puts = puts.map(|number| put_with_long_note(cli, scratch, client, number));
                puts.count()
            })
        });
        let clients: Vec<_> = clients.collect();
        wait_until("the member to stop", Duration::from_secs(240), || {
            thread::sleep(Duration::from_millis(50));
            group.meta(full).has_ended()
        });
        stop.store(true, Ordering::Release);
        clients.into_iter().map(|client| client.join().expect("no put failed")).sum()
    });
    let log = group.meta(full).log();
    assert!(log.contains("No space left on device"), "it does not say why:\n{log}");
    let ids = group.cli().list_ids();
    assert_eq!(ids.len(), put);

    fs::remove_file(&filler).expect("removed");
    group.meta(full).restart();
    group.wait_until_current(full);
    group.cli().put(&scratch.source_file("after.bin", Content { seed: 7, size: 20_000 }));
}

#[test]
fn a_member_that_is_taken_out_ends_and_says_why() {
    let scratch = Scratch::new("member-taken-out");
    let mut group = LedgerGroup::start(&scratch, 3);
    let leader = group.leader();
    let out = group.members().find(|number| *number != leader).expect("two follow");
    let name = group.config(out).name.clone();
    group.cli().run(["meta", "remove", &name, "--reason", "sold"]).expect_exit(0);
    wait_until("it to end", Duration::from_secs(60), || group.meta(out).has_ended());
    let log = group.meta(out).log();
    assert!(log.contains("was taken out of the ledger's group"), "it does not say why:\n{log}");
    // Nor does it come back.
    let again = group.config(out).prepare().spawn().wait_until_ready();
    assert!(again.is_err(), "member {out} is ready again");
    group.cli().put(&scratch.source_file("after.bin", Content { seed: 1, size: 20_000 }));
}

/// The note goes into the log.
fn put_with_long_note(cli: &Cli, scratch: &Scratch, client: u64, number: u64) {
    let content = Content { seed: client << 32 | number, size: 1_000 };
    let file = scratch.source_file(&format!("full-{client}.bin"), content);
    let note = "n".repeat(4096);
    let line = ["put".as_ref(), "--note".as_ref(), note.as_ref(), file.path.as_os_str()];
    cli.run(line).expect_exit(0);
}

/// Writes a file until its disk is full; returns how much that was.
fn fill(path: &Path) -> u64 {
    let mut file = fs::File::create(path).expect("a file");
    let mut written = 0;
    for piece in [1 << 20, 1 << 12, 1] {
        while let Ok(count) = file.write(&vec![0x5a; piece]) {
            written += count as u64;
        }
    }
    written
}

fn trouble_kinds(cli: &Cli) -> Vec<String> {
    let status = cli.run(["cluster", "status", "--json"]).json();
    let troubles = status["troubles"].as_array().expect("a list").iter();
    troubles.map(|trouble| trouble["kind"].as_str().expect("a kind").to_owned()).collect()
}

fn put_until_told(
    cli: &Cli,
    stop: &AtomicBool,
    scratch: &Scratch,
    client: usize,
    seed: u64,
) -> Vec<String> {
    let mut ids = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let name = format!("{client}-{}.bin", ids.len());
        let content = Content { seed: seed.wrapping_add(ids.len() as u64), size: 20_000 };
        let file: SourceFile = scratch.source_file(&name, content);
        ids.push(cli.put(&file).evidence_id);
    }
    ids
}
