use clap::{Args, Subcommand};
use custos_core::{EvidenceId, EvidenceKind, Stage, Timestamp, law::HoldReason};

use super::{ReasonedArgs, RecordArgs, RecordLsArgs, help, named};

const HELP: &str = help!(
    "custos hold place --reason complaint --case C-2026-17 --reference \"12345-2026-88\"",
    "custos hold place --reason other --text \"press interest\" --officer 110421 \\",
    "    --from 2026-03-01T00:00:00Z --until 2026-03-02T00:00:00Z",
    "custos hold ls",
    "custos hold why 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20",
    "custos hold release H1 --reason \"the complaint was withdrawn\"",
);

const WHY_HELP: &str = "\
Examples:
  custos hold why 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20
  custos hold why 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --json | jq -r '.holds[].id'

JSON, one object: evidence, retain_until, retained_for (in words), retention_over,
holds (the records that cover it), disposition (that has ordered its end, or null).";

/// The commands of `custos hold`.
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Places a hold on what fits every field that is given, what comes later too
    #[command(after_help = HELP)]
    Place(Box<HoldPlaceArgs>),
    /// Releases a hold, or asks for it where a second person must agree
    #[command(after_help = HELP)]
    Release(ReasonedArgs),
    /// Lists the holds that stand
    #[command(after_help = HELP)]
    Ls(HoldLsArgs),
    /// Shows a hold
    #[command(after_help = HELP)]
    Show(RecordArgs),
    /// Says what keeps an evidence item: its retention and every hold
    #[command(after_help = WHY_HELP)]
    Why {
        /// Which evidence
        #[arg(value_name = "EVIDENCE")]
        evidence: EvidenceId,
    },
}

/// Arguments of `custos hold place`.
#[derive(Debug, Args)]
pub(crate) struct HoldPlaceArgs {
    /// Why
    #[arg(long, value_name = "CODE", value_parser = named(HoldReason::ALL, HoldReason::name))]
    pub(crate) reason: HoldReason,
    /// Why, in words; needed for `other`
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Number of the matter elsewhere
    #[arg(long, value_name = "TEXT")]
    pub(crate) reference: Option<String>,
    /// When it should be looked at again (RFC 3339) [default: as the policy says]
    #[arg(long, value_name = "TIME")]
    pub(crate) review_at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// What is held: every field that is given must fit.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is held")]
#[group(required = true, multiple = true)]
pub(crate) struct TargetArgs {
    /// This evidence
    #[arg(long, value_name = "ID")]
    pub(crate) evidence: Option<EvidenceId>,
    /// Evidence of this case
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<String>,
    /// Segments of this recording
    #[arg(long, value_name = "ID")]
    pub(crate) recording: Option<String>,
    /// Evidence of this unit and its departments
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Evidence of this recorder
    #[arg(long, value_name = "SERIAL")]
    pub(crate) recorder: Option<String>,
    /// Evidence with this officer, by certificate number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) officer: Option<String>,
    /// Evidence of this place, as it is written
    #[arg(long)]
    pub(crate) place: Option<String>,
    /// Evidence of this kind
    #[arg(long, value_parser = named(EvidenceKind::ALL, EvidenceKind::name))]
    pub(crate) kind: Option<EvidenceKind>,
    /// Evidence under this stage
    #[arg(long, value_parser = named(Stage::ALL, Stage::name))]
    pub(crate) stage: Option<Stage>,
    /// Captured (or else sealed) at this time or later (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Captured (or else sealed) before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
}

/// Arguments of `custos hold ls`.
#[derive(Debug, Args)]
pub(crate) struct HoldLsArgs {
    /// Also those that were released
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) records: RecordLsArgs,
}
