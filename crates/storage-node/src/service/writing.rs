use custos_core::ErrorKind;
use custos_peers::convert::WriteHead;
use custos_peers::payload::{PayloadAssembly, PayloadError};
use custos_wire::WireError;
use custos_wire::internal_v1::{WriteRequest, WriteResponse, write_request::Message};
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::{ShardService, failed};
use crate::limits::WRITE_MESSAGE_TIMEOUT;

impl ShardService {
    /// Receives a shard and writes it. Memory for it is set aside before its bytes are awaited, and
    /// a caller that falls silent does not hold it for long.
    pub(super) async fn receive(
        &self,
        mut stream: Streaming<WriteRequest>,
    ) -> Result<WriteResponse, Status> {
        let head = match next(&mut stream).await? {
            Some(Message::Head(head)) => WriteHead::from_wire(head)?,
            Some(Message::Data(_)) | None => {
                return Err(WireError::invalid("head", "it must come first").into());
            }
        };
        let disk = self.node.aim(head.target, Some(head.key.vault)).await?;
        let reservation = disk.store.reserve(head.payload_len).map_err(failed)?;
        let mut assembly = PayloadAssembly::new(head.payload_len, head.payload_crc32c);
        while let Some(message) = next(&mut stream).await? {
            match message {
                Message::Data(piece) => assembly.push(piece).map_err(bad_payload)?,
                Message::Head(_) => {
                    return Err(WireError::invalid("head", "it comes once").into());
                }
            }
        }
        let payload = assembly.finish().map_err(bad_payload)?;
        let shard = head.into_shard(payload);
        disk.store.write_reserved(shard, reservation).await.map_err(failed)?;
        Ok(WriteResponse { answerer: self.answerer(&disk) })
    }
}

async fn next(stream: &mut Streaming<WriteRequest>) -> Result<Option<Message>, Status> {
    let silent = |_| {
        let seconds = WRITE_MESSAGE_TIMEOUT.as_secs();
        let what = format!("the caller sent nothing for {seconds} s");
        Status::from(WireError::new(ErrorKind::Unavailable, what))
    };
    let message = timeout(WRITE_MESSAGE_TIMEOUT, stream.message()).await.map_err(silent)??;
    let empty = || WireError::invalid("message", "it is neither head nor data").into();
    message.map(|message| message.message.ok_or_else(empty)).transpose()
}

fn bad_payload(error: PayloadError) -> Status {
    match error {
        // The network altered it: sending it again may help.
        PayloadError::Checksum { .. } => {
            WireError::new(ErrorKind::Unavailable, error.to_string()).into()
        }
        _ => WireError::invalid("data", error).into(),
    }
}
