use custos_backup::{
    BackupError, BackupManifest, BackupName, Intake, ManifestFile, Pruned, Repository, Verified,
};
use custos_client::{BackupHead, BackupPart, BackupStream, Client, ClientError};
use custos_core::ErrorKind;

use crate::{
    args::{BackupArgs, BackupCommand, BackupFromArgs, BackupVerifyArgs, GlobalArgs},
    error::CliError,
    json::{BackupObject, BackupTakenObject, BackupVerifiedObject},
    output::{Console, OutputFormat},
    printable,
    progress::Transfer,
    units,
};

/// How often a backup is begun again when the way to the cluster broke, or a kept file was not as
/// it should be.
const ATTEMPTS_MAX: usize = 5;

/// What came over the wire.
#[derive(Debug, Default, Clone, Copy)]
struct Sent {
    files: u64,
    bytes: u64,
}

/// Takes a backup, or looks at those that there are.
pub(super) async fn run(
    args: &BackupArgs,
    global: &GlobalArgs,
    console: &Console,
) -> Result<(), CliError> {
    match &args.command {
        Some(BackupCommand::Ls(args)) => ls(args, console).await,
        Some(BackupCommand::Verify(args)) => verify(args, console).await,
        None => take(args, global, console).await,
    }
}

async fn open(place: &str) -> Result<Repository, CliError> {
    Ok(Repository::open(place.parse()?).await?)
}

async fn take(args: &BackupArgs, global: &GlobalArgs, console: &Console) -> Result<(), CliError> {
    let place = args.to.as_deref().unwrap_or_default();
    let repository = open(place).await?;
    let client = super::connect(global)?;
    // Who the cluster is, is asked first: its backups may not go to the place of another.
    let origin = client.checkpoint().await?.origin;
    let mut intake = repository.begin(&origin).await?;
    let mut sent = Sent::default();
    let head = receive(&client, &mut intake, &mut sent, console).await?;
    let manifest = intake.publish(manifest_of(&head)).await?;
    let pruned = match args.keep {
        Some(keep) => intake
            .prune(keep.get())
            .await
            .map_err(|source| CliError::NotPruned { name: manifest.name().to_string(), source })?,
        None => Pruned::default(),
    };
    report(&repository, &head, &manifest, sent, &pruned, console)
}

fn report(
    repository: &Repository,
    head: &BackupHead,
    manifest: &BackupManifest,
    sent: Sent,
    pruned: &Pruned,
    console: &Console,
) -> Result<(), CliError> {
    if console.format() == OutputFormat::Json {
        let sent = (sent.files, sent.bytes);
        return console.object(&BackupTakenObject::new(manifest, head.recorded_at.0, sent, pruned));
    }
    let files = units::count(manifest.files.len() as u64, "file", "files");
    let mut lines = vec![
        format!(
            "backup {} of {} in {}",
            manifest.name(),
            manifest.custody.origin,
            repository.place()
        ),
        format!(
            "{files} with {}, of which {} with {} came now; custody log of {} entries",
            units::size(manifest.bytes()),
            units::grouped(sent.files),
            units::size(sent.bytes),
            units::grouped(manifest.custody.size),
        ),
    ];
    if !pruned.backups.is_empty() || pruned.files > 0 {
        let backups = units::count(pruned.backups.len() as u64, "older backup", "older backups");
        lines.push(format!("removed {backups}, {} of files", units::size(pruned.bytes)));
    }
    console.lines(lines)
}

/// Receives all files, beginning again where that helps.
async fn receive(
    client: &Client,
    intake: &mut Intake,
    sent: &mut Sent,
    console: &Console,
) -> Result<BackupHead, CliError> {
    for _attempt in 1..ATTEMPTS_MAX {
        match receive_once(client, intake, sent, console).await {
            Ok(Some(head)) => return Ok(head),
            Ok(None) => console.progress().note("a kept file was not whole: it comes again"),
            Err(CliError::Client(error)) if error.kind() == ErrorKind::Unavailable => {
                console
                    .progress()
                    .note(&format!("beginning again: {}", printable::line(&error.to_string())));
            }
            Err(error) => return Err(error),
        }
        intake.begin_again();
    }
    match receive_once(client, intake, sent, console).await? {
        Some(head) => Ok(head),
        None => {
            Err(BackupError::CutOff { reason: "kept files change meanwhile".to_owned() }.into())
        }
    }
}

/// Receives all files; `None` when a kept one is not what it should be.
async fn receive_once(
    client: &Client,
    intake: &mut Intake,
    sent: &mut Sent,
    console: &Console,
) -> Result<Option<BackupHead>, CliError> {
    let mut stream = client.open_backup(&intake.have()).await?;
    let head = stream.head().clone();
    let transfer = console.progress().begin("ledger", head.bytes);
    let mut seen = 0;
    let files = receive_files(&mut stream, intake, sent, &transfer, &mut seen).await?;
    let Some(files) = files else { return Ok(None) };
    if files != head.files || seen != head.bytes {
        let reason =
            format!("{files} files with {seen} bytes came of {} with {}", head.files, head.bytes);
        return Err(ClientError::Protocol { reason }.into());
    }
    transfer.finish();
    Ok(Some(head))
}

async fn receive_files(
    stream: &mut BackupStream,
    intake: &mut Intake,
    sent: &mut Sent,
    transfer: &Transfer,
    seen: &mut u64,
) -> Result<Option<u32>, CliError> {
    let mut files = 0;
    while let Some(part) = stream.next().await? {
        match part {
            BackupPart::File(file) => {
                files += 1;
                let (is_sent, bytes) = (file.is_sent, file.bytes);
                let file = ManifestFile { name: file.name, bytes, blake3: file.blake3 };
                if is_sent {
                    sent.files += 1;
                    intake.receive(file).await?;
                } else if intake.reuse(file).await? {
                    *seen += bytes;
                } else {
                    return Ok(None);
                }
            }
            BackupPart::Piece(piece) => {
                sent.bytes += piece.len() as u64;
                *seen += piece.len() as u64;
                intake.piece(piece).await?;
            }
        }
        transfer.advance_to(*seen);
    }
    Ok(Some(files))
}

fn manifest_of(head: &BackupHead) -> BackupManifest {
    BackupManifest {
        taken: head.taken,
        taken_by: head.taken_by,
        log_term: head.log_term,
        log_node: head.log_node,
        log_index: head.log_index,
        custody: head.custody.clone(),
        files: Vec::new(),
    }
}

async fn ls(args: &BackupFromArgs, console: &Console) -> Result<(), CliError> {
    let repository = open(&args.from).await?;
    for name in all(&repository, None).await? {
        let found = repository.manifest(&name).await.map_err(|error| error.to_string());
        match console.format() {
            OutputFormat::Json => console.object(&BackupObject::new(&name, &found))?,
            OutputFormat::Human => console.lines([ls_line(&name, &found)])?,
        }
    }
    Ok(())
}

fn ls_line(name: &BackupName, found: &Result<BackupManifest, String>) -> String {
    match found {
        Ok(manifest) => format!(
            "{name}  {}  {}  custody log of {} entries",
            printable::line(&manifest.custody.origin),
            units::size(manifest.bytes()),
            units::grouped(manifest.custody.size),
        ),
        Err(damage) => format!("{name}  {}", printable::line(damage)),
    }
}

async fn all(repository: &Repository, only: Option<&str>) -> Result<Vec<BackupName>, CliError> {
    // Says so when there is none at all, which a list without lines would not.
    let found = repository.find(only).await?;
    match only {
        Some(_) => Ok(vec![found]),
        None => Ok(repository.names().await?),
    }
}

async fn verify(args: &BackupVerifyArgs, console: &Console) -> Result<(), CliError> {
    let repository = open(&args.place.from).await?;
    let names = all(&repository, args.backup.as_deref()).await?;
    let kept: u64 = repository.kept().await?.values().sum();
    let transfer = console.progress().begin("backups", kept);
    let mut read = 0;
    let verified = repository
        .verify(&names, |bytes| {
            read += bytes;
            transfer.advance_to(read);
        })
        .await?;
    drop(transfer);
    for backup in &verified {
        match console.format() {
            OutputFormat::Json => console.object(&BackupVerifiedObject::from(backup))?,
            OutputFormat::Human => console.lines(verified_lines(backup))?,
        }
    }
    match verified.iter().filter(|backup| !backup.damage.is_empty()).count() {
        0 => Ok(()),
        damaged => Err(CliError::DamagedBackups { damaged, total: verified.len() }),
    }
}

fn verified_lines(backup: &Verified) -> Vec<String> {
    match &backup.manifest {
        Some(manifest) if backup.damage.is_empty() => {
            let files = units::count(manifest.files.len() as u64, "file", "files");
            vec![format!("{}: whole, {files} with {}", backup.name, units::size(manifest.bytes()))]
        }
        _ => backup
            .damage
            .iter()
            .map(|what| format!("{}: {}", backup.name, printable::line(what)))
            .collect(),
    }
}
