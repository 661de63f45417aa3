//! The ledger on three and on five hosts of a network that breaks in every shape, while processes are
//! killed and stopped: what clients see is what one ledger could have shown (invariant I6).
//!
//! `CUSTOS_NETWORK_SECONDS` is how long each goes on, a minute and a half by default. For more than ten
//! minutes run it by `cargo test --workspace --test ledger_network`: nextest ends what takes longer.

use std::{
    env,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use custos_tests::{
    Cli, Content, LedgerGroup, Scratch, Seed, SeededRandom, TestNetwork,
    linear_history::{self, Operation, Seen},
};

const CLIENTS: usize = 3;
const SECONDS_DEFAULT: u64 = 90;
/// For everything to work again once nothing breaks any more.
const HEALED_LIMIT: Duration = Duration::from_secs(60);

#[test]
fn i6_what_clients_see_of_three_members_through_all_faults_is_linearizable() {
    is_linearizable(3);
}

#[test]
fn i6_what_clients_see_of_five_members_through_all_faults_is_linearizable() {
    is_linearizable(5);
}

fn is_linearizable(members: usize) {
    let Some(network) = TestNetwork::new(members + 1) else { return };
    let seconds = env::var("CUSTOS_NETWORK_SECONDS")
        .map_or(SECONDS_DEFAULT, |text| text.parse().expect("a number of seconds"));
    let seed = Seed::draw();
    let scratch = Scratch::new(&format!("network-{members}"));
    let mut group = LedgerGroup::start_in(&scratch, members, &network);
    let cli = group.cli();
    let (stop, history) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let mut random = seed.random();
    let faults = thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (cli, stop, history, scratch) = (&cli, &stop, &history, &scratch);
            let seed = random.next_u64();
            scope.spawn(move || operate(cli, stop, history, scratch, client, seed));
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut faults = Vec::new();
        while Instant::now() < end {
            let fault = Fault::draw(&mut random, members);
            faults.push(format!("{fault:?}"));
            fault.happen(&mut group, &network);
            thread::sleep(Duration::from_millis(500 + random.below(4000)));
            network.heal();
            fault.end(&mut group);
            thread::sleep(Duration::from_millis(500 + random.below(2500)));
        }
        stop.store(true, Ordering::Release);
        faults
    });
    let history = history.into_inner().expect("no client failed");
    let puts = history.iter().filter(|it| matches!(it.seen, Seen::Entered(_))).count();
    eprintln!("{} faults, {puts} puts, {} reads", faults.len(), history.len() - puts);
    if let Err(contradiction) = linear_history::check(&history) {
        panic!("{contradiction}; {seed:?}, faults {faults:#?}");
    }
    assert!(puts > 10 && history.len() - puts > 10, "clients got something done: {faults:#?}");
    // Nothing breaks any more: it serves again by itself.
    let healed = Instant::now();
    cli.run(["log", "checkpoint"]).expect_exit(0);
    cli.put(&scratch.source_file("healed.bin", Content { seed: 1, size: 10_000 }));
    assert!(healed.elapsed() < HEALED_LIMIT, "it took {:?} to serve again", healed.elapsed());
}

/// What breaks, by the numbers of members.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// One member from all others and from clients.
    CutOff(usize),
    /// Two members from each other: the others are bridges.
    Parted(usize, usize),
    /// Those whose bits are set from all others; clients are one of them, behind the last member.
    Halved(u64),
    /// One member hears nothing of another, and its answers get lost.
    OneWay(usize, usize),
    /// All members from each other: nobody has a quorum.
    AllParted,
    /// Loss of power.
    Killed(usize),
    /// Loss of power of all at once.
    AllKilled,
    /// It stands still and keeps its connections.
    Paused(usize),
}

impl Fault {
    fn draw(random: &mut SeededRandom, members: usize) -> Self {
        let mut member = || usize::try_from(random.below(members as u64)).expect("small");
        let (one, step) = (member(), member());
        let other = (one + 1 + step % (members - 1)) % members;
        match random.below(14) {
            0 | 1 => Self::CutOff(one),
            2 | 3 => Self::Parted(one, other),
            4 | 5 => Self::OneWay(one, other),
            6 => Self::AllParted,
            7 | 8 => Self::Killed(one),
            9 => Self::AllKilled,
            10 | 11 => Self::Halved(random.below(1 << (members + 1))),
            _ => Self::Paused(one),
        }
    }

    fn happen(self, group: &mut LedgerGroup, network: &TestNetwork) {
        let both = |one: usize, other: usize| {
            network.part(one, other);
            network.part(other, one);
        };
        let members = group.members().end;
        match self {
            Self::CutOff(one) => {
                (0..=members).filter(|other| *other != one).for_each(|other| both(one, other));
            }
            Self::Parted(one, other) => both(one, other),
            Self::OneWay(one, other) => network.part(one, other),
            Self::Halved(side) => {
                let is_in = |host: usize| side >> host & 1 == 1;
                for one in 0..=members {
                    (0..one).filter(|it| is_in(*it) != is_in(one)).for_each(|it| both(one, it));
                }
            }
            Self::AllParted => {
                for one in 0..members {
                    (0..one).for_each(|other| both(one, other));
                }
            }
            Self::Killed(one) => group.meta(one).kill9(),
            Self::AllKilled => group.members().for_each(|one| group.meta(one).kill9()),
            Self::Paused(one) => group.meta(one).pause(),
        }
    }

    fn end(self, group: &mut LedgerGroup) {
        match self {
            Self::Killed(one) => drop(group.meta(one).restart()),
            // They need each other to get ready.
            Self::AllKilled => group.restart_together(),
            Self::Paused(one) => group.meta(one).resume(),
            Self::CutOff(_)
            | Self::Parted(..)
            | Self::Halved(_)
            | Self::OneWay(..)
            | Self::AllParted => {}
        }
    }
}

/// Puts and reads in turn until told to stop. What is refused or unknown is no part of the history.
fn operate(
    cli: &Cli,
    stop: &AtomicBool,
    history: &Mutex<Vec<Operation>>,
    scratch: &Scratch,
    client: usize,
    seed: u64,
) {
    let mut random = Seed(seed).random();
    for number in 0_u64.. {
        if stop.load(Ordering::Acquire) {
            return;
        }
        let invoked = Instant::now();
        let seen = if random.below(2) == 0 {
            let content = Content { seed: random.next_u64(), size: 1000 };
            let file = scratch.source_file(&format!("{client}-{number}.bin"), content);
            let run = cli.run(["put".as_ref(), "--json".as_ref(), file.path.as_os_str()]);
            run.expect_exit_in(&[0, 6]);
            (run.exit_code == Some(0)).then(|| Seen::Entered(run.receipt().log_index))
        } else {
            let run = cli.run(["log", "checkpoint", "--json"]);
            run.expect_exit_in(&[0, 6]);
            let size = || run.json()["size"].as_u64().expect("a checkpoint has a size");
            (run.exit_code == Some(0)).then(|| Seen::Size(size()))
        };
        if let Some(seen) = seen {
            let operation = Operation { invoked, returned: Instant::now(), seen };
            history.lock().expect("no client failed").push(operation);
        }
    }
}
