//! The policy as a file that an agency edits: `policy.toml`.
//!
//! [`render`] writes a policy with a comment on every key; the [standard policy](LawPolicy::standard)
//! so written is the reference of the format. [`parse`] is strict: every key must be there, none
//! may be there that is not known, and every name must be one of those that can stand there. Whether
//! the values are lawful is the ledger's to judge.
//!
//! An act type need not say everything: what it does not say is that of the act type that it is
//! `like`, else all five stages, none that must be audio-visual, and no retention of its own.
//!
//! ```toml
//! [act_types.penalty]
//! audio_visual = ["investigation"]
//!
//! [act_types.compulsion]
//! like = "penalty"
//! audio_visual = ["investigation", "service"]
//! ```

mod act_types;
mod error;
mod render;
mod table;

use custos_core::law::{ClassificationPolicy, KindPolicy, LawPolicy};

use table::Table;

pub use error::PolicyFileError;
pub use render::render;

const KEYS: &[&str] = &[
    "incomplete_descriptor",
    "floor_days",
    "late_after_hours",
    "clock_tolerance_seconds",
    "archive_days",
    "answer_days",
    "grant_days_max",
    "grace_days",
    "hold_review_days",
    "recorder_silent_days",
    "release_by_two",
    "kinds",
    "classifications",
    "act_types",
];

/// The policy that a file says. What it lists stays in the order of the file.
///
/// # Errors
/// [`PolicyFileError`] on the first thing that is wrong, by its key and line.
pub fn parse(text: &str) -> Result<LawPolicy, PolicyFileError> {
    let file = Table::of_file(text)?;
    file.only(KEYS)?;
    let number = |key| file.required(key)?.number();
    Ok(LawPolicy {
        incomplete_descriptor: file.required("incomplete_descriptor")?.name()?,
        floor_days: number("floor_days")?,
        late_after_hours: number("late_after_hours")?,
        clock_tolerance_seconds: number("clock_tolerance_seconds")?,
        archive_days: number("archive_days")?,
        answer_days: number("answer_days")?,
        grant_days_max: number("grant_days_max")?,
        grace_days: number("grace_days")?,
        hold_review_days: number("hold_review_days")?,
        recorder_silent_days: number("recorder_silent_days")?,
        release_by_two: file.required("release_by_two")?.names()?,
        kinds: named_table(&file, "kinds", |kind, entry| {
            Ok(KindPolicy { kind, retention_days: entry.number()? })
        })?,
        classifications: named_table(&file, "classifications", |classification, entry| {
            Ok(ClassificationPolicy { classification, retention_days: entry.number()? })
        })?,
        act_types: act_types::resolve(&named_table(&file, "act_types", act_types::read)?)?,
    })
}

/// Reads a table whose keys are names.
fn named_table<'t, K, V>(
    file: &Table<'t>,
    key: &str,
    read: impl Fn(K, &table::Field<'t>) -> Result<V, PolicyFileError>,
) -> Result<Vec<V>, PolicyFileError>
where
    K: std::str::FromStr<Err = custos_core::UnknownName>,
{
    let table = file.required(key)?.table()?;
    table.fields().map(|field| read(field.key_as_name()?, &field)).collect()
}

#[cfg(test)]
mod tests;
