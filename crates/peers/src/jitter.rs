use std::time::Duration;

use custos_ports::Entropy;

/// A pause between three quarters and five quarters of `pause`, so that many processes that began
/// to wait together do not all come back together.
pub(crate) fn spread(entropy: &(dyn Entropy + 'static), pause: Duration) -> Duration {
    let [random] = entropy.array::<1>();
    pause * 3 / 4 + pause * u32::from(random) / 512
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[test]
    fn a_pause_varies_by_a_quarter() {
        let pause = Duration::from_secs(4);
        assert_eq!(spread(&Always(0), pause), Duration::from_secs(3));
        assert!(spread(&Always(255), pause) <= Duration::from_secs(5));
        assert!(spread(&Always(255), pause) > Duration::from_millis(4900));
    }
}
