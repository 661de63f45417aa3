use std::{fmt, str::FromStr};

use custos_core::Timestamp;

/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 64;

/// What a backup is called: when it was taken, and up to which entry of the Raft log. Names sort by
/// time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackupName(String);

/// A text that is no name of a backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a backup such as 2026-03-01T080000.000Z-5000: {text:?}")]
pub struct ParseNameError {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl BackupName {
    /// Of a backup that was taken at this time, up to this entry.
    #[must_use]
    pub fn new(taken: Timestamp, log_index: u64) -> Self {
        // Without the colons, which some file systems do not take.
        Self(format!("{}-{log_index}", taken.to_string().replace([':', ' '], "")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BackupName {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let is_name = text.starts_with(|c: char| c.is_ascii_digit())
            && text.len() <= NAME_BYTES_MAX
            && text.chars().all(is_plain)
            && !text.ends_with('.');
        match is_name {
            true => Ok(Self(text.to_owned())),
            false => Err(ParseNameError { text: text.chars().take(80).collect() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_when_and_up_to_where_and_sort_by_time() {
        let name = |millis, index| BackupName::new(Timestamp::from_millis(millis), index);
        let first = name(1_772_352_000_000, 5000);
        assert_eq!(first.to_string(), "2026-03-01T080000.000Z-5000");
        assert_eq!(first.to_string().parse(), Ok(first.clone()));
        assert!(first < name(1_772_352_000_001, 7));
        for wrong in ["", "..", "../x", "a", "2026/1", ".2", "2.", "2 3"] {
            assert!(wrong.parse::<BackupName>().is_err(), "{wrong:?}");
        }
    }
}
