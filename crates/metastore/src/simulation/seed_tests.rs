use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

use super::{
    trace::Telling,
    world::{self, Run},
};

/// Of so many seeds one is run twice, to see that it does the same.
const REPEAT_EACH: u64 = 50;

/// Seeds that a run covers, and the first of them.
fn wanted() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    (number("CUSTOS_SIM_SEEDS").unwrap_or(1000), number("CUSTOS_SIM_SEED").unwrap_or(1))
}

#[test]
fn i6_the_ledger_keeps_its_word_whatever_fails() {
    let (count, first) = wanted();
    let (next, entries) = (AtomicU64::new(first), AtomicUsize::new(0));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            let run = world::run(seed, Telling::Hash);
            entries.fetch_add(run.entries, Ordering::Relaxed);
            if seed % REPEAT_EACH == 0 {
                let again = world::run(seed, Telling::Hash);
                assert_eq!(again.hash, run.hash, "seed {seed} gives different runs");
            }
            if run.verdict.is_err() {
                // Others need not go on.
                next.store(u64::MAX / 2, Ordering::Relaxed);
                fail(seed);
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
    let entries = entries.into_inner();
    println!("seeds {first} to {}: every promise held over {entries} entries", first + count - 1);
}

/// Tells the whole run of a seed that broke a promise.
fn fail(seed: u64) -> ! {
    let Run { verdict, lines, .. } = world::run(seed, Telling::Lines);
    for line in &lines {
        println!("{line}");
    }
    let what = verdict.expect_err("the same seed gives the same run");
    panic!("seed {seed} (CUSTOS_SIM_SEED={seed} CUSTOS_SIM_SEEDS=1): {what}");
}

#[test]
fn the_same_seed_gives_the_same_run_to_the_byte() {
    for seed in 1..=10 {
        let told = |_| world::run(seed, Telling::Lines).lines;
        let (first, second) = (told(1), told(2));
        assert!(first.len() > 100, "seed {seed} has only {} events", first.len());
        let differs = first.iter().zip(&second).position(|(one, other)| one != other);
        if let Some(at) = differs {
            panic!("seed {seed}, event {at}: {:?} and {:?}", first[at], second[at]);
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}
