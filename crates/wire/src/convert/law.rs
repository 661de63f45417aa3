use custos_core::{
    Mirror, MirrorError, Timestamp,
    continuity::{Finding, Report},
    law::{LawAnswer, LawCommand, LawQuery, Versioned},
};

use crate::{WireError, v1};

custos_core::mirror_law!(v1);
custos_core::mirror!(
    Finding => v1::RecordingFinding {
        kind, previous, duration_ms, first_number, last_number, text,
    } ~ { evidence as evidence_id }
);

/// The wire form of what a recording shows of its own continuity. `truncated` says that it has more
/// segments than were looked at.
#[must_use]
pub fn recording_report_to_wire(
    recording: String,
    report: &Report,
    truncated: bool,
) -> v1::RecordingReport {
    v1::RecordingReport {
        recording,
        segments: report.segments,
        captured_from_ms: report.captured_from.to_message(),
        captured_until_ms: report.captured_until.to_message(),
        findings: report.findings.to_message(),
        truncated,
    }
}

/// Parses what a recording shows of its own continuity; what it is called and whether it was cut
/// short is the caller's to take.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn recording_report_from_wire(wire: v1::RecordingReport) -> Result<Report, WireError> {
    let field = |error: MirrorError, name| WireError::from(error.within(name));
    Ok(Report {
        segments: wire.segments,
        captured_from: wire.captured_from_ms.map(Timestamp::from_millis),
        captured_until: wire.captured_until_ms.map(Timestamp::from_millis),
        findings: Mirror::from_message(wire.findings).map_err(|error| field(error, "findings"))?,
    })
}

/// The wire form of a version of a record.
#[must_use]
pub fn versioned_to_wire(versioned: &Versioned) -> v1::VersionedRecord {
    versioned.to_message()
}

/// Parses a version of a record.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn versioned_from_wire(wire: v1::VersionedRecord) -> Result<Versioned, WireError> {
    Ok(Versioned::from_message(wire)?)
}

macro_rules! of_one {
    (
        $(#[$to_doc:meta])* $to:ident, $(#[$from_doc:meta])* $from:ident:
        $domain:ty => $message:ident { $field:ident }
    ) => {
        $(#[$to_doc])*
        #[must_use]
        pub fn $to(value: &$domain) -> v1::$message {
            v1::$message { $field: Some(value.to_message()) }
        }

        $(#[$from_doc])*
        ///
        /// # Errors
        /// `Invalid`, naming the field.
        pub fn $from(wire: Option<v1::$message>) -> Result<$domain, WireError> {
            let given = wire.and_then(|wire| wire.$field);
            let missing = || WireError::invalid(stringify!($field), "is missing or of no known sort");
            Ok(<$domain>::from_message(given.ok_or_else(missing)?)?)
        }
    };
}

of_one!(
    /// The wire form of an act.
    law_command_to_wire,
    /// Parses an act. Lengths and the act itself are the law's to judge.
    law_command_from_wire: LawCommand => LawCommand { command }
);
of_one!(
    /// The wire form of a question.
    law_query_to_wire,
    /// Parses a question.
    law_query_from_wire: LawQuery => LawQuery { query }
);
of_one!(
    /// The wire form of an answer.
    law_answer_to_wire,
    /// Parses an answer.
    law_answer_from_wire: LawAnswer => LawAnswer { answer }
);
