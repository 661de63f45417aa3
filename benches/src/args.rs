//! What can be said on the command line, and the limits that bound every run (invariant I10).

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};
use custos_core::{ErasureProfile, EvidenceId};

use crate::{ByteSize, endpoint_guard::Ownership, figures::Output, ledger::Placement};

/// Longest that one raw baseline runs: a minute.
pub const LIMIT_SECONDS_MAX: u64 = 60;
/// Most clients of one load.
pub const CLIENTS_MAX: u64 = 256;
/// Most operations (files, streams, ranges) of one load.
pub const OPERATIONS_MAX: u64 = 1_000_000;
/// Largest shard of a disk benchmark: the store's own limit.
pub const SHARD_BYTES_MAX: u64 = 64 << 20;
/// Most shards that a disk is filled with.
pub const DISK_SHARDS_MAX: u64 = 5_000_000;
/// Most records that a ledger is filled with.
pub const LEDGER_RECORDS_MAX: u64 = 20_000_000;
/// Largest shard of those.
const FRAME_BYTES: u64 = 64 << 10;
/// Most numbers of clients that one ledger benchmark goes through.
pub const CLIENT_COUNTS_MAX: usize = 8;
/// Longest time in which operations of one load begin: an hour.
pub const SECONDS_MAX: u64 = 3600;
/// Largest file of a load: 64 GiB.
pub const FILE_BYTES_MAX: u64 = 64 << 30;
/// Largest range of a seek: 64 MiB.
pub const RANGE_BYTES_MAX: u64 = 64 << 20;
/// Most temporary bytes of all clients of a load together: 64 GiB.
pub const TEMPORARY_BYTES_MAX: u64 = 64 << 30;

/// Measures Custos, and the machine that it runs on.
///
/// Figures are for comparing on one machine at one time: look at the ratios. Every run is bounded
/// in count and time. Only a cluster on this machine is loaded, unless you say that it is yours.
#[derive(Debug, Parser)]
#[command(name = "custos-bench", version, max_term_width = 100)]
pub struct Cli {
    /// Print one JSON object per line instead of tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    pub(crate) fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Tables }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Raw baselines of this machine: kernels, disk, a gRPC stream without a store behind it.
    Limit(LimitArgs),
    /// Puts generated files with many clients at once.
    Ingest(IngestArgs),
    /// Streams verified bytes with many clients at once: whole evidence, and random ranges.
    Playback(PlaybackArgs),
    /// Writes shards to one disk of the store, beside raw writes with the same fsync rhythm.
    DiskWrite(DiskWriteArgs),
    /// Fills one disk with small shards and measures how soon it serves again after a stop.
    DiskOpen(DiskOpenArgs),
    /// Commits to a replicated ledger of three processes, by turns with three members of etcd.
    ///
    /// Starts both groups on this machine, in temporary folders under --dir, and ends them. A
    /// commit of ours is the opening or the sealing of one upload, through the service that
    /// gateways use, with TLS; one of etcd is a put of as many bytes under a new key, without TLS.
    /// Both answer when two of three processes have it on disk. Members of both are up all the
    /// time; only one group is loaded at once.
    Ledger(LedgerArgs),
    /// Fills a ledger with millions of records and measures what its processes need then: memory,
    /// time to start, snapshots under load, and new members that catch up.
    LedgerLarge(LedgerLargeArgs),
    /// The other end of the raw gRPC stream of `limit`, which starts it.
    #[command(hide = true)]
    RawGrpcServer(RawGrpcServerArgs),
}

/// A group of raw baselines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Memory, hashes, cipher, erasure code, codec; one thread.
    Kernels,
    /// Direct writes with fdatasync to six files at once.
    Disk,
    /// Streams between two processes over loopback.
    Grpc,
}

/// What to measure of the machine.
#[derive(Debug, Args)]
pub struct LimitArgs {
    /// How long each baseline runs.
    #[arg(long, default_value_t = 3, value_parser = seconds(LIMIT_SECONDS_MAX))]
    seconds: u64,
    /// Where to write; the disk's figure is of the disk that this folder is on.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub(crate) dir: PathBuf,
    /// Only this part; may be given several times.
    #[arg(long = "part", value_name = "PART")]
    parts: Vec<Part>,
}

impl LimitArgs {
    /// All of it, for comparison with a load whose files lie in `dir`.
    pub(crate) fn beside_load(dir: PathBuf) -> Self {
        Self { seconds: 2, dir, parts: Vec::new() }
    }

    pub(crate) fn each(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(crate) fn includes(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

/// Which cluster, and how hard.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// The client configuration of the cluster; else $CUSTOS_CONFIG, else the user's own.
    #[arg(long, value_name = "FILE", conflicts_with = "spawn")]
    pub(crate) config: Option<PathBuf>,
    /// Start a cluster of its own for this run (`custosd dev` beside this program), and stop it.
    #[arg(long)]
    pub(crate) spawn: bool,
    /// The server's process, to measure its processor time and memory.
    #[arg(long, value_name = "PID", conflicts_with = "spawn")]
    pub(crate) server_pid: Option<u32>,
    /// Erasure profile of what is put.
    #[arg(long, value_name = "K+M", default_value = "4+2")]
    pub(crate) profile: ErasureProfile,
    /// Where temporary files go, and the data of a cluster that is started.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub(crate) dir: PathBuf,
    /// Clients at once, each with a connection of its own.
    #[arg(long, default_value_t = 4, value_parser = count(CLIENTS_MAX))]
    pub(crate) clients: u64,
    /// After this time no operation begins; what runs may end.
    #[arg(long, default_value_t = 60, value_parser = seconds(SECONDS_MAX))]
    seconds: u64,
    /// Measure the machine first, and print ratios to it.
    #[arg(long)]
    pub(crate) with_limit: bool,
    /// The cluster is on another machine, and it is yours to load.
    #[arg(long)]
    i_own_this_cluster: bool,
}

impl LoadArgs {
    pub(crate) fn begin_within(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(crate) fn ownership(&self) -> Ownership {
        if self.i_own_this_cluster { Ownership::Asserted } else { Ownership::ThisMachineOnly }
    }
}

/// A load of puts.
#[derive(Debug, Args)]
pub struct IngestArgs {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    /// Files to put, over all clients.
    #[arg(long, default_value_t = 32, value_parser = count(OPERATIONS_MAX))]
    pub(crate) files: u64,
    /// Size of each file, such as 64MiB.
    #[arg(long, default_value = "64MiB", value_parser = size(FILE_BYTES_MAX))]
    pub(crate) size: ByteSize,
}

/// A load of streams.
#[derive(Debug, Args)]
pub struct PlaybackArgs {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    /// Evidence to stream, by turns; without any, files are put first.
    #[arg(long, value_name = "ID")]
    pub(crate) evidence: Vec<EvidenceId>,
    /// Files to put first when no evidence is named.
    #[arg(long, default_value_t = 4, value_parser = count(CLIENTS_MAX))]
    pub(crate) files: u64,
    /// Size of each of them, such as 64MiB.
    #[arg(long, default_value = "64MiB", value_parser = size(FILE_BYTES_MAX))]
    pub(crate) size: ByteSize,
    /// Streams of whole evidence, over all clients; 0 for none.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(..=OPERATIONS_MAX))]
    pub(crate) streams: u64,
    /// Seeks to a random place, over all clients; 0 for none.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(..=OPERATIONS_MAX))]
    pub(crate) random_ranges: u64,
    /// Bytes streamed after each seek.
    #[arg(long, default_value = "1MiB", value_parser = size(RANGE_BYTES_MAX))]
    pub(crate) range_bytes: ByteSize,
}

/// How one disk is written.
#[derive(Debug, Args)]
pub struct DiskWriteArgs {
    /// A folder on the disk that is to be measured.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub(crate) dir: PathBuf,
    /// Size of each shard, such as 2MiB.
    #[arg(long, default_value = "2MiB", value_parser = size(SHARD_BYTES_MAX))]
    pub(crate) shard_bytes: ByteSize,
    /// Shards that are written at once; the raw writer syncs after so many.
    #[arg(long, default_value_t = 8, value_parser = count(CLIENTS_MAX))]
    pub(crate) writers: u64,
    /// Rounds of raw writes and the store's.
    #[arg(long, default_value_t = 5, value_parser = count(LIMIT_SECONDS_MAX))]
    pub(crate) rounds: u64,
    /// How long each half of a round runs.
    #[arg(long, default_value = "3", value_parser = whole_seconds)]
    seconds: Duration,
}

impl DiskWriteArgs {
    pub(crate) fn each(&self) -> Duration {
        self.seconds
    }

    #[cfg(test)]
    pub(crate) fn set_each(&mut self, each: Duration) {
        self.seconds = each;
    }
}

/// How one disk is filled and opened.
#[derive(Debug, Args)]
pub struct DiskOpenArgs {
    /// A folder on the disk that is to be measured.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub(crate) dir: PathBuf,
    /// Shards to fill it with; each takes 8 KiB at least.
    #[arg(long, default_value_t = 1_000_000, value_parser = count(DISK_SHARDS_MAX))]
    pub(crate) shards: u64,
    /// Size of each shard.
    #[arg(long, default_value = "512", value_parser = size(FRAME_BYTES))]
    pub(crate) shard_bytes: ByteSize,
}

/// How the ledger is loaded, and what it stands beside.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    /// A folder on the disk that is to be measured.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub(crate) dir: PathBuf,
    /// Clients at once, one number after the other; each has one commit under way.
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        default_value = "1,16,64,256",
        value_parser = count(CLIENTS_MAX)
    )]
    pub(crate) clients: Vec<u64>,
    /// Only clients that are spread over the members, or only those at the leader.
    #[arg(long, value_name = "WHERE")]
    at: Option<Placement>,
    /// Rounds of all loads; the last figures are of all rounds together.
    #[arg(long, default_value_t = 3, value_parser = count(LIMIT_SECONDS_MAX))]
    pub(crate) rounds: u64,
    /// How long each load of a round runs.
    #[arg(long, default_value = "4", value_parser = whole_seconds)]
    seconds: Duration,
    /// The program of etcd; without it, `etcd` on PATH, and ours alone when it is not there.
    #[arg(long, value_name = "FILE")]
    pub(crate) etcd: Option<PathBuf>,
    /// Measure in each round how often the disk makes an append of 512 bytes durable.
    #[arg(long)]
    pub(crate) fsync_probe: bool,
}

impl LedgerArgs {
    /// What cannot be said by the parser of a single value.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let counts = self.clients.len();
        anyhow::ensure!(
            counts <= CLIENT_COUNTS_MAX,
            "--clients has {counts} numbers, at most {CLIENT_COUNTS_MAX} are allowed"
        );
        Ok(())
    }

    pub(crate) fn each(&self) -> Duration {
        self.seconds
    }

    pub(crate) fn placements(&self) -> Vec<Placement> {
        self.at.map_or_else(|| vec![Placement::Spread, Placement::Leader], |at| vec![at])
    }
}

/// How large a ledger is measured.
#[derive(Debug, Args)]
pub struct LedgerLargeArgs {
    /// A folder on the disk that is to be measured; 5,000,000 records take about 15 GiB for a while.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    pub(crate) dir: PathBuf,
    /// Sealed evidence to fill the ledger with.
    #[arg(long, default_value_t = 1_000_000, value_parser = count(LEDGER_RECORDS_MAX))]
    pub(crate) records: u64,
    /// Clients at once while something is measured.
    #[arg(long, default_value_t = 16, value_parser = count(CLIENTS_MAX))]
    pub(crate) clients: u64,
    /// How long each load runs.
    #[arg(long, default_value = "20", value_parser = whole_seconds)]
    seconds: Duration,
}

impl LedgerLargeArgs {
    pub(crate) fn each(&self) -> Duration {
        self.seconds
    }
}

/// How the raw gRPC server listens.
#[derive(Debug, Args)]
pub struct RawGrpcServerArgs {
    /// Folder with the certificates; plain text without.
    #[arg(long, value_name = "DIR")]
    pub(crate) tls_dir: Option<PathBuf>,
}

fn count(max: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=max)
}

fn seconds(max: u64) -> clap::builder::RangedU64ValueParser {
    count(max)
}

fn whole_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=LIMIT_SECONDS_MAX) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("1 to {LIMIT_SECONDS_MAX} seconds are allowed")),
    }
}

fn size(max: u64) -> impl Fn(&str) -> Result<ByteSize, String> + Clone {
    move |text| {
        let size: ByteSize =
            text.parse().map_err(|error: crate::ParseByteSizeError| error.to_string())?;
        if (1..=max).contains(&size.bytes()) {
            return Ok(size);
        }
        Err(format!("{} bytes; 1 to {max} are allowed", size.bytes()))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_of_the_arguments_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_load_reads_its_sizes_counts_and_cluster() {
        let cli = parse(
            "custos-bench ingest --config c.toml --clients 8 --files 100 --size 1GiB \
             --seconds 30 --server-pid 42 --profile 8+3 --json",
        )
        .expect("parses");
        assert_eq!(cli.output(), Output::Json);
        let Command::Ingest(args) = cli.command else { panic!("another command") };
        assert_eq!((args.load.clients, args.files, args.size.bytes()), (8, 100, 1 << 30));
        assert_eq!(args.load.begin_within(), Duration::from_secs(30));
        assert_eq!(args.load.server_pid, Some(42));
        assert_eq!(args.load.profile, ErasureProfile::P8_3);
        assert_eq!(args.load.ownership(), Ownership::ThisMachineOnly);
    }

    #[test]
    fn ownership_of_a_cluster_must_be_spelt_out() {
        let cli = parse("custos-bench playback --i-own-this-cluster").expect("parses");
        let Command::Playback(args) = cli.command else { panic!("another command") };
        assert_eq!(args.load.ownership(), Ownership::Asserted);
    }

    #[test]
    fn parts_of_the_baseline_can_be_chosen_and_all_are_the_default() {
        let limit = |line| match parse(line).expect("parses").command {
            Command::Limit(args) => args,
            other => panic!("another command: {other:?}"),
        };
        assert!(limit("custos-bench limit").includes(Part::Grpc));
        let only = limit("custos-bench limit --part disk --part kernels");
        assert!(only.includes(Part::Disk) && only.includes(Part::Kernels));
        assert!(!only.includes(Part::Grpc));
    }

    #[test]
    fn the_ledger_is_loaded_by_four_numbers_of_clients_at_both_places_unless_told_otherwise() {
        let ledger = |line| match parse(line).expect("parses").command {
            Command::Ledger(args) => args,
            other => panic!("another command: {other:?}"),
        };
        let args = ledger("custos-bench ledger");
        assert_eq!(args.clients, [1, 16, 64, 256]);
        assert_eq!(args.placements(), [Placement::Spread, Placement::Leader]);
        let args = ledger("custos-bench ledger --clients 8,2 --at leader --seconds 1");
        assert_eq!((args.clients.as_slice(), args.each()), (&[8, 2][..], Duration::from_secs(1)));
        assert_eq!(args.placements(), [Placement::Leader]);
        args.check().expect("two numbers");
        let many = ledger("custos-bench ledger --clients 1,2,3,4,5,6,7,8,9").check();
        assert!(many.expect_err("too many").to_string().contains("9 numbers"));
    }

    #[test]
    fn what_is_out_of_bounds_or_contradicts_itself_is_refused() {
        for line in [
            "custos-bench",
            "custos-bench limit --seconds 0",
            "custos-bench limit --seconds 61",
            "custos-bench limit --part gpu",
            "custos-bench ingest --clients 0",
            "custos-bench ingest --clients 257",
            "custos-bench ingest --files 0",
            "custos-bench ingest --seconds 3601",
            "custos-bench ingest --size 0",
            "custos-bench ingest --size 65GiB",
            "custos-bench ingest --size big",
            "custos-bench ingest --profile 3+1",
            "custos-bench ingest --spawn --config c.toml",
            "custos-bench ingest --spawn --server-pid 1",
            "custos-bench disk-write --seconds 0",
            "custos-bench disk-write --shard-bytes 65MiB",
            "custos-bench disk-open --shards 5000001",
            "custos-bench ledger --clients 0",
            "custos-bench ledger --clients 1,257",
            "custos-bench ledger --clients 1,,2",
            "custos-bench ledger --rounds 61",
            "custos-bench ledger --seconds 61",
            "custos-bench ledger --at follower",
            "custos-bench playback --range-bytes 65MiB",
            "custos-bench playback --evidence nonsense",
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
