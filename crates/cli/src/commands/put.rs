use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use custos_client::{Client, ClientError, PutEvent, PutOptions, PutReport};
use custos_core::{ErrorKind, UploadKey};
use futures::{StreamExt, stream::FuturesUnordered};

use super::connect;
use crate::{
    args::{GlobalArgs, PutArgs},
    claims::Claims,
    descriptor_file::{self, DescriptorFields},
    error::{CliError, gravity},
    json::PutObject,
    output::{Console, OutputFormat},
    printable,
    progress::Transfer,
    table, units,
};

/// One file that is ready to be put.
#[derive(Debug)]
struct Job {
    path: PathBuf,
    options: PutOptions,
}

/// Puts all files, some at once; one that fails does not stop the others.
pub(super) async fn run(
    args: &PutArgs,
    global: &GlobalArgs,
    console: &Console,
) -> Result<(), CliError> {
    let mut waiting = prepare(args, console)?.into_iter();
    let client = connect(global)?;
    // One task for all: the work is done by the connection and by the threads that read files.
    let mut running = FuturesUnordered::new();
    let mut outcomes = Outcomes { console, total: args.files.len(), failed: Vec::new() };
    loop {
        while running.len() < usize::from(args.jobs) {
            let Some(job) = waiting.next() else { break };
            let client = &client;
            running.push(async move {
                let put = put(client, &job, console).await;
                (job.path, put)
            });
        }
        match running.next().await {
            Some((path, put)) => outcomes.take(&path, put)?,
            None => break,
        }
    }
    outcomes.finish()
}

/// Everything that can be found wrong before the first byte is sent.
fn prepare(args: &PutArgs, console: &Console) -> Result<Vec<Job>, CliError> {
    check_distinct(&args.files)?;
    let fields = match &args.descriptor {
        Some(path) => descriptor_file::read(path)?,
        None => DescriptorFields::default(),
    };
    let claims = Claims::new(fields, &args.described);
    if claims.name_the_file() && args.files.len() > 1 {
        return Err(CliError::Argument {
            argument: "--descriptor",
            reason: "its file_name can be that of one file only; put them one by one".to_owned(),
        });
    }
    let mut jobs = Vec::new();
    for path in &args.files {
        let described = claims.about(path);
        described.descriptor.check()?;
        if let Some(warning) = &described.warning {
            console.warn(warning);
        }
        let mut options = PutOptions::new(described.descriptor);
        options.profile = args.profile;
        options.retry_for = args.retry_for;
        options.upload_key = args.again.then(random_upload_key).transpose()?;
        jobs.push(Job { path: path.clone(), options });
    }
    Ok(jobs)
}

/// The same file twice would be one upload that takes itself over.
fn check_distinct(files: &[PathBuf]) -> Result<(), CliError> {
    let mut seen: HashMap<PathBuf, &PathBuf> = HashMap::new();
    for path in files {
        // What cannot be resolved cannot be put either, and says so by itself.
        let Ok(resolved) = path.canonicalize() else { continue };
        if let Some(first) = seen.insert(resolved, path) {
            let (first, path) = (first.display(), path.display());
            let reason = format!("{first} and {path} are the same file");
            return Err(CliError::Argument { argument: "FILE", reason });
        }
    }
    Ok(())
}

fn random_upload_key() -> Result<UploadKey, CliError> {
    let mut key = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut key));
    read.map_err(|source: io::Error| CliError::Runtime { source })?;
    Ok(UploadKey(key))
}

async fn put(client: &Client, job: &Job, console: &Console) -> Result<PutReport, CliError> {
    let size = regular_file_size(&job.path)?;
    let name = job.path.display().to_string();
    let transfer = console.progress().begin(&name, size);
    let on_event = |event| show(&transfer, event);
    let report = client.put_file(&job.path, job.options.clone(), on_event).await?;
    transfer.finish();
    Ok(report)
}

fn regular_file_size(path: &Path) -> Result<u64, CliError> {
    let file_error = |source| ClientError::File { path: path.to_owned(), source };
    let metadata = fs::metadata(path).map_err(file_error)?;
    if metadata.is_dir() {
        return Err(CliError::Folder { path: path.to_owned() });
    }
    Ok(metadata.len())
}

fn show(transfer: &Transfer, event: PutEvent) {
    match event {
        PutEvent::Opened { durable, .. } => transfer.resume_at(durable),
        PutEvent::Durable(offset) => transfer.advance_to(offset),
        PutEvent::Retrying { error, pause } => {
            let what = match error.kind() {
                ErrorKind::Exhausted => "store is full or busy",
                ErrorKind::Unknown => "outcome not known",
                _ => "connection lost",
            };
            let pause = units::seconds(pause);
            transfer.wait(&format!("{what}: {error}; trying again in {pause}"));
        }
    }
}

/// Prints what became of each file as soon as it is known.
struct Outcomes<'a> {
    console: &'a Console,
    total: usize,
    failed: Vec<ErrorKind>,
}

impl Outcomes<'_> {
    fn take(&mut self, path: &Path, put: Result<PutReport, CliError>) -> Result<(), CliError> {
        let file = path.display().to_string();
        let error = match put {
            Ok(report) => {
                return match self.print(&file, &report) {
                    // Nobody reads the receipts; the other files are still to be put.
                    Err(CliError::StdoutClosed) => Ok(()),
                    printed => printed,
                };
            }
            Err(error) => error.about_file(path),
        };
        if self.total == 1 {
            return Err(error);
        }
        self.console.report(&error);
        self.failed.push(error.kind());
        Ok(())
    }

    fn print(&self, file: &str, report: &PutReport) -> Result<(), CliError> {
        match self.console.format() {
            OutputFormat::Json => self.console.object(&PutObject::new(file, report)),
            OutputFormat::Human => self.console.lines(block(file, report)),
        }
    }

    fn finish(self) -> Result<(), CliError> {
        let (failed, total) = (self.failed.len(), self.total);
        match self.failed.into_iter().max_by_key(|kind| gravity(*kind)) {
            Some(gravest) => Err(CliError::SomeFailed { failed, total, gravest }),
            None => Ok(()),
        }
    }
}

fn block(file: &str, report: &PutReport) -> Vec<String> {
    let receipt = &report.receipt;
    let mut size = units::exact_size(receipt.size);
    if receipt.size == 0 {
        size.push_str(" (empty)");
    }
    let mut fields = vec![
        ("evidence", receipt.evidence_id.to_string()),
        ("size", size),
        ("blake3", receipt.blake3.to_string()),
        ("sha256", receipt.sha256.to_string()),
        ("sealed", format!("{}, custody entry {}", receipt.sealed_at, receipt.log_index)),
    ];
    if !receipt.missing_fields.is_empty() {
        fields.push(("unfiled", format!("missing {}", receipt.missing_fields.join(", "))));
    }
    if receipt.already_sealed {
        let note = "this file was put before; --again makes new evidence of it";
        fields.push(("note", note.to_owned()));
    } else if report.resumed_from > 0 {
        fields.push(("resumed", format!("from byte {}", units::grouped(report.resumed_from))));
    }
    let mut lines = vec![printable::line(file)];
    lines.extend(table::fields("  ", &fields));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_under_two_names_is_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("a.mp4");
        fs::write(&path, "a").expect("written");
        let other = folder.path().join("b.mp4");
        fs::write(&other, "b").expect("written");
        let link = folder.path().join("c.mp4");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        assert!(check_distinct(&[path.clone(), other.clone()]).is_ok());
        let error = check_distinct(&[path, other, link]).expect_err("the same");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("c.mp4"));
    }

    #[test]
    fn a_folder_is_a_usage_error() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let error = regular_file_size(folder.path()).expect_err("a folder");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn upload_keys_made_at_random_differ() {
        let key = || random_upload_key().expect("random bytes");
        assert_ne!(key(), key());
    }
}
