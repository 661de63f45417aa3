use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::{
    args::GlobalArgs,
    error::CliError,
    error_report::ErrorStyle,
    progress::{Progress, ProgressStyle},
};

/// For whom results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFormat {
    /// People.
    Human,
    /// Programs: one JSON object a line.
    Json,
}

/// Where results and messages go: results to standard output, everything else to standard error.
#[derive(Debug, Clone)]
pub(crate) struct Console {
    format: OutputFormat,
    progress: Progress,
}

impl Console {
    /// As the arguments ask for.
    pub(crate) fn new(arguments: &GlobalArgs) -> Self {
        let style = if arguments.quiet {
            ProgressStyle::Off
        } else if io::stderr().is_terminal() {
            ProgressStyle::Bars
        } else {
            ProgressStyle::Lines
        };
        Self { format: arguments.format(), progress: Progress::new(style) }
    }

    /// For whom results are printed.
    pub(crate) fn format(&self) -> OutputFormat {
        self.format
    }

    /// Progress on standard error.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Prints lines of a result.
    pub(crate) fn lines<T: AsRef<str>>(
        &self,
        lines: impl IntoIterator<Item = T>,
    ) -> Result<(), CliError> {
        let mut text = String::new();
        for line in lines {
            text.push_str(line.as_ref());
            text.push('\n');
        }
        self.bytes(text.as_bytes())
    }

    /// Prints one object on a line of its own.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(object).expect("our records have text keys");
        line.push(b'\n');
        self.bytes(&line)
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        self.progress.suspend(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()?;
            Ok(())
        })
    }

    /// Shows an error on standard error.
    pub(crate) fn report(&self, error: &CliError) {
        self.progress.write_line(&ErrorStyle::of(self.format).line(error));
    }

    /// Shows what the user should know although nothing failed.
    pub(crate) fn warn(&self, message: &str) {
        self.progress.write_line(&format!("custos: warning: {message}"));
    }

    /// Shows the error that ends the program, and gives its exit code.
    pub(crate) fn end_with(&self, error: &CliError) -> ExitCode {
        let is_reported = match error {
            CliError::StdoutClosed => true,
            // Every failed file has its own object.
            CliError::SomeFailed { .. } => self.format == OutputFormat::Json,
            _ => false,
        };
        if !is_reported {
            self.report(error);
        }
        ExitCode::from(error.exit_code())
    }
}
