use std::fmt;

use custos_core::{ErrorKind, Rule};

/// A policy file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFileError {
    /// The rule that the key is a parameter of; R10 for the file as a whole.
    pub rule: Rule,
    /// Path of the key, such as `act_types.penalty.stages`; `policy` for the file as a whole.
    pub field: String,
    /// The line, from 1; absent where something is missing from the file as a whole.
    pub line: Option<usize>,
    /// What is wrong and what would be right, one line without a full stop.
    pub reason: String,
}

impl PolicyFileError {
    pub(super) fn new(field: impl Into<String>, line: Option<usize>, reason: String) -> Self {
        let field = field.into();
        Self { rule: rule_of(&field), field, line, reason }
    }

    /// How callers should class it: as what the cluster would refuse by the same rule.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

impl fmt::Display for PolicyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, field, line, reason } = self;
        if let Some(line) = line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{field}: {reason} (rule {rule})")
    }
}

impl std::error::Error for PolicyFileError {}

/// The rule that a key is a parameter of.
fn rule_of(field: &str) -> Rule {
    let mut keys = field.split(['.', '[']);
    match keys.next().unwrap_or_default() {
        "incomplete_descriptor" => Rule::R4,
        "late_after_hours" | "clock_tolerance_seconds" => Rule::R3,
        "archive_days" => Rule::R13,
        "answer_days" => Rule::R27,
        "grant_days_max" => Rule::R18,
        "grace_days" => Rule::I8,
        "hold_review_days" | "release_by_two" => Rule::R11,
        "act_types" => match keys.nth(1) {
            Some("audio_visual") => Rule::R9,
            Some("retention_days") => Rule::R10,
            _ => Rule::R1,
        },
        _ => Rule::R10,
    }
}
