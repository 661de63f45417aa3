use custos_core::ErrorKind;
use serde_json::{Value, json};

use crate::{error::CliError, output::OutputFormat, printable};

/// How errors are shown on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorStyle {
    /// `custos: message`.
    Human,
    /// One JSON object a line.
    Json,
}

impl ErrorStyle {
    /// Errors are shown as results are.
    pub(crate) fn of(format: OutputFormat) -> Self {
        match format {
            OutputFormat::Human => Self::Human,
            OutputFormat::Json => Self::Json,
        }
    }

    /// The line that shows an error.
    pub(crate) fn line(self, error: &CliError) -> String {
        match self {
            Self::Human => format!("custos: {}", printable::lines(&error.to_string())),
            Self::Json => {
                let rule = error.rule().map(|rule| rule.name());
                error_object(error.kind(), rule, error.field(), &error.to_string()).to_string()
            }
        }
    }
}

/// A usage error as JSON.
pub(crate) fn usage_json(usage: &clap::Error) -> Value {
    let argument = usage.context().find_map(|(kind, value)| match (kind, value) {
        (clap::error::ContextKind::InvalidArg, clap::error::ContextValue::String(text)) => {
            // Without the name of its value: `--bytes` of `--bytes <A-B>`.
            text.split(' ').next().map(|name| name.trim_matches(['<', '>', '.']).to_owned())
        }
        _ => None,
    });
    let message = usage.to_string();
    let message = message.trim_start_matches("error: ").trim_end();
    error_object(ErrorKind::Invalid, None, argument.as_deref(), message)
}

fn error_object(kind: ErrorKind, rule: Option<&str>, field: Option<&str>, message: &str) -> Value {
    json!({"error": {"kind": kind.name(), "rule": rule, "field": field, "message": message}})
}

#[cfg(test)]
mod tests {
    use custos_core::{Refusal, Rule};

    use super::*;

    #[test]
    fn a_refusal_shows_its_rule_and_field_in_json() {
        let error = CliError::from(Refusal::invalid(Rule::R4, "place", "given but empty"));
        let line = ErrorStyle::Json.line(&error);
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["error"]["kind"], "invalid");
        assert_eq!(value["error"]["rule"], "R4");
        assert_eq!(value["error"]["field"], "place");
        assert!(!line.contains('\n'));
    }
}
