use clap::{Args, Subcommand};
use custos_core::{
    Stage,
    law::{ActType, CaseState, Classification, Party},
};

use super::{RecordArgs, RecordLsArgs, help, named};

const HELP: &str = help!(
    "custos case open C-2026-17 --act-type penalty --unit traffic --custodian li.na \\",
    "    --officer 110421 --officer 110422 --party \"Wei Ming=respondent\" --title \"a stall\"",
    "custos case move C-2026-17 --to investigation",
    "custos case show C-2026-17      # evidence by stage, and what is missing",
    "custos case close C-2026-17 --reason \"fined\"",
    "custos case archive C-2026-17",
    "custos case ls --state open --unit traffic",
);

const SHOW_HELP: &str = "\
Examples:
  custos case show C-2026-17
  custos case show C-2026-17 --json | jq -r '.report.missing[]'

JSON, one object: case (the record), report (case, stages with items, audio_visual
and audio_visual_required, missing, truncated), evidence (as `custos show` shows
it, with `filed` as the stage that it is filed under now).";

const REPORT_HELP: &str = "\
Examples:
  custos case report C-2026-17
  custos case report C-2026-17 --json | jq -e '.missing == []'

JSON, one object: case, stages (stage, items, audio_visual, audio_visual_required),
missing (one line each, rule first), truncated.";

/// The commands of `custos case`.
#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Opens a case at its first stage
    #[command(after_help = HELP)]
    Open(CaseOpenArgs),
    /// Changes what is on record of a case
    #[command(after_help = HELP)]
    Update(CaseUpdateArgs),
    /// Moves a case to the next stage, or back with a reason
    #[command(after_help = HELP)]
    Move(CaseMoveArgs),
    /// Ends a matter: its papers must be filed in time from now on (rule R13)
    #[command(after_help = HELP)]
    Close(CaseCloseArgs),
    /// Files a closed case: no more evidence without reopening
    #[command(after_help = HELP)]
    Archive(CaseArchiveArgs),
    /// Opens a closed or archived case again
    #[command(after_help = HELP)]
    Reopen(CaseReopenArgs),
    /// Classifies a case: higher at once, lower when a second person agrees
    #[command(after_help = HELP)]
    Classify(CaseClassifyArgs),
    /// Shows a case with its evidence by stage, and what is missing
    #[command(after_help = SHOW_HELP)]
    Show(RecordArgs),
    /// Lists cases
    #[command(after_help = HELP)]
    Ls(CaseLsArgs),
    /// Says what a case has on record under each stage, and what it lacks (rules R1, R9)
    #[command(after_help = REPORT_HELP)]
    Report(RecordArgs),
    /// Lists every version of what is on record of a case
    #[command(after_help = HELP)]
    History(RecordArgs),
}

/// Arguments of `custos case open`.
#[derive(Debug, Args)]
pub(crate) struct CaseOpenArgs {
    /// The case's id, as the agency writes it
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// Sort of matter
    #[arg(long, value_parser = named(ActType::ALL, ActType::name))]
    pub(crate) act_type: ActType,
    /// The unit that it belongs to
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: String,
    /// Who answers for its filing: a custodian on the register (rule R26)
    #[arg(long, value_name = "NAME")]
    pub(crate) custodian: String,
    /// Certificate number of an officer; once for each
    #[arg(long = "officer", value_name = "NUMBER")]
    pub(crate) officers: Vec<String>,
    /// Somebody whom it is about, such as "Wei Ming=respondent"; once for each
    #[arg(long = "party", value_name = "NAME=ROLE", value_parser = party)]
    pub(crate) parties: Vec<Party>,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Where
    #[arg(long, value_name = "TEXT")]
    pub(crate) place: Option<String>,
    /// How much of it is to be kept from whom
    #[arg(long, default_value = "ordinary",
        value_parser = named(Classification::ALL, Classification::name))]
    pub(crate) classification: Classification,
}

/// Arguments of `custos case update`; what is not given stays.
#[derive(Debug, Args)]
pub(crate) struct CaseUpdateArgs {
    /// Which case
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Where
    #[arg(long, value_name = "TEXT")]
    pub(crate) place: Option<String>,
    /// Who answers for its filing
    #[arg(long, value_name = "NAME")]
    pub(crate) custodian: Option<String>,
    /// Certificate number of an officer who joins it; once for each
    #[arg(long = "add-officer", value_name = "NUMBER")]
    pub(crate) add_officers: Vec<String>,
    /// Certificate number of an officer who leaves it; once for each
    #[arg(long = "remove-officer", value_name = "NUMBER")]
    pub(crate) remove_officers: Vec<String>,
    /// Somebody whom it is about too, such as "Wei Ming=witness"; once for each
    #[arg(long = "add-party", value_name = "NAME=ROLE", value_parser = party)]
    pub(crate) add_parties: Vec<Party>,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Arguments of `custos case move`.
#[derive(Debug, Args)]
pub(crate) struct CaseMoveArgs {
    /// Which case
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// Where to: the next stage of its act type, or an earlier one
    #[arg(long, value_name = "STAGE", value_parser = named(Stage::ALL, Stage::name))]
    pub(crate) to: Stage,
    /// Why; needed to go back
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

/// Arguments of `custos case close`.
#[derive(Debug, Args)]
pub(crate) struct CaseCloseArgs {
    /// Which case
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// How it ended
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Arguments of `custos case archive`.
#[derive(Debug, Args)]
pub(crate) struct CaseArchiveArgs {
    /// Which case
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// Why it is archived although something is missing (rules R1, R9)
    #[arg(long, value_name = "TEXT")]
    pub(crate) despite: Option<String>,
}

/// Arguments of `custos case reopen`.
#[derive(Debug, Args)]
pub(crate) struct CaseReopenArgs {
    /// Which case
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// At which stage
    #[arg(long, value_parser = named(Stage::ALL, Stage::name))]
    pub(crate) stage: Stage,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Arguments of `custos case classify`.
#[derive(Debug, Args)]
pub(crate) struct CaseClassifyArgs {
    /// Which case
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// As what
    #[arg(long, value_name = "CLASSIFICATION",
        value_parser = named(Classification::ALL, Classification::name))]
    pub(crate) to: Classification,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Arguments of `custos case ls`.
#[derive(Debug, Args)]
pub(crate) struct CaseLsArgs {
    /// Only those in this state
    #[arg(long, value_parser = named(CaseState::ALL, CaseState::name))]
    pub(crate) state: Option<CaseState>,
    #[command(flatten)]
    pub(crate) records: RecordLsArgs,
}

fn party(text: &str) -> Result<Party, &'static str> {
    match text.rsplit_once('=') {
        Some((name, role)) if !name.is_empty() && !role.is_empty() => {
            Ok(Party { name: name.to_owned(), role: role.to_owned() })
        }
        _ => Err("write NAME=ROLE, such as \"Wei Ming=respondent\""),
    }
}
