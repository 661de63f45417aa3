use std::fmt::{self, Display, Write};

use custos_core::{
    EvidenceKind, Stage,
    law::{ActType, Classification, HoldReason, IncompleteDescriptor, LawPolicy},
};

/// Writes a policy as a file with a comment on every key. [`parse`](super::parse) reads the same
/// policy from it, unless it names a kind, classification or act type twice, which no ledger takes.
#[must_use]
pub fn render(policy: &LawPolicy) -> String {
    let mut file = String::new();
    write(policy, &mut file).expect("a string takes every text");
    file
}

fn write(policy: &LawPolicy, file: &mut String) -> fmt::Result {
    file.write_str(HEAD)?;
    let incomplete = format!(
        "What becomes of an upload whose descriptor lacks a field that rule R4 asks for: {}. \
             Accepted, it is listed as unfiled until somebody files it.",
        names(IncompleteDescriptor::ALL)
    );
    key(file, &incomplete, "incomplete_descriptor", quoted(policy.incomplete_descriptor))?;
    for (name, value, comment) in numbers(policy) {
        key(file, comment, name, value)?;
    }
    let release = format!(
        "Reasons of holds whose release a second person must agree to (rule R11), of:\n{}.",
        names(HoldReason::ALL)
    );
    key(file, &release, "release_by_two", list(&policy.release_by_two))?;

    let kinds = format!(
        "How long evidence of each kind is kept from its sealing on, in days (rule R10). Every kind \
             must be there, none under floor_days: {}.",
        names(EvidenceKind::ALL)
    );
    table(file, &kinds, "kinds")?;
    for entry in &policy.kinds {
        writeln!(file, "{} = {}", entry.kind, entry.retention_days)?;
    }
    let classifications = format!(
        "The same by classification (rules R10, R19), where one is to be kept for longer than its \
             kind: {}.",
        names(Classification::ALL)
    );
    table(file, &classifications, "classifications")?;
    for entry in &policy.classifications {
        writeln!(file, "{} = {}", entry.classification, entry.retention_days)?;
    }
    table(file, &act_types_comment(), "act_types")?;
    for entry in &policy.act_types {
        writeln!(file, "\n[act_types.{}]", entry.act_type)?;
        writeln!(file, "stages = {}", list(&entry.stages))?;
        writeln!(file, "audio_visual = {}", list(&entry.audio_visual))?;
        writeln!(file, "retention_days = {}", entry.retention_days)?;
    }
    Ok(())
}

/// Longest line of a comment.
const LINE_BYTES_MAX: usize = 98;

const HEAD: &str = "\
# The parameters of the rules, as the agency sets them. Every key must be there. A day is 86,400
# seconds of cluster time. Evidence that is sealed is never kept for less than any policy since then
# has promised: to lower a number shortens nothing that is there.
";

fn numbers(policy: &LawPolicy) -> [(&'static str, u32, &'static str); 9] {
    [
        (
            "floor_days",
            policy.floor_days,
            "No retention is shorter (rule R10): 365 at least, and never lowered.",
        ),
        (
            "late_after_hours",
            policy.late_after_hours,
            "Evidence that is uploaded more hours after its capture is marked late (rule R3): 1 at \
             least.",
        ),
        (
            "clock_tolerance_seconds",
            policy.clock_tolerance_seconds,
            "Clocks of devices and stations that differ by more seconds are marked (rule R3): 1 at \
             least.",
        ),
        (
            "archive_days",
            policy.archive_days,
            "From closing a case to filing its papers (rule R13): 1 to 30.",
        ),
        (
            "answer_days",
            policy.answer_days,
            "From an application to see evidence to its answer (rule R27): 1 to 60.",
        ),
        (
            "grant_days_max",
            policy.grant_days_max,
            "Longest time that a grant to see evidence is valid for (rule R18): 1 to 366.",
        ),
        (
            "grace_days",
            policy.grace_days,
            "From the second approval of a disposition to its order; until then anybody with the \
             right to may stop it (invariant I8): 1 to 366.",
        ),
        (
            "hold_review_days",
            policy.hold_review_days,
            "From placing a hold to its review, unless it says otherwise (rule R11): 1 to 3660.",
        ),
        (
            "recorder_silent_days",
            policy.recorder_silent_days,
            "A recorder that nothing came from for so many days is listed as silent: 1 at least.",
        ),
    ]
}

fn act_types_comment() -> String {
    format!(
        "What is asked of cases by act type: {}.\n\n\
         stages: its stages in order, of {}. Evidence must be on record under each of them \
         (rule R1).\n\
         audio_visual: those that must be recorded in sound and picture (rule R9).\n\
         retention_days: how long its evidence is kept; 0 for that of the kind alone (rule R10).\n\
         like: another act type of this file, whose values stand for those that are not given.\n\n\
         An act type that is not here has all five stages and none that must be audio-visual; the \
         same stands for what one does not say and is not like another.",
        names(ActType::ALL),
        names(Stage::ALL)
    )
}

fn key(file: &mut String, comment: &str, name: &str, value: impl Display) -> fmt::Result {
    commented(file, comment)?;
    writeln!(file, "{name} = {value}")
}

fn table(file: &mut String, comment: &str, name: &str) -> fmt::Result {
    commented(file, comment)?;
    writeln!(file, "[{name}]")
}

/// Writes each line of `comment` in as many lines as it needs.
fn commented(file: &mut String, comment: &str) -> fmt::Result {
    writeln!(file)?;
    for paragraph in comment.lines() {
        let mut line = String::from("#");
        for word in paragraph.split(' ') {
            if line.len() + 1 + word.len() > LINE_BYTES_MAX {
                writeln!(file, "{line}")?;
                line.truncate(1);
            }
            if !word.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(file, "{line}")?;
    }
    Ok(())
}

fn quoted(name: impl Display) -> String {
    format!("\"{name}\"")
}

fn list<T: Display + Copy>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(*name)).collect();
    format!("[{}]", names.join(", "))
}

fn names<T: Display>(names: &[T]) -> String {
    names.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
