use std::{
    fs::File,
    io::{self, IsTerminal},
    ops::Range,
    os::fd::AsFd,
    path::Path,
};

use custos_client::{Client, StreamOptions, VerifiedStream};
use custos_core::{Descriptor, EvidenceKind, law::GrantScope};

use crate::{
    args::GetArgs,
    byte_sink::{AtEnd, ByteSink},
    error::CliError,
    json::GetObject,
    output::{Console, OutputFormat},
    output_file::{Existing, OutputFile},
    printable, units,
};

/// Gets evidence into a file or to standard output.
pub(super) async fn run(
    client: &Client,
    args: &GetArgs,
    console: &Console,
) -> Result<(), CliError> {
    let streamed = match args.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => to_file(client, args, path, console).await,
        None => to_stdout(client, args, console).await,
    };
    streamed.map_err(|error| match error {
        CliError::StdoutClosed => CliError::ReaderGone,
        // Those are not about this evidence, or name it.
        CliError::Argument { .. } | CliError::Output(_) => error,
        error => error.about_evidence(args.evidence_id),
    })
}

async fn to_file(
    client: &Client,
    args: &GetArgs,
    path: &Path,
    console: &Console,
) -> Result<(), CliError> {
    // Before the view goes on record: a file that cannot be written needs none.
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let output = OutputFile::begin(path, existing)?;
    let mut stream = open(client, args).await?;
    let sink = ByteSink::start(output.writer()?, AtEnd::Sync);
    let of_write = |source| output.error(source).into();
    copy(&mut stream, sink, args, console, of_write).await?;
    output.publish()?;
    match console.format() {
        OutputFormat::Json => console.object(&object(args, path, &stream)),
        OutputFormat::Human => {
            let Range { start, end } = stream.range();
            let size = units::exact_size(end - start);
            let path = printable::line(&path.display().to_string());
            let line = format!("{path}: {size}, verified; custody entry {}", stream.log_index());
            console.lines([line])
        }
    }
}

async fn to_stdout(client: &Client, args: &GetArgs, console: &Console) -> Result<(), CliError> {
    let stdout = io::stdout();
    if args.output.is_none() && stdout.is_terminal() {
        let evidence = client.evidence(args.evidence_id).await?;
        if !is_text(&evidence.descriptor) {
            let reason = format!(
                "this evidence is {}, no text for a terminal; name a FILE, pipe it on, or use `-o -`",
                evidence.descriptor.kind
            );
            return Err(CliError::Argument { argument: "-o", reason });
        }
    }
    // Unbuffered: these are no lines.
    let stdout = File::from(stdout.as_fd().try_clone_to_owned()?);
    let mut stream = open(client, args).await?;
    let sink = ByteSink::start(stdout, AtEnd::Leave);
    copy(&mut stream, sink, args, console, CliError::from).await
}

async fn open(client: &Client, args: &GetArgs) -> Result<VerifiedStream, CliError> {
    let mut options = StreamOptions::whole(args.evidence_id);
    options.purpose.clone_from(&args.purpose);
    options.expected = args.expect_blake3;
    options.grant.clone_from(&args.grant);
    options.scope = args.scope.unwrap_or_else(|| default_scope(args));
    let Some(bytes) = args.bytes else { return Ok(client.open_stream(options).await?) };
    let range = match bytes.known() {
        // The store judges it, so that an attempt past the end is on record.
        Some(range) => range,
        None => {
            let size = client.evidence(args.evidence_id).await?.size;
            bytes.within(size).map_err(|error| CliError::Argument {
                argument: "--bytes",
                reason: error.to_string(),
            })?
        }
    };
    (options.start, options.end) = (range.start, Some(range.end));
    client.open_stream(options).await.map_err(|error| match error.field() {
        Some("range") => {
            let subject = format!("--bytes {bytes}");
            CliError::About { subject, source: Box::new(error.into()) }
        }
        _ => error.into(),
    })
}

/// Whoever writes to a file takes a copy; whoever looks at a terminal or plays does not.
fn default_scope(args: &GetArgs) -> GrantScope {
    match args.output.as_deref() {
        Some(path) if path != Path::new("-") => GrantScope::Copy,
        _ => GrantScope::View,
    }
}

async fn copy(
    stream: &mut VerifiedStream,
    mut sink: ByteSink,
    args: &GetArgs,
    console: &Console,
    of_write: impl Fn(io::Error) -> CliError,
) -> Result<(), CliError> {
    let Range { start, end } = stream.range();
    let transfer = console.progress().begin(&args.evidence_id.to_string(), end - start);
    let mut done = 0;
    while let Some(bytes) = stream.next().await? {
        done += bytes.len() as u64;
        sink.write(bytes).await.map_err(|error| error.into_cli(&of_write))?;
        transfer.advance_to(done);
    }
    sink.finish().await.map_err(|error| error.into_cli(&of_write))?;
    transfer.finish();
    Ok(())
}

fn object(args: &GetArgs, path: &Path, stream: &VerifiedStream) -> GetObject {
    let Range { start, end } = stream.range();
    GetObject {
        evidence_id: args.evidence_id.to_string(),
        bytes: end - start,
        start,
        end,
        size: stream.size(),
        blake3: stream.root().to_string(),
        verified: true,
        log_index: stream.log_index().0,
        output: path.display().to_string(),
    }
}

/// Whether the uploader's claims say that it can be read on a terminal.
fn is_text(descriptor: &Descriptor) -> bool {
    const TEXT_TYPES: [&str; 3] = ["application/json", "application/xml", "message/rfc822"];
    const TEXT_ENDINGS: [&str; 8] =
        [".txt", ".csv", ".json", ".xml", ".md", ".log", ".eml", ".html"];
    if matches!(descriptor.kind, EvidenceKind::Video | EvidenceKind::Audio | EvidenceKind::Photo) {
        return false;
    }
    match (&descriptor.media_type, &descriptor.file_name) {
        (Some(media_type), _) => {
            media_type.starts_with("text/") || TEXT_TYPES.contains(&media_type.as_str())
        }
        (None, Some(name)) => TEXT_ENDINGS.iter().any(|ending| name.ends_with(ending)),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_to_be_text_goes_to_a_terminal() {
        let mut descriptor = Descriptor::of_kind(EvidenceKind::Electronic);
        assert!(!is_text(&descriptor));
        descriptor.file_name = Some("mail.eml".to_owned());
        assert!(is_text(&descriptor));
        descriptor.media_type = Some("application/octet-stream".to_owned());
        assert!(!is_text(&descriptor));
        descriptor.media_type = Some("text/plain".to_owned());
        assert!(is_text(&descriptor));
        descriptor.kind = EvidenceKind::Video;
        assert!(!is_text(&descriptor));
    }
}
