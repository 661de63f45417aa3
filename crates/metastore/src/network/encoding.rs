//! Messages as bytes and back (`proto/custos/internal/v1/group.proto`). Nothing that arrives is
//! trusted: every decoder returns what is wrong.

use bytes::Bytes;
use custos_core::{ErrorKind, MetaId, Refusal, Rule, Timestamp};
use custos_ledger::Outcome;
use custos_ports::LedgerError;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest, VoteResponse};
use prost::Message;

use super::{Answer, MemberChange, MemberStatus, PreVote, Request};
use crate::{
    error::StoreError,
    proto::{
        self,
        group::{
            self, append_answer, group_answer::Answer as WireAnswer,
            group_request::Request as WireRequest, ledger_failure, member_change,
        },
    },
    raft_types::Vote,
    records,
    status::NodeRole,
};

/// Version of the messages that this release speaks.
const VERSION: u32 = 1;

/// A message that makes no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Garbage {
    #[error("not the protobuf message that is expected: {0}")]
    Protobuf(#[from] prost::DecodeError),
    #[error("version {0} is not {VERSION}: the sender has another release")]
    Version(u32),
    #[error("{0} is missing or unknown")]
    Missing(&'static str),
    #[error("{0}")]
    Record(#[from] StoreError),
    #[error("{0}")]
    Ledger(#[from] custos_ledger::DecodeError),
    #[error("the bytes of a snapshot do not match their checksum")]
    Checksum,
}

/// A request and what stands on its envelope.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) origin: String,
    pub(crate) from: MetaId,
    pub(crate) to: MetaId,
    pub(crate) request: Request,
}

pub(crate) fn encode_request(origin: &str, from: MetaId, to: MetaId, request: &Request) -> Bytes {
    let request = match request {
        Request::Append(append) => WireRequest::Append(group::AppendRequest {
            vote: Some(records::vote_to_proto(&append.vote)),
            previous: append.prev_log_id.as_ref().map(records::log_id_to_proto),
            entries: append.entries.iter().map(|it| records::encode_entry(it).into()).collect(),
            committed: append.leader_commit.as_ref().map(records::log_id_to_proto),
        }),
        Request::Vote(vote) => WireRequest::Vote(group::VoteRequest {
            vote: Some(records::vote_to_proto(&vote.vote)),
            last: vote.last_log_id.as_ref().map(records::log_id_to_proto),
        }),
        Request::SnapshotOffer { vote, manifest } => {
            WireRequest::SnapshotOffer(group::SnapshotOffer {
                vote: Some(records::vote_to_proto(vote)),
                manifest: manifest.clone(),
            })
        }
        Request::SnapshotPiece { snapshot_id, file, offset, data } => {
            WireRequest::SnapshotPiece(group::SnapshotPiece {
                snapshot_id: snapshot_id.clone(),
                file: *file,
                offset: *offset,
                crc32c: crc32c(data),
                data: data.clone(),
            })
        }
        Request::SnapshotInstall { vote, snapshot_id } => {
            WireRequest::SnapshotInstall(group::SnapshotInstall {
                vote: Some(records::vote_to_proto(vote)),
                snapshot_id: snapshot_id.clone(),
            })
        }
        Request::Submit(envelope) => WireRequest::Submit(envelope.clone()),
        Request::ReadIndex => WireRequest::ReadIndex(group::Empty {}),
        Request::Status => WireRequest::Status(group::Empty {}),
        Request::PreVote => WireRequest::PreVote(group::Empty {}),
        Request::Elect => WireRequest::Elect(group::Empty {}),
        Request::Change(change) => WireRequest::Change(change_to_wire(change)),
    };
    let message = group::GroupRequest {
        version: VERSION,
        origin: origin.to_owned(),
        from: from.0,
        to: to.0,
        request: Some(request),
    };
    message.encode_to_vec().into()
}

pub(crate) fn decode_request(message: Bytes) -> Result<Opened, Garbage> {
    let message = group::GroupRequest::decode(message)?;
    if message.version != VERSION {
        return Err(Garbage::Version(message.version));
    }
    let request = match message.request.ok_or(Garbage::Missing("the request"))? {
        WireRequest::Append(append) => Request::Append(AppendEntriesRequest {
            vote: vote(append.vote)?,
            prev_log_id: append.previous.as_ref().map(records::log_id_from_proto),
            entries: append
                .entries
                .iter()
                .map(|bytes| records::decode_sent_entry(bytes))
                .collect::<Result<_, _>>()?,
            leader_commit: append.committed.as_ref().map(records::log_id_from_proto),
        }),
        WireRequest::Vote(request) => Request::Vote(VoteRequest {
            vote: vote(request.vote)?,
            last_log_id: request.last.as_ref().map(records::log_id_from_proto),
        }),
        WireRequest::SnapshotOffer(offer) => {
            Request::SnapshotOffer { vote: vote(offer.vote)?, manifest: offer.manifest }
        }
        WireRequest::SnapshotPiece(piece) => {
            let group::SnapshotPiece { snapshot_id, file, offset, data, crc32c: sum } = piece;
            if crc32c(&data) != sum {
                return Err(Garbage::Checksum);
            }
            Request::SnapshotPiece { snapshot_id, file, offset, data }
        }
        WireRequest::SnapshotInstall(install) => {
            Request::SnapshotInstall { vote: vote(install.vote)?, snapshot_id: install.snapshot_id }
        }
        WireRequest::Submit(envelope) => Request::Submit(envelope),
        WireRequest::ReadIndex(_) => Request::ReadIndex,
        WireRequest::Status(_) => Request::Status,
        WireRequest::PreVote(_) => Request::PreVote,
        WireRequest::Elect(_) => Request::Elect,
        WireRequest::Change(change) => Request::Change(change_from_wire(change)?),
    };
    let (from, to) = (MetaId(message.from), MetaId(message.to));
    Ok(Opened { origin: message.origin, from, to, request })
}

pub(crate) fn encode_answer(answer: &Answer) -> Bytes {
    let answer = match answer {
        Answer::Fault(reason) => WireAnswer::Fault(reason.clone()),
        Answer::Append(append) => {
            use append_answer::Result as Wire;
            let result = match append {
                AppendEntriesResponse::Success => Wire::Success(group::Empty {}),
                AppendEntriesResponse::PartialSuccess(matching) => {
                    let matching = matching.as_ref().map(records::log_id_to_proto);
                    Wire::PartialSuccess(group::PartialSuccess { matching })
                }
                AppendEntriesResponse::Conflict => Wire::Conflict(group::Empty {}),
                AppendEntriesResponse::HigherVote(vote) => {
                    Wire::HigherVote(records::vote_to_proto(vote))
                }
            };
            WireAnswer::Append(group::AppendAnswer { result: Some(result) })
        }
        Answer::Vote(vote) => WireAnswer::Vote(group::VoteAnswer {
            vote: Some(records::vote_to_proto(&vote.vote)),
            granted: vote.vote_granted,
            last: vote.last_log_id.as_ref().map(records::log_id_to_proto),
        }),
        Answer::SnapshotOffer(have) => {
            WireAnswer::SnapshotOffer(group::SnapshotProgress { have: have.clone() })
        }
        Answer::SnapshotPiece => WireAnswer::SnapshotPiece(group::Empty {}),
        Answer::SnapshotInstall(vote) => WireAnswer::SnapshotInstall(records::vote_to_proto(vote)),
        Answer::Submit(outcome) => WireAnswer::Submit(outcome.encode().into()),
        Answer::ReadIndex(index) => WireAnswer::ReadIndex(*index),
        Answer::Status(status) => WireAnswer::Status(status_to_wire(status)),
        Answer::PreVote(said) => WireAnswer::PreVote(group::PreVote {
            last: said.last_log.as_ref().map(records::log_id_to_proto),
            hears_leader: said.hears_leader,
            knows_asker: said.knows_asker,
        }),
        Answer::Elect => WireAnswer::Elect(group::Empty {}),
        Answer::Change => WireAnswer::Change(group::Empty {}),
        Answer::Failure(error) => WireAnswer::Failure(failure_to_wire(error)),
    };
    group::GroupAnswer { answer: Some(answer) }.encode_to_vec().into()
}

pub(super) fn decode_answer(message: &Bytes) -> Result<Answer, Garbage> {
    let message = group::GroupAnswer::decode(message.clone())?;
    Ok(match message.answer.ok_or(Garbage::Missing("the answer"))? {
        WireAnswer::Fault(reason) => Answer::Fault(reason),
        WireAnswer::Append(append) => {
            use append_answer::Result as Wire;
            Answer::Append(match append.result.ok_or(Garbage::Missing("the result"))? {
                Wire::Success(_) => AppendEntriesResponse::Success,
                Wire::PartialSuccess(partial) => AppendEntriesResponse::PartialSuccess(
                    partial.matching.as_ref().map(records::log_id_from_proto),
                ),
                Wire::Conflict(_) => AppendEntriesResponse::Conflict,
                Wire::HigherVote(higher) => {
                    AppendEntriesResponse::HigherVote(records::vote_from_proto(&higher)?)
                }
            })
        }
        WireAnswer::Vote(answer) => Answer::Vote(VoteResponse {
            vote: vote(answer.vote)?,
            vote_granted: answer.granted,
            last_log_id: answer.last.as_ref().map(records::log_id_from_proto),
        }),
        WireAnswer::SnapshotOffer(progress) => Answer::SnapshotOffer(progress.have),
        WireAnswer::SnapshotPiece(_) => Answer::SnapshotPiece,
        WireAnswer::SnapshotInstall(vote) => {
            Answer::SnapshotInstall(records::vote_from_proto(&vote)?)
        }
        WireAnswer::Submit(outcome) => Answer::Submit(Box::new(Outcome::decode(&outcome)?)),
        WireAnswer::ReadIndex(index) => Answer::ReadIndex(index),
        WireAnswer::Status(status) => Answer::Status(status_from_wire(status)?),
        WireAnswer::PreVote(said) => Answer::PreVote(PreVote {
            last_log: said.last.as_ref().map(records::log_id_from_proto),
            hears_leader: said.hears_leader,
            knows_asker: said.knows_asker,
        }),
        WireAnswer::Elect(_) => Answer::Elect,
        WireAnswer::Change(_) => Answer::Change,
        WireAnswer::Failure(failure) => Answer::Failure(failure_from_wire(failure)?),
    })
}

fn vote(message: Option<proto::RaftVote>) -> Result<Vote, Garbage> {
    let message = message.ok_or(Garbage::Missing("the vote"))?;
    Ok(records::vote_from_proto(&message)?)
}

fn change_to_wire(change: &MemberChange) -> group::MemberChange {
    use member_change::Change as Wire;
    let change = match change {
        MemberChange::AddLearner { id, endpoint } => {
            Wire::AddLearner(group::NewLearner { id: id.0, endpoint: endpoint.clone() })
        }
        MemberChange::Promote(id) => Wire::Promote(id.0),
        MemberChange::Remove(id) => Wire::Remove(id.0),
        MemberChange::Lead(id) => Wire::Lead(id.0),
    };
    group::MemberChange { change: Some(change) }
}

fn change_from_wire(message: group::MemberChange) -> Result<MemberChange, Garbage> {
    use member_change::Change as Wire;
    Ok(match message.change.ok_or(Garbage::Missing("the change"))? {
        Wire::AddLearner(new) => {
            MemberChange::AddLearner { id: MetaId(new.id), endpoint: new.endpoint }
        }
        Wire::Promote(id) => MemberChange::Promote(MetaId(id)),
        Wire::Remove(id) => MemberChange::Remove(MetaId(id)),
        Wire::Lead(id) => MemberChange::Lead(MetaId(id)),
    })
}

fn status_to_wire(status: &MemberStatus) -> group::MemberStatus {
    group::MemberStatus {
        role: status.role.name().to_owned(),
        term: status.term,
        leader: status.leader.map_or(0, |id| id.0),
        last_log: status.last_log_index,
        applied: status.applied_index,
        snapshot: status.snapshot_index,
        clock_ms: status.clock.as_millis(),
    }
}

fn status_from_wire(message: group::MemberStatus) -> Result<MemberStatus, Garbage> {
    Ok(MemberStatus {
        role: NodeRole::from_name(&message.role).ok_or(Garbage::Missing("the role"))?,
        term: message.term,
        leader: (message.leader != 0).then_some(MetaId(message.leader)),
        last_log_index: message.last_log,
        applied_index: message.applied,
        snapshot_index: message.snapshot,
        clock: Timestamp::from_millis(message.clock_ms),
    })
}

fn failure_to_wire(error: &LedgerError) -> group::LedgerFailure {
    use ledger_failure::Failure as Wire;
    let failure = match error {
        LedgerError::Refused(refusal) => Wire::Refused(group::LedgerRefusal {
            kind: refusal.kind.name().to_owned(),
            rule: refusal.rule.name().to_owned(),
            field: refusal.field.clone(),
            reason: refusal.reason.clone(),
        }),
        LedgerError::QueueFull { limit } => Wire::QueueFull(*limit as u64),
        LedgerError::Unavailable { reason } => Wire::Unavailable(reason.clone()),
        LedgerError::Unknown { reason } => Wire::Unknown(reason.clone()),
        LedgerError::Fault { reason } => Wire::Fault(reason.clone()),
    };
    group::LedgerFailure { failure: Some(failure) }
}

fn failure_from_wire(message: group::LedgerFailure) -> Result<LedgerError, Garbage> {
    use ledger_failure::Failure as Wire;
    Ok(match message.failure.ok_or(Garbage::Missing("the failure"))? {
        Wire::Refused(refusal) => LedgerError::Refused(Refusal {
            kind: ErrorKind::from_name(&refusal.kind).ok_or(Garbage::Missing("the kind"))?,
            rule: Rule::from_name(&refusal.rule).ok_or(Garbage::Missing("the rule"))?,
            field: refusal.field,
            reason: refusal.reason,
        }),
        Wire::QueueFull(limit) => {
            LedgerError::QueueFull { limit: usize::try_from(limit).unwrap_or(usize::MAX) }
        }
        Wire::Unavailable(reason) => LedgerError::Unavailable { reason },
        Wire::Unknown(reason) => LedgerError::Unknown { reason },
        Wire::Fault(reason) => LedgerError::Fault { reason },
    })
}

fn crc32c(bytes: &[u8]) -> u32 {
    let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes);
    u32::try_from(checksum).expect("a 32-bit checksum")
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::records::tests::{entries, log_ids, votes};

    fn requests() -> impl Strategy<Value = Request> {
        prop_oneof![
            (
                votes(),
                proptest::option::of(log_ids()),
                vec(entries(), 0..4),
                proptest::option::of(log_ids())
            )
                .prop_map(|(vote, prev_log_id, entries, leader_commit)| {
                    Request::Append(AppendEntriesRequest {
                        vote,
                        prev_log_id,
                        entries,
                        leader_commit,
                    })
                }),
            (votes(), proptest::option::of(log_ids())).prop_map(|(vote, last_log_id)| {
                Request::Vote(VoteRequest { vote, last_log_id })
            }),
            ("[a-z0-9-]{1,20}", any::<u32>(), any::<u64>(), vec(any::<u8>(), 1..100)).prop_map(
                |(snapshot_id, file, offset, data)| Request::SnapshotPiece {
                    snapshot_id,
                    file,
                    offset,
                    data: data.into(),
                }
            ),
            (votes(), vec(any::<u8>(), 1..100)).prop_map(|(vote, manifest)| {
                Request::SnapshotOffer { vote, manifest: manifest.into() }
            }),
            vec(any::<u8>(), 1..100).prop_map(|bytes| Request::Submit(bytes.into())),
            Just(Request::ReadIndex),
            Just(Request::PreVote),
            Just(Request::Elect),
            (any::<u64>(), "[a-z:/0-9.]{0,30}").prop_map(|(id, endpoint)| {
                Request::Change(MemberChange::AddLearner { id: MetaId(id), endpoint })
            }),
        ]
    }

    proptest! {
        #[test]
        fn a_request_arrives_as_it_was_sent(request in requests()) {
            let sent = encode_request("origin", MetaId(1), MetaId(2), &request);
            let opened = decode_request(sent.clone()).expect("decodes");
            prop_assert_eq!((opened.origin.as_str(), opened.to), ("origin", MetaId(2)));
            prop_assert_eq!(opened.from, MetaId(1));
            prop_assert_eq!(encode_request("origin", MetaId(1), MetaId(2), &opened.request), sent);
        }

        #[test]
        fn arbitrary_bytes_are_an_error_or_a_message_and_never_a_panic(
            bytes in vec(any::<u8>(), 0..200),
        ) {
            let bytes = Bytes::from(bytes);
            let _ = decode_request(bytes.clone());
            let _ = decode_answer(&bytes);
        }

        #[test]
        fn flipped_bytes_of_a_snapshot_are_caught(at in 0_usize..64) {
            let piece = Request::SnapshotPiece {
                snapshot_id: "s".to_owned(),
                file: 0,
                offset: 0,
                data: Bytes::from(vec![0x5a; 64]),
            };
            let sent = encode_request("o", MetaId(1), MetaId(2), &piece);
            let begin = sent.windows(64).position(|w| w.iter().all(|b| *b == 0x5a)).expect("there");
            let mut flipped = sent.to_vec();
            flipped[begin + at] ^= 1;
            prop_assert!(matches!(decode_request(flipped.into()), Err(Garbage::Checksum)));
        }
    }

    #[test]
    fn another_version_is_refused_as_such() {
        let message = group::GroupRequest { version: 2, ..group::GroupRequest::default() };
        let refused = decode_request(message.encode_to_vec().into());
        assert!(matches!(refused, Err(Garbage::Version(2))));
    }

    #[test]
    fn every_failure_of_the_ledger_arrives_as_it_is() {
        let failures = [
            LedgerError::Refused(Refusal::refused(Rule::R14, "field", "reason")),
            LedgerError::QueueFull { limit: 7 },
            LedgerError::Unavailable { reason: "a".to_owned() },
            LedgerError::Unknown { reason: "b".to_owned() },
            LedgerError::Fault { reason: "c".to_owned() },
        ];
        for failure in failures {
            let sent = encode_answer(&Answer::Failure(failure.clone()));
            let Answer::Failure(arrived) = decode_answer(&sent).expect("decodes") else {
                panic!("another answer");
            };
            assert_eq!(format!("{arrived:?}"), format!("{failure:?}"));
        }
    }
}
