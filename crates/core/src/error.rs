use std::fmt;

use crate::named::named_enum;

/// The class of a failure. Retry policy, gRPC status and exit code depend on this alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is malformed; the field is named. Never worth a retry.
    Invalid,
    /// A rule or a missing right forbids it. Never worth a retry.
    Refused,
    /// What was named does not exist (or is not visible to the caller).
    NotFound,
    /// Bytes do not verify. Wrong bytes were not handed out.
    Integrity,
    /// A needed part of the cluster does not answer now; a retry may succeed.
    Unavailable,
    /// A named limit is reached (space, queue, budget); a retry after a pause may succeed.
    Exhausted,
    /// The command may or may not have taken effect; retry with the same request id.
    Unknown,
    /// A fault of Custos itself.
    Internal,
}

impl ErrorKind {
    /// Exit code of the command line for this kind (contract in `README.md`).
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Invalid => 2,
            Self::Refused => 3,
            Self::NotFound => 4,
            Self::Integrity => 5,
            Self::Unavailable | Self::Exhausted | Self::Unknown => 6,
        }
    }

    /// Whether the same request may succeed later without being changed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Exhausted | Self::Unknown)
    }

    /// The stable lower-case name used in JSON output and gRPC metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Refused => "refused",
            Self::NotFound => "not-found",
            Self::Integrity => "integrity",
            Self::Unavailable => "unavailable",
            Self::Exhausted => "exhausted",
            Self::Unknown => "unknown-outcome",
            Self::Internal => "internal",
        }
    }

    /// The kind with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Invalid,
            Self::Refused,
            Self::NotFound,
            Self::Integrity,
            Self::Unavailable,
            Self::Exhausted,
            Self::Unknown,
            Self::Internal,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

named_enum!(
    /// A row of the rules that the store makes true (R1 … R27), or an invariant that guards them.
    Rule {
        /// R1: the whole process is recorded, stage by stage.
        R1 = "R1",
        /// R2: each kind of evidence has its required fields.
        R2 = "R2",
        /// R3: records are made in real time; claimed times stay beside the cluster's own.
        R3 = "R3",
        /// R4: a record shows time, place, matter, parties, officers.
        R4 = "R4",
        /// R5: recording at one place is not interrupted.
        R5 = "R5",
        /// R6: evidence is objective, complete, unmodified.
        R6 = "R6",
        /// R7: at least two certified officers; auxiliaries do not sign.
        R7 = "R7",
        /// R8: the party is told that recording has begun.
        R8 = "R8",
        /// R9: what must be recorded without a break.
        R9 = "R9",
        /// R10: originals are encrypted and kept.
        R10 = "R10",
        /// R11: what is held is kept.
        R11 = "R11",
        /// R12: important records are copied to a medium of their own.
        R12 = "R12",
        /// R13: papers are filed in time after the matter ends.
        R13 = "R13",
        /// R14: storage is safe and maintained.
        R14 = "R14",
        /// R18: copies only when the head of the unit agrees.
        R18 = "R18",
        /// R19: secrets and privacy follow their own rules.
        R19 = "R19",
        /// R20: before an original goes out, a copy is made.
        R20 = "R20",
        /// R23: abuse of power is prevented; nobody acts without the right to.
        R23 = "R23",
        /// R26: someone named is responsible; every act names who acted.
        R26 = "R26",
        /// R27: the party can apply to see records, and is answered in time.
        R27 = "R27",
        /// I1: an acknowledgement means durable on enough distinct disks.
        I1 = "I1",
        /// I3: sealed evidence never changes, and ends only as it lawfully may.
        I3 = "I3",
        /// I6: commands and strong reads are linearizable; what would lose the quorum is not done.
        I6 = "I6",
        /// I8: nobody ends, alters or secretly reads evidence alone.
        I8 = "I8",
        /// I10: every request stays within the named limits.
        I10 = "I10",
    }
);

/// A command refused by the law: nothing of it is stored except, where the rule says so, the
/// refusal itself on the custody log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// How callers should class it (`Refused`, `Invalid`, `NotFound`).
    pub kind: ErrorKind,
    /// The rule that refuses.
    pub rule: Rule,
    /// The offending field, in `snake_case` as the API names it.
    pub field: String,
    /// What is wrong and what would be right, one sentence without a full stop.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, rule, field, reason } = self;
        match kind {
            ErrorKind::NotFound => write!(f, "{field}: {reason}"),
            ErrorKind::Invalid => write!(f, "{field}: {reason} (rule {rule})"),
            _ => write!(f, "refused by rule {rule}: {field}: {reason}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// A refusal of class [`ErrorKind::Refused`].
    pub fn refused(rule: Rule, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Refused, rule, field: field.into(), reason: reason.into() }
    }

    /// A refusal of class [`ErrorKind::Invalid`]: the value itself cannot be right.
    pub fn invalid(rule: Rule, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Invalid, rule, field: field.into(), reason: reason.into() }
    }

    /// A refusal of class [`ErrorKind::NotFound`].
    pub fn not_found(rule: Rule, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { kind: ErrorKind::NotFound, rule, field: field.into(), reason: reason.into() }
    }
}
