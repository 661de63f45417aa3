//! Log lines to stderr, and spans to an OTLP collector when one is named.

use std::{env, io, time::Duration};

use custos_core::ErrorKind;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{ParseError, filter_fn},
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

use crate::config::{LogFormat, LogOptions, TelemetryOptions};

/// Environment variable with a `tracing` filter, stronger than the configured level.
const FILTER_VARIABLE: &str = "CUSTOS_LOG";
/// openraft tells every step at `info`, which is no news to an administrator; who wants it asks for
/// `openraft=info`.
const QUIET_LIBRARIES: &str = "openraft=warn";
/// Longest wait at the end for spans to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Crates whose spans would be about the exporter's own connection.
const EXPORTER_TARGETS: [&str; 5] = ["h2", "hyper", "tonic", "tower", "opentelemetry"];

/// Log and span export of this process. Ends with [`finish`](Self::finish).
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// Why log or span export did not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter in the environment cannot be understood.
    #[error(
        "{FILTER_VARIABLE}={text:?} is no log filter such as info or info,custos_gateway=debug"
    )]
    Filter {
        /// What the variable holds.
        text: String,
        /// What the parser says.
        source: ParseError,
    },
    /// The collector's address cannot be used.
    #[error("spans cannot be exported to {endpoint:?}: an http:// address is needed")]
    Endpoint {
        /// The address.
        endpoint: String,
    },
    /// The exporter could not be made.
    #[error("spans cannot be exported to {endpoint:?}")]
    Exporter {
        /// The address.
        endpoint: String,
        /// Why.
        source: ExporterBuildError,
    },
    /// This process logs already.
    #[error("logging was started twice")]
    Twice(#[from] TryInitError),
}

impl TelemetryError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Filter { .. } | Self::Endpoint { .. } | Self::Exporter { .. } => {
                ErrorKind::Invalid
            }
            Self::Twice(_) => ErrorKind::Internal,
        }
    }
}

impl Telemetry {
    /// Starts both. Must be called within a tokio runtime, which the exporter's connection lives
    /// on.
    ///
    /// # Errors
    /// When the filter or the collector's address cannot be used.
    pub fn start(log: &LogOptions, telemetry: &TelemetryOptions) -> Result<Self, TelemetryError> {
        let filter = filter(&log.level)?;
        let provider = telemetry.otlp_endpoint.as_deref().map(exporter).transpose()?;
        let spans = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer().with_tracer(provider.tracer("custosd")).with_filter(
                filter_fn(|metadata: &Metadata<'_>| {
                    !EXPORTER_TARGETS.iter().any(|target| metadata.target().starts_with(target))
                }),
            )
        });
        let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
        let lines = match log.format {
            LogFormat::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        tracing_subscriber::registry().with(filter).with(lines).with(spans).try_init()?;
        Ok(Self { provider })
    }

    /// Sends what is waiting, for at most 5 s. Blocks the thread.
    pub fn finish(self) {
        if let Some(provider) = self.provider
            && let Err(error) = provider.shutdown_with_timeout(FLUSH_TIMEOUT)
        {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let text = match env::var(FILTER_VARIABLE) {
        Ok(text) if !text.is_empty() => text,
        _ => level.to_owned(),
    };
    EnvFilter::try_new(format!("{QUIET_LIBRARIES},{text}"))
        .map_err(|source| TelemetryError::Filter { text, source })
}

fn exporter(endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    if !endpoint.starts_with("http://") {
        return Err(TelemetryError::Endpoint { endpoint: endpoint.to_owned() });
    }
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|source| TelemetryError::Exporter { endpoint: endpoint.to_owned(), source })?;
    let resource = Resource::builder().with_service_name("custosd").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
