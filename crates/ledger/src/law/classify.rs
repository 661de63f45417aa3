//! Classification of evidence and cases (rule R19): raised at once, lowered by two.

use custos_core::{
    Refusal, Rule,
    law::{Classification, Sign},
};

use super::{acting::Acting, rights::Right};
use crate::KvRead;

/// What a record holds of its classification.
pub(super) struct Held<'a> {
    pub(super) classification: &'a mut Classification,
    pub(super) lower_to: &'a mut Option<Classification>,
    pub(super) lower_asked: &'a mut Option<Sign>,
}

/// Changes the classification of a record of `unit`, or what was asked about it, and says how.
pub(super) fn classify(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    held: Held<'_>,
    to: Classification,
    unit: Option<&str>,
    reason: &str,
) -> Result<String, Refusal> {
    let refused = |rule, field, reason: String| Err(Refusal::refused(rule, field, reason));
    let from = *held.classification;
    if to > acting.who.clearance() {
        return Err(above_clearance(acting, "to"));
    }
    if to == from {
        return refused(Rule::R19, "to", format!("it is classified as {to} already"));
    }
    if to > from {
        *held.classification = to;
        (*held.lower_to, *held.lower_asked) = (None, None);
        return Ok(format!("raised from {from} to {to}"));
    }
    match (*held.lower_to, held.lower_asked.as_ref()) {
        (Some(asked), Some(by)) => {
            if by.by == acting.who.name() {
                let reason = format!("{} has asked for it: somebody else must agree", by.by);
                return refused(Rule::I8, "actor", reason);
            }
            if asked != to {
                return refused(Rule::R19, "to", format!("{asked} was asked for, not {to}"));
            }
            acting.who.check(kv, Right::Declassify, unit)?;
            *held.classification = to;
            let said = format!("lowered from {from} to {to}, as {} asked", by.by);
            (*held.lower_to, *held.lower_asked) = (None, None);
            Ok(said)
        }
        _ => {
            *held.lower_to = Some(to);
            *held.lower_asked = Some(acting.sign(reason));
            Ok(format!("asked to be lowered from {from} to {to}"))
        }
    }
}

pub(super) fn above_clearance(acting: &Acting<'_>, field: &str) -> Refusal {
    let reason =
        format!("it is above the clearance of {} ({})", acting.who.name(), acting.who.clearance());
    Refusal::refused(Rule::R19, field, reason)
}
