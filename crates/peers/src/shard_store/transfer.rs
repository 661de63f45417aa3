//! Payloads on their way.

use std::{iter, ops::Range};

use custos_core::{
    ShardKey, ShardRead, ShardWrite,
    limits::{SHARD_HEADER_BYTES_MAX, SHARD_PAYLOAD_BYTES_MAX},
};
use custos_wire::internal_v1::{
    ReadRequest, WriteRequest, read_response::Message as Read, write_request::Message as Write,
};

use super::session::{Session, wrong};
use crate::{
    channels::RpcError,
    convert::{WriteHead, key_from_wire, key_to_wire},
    payload::{self, PayloadAssembly, PayloadError},
};

/// Sends a shard; the node answers when it survives loss of power.
pub(super) async fn write(mut session: Session, shard: ShardWrite) -> Result<(), RpcError> {
    let head = Write::Head(WriteHead::of(session.target, &shard).to_wire());
    let messages = iter::once(head)
        .chain(payload::pieces(shard.payload).map(Write::Data))
        .map(|message| WriteRequest { message: Some(message) });
    let request = session.request(tokio_stream::iter(messages));
    let answer = session.client.write(request).await?.into_inner();
    session.check_answerer(answer.answerer.as_ref())
}

/// Receives a shard or a part of it, and checks who sends it, its name, length and checksum.
pub(super) async fn read(
    mut session: Session,
    key: ShardKey,
    range: Option<Range<u64>>,
) -> Result<ShardRead, RpcError> {
    let request = session.request(ReadRequest {
        target: Some(session.target.to_wire()),
        key: Some(key_to_wire(&key)),
        start: range.as_ref().map(|range| range.start),
        end: range.as_ref().map(|range| range.end),
    });
    let mut answer = session.client.read(request).await?.into_inner();
    let Some(Read::Head(head)) = answer.message().await?.and_then(|first| first.message) else {
        return Err(RpcError::WrongAnswer("it does not begin with a head".to_owned()));
    };
    session.check_answerer(head.answerer.as_ref())?;
    let found = key_from_wire(head.key.as_ref()).map_err(wrong)?;
    if found != key {
        return Err(RpcError::WrongAnswer(format!("shard {found} came for shard {key}")));
    }
    if head.header.len() > SHARD_HEADER_BYTES_MAX {
        return Err(RpcError::WrongAnswer(format!("a header of {} bytes", head.header.len())));
    }
    let len = usize::try_from(head.len).unwrap_or(usize::MAX);
    let is_right_len = match &range {
        Some(range) => u64::from(head.len) == range.end.saturating_sub(range.start),
        None => len > 0,
    };
    if !is_right_len || len > SHARD_PAYLOAD_BYTES_MAX {
        let asked = range.map_or("the whole".to_owned(), |r| format!("{}..{}", r.start, r.end));
        return Err(RpcError::WrongAnswer(format!("{len} bytes came for {asked}")));
    }
    let mut payload = PayloadAssembly::new(len, head.crc32c);
    while let Some(next) = answer.message().await? {
        let Some(Read::Data(piece)) = next.message else {
            return Err(RpcError::WrongAnswer("a second head".to_owned()));
        };
        payload.push(piece).map_err(not_as_announced)?;
    }
    let payload = payload.finish().map_err(not_as_announced)?;
    Ok(ShardRead { header: head.header, payload })
}

fn not_as_announced(error: PayloadError) -> RpcError {
    RpcError::WrongAnswer(error.to_string())
}
