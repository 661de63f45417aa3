use clap::{Args, Subcommand};
use custos_core::EvidenceId;

use super::{ReasonedArgs, RecordArgs, RecordLsArgs, help};

const HELP: &str = help!(
    "custos today --list retention-over",
    "custos dispose propose 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --reason \"retention is over\"",
    "custos dispose approve D1 --reason \"checked\"    # by two persons of different roles",
    "custos dispose stop D1 --reason \"a complaint came\"",
    "custos dispose order D1",
    "custos dispose certificate 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20",
);

const CERTIFICATE_HELP: &str = "\
Examples:
  custos dispose certificate 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20
  custos dispose certificate 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --json > end.json

What remains of evidence that has lawfully ended, with the proofs (RFC 6962 section
2.1.1) that the entries that sealed it and that say it has ended are under the
checkpoint of the custody log. The proofs are verified, and the entries compared with
what is shown, before anything is shown.

JSON, one object: tombstone (evidence, size, blake3, sha256, sealed_at, seal_index,
disposition, order_index, ended_at, end_index), seal_proof and end_proof (as `custos
log prove` shows them).";

/// The commands of `custos dispose`.
#[derive(Debug, Subcommand)]
pub(crate) enum DisposeCommand {
    /// Proposes to end evidence of one unit
    #[command(after_help = HELP)]
    Propose(DisposeProposeArgs),
    /// Agrees to a disposition that somebody else proposed
    #[command(after_help = HELP)]
    Approve(ReasonedArgs),
    /// Stops a disposition that is not ordered yet
    #[command(after_help = HELP)]
    Stop(ReasonedArgs),
    /// Orders the end of what is approved, once its grace is over
    #[command(after_help = HELP)]
    Order(RecordArgs),
    /// Lists dispositions
    #[command(after_help = HELP)]
    Ls(RecordLsArgs),
    /// Shows a disposition
    #[command(after_help = HELP)]
    Show(RecordArgs),
    /// Proves the lawful end of an evidence item
    #[command(after_help = CERTIFICATE_HELP)]
    Certificate {
        /// Which evidence
        #[arg(value_name = "EVIDENCE")]
        evidence: EvidenceId,
    },
}

/// Arguments of `custos dispose propose`.
#[derive(Debug, Args)]
pub(crate) struct DisposeProposeArgs {
    /// Which evidence, all of one unit
    #[arg(value_name = "EVIDENCE", required = true)]
    pub(crate) evidence: Vec<EvidenceId>,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}
