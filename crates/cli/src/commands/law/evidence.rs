use custos_client::blake3_of_file;
use custos_core::law::{
    AddNote, AddRelation, ClassifyEvidence, CorrectDescriptor, ExtendRetention, FileEvidence,
    Record, RecordKind, RegisterCopy,
};
use custos_core::{Descriptor, ErrorKind, EvidenceId};

use super::{Session, listing::all_of};
use crate::{
    args::{
        ClassifyArgs, CopyCommand, CopyRegisterArgs, DescribeArgs, FileArgs, NoteCommand,
        RecordLsArgs, RelateArgs, RetainCommand,
    },
    claims,
    descriptor_file::{self, DescriptorFields},
    error::CliError,
};

pub(super) async fn file(session: Session<'_>, args: FileArgs) -> Result<(), CliError> {
    let FileArgs { evidence, case, stage, reason } = args;
    session.act(FileEvidence { evidence, case, stage, reason }).await
}

pub(super) async fn note(session: Session<'_>, command: NoteCommand) -> Result<(), CliError> {
    match command {
        NoteCommand::Add(args) => {
            let (evidence, text) = (args.evidence, args.text);
            session.act(AddNote { evidence, text, supersedes: args.supersedes }).await
        }
        NoteCommand::Ls { evidence } => {
            let mut list = all_of(RecordKind::Note, &RecordLsArgs::default());
            list.prefix = Some(format!("{evidence}/"));
            session.list(RecordKind::Note, list, None, |_| true).await
        }
    }
}

pub(super) async fn describe(session: Session<'_>, args: DescribeArgs) -> Result<(), CliError> {
    let file = match &args.descriptor {
        Some(path) => descriptor_file::read(path)?,
        None => DescriptorFields::default(),
    };
    let mut descriptor = session.described(args.evidence).await?;
    claims::correct(&mut descriptor, file, &args.fields);
    for field in &args.clear {
        claims::clear(&mut descriptor, field);
    }
    descriptor.check()?;
    let (evidence, reason) = (args.evidence, args.reason);
    session.act(CorrectDescriptor { evidence, descriptor, reason }).await
}

pub(super) async fn relate(session: Session<'_>, args: RelateArgs) -> Result<(), CliError> {
    let RelateArgs { evidence, relation, to } = args;
    session.act(AddRelation { evidence, relation, to }).await
}

pub(super) async fn classify(session: Session<'_>, args: ClassifyArgs) -> Result<(), CliError> {
    let ClassifyArgs { evidence, to, reason } = args;
    session.act(ClassifyEvidence { evidence, to, reason }).await
}

pub(super) async fn retain(session: Session<'_>, command: RetainCommand) -> Result<(), CliError> {
    let RetainCommand::Extend(args) = command;
    let (evidence, until, reason) = (args.evidence, args.until, args.reason);
    session.act(ExtendRetention { evidence, until, reason }).await
}

pub(super) async fn copy(session: Session<'_>, command: CopyCommand) -> Result<(), CliError> {
    match command {
        CopyCommand::Register(args) => {
            let CopyRegisterArgs { evidence, file, medium, place, reason } = args;
            let read = tokio::task::spawn_blocking(move || blake3_of_file(&file)).await;
            let blake3 =
                read.map_err(|error| CliError::Internal { reason: error.to_string() })??;
            session.act(RegisterCopy { evidence, blake3, medium, place, reason }).await
        }
        CopyCommand::Ls(args) => {
            let list = all_of(RecordKind::Copy, &args.records);
            let keeps = |record: &Record| match record {
                Record::Copy(copy) => args.evidence.is_none_or(|id| copy.evidence == id),
                _ => false,
            };
            session.list(RecordKind::Copy, list, args.records.limit, keeps).await
        }
    }
}

impl Session<'_> {
    /// What evidence is described as now.
    async fn described(self, evidence: EvidenceId) -> Result<Descriptor, CliError> {
        let filing = self.client.record(RecordKind::Filing, &evidence.to_string()).await;
        match filing.map(|found| found.record) {
            Ok(Record::Filing(filing)) => {
                if let Some(descriptor) = filing.descriptor {
                    return Ok(descriptor);
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let sealed = self.client.evidence(evidence).await;
        Ok(sealed.map_err(|error| CliError::from(error).about_evidence(evidence))?.descriptor)
    }
}
