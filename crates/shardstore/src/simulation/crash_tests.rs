use super::enumeration::Enumeration;
use super::life::Troubles;

/// Distinct crash states that a run covers at least, and the seed of its first life.
fn wanted() -> (usize, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let states = number("CUSTOS_SIM_STATES").unwrap_or(10_000);
    let seed = number("CUSTOS_SIM_SEED").unwrap_or(20_261_122);
    (usize::try_from(states).expect("a number of states"), seed)
}

#[test]
fn i1_durable_the_store_keeps_its_word_through_every_crash_state() {
    let (states, first_seed) = wanted();
    let mut covered = 0;
    let mut seed = first_seed;
    while covered < states {
        let mut enumeration = Enumeration::new(seed);
        for troubles in [Troubles::None, Troubles::Space, Troubles::Failures] {
            let outcome = enumeration.one_life(troubles);
            outcome.unwrap_or_else(|what| panic!("seed {seed}, troubles {troubles:?}: {what}"));
        }
        covered += enumeration.distinct_states();
        println!("seed {seed}: {covered} of {states} distinct crash states held");
        seed += 1;
    }
    println!("{covered} distinct crash states held, seeds {first_seed} to {}", seed - 1);
}
