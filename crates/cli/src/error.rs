use std::{
    io,
    path::{Path, PathBuf},
};

use custos_backup::BackupError;
use custos_client::{ClientError, policy_file::PolicyFileError};
use custos_core::{ErrorKind, EvidenceId, Refusal, Rule};

use crate::{
    cluster::NameError, commands::ImportError, descriptor_file::DescriptorFileError,
    interrupt::Signal, output_file::OutputError,
};

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The store or its client says no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The same, about something that the client's own message does not name.
    #[error("{subject}: {source}")]
    About {
        /// What the command worked on: a file, evidence or a range.
        subject: String,
        /// What went wrong.
        #[source]
        source: Box<CliError>,
    },
    /// The descriptor breaks a limit; nothing was sent.
    #[error(transparent)]
    Descriptor(#[from] Refusal),
    /// The descriptor file cannot be taken.
    #[error(transparent)]
    DescriptorFile(#[from] DescriptorFileError),
    /// The policy file cannot be taken.
    #[error("{path}: {source}")]
    PolicyFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PolicyFileError,
    },
    /// A folder was named where files are to be.
    #[error("{path}: is a folder; name the files in it")]
    Folder {
        /// Which.
        path: PathBuf,
    },
    /// Arguments that make no sense together, or with what is in the store.
    #[error("{argument}: {reason}")]
    Argument {
        /// Which, as it is written on the command line.
        argument: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// An argument names no node, disk or meta node, or more than one.
    #[error("{argument}: {source}")]
    Name {
        /// Which, as it is written on the command line.
        argument: &'static str,
        /// What is wrong with the name.
        #[source]
        source: NameError,
    },
    /// An order to the scrub reached no disk.
    #[error("no disk follows: none is in service on a node that answers; see `custos disk ls`")]
    NobodyFollows,
    /// The output file cannot be made.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Nobody reads standard output any more.
    #[error("standard output was closed")]
    StdoutClosed,
    /// Whoever reads evidence from standard output went away before its last byte.
    #[error("whoever reads standard output went away before the last byte")]
    ReaderGone,
    /// Standard output cannot be written.
    #[error("standard output: {source}")]
    Stdout {
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The custody log says nothing about this evidence.
    #[error("evidence_id: the custody log has no entry about {evidence_id}")]
    NoEntries {
        /// Which.
        evidence_id: EvidenceId,
    },
    /// The custody log knows this evidence only from attempts that were refused.
    #[error("evidence_id: no evidence has the id {evidence_id}, there were only refused attempts")]
    OnlyRefusals {
        /// Which.
        evidence_id: EvidenceId,
    },
    /// The entry that was proven does not seal what the catalogue says.
    #[error("entry {index} of the custody log is no proof of {evidence_id}: {reason}")]
    OtherEntry {
        /// Which evidence.
        evidence_id: EvidenceId,
        /// The entry.
        index: u64,
        /// What differs.
        reason: String,
    },
    /// Some of several files were not put; each was reported when it failed.
    #[error("{failed} of {total} files were not put")]
    SomeFailed {
        /// Files that failed.
        failed: usize,
        /// Files that were given.
        total: usize,
        /// The gravest of the failures.
        gravest: ErrorKind,
    },
    /// A table cannot be imported, or not all of it.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A place for backups cannot be used, or what it holds.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Old backups could not be removed behind a new one, which counts.
    #[error("backup {name} was taken, but older ones were not removed: {source}")]
    NotPruned {
        /// The new one.
        name: String,
        /// What went wrong.
        #[source]
        source: BackupError,
    },
    /// Backups are not what they were.
    #[error("{damaged} of {total} backups are damaged")]
    DamagedBackups {
        /// Damaged ones.
        damaged: usize,
        /// Backups that were read.
        total: usize,
    },
    /// A signal asked for the end.
    #[error("interrupted by {signal}: {consequence}")]
    Interrupted {
        /// Which.
        signal: Signal,
        /// What became of the work.
        consequence: &'static str,
    },
    /// The system refuses what the program needs to run.
    #[error("cannot start: {source}")]
    Runtime {
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A part of the program ended when it should not.
    #[error("internal fault: {reason}")]
    Internal {
        /// Which and how.
        reason: String,
    },
}

impl CliError {
    /// How it is classed: the exit code depends on this alone, except for signals.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Client(error) => error.kind(),
            Self::About { source, .. } => source.kind(),
            Self::Descriptor(refusal) => refusal.kind,
            Self::DescriptorFile(_)
            | Self::Folder { .. }
            | Self::Argument { .. }
            | Self::Stdout { .. } => ErrorKind::Invalid,
            Self::PolicyFile { source, .. } => source.kind(),
            Self::Output(error) => error.kind(),
            Self::NoEntries { .. }
            | Self::OnlyRefusals { .. }
            | Self::Name { source: NameError::Nothing { .. }, .. } => ErrorKind::NotFound,
            Self::Name { source: NameError::Several { .. }, .. } => ErrorKind::Invalid,
            Self::OtherEntry { .. } | Self::DamagedBackups { .. } => ErrorKind::Integrity,
            Self::Backup(error) | Self::NotPruned { source: error, .. } => error.kind(),
            Self::SomeFailed { gravest, .. } => *gravest,
            Self::Import(error) => error.kind(),
            Self::Interrupted { .. }
            | Self::StdoutClosed
            | Self::ReaderGone
            | Self::NobodyFollows => ErrorKind::Unavailable,
            Self::Runtime { .. } | Self::Internal { .. } => ErrorKind::Internal,
        }
    }

    /// The rule that refuses, where one does.
    pub(crate) fn rule(&self) -> Option<Rule> {
        match self {
            Self::Client(error) => error.rule(),
            Self::About { source, .. } => source.rule(),
            Self::Descriptor(refusal) => Some(refusal.rule),
            Self::PolicyFile { source, .. } => Some(source.rule),
            _ => None,
        }
    }

    /// The offending field, where there is one.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::Client(error) => error.field(),
            Self::About { source, .. } => source.field(),
            Self::Descriptor(refusal) => Some(&refusal.field),
            Self::DescriptorFile(error) => error.field(),
            Self::PolicyFile { source, .. } => Some(&source.field),
            Self::Argument { argument, .. } | Self::Name { argument, .. } => Some(argument),
            Self::NoEntries { .. } | Self::OnlyRefusals { .. } => Some("evidence_id"),
            _ => None,
        }
    }

    /// A name in this argument that does not lead to one node or disk.
    pub(crate) fn name(argument: &'static str, source: NameError) -> Self {
        Self::Name { argument, source }
    }

    /// The same error with the name of the file that it is about, unless it begins with it.
    pub(crate) fn about_file(self, path: &Path) -> Self {
        let subject = path.display().to_string();
        let is_named = self.to_string().strip_prefix(&subject).is_some_and(|r| r.starts_with(':'));
        if is_named { self } else { Self::About { subject, source: Box::new(self) } }
    }

    /// The same error with the name of the evidence that it is about, unless it is in it.
    pub(crate) fn about_evidence(self, evidence_id: EvidenceId) -> Self {
        let subject = evidence_id.to_string();
        let is_named = self.to_string().contains(&subject);
        if is_named { self } else { Self::About { subject, source: Box::new(self) } }
    }

    /// Exit code of the whole program.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Interrupted { signal, .. } => signal.exit_code(),
            // As if all had been read: whoever closed the pipe wanted no more.
            Self::StdoutClosed => 0,
            // 128 + SIGPIPE, as other programs end then: not every byte was handed on.
            Self::ReaderGone => 141,
            _ => self.kind().exit_code(),
        }
    }
}

impl From<io::Error> for CliError {
    /// For standard output only: every other file has an error that names it.
    fn from(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::BrokenPipe => Self::StdoutClosed,
            _ => Self::Stdout { source },
        }
    }
}

/// How grave a failure is beside others when several files fail: evidence that may be wrong comes
/// before faults of ours, before what a retry may mend, before what was asked wrongly.
pub(crate) fn gravity(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Integrity => 5,
        ErrorKind::Internal => 4,
        ErrorKind::Unavailable | ErrorKind::Exhausted | ErrorKind::Unknown => 3,
        ErrorKind::Refused => 2,
        ErrorKind::NotFound => 1,
        ErrorKind::Invalid => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_named_once() {
        let error = CliError::Argument { argument: "--bytes", reason: "7 is no range".to_owned() };
        // A name that is a part of the message by chance.
        let error = error.about_file(Path::new("range")).about_file(Path::new("range"));
        assert_eq!(error.to_string(), "range: --bytes: 7 is no range");
        assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some("--bytes")));
        let evidence_id = EvidenceId::from_bytes([1; 16]);
        let error = CliError::NoEntries { evidence_id };
        let message = error.to_string();
        assert_eq!(error.about_evidence(evidence_id).to_string(), message);
    }

    #[test]
    fn a_reader_that_has_enough_is_no_failure() {
        let error = CliError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(error.exit_code(), 0);
    }

    #[test]
    fn doubt_about_evidence_is_the_gravest_failure() {
        let kinds = [ErrorKind::Invalid, ErrorKind::Integrity, ErrorKind::Unavailable];
        assert_eq!(kinds.into_iter().max_by_key(|kind| gravity(*kind)), Some(ErrorKind::Integrity));
    }
}
