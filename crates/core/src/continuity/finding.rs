use std::fmt;

use serde::Serialize;

use crate::{EvidenceId, Rule, named::named_enum};

named_enum!(
    /// What is wrong with a recording; the [module](super) says when each is found.
    FindingKind {
        /// Nothing was recorded between two segments that follow each other.
        Gap = "gap",
        /// A segment starts before the one before it has ended.
        Overlap = "overlap",
        /// Several segments have the same number.
        RepeatedNumber = "repeated-number",
        /// No segment has a number that must have been given.
        MissingNumber = "missing-number",
        /// Times run backwards against the numbers, or ahead of what can be.
        ClockJump = "clock-jump",
        /// Uploaded before a lower number, or after a higher one.
        OutOfOrder = "out-of-order",
        /// Uploaded too long after its capture.
        LateUpload = "late-upload",
        /// A clock differs too much from another.
        ClockOffset = "clock-offset",
        /// No start or no end of capture is claimed.
        NoCaptureTime = "no-capture-time",
        /// The device gave it no number.
        NoNumber = "no-number",
        /// No segment says that the party was told.
        NoNotice = "no-notice",
    }
);

impl FindingKind {
    /// The rule that it goes against.
    #[must_use]
    pub fn rule(self) -> Rule {
        match self {
            Self::LateUpload | Self::ClockOffset => Rule::R3,
            Self::NoNotice => Rule::R8,
            Self::Gap
            | Self::Overlap
            | Self::RepeatedNumber
            | Self::MissingNumber
            | Self::ClockJump
            | Self::OutOfOrder
            | Self::NoCaptureTime
            | Self::NoNumber => Rule::R5,
        }
    }
}

/// One fault of a recording.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// The segment that it was found at.
    pub evidence: EvidenceId,
    /// The segment that it was compared with: the one before it; for
    /// [out-of-order](FindingKind::OutOfOrder) the next one that it was uploaded before, or after,
    /// though it should not have been.
    pub previous: Option<EvidenceId>,
    /// How long, in milliseconds:
    ///
    /// - gap, overlap: the time that is lacking, or that the two have in common at most
    /// - missing-number: the hole that the missing segments leave, where there is one
    /// - clock-jump: from where the segment should start to where it does; negative backwards
    /// - out-of-order: between the openings of the two uploads
    /// - late-upload: from the end of its capture to its upload, the time that is allowed included
    /// - clock-offset: how far the clock is ahead; negative behind
    pub duration_ms: Option<i64>,
    /// First number that is missing or repeated.
    pub first_number: Option<u64>,
    /// Last number that is missing or repeated.
    pub last_number: Option<u64>,
    /// One line for people, without the ids.
    pub text: String,
}

/// A length of time in milliseconds, for people: `4.250 s`, `3 min 04.250 s`,
/// `27 h 03 min 04.250 s`, from two days on `400 d 03 h 04 min`. The sign is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(pub i64);

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all_ms = self.0.unsigned_abs();
        let (minutes, ms) = (all_ms / 60_000, all_ms % 60_000);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        let (seconds, ms) = (ms / 1_000, ms % 1_000);
        match (hours, minutes) {
            (0, 0) => write!(f, "{seconds}.{ms:03} s"),
            (0, _) => write!(f, "{minutes} min {seconds:02}.{ms:03} s"),
            (48.., _) => write!(f, "{} d {:02} h {minutes:02} min", hours / 24, hours % 24),
            _ => write!(f, "{hours} h {minutes:02} min {seconds:02}.{ms:03} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_shown_to_the_millisecond() {
        for (ms, shown) in [
            (0, "0.000 s"),
            (-1_001, "1.001 s"),
            (61_020, "1 min 01.020 s"),
            (97_384_250, "27 h 03 min 04.250 s"),
            (172_799_999, "47 h 59 min 59.999 s"),
            (172_800_000, "2 d 00 h 00 min"),
            (i64::MIN, "106751991167 d 07 h 12 min"),
        ] {
            assert_eq!(Length(ms).to_string(), shown);
        }
    }
}
