use clap::{Args, Subcommand};
use custos_core::law::RecordList;

use super::named;

const HELP: &str = "\
Examples:
  custos today
  custos today --unit traffic
  custos today --list archive-overdue --json | jq -r .id

Every list is in the order in which it should be worked off. Without --list all of
them are shown, those that are empty left out.

JSON, one line a record: list, and the record: version, changed_at, changed_by,
log_index, kind, id and the other fields of its kind.";

/// Arguments of `custos today`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct TodayArgs {
    /// Only this list
    #[arg(long, value_name = "NAME", value_parser = named(DAILY, RecordList::name))]
    pub(crate) list: Option<RecordList>,
    /// Only records of this unit and its departments
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Shows at most this many of each list [default: 20; all with --list]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

impl TodayArgs {
    /// The lists that are asked for, in the order in which they are shown.
    pub(crate) fn lists(&self) -> Vec<RecordList> {
        self.list.map_or_else(|| DAILY.to_vec(), |list| vec![list])
    }
}

/// The lists that run the day; those that are late come first.
const DAILY: &[RecordList] = &[
    RecordList::ArchiveOverdue,
    RecordList::ArchiveDue,
    RecordList::ApplicationsWaiting,
    RecordList::HoldsToReview,
    RecordList::DispositionsPending,
    RecordList::Unfiled,
    RecordList::RecordersSilent,
    RecordList::RetentionOver,
];

const CHECK_HELP: &str = "\
Examples:
  custos recording check R-2026-0301-7
  custos recording check R-2026-0301-7 --json | jq -e '.findings == []'

Names every gap, overlap, repeated or missing number, clock jump, segment that
arrived out of order, late upload and clock offset (rules R3, R5). The exit code is
0 whatever is found; `jq -e` makes one of it.

JSON, one object: recording, segments, captured_from, captured_until, findings
(kind, evidence, previous, duration_ms, first_number, last_number, text),
truncated.";

/// The commands of `custos recording`.
#[derive(Debug, Subcommand)]
pub(crate) enum RecordingCommand {
    /// Checks that a recording is whole
    #[command(after_help = CHECK_HELP)]
    Check {
        /// Which recording
        #[arg(value_name = "RECORDING")]
        recording: String,
    },
}
