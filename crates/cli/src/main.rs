//! `custos`: the command line of the evidence store.
//!
//! Owns arguments, help, output for people and for programs, progress, output files and exit
//! codes. Must not know wire messages, hashing or proofs: all of that is `custos-client`, and what
//! it hands on is proven. Enter at [`args::Cli`] for what can be said and at [`commands::run`] for
//! what is done.

mod args;
mod byte_sink;
mod claims;
mod cluster;
mod commands;
mod descriptor_file;
mod error;
mod error_report;
mod file_kind;
mod identity;
mod interrupt;
mod json;
mod logging;
mod output;
mod output_file;
mod printable;
mod progress;
mod records;
mod table;
mod units;

use std::{env, ffi::OsString, process::ExitCode};

use clap::{Parser, error::ErrorKind as UsageErrorKind};
use tokio::runtime::Runtime;

use crate::{
    args::Cli,
    error::CliError,
    error_report::ErrorStyle,
    interrupt::Interrupt,
    output::{Console, OutputFormat},
};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(usage) => return refuse_usage(&usage, style_of(&arguments)),
    };
    let console = Console::new(&cli.global);
    logging::start(&cli.global, console.progress());
    let consequence = cli.command.when_interrupted();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(source) => return console.end_with(&CliError::Runtime { source }),
    };
    let ended = runtime.block_on(async {
        let mut interrupt = Interrupt::listen()?;
        tokio::select! {
            done = commands::run(cli, &console) => done,
            signal = interrupt.caught() => Err(CliError::Interrupted { signal, consequence }),
        }
    });
    // A reader or writer that hangs in the system must not keep the program.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => console.end_with(&error),
    }
}

/// Help and version go to standard output; what cannot be understood is refused with exit code 2.
fn refuse_usage(usage: &clap::Error, style: ErrorStyle) -> ExitCode {
    let is_error = usage.use_stderr();
    match style {
        ErrorStyle::Json if is_error && !is_help(usage.kind()) => {
            eprintln!("{}", error_report::usage_json(usage));
        }
        // When nobody reads it there is nobody to tell.
        _ => drop(usage.print()),
    }
    if is_error {
        ExitCode::from(custos_core::ErrorKind::Invalid.exit_code())
    } else {
        ExitCode::SUCCESS
    }
}

fn is_help(kind: UsageErrorKind) -> bool {
    kind == UsageErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// How errors of arguments that could not be parsed are to be shown.
fn style_of(arguments: &[OsString]) -> ErrorStyle {
    let options = arguments.iter().take_while(|argument| *argument != "--");
    if options.into_iter().any(|argument| argument == "--json") {
        ErrorStyle::of(OutputFormat::Json)
    } else {
        ErrorStyle::of(OutputFormat::Human)
    }
}
