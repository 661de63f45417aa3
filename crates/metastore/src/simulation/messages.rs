//! Messages between members as the network sees them: bytes, which are told and, for planted bugs,
//! tampered with.

use std::hash::{DefaultHasher, Hasher};

use bytes::Bytes;
use custos_core::MetaId;

use super::{
    ORIGIN,
    plant::{Plant, is_planted},
};
use crate::{
    network::{Request, decode_request, encode_request},
    raft_types::{LogId, Raft},
    state,
};

/// What a message says, for the trace.
pub(crate) fn told(message: &Bytes) -> String {
    let Ok(opened) = decode_request(message.clone()) else { return "garbage".to_owned() };
    let mut hasher = DefaultHasher::new();
    hasher.write(message);
    let hash = hasher.finish() as u32;
    let says = match opened.request {
        Request::Append(append) => {
            let index = |id: Option<LogId>| id.map(|id| id.index);
            let (vote, prev) = (append.vote, index(append.prev_log_id));
            let (count, commit) = (append.entries.len(), index(append.leader_commit));
            let first = append.entries.first().map(|entry| entry.log_id.index);
            format!("append {count} from {first:?} after {prev:?}, {vote}, commit {commit:?}")
        }
        Request::Vote(vote) => {
            format!("vote {} at {:?}", vote.vote, vote.last_log_id.map(|id| id.to_string()))
        }
        Request::SnapshotOffer { vote, .. } => format!("offers a snapshot, {vote}"),
        Request::SnapshotPiece { snapshot_id, file, offset, data } => {
            format!("piece {file}:{offset}+{} of {snapshot_id}", data.len())
        }
        Request::SnapshotInstall { vote, snapshot_id } => format!("install {snapshot_id}, {vote}"),
        Request::Submit(_) => "passes a command on".to_owned(),
        Request::ReadIndex => "asks how far to read".to_owned(),
        Request::Status => "asks how it is".to_owned(),
        Request::PreVote => "asks before an election".to_owned(),
        Request::Elect => "asks to stand for election".to_owned(),
        Request::Change(change) => format!("{change:?}"),
    };
    format!("{says} #{hash:08x}")
}

/// Whether the message brings entries of the log.
pub(crate) fn brings_entries(message: &Bytes) -> bool {
    match decode_request(message.clone()).map(|opened| opened.request) {
        Ok(Request::Append(append)) => !append.entries.is_empty(),
        _ => false,
    }
}

/// The message as it arrives at `receiver`: as it was sent, unless a bug is planted.
pub(crate) fn tampered(message: Bytes, receiver: &Raft) -> Bytes {
    if !is_planted(Plant::KeepStaleMembership) {
        return message;
    }
    let opened = decode_request(message.clone()).map(|opened| opened.request);
    let Ok(Request::SnapshotOffer { vote, manifest }) = opened else { return message };
    let Ok(listing) = state::parse_manifest(&manifest) else { return message };
    // What openraft's fault #1808 came to: a membership that the receiver holds, and the snapshot
    // covers, stays in force though its entry is not in the snapshot.
    let metrics = receiver.metrics().borrow().clone();
    let index = |id: &Option<LogId>| id.map(|id| id.index);
    let held = index(metrics.membership_config.log_id());
    let is_superseded = held > index(listing.meta.last_membership.log_id());
    if !is_superseded || held > index(&listing.meta.last_log_id) {
        return message;
    }
    let manifest = state::with_membership(&manifest, &metrics.membership_config).into();
    let request = Request::SnapshotOffer { vote, manifest };
    encode_request(ORIGIN, MetaId(0), MetaId(metrics.id), &request)
}
