use std::path::PathBuf;

use clap::{Args, Subcommand};
use custos_core::{
    EvidenceId, Stage, Timestamp,
    law::{Classification, RelationKind},
};

use super::{RecordLsArgs, help, named};
use crate::{args::put::CorrectionArgs, claims::CLEARABLE};

const FILE_HELP: &str = help!(
    "custos file 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --case C-2026-17 --stage investigation",
    "custos today --list unfiled     # what waits to be filed",
);

/// Arguments of `custos file`.
#[derive(Debug, Args)]
#[command(after_help = FILE_HELP)]
pub(crate) struct FileArgs {
    /// Which evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: EvidenceId,
    /// Under which case
    #[arg(long, value_name = "CASE")]
    pub(crate) case: String,
    /// Under which stage
    #[arg(long, value_parser = named(Stage::ALL, Stage::name))]
    pub(crate) stage: Stage,
    /// Why; needed when it is filed already
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

const NOTE_HELP: &str = help!(
    "custos note add 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --text \"shows the stall at 08:31\"",
    "custos note add 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --text \"at 08:32\" --supersedes 1",
    "custos note ls 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20",
);

/// The commands of `custos note`.
#[derive(Debug, Subcommand)]
pub(crate) enum NoteCommand {
    /// Writes a note
    #[command(after_help = NOTE_HELP)]
    Add(NoteAddArgs),
    /// Lists the notes on evidence, superseded ones too
    #[command(after_help = NOTE_HELP)]
    Ls {
        /// Which evidence
        #[arg(value_name = "EVIDENCE")]
        evidence: EvidenceId,
    },
}

/// Arguments of `custos note add`.
#[derive(Debug, Args)]
pub(crate) struct NoteAddArgs {
    /// Which evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: EvidenceId,
    /// The note, several lines if need be
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: String,
    /// Number of the note that it stands in place of
    #[arg(long, value_name = "N")]
    pub(crate) supersedes: Option<u32>,
}

const DESCRIBE_HELP: &str = help!(
    "custos describe 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --place \"South Gate\" --reason \"typo\"",
    "custos describe 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --clear note --reason \"wrong clip\"",
);

/// Arguments of `custos describe`; what is not given stays. Kind, case, stage, recording, sequence
/// and classification never change so.
#[derive(Debug, Args)]
#[command(after_help = DESCRIBE_HELP)]
pub(crate) struct DescribeArgs {
    /// Which evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: EvidenceId,
    /// Takes the description from a JSON file
    #[arg(long, value_name = "FILE.json", help_heading = "Description")]
    pub(crate) descriptor: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) fields: CorrectionArgs,
    /// Leaves a field out from now on; once for each
    #[arg(long, value_name = "FIELD", value_parser = CLEARABLE)]
    pub(crate) clear: Vec<String>,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

const RELATE_HELP: &str = help!(
    "custos relate 0190f6c3-… derived-from 0190f6c2-…",
    "custos relate 0190f6c3-… attachment-to 0190f6c2-…",
);

/// Arguments of `custos relate`.
#[derive(Debug, Args)]
#[command(after_help = RELATE_HELP)]
pub(crate) struct RelateArgs {
    /// Which evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: EvidenceId,
    /// What it is to the other
    #[arg(value_name = "RELATION", value_parser = named(RelationKind::ALL, RelationKind::name))]
    pub(crate) relation: RelationKind,
    /// The other
    #[arg(value_name = "OTHER")]
    pub(crate) to: EvidenceId,
}

const CLASSIFY_HELP: &str = help!(
    "custos classify 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --to privacy --reason \"shows minors\"",
);

/// Arguments of `custos classify`.
#[derive(Debug, Args)]
#[command(after_help = CLASSIFY_HELP)]
pub(crate) struct ClassifyArgs {
    /// Which evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: EvidenceId,
    /// As what
    #[arg(long, value_name = "CLASSIFICATION",
        value_parser = named(Classification::ALL, Classification::name))]
    pub(crate) to: Classification,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

const RETAIN_HELP: &str = help!(
    "custos retain extend 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 \\",
    "    --until 2031-01-01T00:00:00Z --reason \"the appeal may come late\"",
);

/// The commands of `custos retain`.
#[derive(Debug, Subcommand)]
pub(crate) enum RetainCommand {
    /// Lengthens the retention of evidence; it is never shortened (rule R10)
    #[command(after_help = RETAIN_HELP)]
    Extend(RetainExtendArgs),
}

/// Arguments of `custos retain extend`.
#[derive(Debug, Args)]
pub(crate) struct RetainExtendArgs {
    /// Which evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: EvidenceId,
    /// It must not end before this time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Timestamp,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

const COPY_HELP: &str = help!(
    "custos copy register 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --file /mnt/disc/clip.mp4 \\",
    "    --medium \"disc 2026-014\" --place \"archive room, shelf 3\" --reason \"important\"",
    "custos copy ls 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20",
);

/// The commands of `custos copy`.
#[derive(Debug, Subcommand)]
pub(crate) enum CopyCommand {
    /// Registers a copy on a medium of its own, after reading it back (rules R12, R20)
    #[command(after_help = COPY_HELP)]
    Register(CopyRegisterArgs),
    /// Lists registered copies: what is on which medium, and where it lies
    #[command(after_help = COPY_HELP)]
    Ls(CopyLsArgs),
}

/// Arguments of `custos copy register`.
#[derive(Debug, Args)]
pub(crate) struct CopyRegisterArgs {
    /// Which evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: EvidenceId,
    /// The copy on the medium: it is read now, and its hash must be that of the evidence
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The medium, such as "disc 2026-014"
    #[arg(long, value_name = "TEXT")]
    pub(crate) medium: String,
    /// Where it lies
    #[arg(long, value_name = "TEXT")]
    pub(crate) place: String,
    /// What for; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Arguments of `custos copy ls`.
#[derive(Debug, Args)]
pub(crate) struct CopyLsArgs {
    /// Only copies of this evidence
    #[arg(value_name = "EVIDENCE")]
    pub(crate) evidence: Option<EvidenceId>,
    #[command(flatten)]
    pub(crate) records: RecordLsArgs,
}
