use std::{path::PathBuf, time::Duration};

use clap::Args;
use custos_core::{ErasureProfile, EvidenceKind, Stage, Timestamp, law::Classification};

use super::{law::named, time_span};

const HELP: &str = "\
Examples:
  custos put clip.mp4
  custos put clip.mp4 --case C-2026-17 --stage investigation \\
      --captured-at 2026-03-01T08:30:00+08:00 --recorder BWC-00042 \\
      --officer 110421 --officer 110422 --place \"South Gate Market\"
  custos put seg-4.mp4 --recording R-2026-0301-7 --sequence 4 \\
      --captured-at 2026-03-01T08:30:00+08:00 --captured-until 2026-03-01T08:35:00+08:00
  custos put *.mp4 --descriptor inspection.json --jobs 8
  custos put clip.mp4 --json | jq -r .evidence_id

An upload that breaks off is resumed from the last byte that the store holds
durably: by itself for as long as --retry-for says, and by the same command
later. A file that was put before with the same description is not uploaded
again: its first receipt is shown; --again makes new evidence of it.

Without --kind it is guessed from the extension: mp4, mov, mkv, avi, ... are
video; wav, mp3, m4a, ... audio; jpg, png, heic, ... photo; pdf, tif, docx, ...
document; all others electronic.

--descriptor takes a JSON object with any of: kind, captured_at, captured_until,
recorder, officers (a list), case, stage, place, note, file_name, media_type,
recording, sequence, notice_at_ms, device_ahead_ms, station_at, classification,
source. Options on the command line come before it.

Evidence that lacks what the rules ask for is kept and marked `unfiled`, with
the missing fields named. When several files fail, the exit code is that of the
gravest failure: 5, 1, 6, 3, 4, 2 in this order.

JSON, one line a file: file, evidence_id, blake3, sha256, size, sealed_at,
log_index, missing_fields, unfiled, empty, already_sealed, resumed_from, retries.";

/// Arguments of `custos put`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct PutArgs {
    /// Files to put
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Erasure profile, data + parity shards: 2+1, 4+2, 8+3 or 10+4 [default: the cluster's]
    #[arg(long, value_name = "K+M")]
    pub(crate) profile: Option<ErasureProfile>,
    /// Files that are put at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// Makes new evidence although this very file was put before; cannot be resumed by a later
    /// command
    #[arg(long)]
    pub(crate) again: bool,
    /// Goes on trying for this long without progress
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time_span::parse)]
    pub(crate) retry_for: Duration,
    /// Reads the description from a JSON file
    #[arg(long, value_name = "FILE.json", help_heading = "Description")]
    pub(crate) descriptor: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) described: DescriptorArgs,
}

/// What is said about the files.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Description")]
pub(crate) struct DescriptorArgs {
    /// Sort of record [default: guessed from the extension]
    #[arg(long, value_parser = named(EvidenceKind::ALL, EvidenceKind::name))]
    pub(crate) kind: Option<EvidenceKind>,
    /// The case's own id
    #[arg(long, value_name = "ID")]
    pub(crate) case: Option<String>,
    /// Stage of the case
    #[arg(long, value_parser = named(Stage::ALL, Stage::name))]
    pub(crate) stage: Option<Stage>,
    /// The recording that it is a segment of (rule R5)
    #[arg(long, value_name = "ID")]
    pub(crate) recording: Option<String>,
    /// Number of the segment; grows by one from segment to segment
    #[arg(long, value_name = "N", requires = "recording")]
    pub(crate) sequence: Option<u64>,
    /// How much of it is to be kept from whom [default: ordinary]
    #[arg(long, value_parser = named(Classification::ALL, Classification::name))]
    pub(crate) classification: Option<Classification>,
    #[command(flatten)]
    pub(crate) correctable: CorrectionArgs,
}

/// What is said about evidence and may be corrected later.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Description")]
pub(crate) struct CorrectionArgs {
    /// When capturing began, by the device's clock (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) captured_at: Option<Timestamp>,
    /// When capturing ended, by the device's clock (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) captured_until: Option<Timestamp>,
    /// Serial of the recorder
    #[arg(long, value_name = "SERIAL")]
    pub(crate) recorder: Option<String>,
    /// Certificate number of an officer; once for each
    #[arg(long = "officer", value_name = "NUMBER")]
    pub(crate) officers: Vec<String>,
    /// Where it was captured
    #[arg(long)]
    pub(crate) place: Option<String>,
    /// What it shows
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Media type such as video/mp4
    #[arg(long, value_name = "TYPE")]
    pub(crate) media_type: Option<String>,
    /// When the party was told that recording has begun, in milliseconds after it began (rule R8)
    #[arg(long, value_name = "MS")]
    pub(crate) notice_at_ms: Option<u64>,
    /// How far the device's clock was ahead of the station's, in milliseconds (rule R3)
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub(crate) device_ahead_ms: Option<i64>,
    /// The station's clock when it took the file over (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(crate) station_at: Option<Timestamp>,
    /// Where an electronic record came from: the system, address or account
    #[arg(long, value_name = "TEXT")]
    pub(crate) source: Option<String>,
}
