use crate::failure::Failure;
use crate::limits::FAILURES_IN_A_ROW_MAX;

/// What the last requests say about a bucket. Pure: it is told of each outcome.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: u64,
    in_a_row: u32,
    last: String,
    setup: Option<String>,
    full: bool,
}

impl Health {
    /// The bucket answered as it should, be it that there is no such object.
    pub(crate) fn succeeded(&mut self) {
        self.in_a_row = 0;
        self.setup = None;
    }

    /// An object was written.
    pub(crate) fn wrote(&mut self) {
        self.full = false;
        self.succeeded();
    }

    /// A request was in vain.
    pub(crate) fn failed(&mut self, failure: &Failure) {
        match failure {
            Failure::Missing => return self.succeeded(),
            Failure::Setup(reason) => self.setup = Some(reason.clone()),
            Failure::Full(_) => self.full = true,
            _ => {}
        }
        self.count(failure.to_string());
    }

    /// The bucket gave or took wrong bytes.
    pub(crate) fn damaged(&mut self, what: &str) {
        self.count(what.to_owned());
    }

    fn count(&mut self, reason: String) {
        self.failures += 1;
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.last = reason;
    }

    /// Failed requests since the bucket was opened.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// Why nothing works until someone mends it.
    pub(crate) fn offline(&self) -> Option<String> {
        self.setup.clone()
    }

    /// Why it should get no new shards.
    pub(crate) fn suspect(&self) -> Option<String> {
        (self.in_a_row >= FAILURES_IN_A_ROW_MAX)
            .then(|| format!("{} failures in a row, the last: {}", self.in_a_row, self.last))
    }

    /// Whether the last write found no space.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Whether a request now would tell something new.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.setup.is_some() || self.suspect().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_make_it_suspect_and_a_success_clears_it() {
        let mut health = Health::default();
        for _ in 0..2 {
            health.failed(&Failure::Busy("slow down".to_owned()));
        }
        assert_eq!(health.suspect(), None);
        health.failed(&Failure::Busy("slow down".to_owned()));
        assert_eq!(health.suspect().as_deref(), Some("3 failures in a row, the last: slow down"));
        assert!(health.is_in_doubt());
        health.failed(&Failure::Missing);
        assert_eq!((health.suspect(), health.failures()), (None, 3));
    }

    #[test]
    fn what_someone_must_mend_takes_it_out_until_it_works_again() {
        let mut health = Health::default();
        health.failed(&Failure::Setup("no bucket".to_owned()));
        assert_eq!(health.offline().as_deref(), Some("no bucket"));
        health.succeeded();
        assert_eq!(health.offline(), None);
    }

    #[test]
    fn it_is_full_until_a_write_succeeds() {
        let mut health = Health::default();
        health.failed(&Failure::Full("no space".to_owned()));
        health.succeeded();
        assert!(health.is_full());
        health.wrote();
        assert!(!health.is_full());
    }
}
