use std::{fmt, path::PathBuf};

use custos_core::ErrorKind;

use crate::durable_file::FileError;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("no configuration file {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It says something that cannot be; every mistake is listed, in order of lines.
    #[error("{}", Listing { path, mistakes })]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// All that is wrong with it.
        mistakes: Vec<ConfigMistake>,
    },
}

impl ConfigError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// One mistake in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct ConfigMistake {
    /// Line, counted from 1; for what is missing, the line of the table that lacks it.
    pub line: usize,
    /// The key with its table, such as `tls.ca`.
    pub key: String,
    /// What is wrong.
    pub problem: ConfigProblem,
}

/// What can be wrong with one key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigProblem {
    /// The text is no TOML there.
    #[error("not valid TOML: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// Custos has no such key.
    #[error("unknown key (known here: {known})")]
    Unknown {
        /// The keys of this table.
        known: String,
    },
    /// It is of a role that the process does not have.
    #[error("belongs to role {role}, which `roles` does not name")]
    OtherRole {
        /// The role.
        role: &'static str,
    },
    /// It must be given.
    #[error("is missing; it must be {expected}")]
    Missing {
        /// What is expected.
        expected: &'static str,
    },
    /// It is of another type.
    #[error("is of type {found}; it must be {expected}")]
    Type {
        /// The type that was found.
        found: &'static str,
        /// What is expected.
        expected: &'static str,
    },
    /// The value cannot be.
    #[error("{value} cannot be; it must be {expected}")]
    Value {
        /// The value, as it was read.
        value: String,
        /// What is expected.
        expected: String,
    },
}

struct Listing<'a> {
    path: &'a PathBuf,
    mistakes: &'a [ConfigMistake],
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.mistakes.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:{}: {mistake}", self.path.display(), mistake.line)?;
        }
        Ok(())
    }
}
