use clap::CommandFactory;
use clap_complete::Shell;

use crate::{args::Cli, error::CliError, output::Console};

/// Prints the completion script of a shell.
pub(super) fn run(shell: Shell, console: &Console) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "custos", &mut script);
    console.bytes(&script)
}
