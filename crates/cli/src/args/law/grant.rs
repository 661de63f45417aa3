use clap::{Args, Subcommand};
use custos_core::{EvidenceId, Timestamp, law::GrantScope};

use super::{ReasonedArgs, RecordArgs, RecordLsArgs, help, named};
use crate::args::ByteRange;

const HELP: &str = help!(
    "custos grant apply --scope copy --purpose \"appeal 2026-88\" \\",
    "    --evidence 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20",
    "custos grant apply --scope view --case C-2026-17 --purpose \"to be shown the record\" \\",
    "    --for \"Wei Ming\" --standing respondent --contact \"by post\"",
    "custos today --list applications-waiting",
    "custos grant approve G1 --reason \"party to the case\" --uses 1",
    "custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --grant G1 -o copy.mp4",
    "custos grant revoke G1 --reason \"the appeal was withdrawn\"",
);

/// The commands of `custos grant`.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantCommand {
    /// Applies to see evidence, for oneself or for somebody outside (rule R27)
    #[command(after_help = HELP)]
    Apply(GrantApplyArgs),
    /// Agrees to an application of somebody else
    #[command(after_help = HELP)]
    Approve(GrantApproveArgs),
    /// Refuses an application of somebody else
    #[command(after_help = HELP)]
    Refuse(ReasonedArgs),
    /// Takes a grant back: streams under it end
    #[command(after_help = HELP)]
    Revoke(ReasonedArgs),
    /// Lists applications and grants
    #[command(after_help = HELP)]
    Ls(RecordLsArgs),
    /// Shows a grant
    #[command(after_help = HELP)]
    Show(RecordArgs),
}

/// Arguments of `custos grant apply`.
#[derive(Debug, Args)]
pub(crate) struct GrantApplyArgs {
    /// What is to be allowed
    #[arg(long, value_parser = named(GrantScope::ALL, GrantScope::name))]
    pub(crate) scope: GrantScope,
    #[command(flatten)]
    pub(crate) what: GrantedArgs,
    /// Only these bytes of the one evidence item, as in HTTP: A-B (both included), A- or -N
    #[arg(long, value_name = "A-B", allow_hyphen_values = true, conflicts_with = "case")]
    pub(crate) bytes: Option<ByteRange>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: String,
    /// Name of the outside party that it is for [default: it is for yourself]
    #[arg(long = "for", value_name = "NAME", requires = "standing")]
    pub(crate) outside: Option<String>,
    /// How to reach the outside party
    #[arg(long, value_name = "TEXT", requires = "outside")]
    pub(crate) contact: Option<String>,
    /// What the outside party is, such as "party of the case"
    #[arg(long, value_name = "TEXT", requires = "outside")]
    pub(crate) standing: Option<String>,
}

/// Of which evidence.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct GrantedArgs {
    /// Which evidence
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) evidence: Vec<EvidenceId>,
    /// All evidence of this case
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<String>,
}

/// Arguments of `custos grant approve`.
#[derive(Debug, Args)]
pub(crate) struct GrantApproveArgs {
    #[command(flatten)]
    pub(crate) grant: ReasonedArgs,
    /// It allows nothing at this time or later (RFC 3339) [default: the policy's longest time]
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// How often it may be used [default: 1000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) uses: Option<u32>,
}
