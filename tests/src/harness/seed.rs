use std::{
    env, process,
    time::{SystemTime, UNIX_EPOCH},
};

/// What makes a random case repeatable: printed when drawn, taken from `$CUSTOS_TEST_SEED` when
/// that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// Draws a seed, or takes the one that the environment names, and prints it.
    ///
    /// # Panics
    /// When `$CUSTOS_TEST_SEED` is no number.
    #[must_use]
    pub fn draw() -> Self {
        let seed = match env::var("CUSTOS_TEST_SEED") {
            Ok(text) => text.parse().expect("CUSTOS_TEST_SEED is a decimal number"),
            Err(_) => fresh(),
        };
        println!("seed: CUSTOS_TEST_SEED={seed}");
        Self(seed)
    }

    /// The random numbers of this seed.
    #[must_use]
    pub fn random(self) -> SeededRandom {
        SeededRandom { state: self.0 }
    }
}

/// A number that differs from test to test and run to run.
#[expect(
    clippy::disallowed_methods,
    reason = "a test run has no clock port; this only varies seeds"
)]
pub(crate) fn fresh() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    let nanos = now.as_secs() ^ u64::from(now.subsec_nanos()).rotate_left(32);
    nanos ^ u64::from(process::id()).rotate_left(48)
}

/// Random numbers for choosing cases, not for secrets: SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct SeededRandom {
    state: u64,
}

impl SeededRandom {
    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..end`.
    ///
    /// # Panics
    /// When `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "nothing is below 0");
        // The bias of the remainder is below 2^-20 for every range that tests use.
        self.next_u64() % end
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next_u64() >> 32).expect("32 bits")) / f64::from(u32::MAX)
    }

    /// `count` different numbers in `0..end`, in any order.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn distinct(&mut self, count: usize, end: usize) -> Vec<usize> {
        assert!(count <= end, "there are no {count} numbers below {end}");
        let mut left: Vec<usize> = (0..end).collect();
        let mut draw = || {
            let at = self.below(left.len() as u64);
            left.swap_remove(usize::try_from(at).expect("below the length"))
        };
        (0..count).map(|_| draw()).collect()
    }
}
