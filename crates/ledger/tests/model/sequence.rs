//! Whole sequences: made, run, done again in a second replica, and cut short when they fail.

use custos_ledger::apply;

use crate::{
    deed::Step,
    generator::Generator,
    invariants,
    run::{Failure, World, ensure},
    tally::Tally,
};

/// A sequence that failed, as short as it could be made.
pub(crate) struct Broken {
    pub(crate) seed: u64,
    pub(crate) failure: Failure,
    pub(crate) steps: Vec<Step>,
}

/// Runs the sequence of `seed`.
pub(crate) fn run(base: &World, seed: u64) -> Result<Tally, Box<Broken>> {
    let mut world = base.clone();
    let mut generator = Generator::new(seed);
    let mut steps = Vec::new();
    let mut result = Ok(());
    for _ in 0..generator.length() {
        let step = generator.next(&world.model);
        steps.push(step);
        result = world.take(&steps[steps.len() - 1]);
        if result.is_err() {
            break;
        }
    }
    let result = result
        .and_then(|()| invariants::check(&world))
        .and_then(|()| check_replica(base, &world, &steps));
    match result {
        Ok(()) => Ok(world.tally),
        Err(failure) => Err(Box::new(shrink(base, Broken { seed, failure, steps }))),
    }
}

/// A second replica holds the same bytes.
fn check_replica(base: &World, world: &World, steps: &[Step]) -> Result<(), Failure> {
    let mut replica = base.clone();
    for step in steps {
        replica.requests += 1;
        let envelope = replica.envelope(step);
        let _ = apply(&mut replica.kv, &envelope, step.stamped);
    }
    ensure(replica.kv == world.kv, "I6: a replica holds other bytes", String::new)
}

fn fails(base: &World, steps: &[Step]) -> Option<Failure> {
    let mut world = base.clone();
    steps
        .iter()
        .try_for_each(|step| world.take(step))
        .and_then(|()| invariants::check(&world))
        .and_then(|()| check_replica(base, &world, steps))
        .err()
}

/// Takes steps away while it still fails in the same way.
fn shrink(base: &World, broken: Broken) -> Broken {
    let Broken { seed, mut failure, mut steps } = broken;
    let mut size = steps.len().div_ceil(2);
    loop {
        let mut from = 0;
        let mut has_shrunk = false;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + size).min(steps.len()));
            match fails(base, &fewer) {
                Some(same) if same.class == failure.class => {
                    (steps, failure, has_shrunk) = (fewer, same, true);
                }
                _ => from += size,
            }
        }
        if size == 1 && !has_shrunk {
            return Broken { seed, failure, steps };
        }
        size = size.div_ceil(2);
    }
}
