use std::{
    fs::File,
    io::{self, Write},
};

use bytes::Bytes;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::error::CliError;

/// Pieces that may wait to be written: at most 2 MiB of 64 KiB frames.
const PIECES_AHEAD: usize = 32;

/// Writes to a file or pipe on a thread of its own, so that a slow reader keeps neither the
/// network nor Ctrl-C waiting.
pub(crate) struct ByteSink {
    pieces: mpsc::Sender<Bytes>,
    writer: JoinHandle<io::Result<()>>,
}

/// What the writer does after the last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtEnd {
    /// Makes all of it survive loss of power.
    Sync,
    /// Nothing: it is a pipe or a terminal.
    Leave,
}

/// Why a sink does not take bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    /// The system refuses.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// The thread ended when it should not.
    #[error("the writing thread ended: {reason}")]
    Thread {
        /// How.
        reason: String,
    },
}

impl SinkError {
    /// The command's error; `of_write` says what was written to.
    pub(crate) fn into_cli(self, of_write: impl FnOnce(io::Error) -> CliError) -> CliError {
        match self {
            Self::Write(error) => of_write(error),
            Self::Thread { .. } => CliError::Internal { reason: self.to_string() },
        }
    }
}

impl ByteSink {
    /// Begins to write.
    pub(crate) fn start(mut file: File, at_end: AtEnd) -> Self {
        let (pieces, mut waiting) = mpsc::channel::<Bytes>(PIECES_AHEAD);
        let writer = tokio::task::spawn_blocking(move || {
            while let Some(piece) = waiting.blocking_recv() {
                file.write_all(&piece)?;
            }
            match at_end {
                AtEnd::Sync => file.sync_all(),
                AtEnd::Leave => Ok(()),
            }
        });
        Self { pieces, writer }
    }

    /// Hands over the next bytes; waits while the writer is behind.
    pub(crate) async fn write(&mut self, piece: Bytes) -> Result<(), SinkError> {
        if self.pieces.send(piece).await.is_ok() {
            return Ok(());
        }
        // Only a failed writer stops to listen.
        ended(&mut self.writer).await?;
        Err(SinkError::Thread { reason: "without an error".to_owned() })
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(mut self) -> Result<(), SinkError> {
        drop(self.pieces);
        ended(&mut self.writer).await
    }
}

async fn ended(writer: &mut JoinHandle<io::Result<()>>) -> Result<(), SinkError> {
    match writer.await {
        Ok(written) => Ok(written?),
        Err(error) => Err(SinkError::Thread { reason: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everything_is_written_in_order_and_a_closed_pipe_shows() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let mut sink =
            ByteSink::start(File::from(std::os::fd::OwnedFd::from(writer)), AtEnd::Leave);
        sink.write(Bytes::from_static(b"one ")).await.expect("taken");
        sink.write(Bytes::from_static(b"two")).await.expect("taken");
        sink.finish().await.expect("written");
        assert_eq!(io::read_to_string(&mut reader).expect("readable"), "one two");

        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let mut sink =
            ByteSink::start(File::from(std::os::fd::OwnedFd::from(writer)), AtEnd::Leave);
        // Whether the writer has failed by now or only fails at the end is a race.
        let outcome = match sink.write(Bytes::from_static(b"lost")).await {
            Ok(()) => sink.finish().await,
            failed => failed,
        };
        let error = outcome.expect_err("nobody reads").into_cli(CliError::from);
        assert!(matches!(error, CliError::StdoutClosed));
    }
}
