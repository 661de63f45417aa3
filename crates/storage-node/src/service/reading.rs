use std::ops::Range;

use custos_core::ShardRead;
use custos_peers::convert::key_to_wire;
use custos_peers::payload;
use custos_ports::{ShardError, ShardStore as _};
use custos_wire::WireError;
use custos_wire::internal_v1::{ReadHead, ReadRequest, ReadResponse, read_response::Message};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{ShardService, failed};
use crate::disk::Reservation;
use crate::limits::READ_MESSAGE_TIMEOUT;

/// Messages made ahead of the caller; their bytes are shared, not copied.
const MESSAGES_AHEAD: usize = 4;

impl ShardService {
    /// Reads a shard and sends it. How many are read at once is bounded by turns, and what is read
    /// and not yet sent in bytes, which are set aside before.
    pub(super) async fn send(
        &self,
        request: ReadRequest,
    ) -> Result<ReceiverStream<Result<ReadResponse, Status>>, Status> {
        let range = range(&request)?;
        let (disk, key) = self.aim_at_shard(request.target.as_ref(), request.key.as_ref()).await?;
        let overloaded = |_| {
            let store = disk.store.name().to_owned();
            let reason = format!("{} reads are under way", crate::limits::READS_IN_FLIGHT_MAX);
            failed(ShardError::Overloaded { store, reason })
        };
        let turn = self.node.reads.try_acquire().map_err(overloaded)?;
        let (read, reservation) = disk.store.read_reserved(key, range).await.map_err(failed)?;
        let ShardRead { header, payload } = read;
        drop(turn);
        let head = ReadHead {
            answerer: self.answerer(&disk),
            key: Some(key_to_wire(&key)),
            header,
            len: u32::try_from(payload.len()).expect("a shard is at most 64 MiB"),
            crc32c: payload::crc32c(&payload),
        };
        let messages =
            std::iter::once(Message::Head(head)).chain(payload::pieces(payload).map(Message::Data));
        Ok(stream(messages, reservation))
    }
}

/// Sends from a task of its own, so that a caller that does not take the bytes gives their memory
/// back after a while.
fn stream(
    messages: impl Iterator<Item = Message> + Send + 'static,
    reservation: Reservation,
) -> ReceiverStream<Result<ReadResponse, Status>> {
    let (sender, receiver) = mpsc::channel(MESSAGES_AHEAD);
    tokio::spawn(async move {
        let _reservation = reservation;
        for message in messages {
            let message = Ok(ReadResponse { message: Some(message) });
            // The caller has gone, or takes nothing: either way it gets no more.
            match timeout(READ_MESSAGE_TIMEOUT, sender.send(message)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    });
    ReceiverStream::new(receiver)
}

fn range(request: &ReadRequest) -> Result<Option<Range<u64>>, WireError> {
    match (request.start, request.end) {
        (Some(start), Some(end)) => Ok(Some(start..end)),
        (None, None) => Ok(None),
        _ => Err(WireError::invalid("end", "give both start and end, or neither")),
    }
}
