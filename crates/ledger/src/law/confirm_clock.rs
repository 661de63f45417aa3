use custos_core::{Act, Refusal, Rule};

use super::{
    acting::{Acting, check_reason},
    rights::Right,
};
use crate::{Kv, Outcome, stored::clock::Clock};

/// Confirms cluster time after it moved far at once; the second of two persons makes it count.
pub(super) fn confirm_clock(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    clock: &mut Clock,
    reason: &str,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::ConfirmClock, None)?;
    check_reason(reason)?;
    if clock.unconfirmed_ms == 0 {
        let reason = "no step of cluster time waits to be confirmed";
        return Err(Refusal::refused(Rule::R3, "clock", reason));
    }
    let said = match &clock.confirmed_by {
        None => {
            clock.confirmed_by = Some(acting.sign(reason));
            format!("cluster time {} confirmed by the first of two: {reason}", acting.now)
        }
        Some(first) if first.by == acting.who.name() || first.role == acting.who.role() => {
            let reason = format!(
                "{} ({}) has confirmed it: another person of another role must too",
                first.by, first.role
            );
            return Err(Refusal::refused(Rule::I8, "actor", reason));
        }
        Some(_) => {
            let settled = clock.settled();
            clock.unconfirmed_ms = 0;
            clock.confirmed_by = None;
            format!("cluster time {} confirmed, retention was at {settled}: {reason}", acting.now)
        }
    };
    let log_index = acting.enter(kv, Act::ClockConfirmed, None, None, said, 0);
    Ok(Outcome::LawDone { log_index, record: None })
}
