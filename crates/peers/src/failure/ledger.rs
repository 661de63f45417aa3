use custos_core::Refusal;
use custos_ports::LedgerError;
use custos_wire::WireError;
use tonic::{Code, Status};

use super::{cut, name, number, reason, set_name, set_number, set_reason, status_of};

const LIMIT_KEY: &str = "custos-limit";

/// The status of the ledger's failure. A refusal keeps kind, rule, field and reason.
#[must_use]
pub fn ledger_error_to_status(error: &LedgerError) -> Status {
    let mut status = match error {
        LedgerError::Refused(refusal) => {
            let message = cut(&refusal.to_string()).to_owned();
            WireError { message, ..WireError::from(refusal.clone()) }.into()
        }
        other => status_of(other.kind(), &other.to_string()),
    };
    let out = &mut status;
    match error {
        LedgerError::Refused(refusal) => {
            set_name(out, "refused");
            set_reason(out, &refusal.reason);
        }
        LedgerError::QueueFull { limit } => {
            set_name(out, "queue-full");
            set_number(out, LIMIT_KEY, *limit as u64);
        }
        LedgerError::Unavailable { reason } => {
            set_name(out, "unavailable");
            set_reason(out, reason);
        }
        LedgerError::Unknown { reason } => {
            set_name(out, "unknown");
            set_reason(out, reason);
        }
        LedgerError::Fault { reason } => {
            set_name(out, "fault");
            set_reason(out, reason);
        }
    }
    status
}

/// The failure that a status stands for. A status of another sort is a refusal where it says that
/// the request was not taken, and else leaves the outcome unknown.
#[must_use]
pub fn ledger_error_from_status(status: &Status) -> LedgerError {
    let reason = reason(status);
    match name(status) {
        Some("refused") => refusal(status, reason),
        Some("queue-full") => {
            let limit = usize::try_from(number(status, LIMIT_KEY)).unwrap_or(usize::MAX);
            LedgerError::QueueFull { limit }
        }
        Some("unavailable") => LedgerError::Unavailable { reason },
        Some("unknown") => LedgerError::Unknown { reason },
        Some("fault") => LedgerError::Fault { reason },
        _ => match status.code() {
            Code::PermissionDenied | Code::InvalidArgument | Code::NotFound => {
                refusal(status, reason)
            }
            // Before the service saw it: too long, or no such service.
            Code::OutOfRange | Code::Unimplemented | Code::Unauthenticated => {
                LedgerError::Fault { reason }
            }
            _ => LedgerError::Unknown { reason },
        },
    }
}

fn refusal(status: &Status, reason: String) -> LedgerError {
    let WireError { kind, rule, field, .. } = status.clone().into();
    match (rule, field) {
        (Some(rule), Some(field)) => LedgerError::Refused(Refusal { kind, rule, field, reason }),
        // The law always names its rule: something else refuses.
        _ => LedgerError::Fault { reason },
    }
}

#[cfg(test)]
mod tests {
    use custos_core::Rule;

    use super::*;

    #[test]
    fn every_failure_of_the_ledger_survives_the_wire() {
        let reason = || "der Anführer fehlt".to_owned();
        let errors = [
            LedgerError::Refused(Refusal::refused(Rule::R4, "place", reason())),
            LedgerError::Refused(Refusal::invalid(Rule::I10, "command", reason())),
            LedgerError::Refused(Refusal::not_found(Rule::R23, "evidence_id", reason())),
            LedgerError::QueueFull { limit: 4096 },
            LedgerError::Unavailable { reason: reason() },
            LedgerError::Unknown { reason: reason() },
            LedgerError::Fault { reason: reason() },
        ];
        for error in errors {
            let again = ledger_error_from_status(&ledger_error_to_status(&error));
            assert_eq!(format!("{again:?}"), format!("{error:?}"));
            assert_eq!(again.to_string(), error.to_string(), "nothing is said twice");
        }
    }

    #[test]
    fn a_status_that_does_not_say_whether_the_command_was_taken_leaves_it_unknown() {
        for code in [Code::Cancelled, Code::DeadlineExceeded, Code::Unavailable, Code::Internal] {
            let error = ledger_error_from_status(&Status::new(code, "gone"));
            assert!(matches!(error, LedgerError::Unknown { .. }), "{code}");
        }
    }
}
