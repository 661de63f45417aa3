//! `custosd`: reads the command line, starts what it asks for, and turns errors into exit codes.

use std::{
    env,
    error::Error,
    io::{self, Write},
    num::NonZero,
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use clap::{CommandFactory, Parser};
use custos_backup::BackupError;
use custos_core::ErrorKind;
use custos_ports::{Clock, Entropy};
use custos_server::{
    ClockAhead, RestoreOptions, Server, ServerDeps, Sockets, StartError, StopSignals, SystemClock,
    SystemEntropy, build,
    cli::{Cli, Command, ConfigCommand, DevArgs, RestoreArgs},
    config::{self, LogOptions, Process, ServerConfig, TelemetryOptions},
    data_dir::{DataDir, Identity, Occupants},
    dev::{self, DevOptions},
    install_crypto_provider, restore,
    telemetry::Telemetry,
};
use tokio::runtime;

const OTLP_VARIABLE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Commands, records and messages are many small pieces of memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Most threads for blocking reads: disks' own limits come first.
const BLOCKING_THREADS_MAX: usize = 256;
/// Longest wait at the end for tasks that were cut off.
const RUNTIME_STOP_TIMEOUT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing can be done when even stderr is gone.
            let _ = writeln!(io::stderr(), "error: {}", failure.message);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

/// What is told to the user at the end.
struct Failure {
    kind: ErrorKind,
    message: String,
}

impl Failure {
    fn new(kind: ErrorKind, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            // Some errors of libraries repeat their source.
            let cause_text = cause.to_string();
            if !message.ends_with(&cause_text) {
                message = format!("{message}: {cause_text}");
            }
            source = cause.source();
        }
        Self { kind, message }
    }

    fn start(error: impl Into<StartError>) -> Self {
        let error = error.into();
        Self::new(error.kind(), &error)
    }
}

/// How a node is to be started.
enum Mode {
    Dev(DevOptions),
    Run(Box<ServerConfig>),
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Dev(arguments) => dev_node(arguments),
        Command::Run(arguments) => {
            let process = load_config(&arguments.config)?;
            let Process { server, log, mut telemetry } = process;
            if telemetry.otlp_endpoint.is_none() {
                telemetry.otlp_endpoint =
                    env::var(OTLP_VARIABLE).ok().filter(|url| !url.is_empty());
            }
            serve_until_stopped(Mode::Run(Box::new(server)), &log, &telemetry)
        }
        Command::Restore(arguments) => restore_ledger(arguments),
        Command::Config(ConfigCommand::Check { file }) => {
            printed(&config::effective(&load_config(&file)?))
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "custosd", &mut script);
            printed(&String::from_utf8_lossy(&script))
        }
    }
}

/// Runs to its end; a signal ends it at once, and the next restore clears what is left.
fn restore_ledger(arguments: RestoreArgs) -> Result<(), Failure> {
    let RestoreArgs { from, backup, data, config, cluster } = arguments;
    let config = config.map(|file| load_config(&file)).transpose()?.map(|it| it.server);
    let meta = config.as_ref().and_then(|config| config.meta.as_ref());
    let from = from.parse().map_err(|error: BackupError| Failure::new(error.kind(), &error))?;
    let data_dir = data.or_else(|| config.as_ref().map(|config| config.data_dir.clone()));
    let options = RestoreOptions {
        from,
        backup,
        data_dir: data_dir.expect("one of the two is required"),
        cluster_name: cluster.or_else(|| meta.map(|meta| meta.cluster_name.clone())),
        profile: config.as_ref().and_then(ServerConfig::own_vault_profile),
    };
    install_crypto_provider();
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(ErrorKind::Internal, &error))?;
    let dir = options.data_dir.display().to_string();
    // When nobody reads it there is nobody to tell.
    let say = |what: String| drop(writeln!(io::stderr(), "{what}"));
    let restored = runtime.block_on(restore(options, Arc::new(SystemClock), &SystemEntropy, &say));
    let restored = restored.map_err(|error| Failure::new(error.kind(), &error))?;
    printed(&format!(
        "restored backup {} of {} to {dir}: metadata node {}, custody log of {} entries\n",
        restored.name, restored.origin, restored.node, restored.entries
    ))
}

fn load_config(file: &std::path::Path) -> Result<Process, Failure> {
    config::load(file).map_err(|error| Failure::new(error.kind(), &error))
}

fn dev_node(arguments: DevArgs) -> Result<(), Failure> {
    let DevArgs { data, listen, profile, metrics, days_ahead, log_format, otlp } = arguments;
    let options = DevOptions { data, listen, metrics_listen: metrics, profile, days_ahead };
    let log = LogOptions { format: log_format, ..LogOptions::default() };
    let telemetry = TelemetryOptions { otlp_endpoint: otlp.filter(|url| !url.is_empty()) };
    serve_until_stopped(Mode::Dev(options), &log, &telemetry)
}

/// A process that keeps the ledger and nothing else works on it in order, and on threads of its own
/// where there is most to do: the log's, the state's and those of RocksDB. More than half of the
/// processors would mostly wake each other.
fn worker_threads(mode: &Mode) -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    match mode {
        Mode::Run(config) if config.storage.is_none() && config.gateway.is_none() => {
            processors.div_ceil(2)
        }
        Mode::Run(_) | Mode::Dev(_) => processors,
    }
}

fn serve_until_stopped(
    mode: Mode,
    log: &LogOptions,
    telemetry: &TelemetryOptions,
) -> Result<(), Failure> {
    install_crypto_provider();
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(worker_threads(&mode))
        .enable_all()
        .thread_name("custosd")
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| Failure::new(ErrorKind::Internal, &error))?;
    let telemetry = runtime
        .block_on(async { Telemetry::start(log, telemetry) })
        .map_err(|error| Failure::new(error.kind(), &error))?;
    let result = runtime.block_on(async {
        // Caught before anything is made, so that a stop during the start is a clean one too.
        let mut signals =
            StopSignals::catch().map_err(|error| Failure::new(ErrorKind::Internal, &error))?;
        // A start may wait for another process for as long as that takes.
        let server = tokio::select! {
            biased;
            signal = signals.next() => {
                tracing::info!(signal, "stopping before the start was done");
                return Ok(());
            }
            server = start(mode) => server?,
        };
        let stop = async {
            let signal = signals.next().await;
            tracing::info!(signal, "stopping");
        };
        let announce = |address| print(&format!("ready {address}\n"));
        server.run(stop, announce).await.map_err(|error| {
            tracing::error!(%error, "stopped");
            Failure::new(error.kind(), &error)
        })
    });
    telemetry.finish();
    runtime.shutdown_timeout(RUNTIME_STOP_TIMEOUT);
    result
}

/// Brings a node to where it can serve. Nothing on disk is touched before the lock is held and
/// the sockets are bound.
async fn start(mode: Mode) -> Result<Server, Failure> {
    let clock: Arc<dyn Clock> = match &mode {
        Mode::Dev(DevOptions { days_ahead: days @ 1.., .. }) => {
            tracing::warn!(days, "the cluster's clock runs ahead of this machine's");
            Arc::new(ClockAhead { days: *days })
        }
        Mode::Dev(_) | Mode::Run(_) => Arc::new(SystemClock),
    };
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let data_dir = match &mode {
        Mode::Dev(options) => DataDir::lock(&options.data, Occupants::Nobody),
        Mode::Run(config) => DataDir::lock(&config.data_dir, Occupants::Anybody),
    };
    let data_dir = data_dir.map_err(Failure::start)?;
    let config = match &mode {
        Mode::Dev(options) => dev::configuration(&data_dir, options),
        Mode::Run(config) => ServerConfig::clone(config),
    };
    let group = config.meta.as_ref().and_then(|meta| meta.group.as_ref());
    let group = group.map(|group| group.listen);
    let bound = Sockets::bind(config.listen, config.metrics_listen, group).await;
    let sockets = bound.map_err(Failure::start)?;
    let identity = Identity::establish(&data_dir, &config, &*entropy).map_err(Failure::start)?;
    let mut authority = None;
    if let Mode::Dev(_) = mode {
        // Certificates are judged by the clocks of clients, which run as they always did.
        let real = Arc::new(SystemClock);
        dev::prepare(&data_dir, &sockets, &*real).map_err(Failure::start)?;
        authority = Some(dev::certificate_authority(&data_dir, real).map_err(Failure::start)?);
    }
    let deps = ServerDeps { clock, entropy, data_dir, identity, sockets, authority };
    build(config, deps).await.map_err(Failure::start)
}

fn printed(text: &str) -> Result<(), Failure> {
    print(text).map_err(|error| Failure::new(ErrorKind::Internal, &error))
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
