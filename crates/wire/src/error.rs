use std::fmt;

use custos_core::{ErrorKind, MirrorError, Refusal, Rule};
use tonic::{
    Code, Status,
    metadata::{AsciiMetadataValue, MetadataMap},
};

const KIND_KEY: &str = "custos-kind";
const RULE_KEY: &str = "custos-rule";
const FIELD_KEY: &str = "custos-field";

/// A failure as it travels over gRPC: status code from the kind, and the kind, rule and field in
/// the metadata keys `custos-kind`, `custos-rule`, `custos-field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    /// How callers should class it.
    pub kind: ErrorKind,
    /// The rule that refuses, where one does.
    pub rule: Option<Rule>,
    /// The offending field, where there is one.
    pub field: Option<String>,
    /// One sentence for people.
    pub message: String,
}

impl WireError {
    /// A failure of this kind with nothing but a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, rule: None, field: None, message: message.into() }
    }

    /// A malformed field.
    pub fn invalid(field: &str, message: impl fmt::Display) -> Self {
        Self {
            kind: ErrorKind::Invalid,
            rule: None,
            field: Some(field.to_owned()),
            message: format!("{field}: {message}"),
        }
    }

    /// The gRPC code of a kind.
    #[must_use]
    pub fn code(kind: ErrorKind) -> Code {
        match kind {
            ErrorKind::Invalid => Code::InvalidArgument,
            ErrorKind::Refused => Code::PermissionDenied,
            ErrorKind::NotFound => Code::NotFound,
            ErrorKind::Integrity => Code::DataLoss,
            ErrorKind::Unavailable => Code::Unavailable,
            ErrorKind::Exhausted => Code::ResourceExhausted,
            ErrorKind::Unknown => Code::DeadlineExceeded,
            ErrorKind::Internal => Code::Internal,
        }
    }

    fn kind_of_code(code: Code) -> ErrorKind {
        match code {
            Code::InvalidArgument | Code::OutOfRange => ErrorKind::Invalid,
            Code::PermissionDenied | Code::Unauthenticated | Code::FailedPrecondition => {
                ErrorKind::Refused
            }
            Code::NotFound => ErrorKind::NotFound,
            Code::DataLoss => ErrorKind::Integrity,
            Code::ResourceExhausted => ErrorKind::Exhausted,
            Code::DeadlineExceeded => ErrorKind::Unknown,
            // A broken connection surfaces as Unavailable, Cancelled or Unknown.
            Code::Unavailable | Code::Cancelled | Code::Unknown | Code::Aborted => {
                ErrorKind::Unavailable
            }
            _ => ErrorKind::Internal,
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for WireError {}

impl From<Refusal> for WireError {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: refusal.kind,
            rule: Some(refusal.rule),
            message: refusal.to_string(),
            field: Some(refusal.field),
        }
    }
}

impl From<MirrorError> for WireError {
    fn from(error: MirrorError) -> Self {
        Self::invalid(&error.field, error.reason)
    }
}

impl From<WireError> for Status {
    fn from(error: WireError) -> Self {
        let mut metadata = MetadataMap::new();
        metadata.insert(KIND_KEY, AsciiMetadataValue::from_static(error.kind.name()));
        if let Some(rule) = error.rule {
            metadata.insert(RULE_KEY, AsciiMetadataValue::from_static(rule.name()));
        }
        if let Some(field) = error.field.and_then(|field| field.parse().ok()) {
            metadata.insert(FIELD_KEY, field);
        }
        Self::with_metadata(WireError::code(error.kind), error.message, metadata)
    }
}

impl From<Status> for WireError {
    fn from(status: Status) -> Self {
        let text = |key| status.metadata().get(key).and_then(|value| value.to_str().ok());
        let kind = text(KIND_KEY)
            .and_then(ErrorKind::from_name)
            .unwrap_or_else(|| Self::kind_of_code(status.code()));
        let message = if status.message().is_empty() {
            status.code().description().to_owned()
        } else {
            status.message().to_owned()
        };
        Self {
            kind,
            rule: text(RULE_KEY).and_then(Rule::from_name),
            field: text(FIELD_KEY).map(str::to_owned),
            message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_survives_the_wire_with_its_rule_and_field() {
        let refusal = Refusal::refused(Rule::R4, "place", "missing");
        let sent = WireError::from(refusal);
        let status = Status::from(sent.clone());
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(WireError::from(status), sent);
    }

    #[test]
    fn a_status_of_another_server_is_classed_by_its_code() {
        let error = WireError::from(Status::unavailable("connection reset"));
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.kind.is_retryable());
    }
}
