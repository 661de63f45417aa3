use std::path::PathBuf;

use clap::Args;
use custos_core::{Blake3Hash, EvidenceId, law::GrantScope};

use super::{ByteRange, law::named};

const HELP: &str = "\
Examples:
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 -o copy.mp4
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --bytes 0-1048575 -o start.bin
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --bytes -100 | xxd
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 | ffplay -
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --grant G1 -o copy.mp4

No byte is handed on that does not verify. The output file appears only when it
is whole; when anything fails there is none. Bytes on standard output are
verified too, but only exit code 0 says that they are all.

A copy (what -o writes to a file) and an original need a grant (rule R18); see
`custos grant --help`. When the grant is revoked meanwhile, the get fails.

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
    /// The grant under which it is got
    #[arg(long, value_name = "ID")]
    pub(crate) grant: Option<String>,
    /// What it is got for [default: copy when -o names a file, else view]
    #[arg(long, value_parser = named(GrantScope::ALL, GrantScope::name))]
    pub(crate) scope: Option<GrantScope>,
    /// Fails unless the evidence has this hash
    #[arg(long, value_name = "HASH")]
    pub(crate) expect_blake3: Option<Blake3Hash>,
    /// Replaces the output file if there is one
    #[arg(long)]
    pub(crate) force: bool,
}
