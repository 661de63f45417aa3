use std::process::ExitStatus;

/// A `custosd` that ended instead of getting ready.
#[derive(Debug)]
pub struct FailedStart {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard error in this start.
    pub log: String,
}

impl FailedStart {
    /// The process ended with this exit code and named `words` in its log.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn expect(&self, exit_code: i32, words: &[&str]) {
        assert_eq!(self.status.code(), Some(exit_code), "exit code; log:\n{}", self.log);
        for word in words {
            assert!(self.log.contains(word), "{word:?} is not named in:\n{}", self.log);
        }
        assert!(!self.log.contains("panicked at"), "a message is no panic:\n{}", self.log);
    }
}
