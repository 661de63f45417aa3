use std::path::PathBuf;

use clap::Args;
use custos_core::{Blake3Hash, EvidenceId};

use super::ByteRange;

const HELP: &str = "\
Examples:
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 -o copy.mp4
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --bytes 0-1048575 -o start.bin
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --bytes -100 | xxd
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 | ffplay -

No byte is handed on that does not verify. The output file appears only when it
is whole; when anything fails there is none. Bytes on standard output are
verified too, but only exit code 0 says that they are all.

Every get is on the custody log, with the range and the purpose. With the hash
from a receipt in --expect-blake3 the server need not be trusted with it.

JSON (with -o): evidence_id, bytes, start, end (one past the last byte), size,
blake3, verified, log_index, output.";

/// Arguments of `custos get`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct GetArgs {
    /// Which evidence
    #[arg(value_name = "ID")]
    pub(crate) evidence_id: EvidenceId,
    /// Writes to this file; `-` is standard output, also when it is a terminal
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Only these bytes, as in HTTP: A-B (both included, from 0), A- or -N (the last N)
    #[arg(long, value_name = "A-B", allow_hyphen_values = true)]
    pub(crate) bytes: Option<ByteRange>,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// Fails unless the evidence has this hash
    #[arg(long, value_name = "HASH")]
    pub(crate) expect_blake3: Option<Blake3Hash>,
    /// Replaces the output file if there is one
    #[arg(long)]
    pub(crate) force: bool,
}
