//! Raft's types as persisted bytes and back. Nothing read from disk is trusted: every decoder
//! returns what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use openraft::{BasicNode, CommittedLeaderId, EntryPayload, LeaderId};
use prost::Message;

use crate::{
    error::StoreError,
    proto,
    raft_types::{EncodedBatch, Entry, LogId, Membership, SnapshotMeta, StoredMembership, Vote},
};

pub(crate) fn encode_log_id(id: &LogId) -> Vec<u8> {
    log_id_to_proto(id).encode_to_vec()
}

pub(crate) fn decode_log_id(what: &'static str, bytes: &[u8]) -> Result<LogId, StoreError> {
    Ok(log_id_from_proto(&parse(what, bytes)?))
}

pub(crate) fn encode_vote(vote: &Vote) -> Vec<u8> {
    vote_to_proto(vote).encode_to_vec()
}

pub(crate) fn decode_vote(bytes: &[u8]) -> Result<Vote, StoreError> {
    vote_from_proto(&parse("vote", bytes)?)
}

pub(crate) fn vote_to_proto(vote: &Vote) -> proto::RaftVote {
    proto::RaftVote {
        term: vote.leader_id.term,
        node: Some(vote.leader_id.node_id),
        committed: vote.committed,
    }
}

pub(crate) fn vote_from_proto(message: &proto::RaftVote) -> Result<Vote, StoreError> {
    let node = message.node.ok_or_else(|| StoreError::damaged("vote", "it names no node"))?;
    Ok(Vote { leader_id: LeaderId::new(message.term, node), committed: message.committed })
}

pub(crate) fn encode_entry(entry: &Entry) -> Vec<u8> {
    use proto::raft_entry::Payload;
    let payload = match &entry.payload {
        EntryPayload::Blank => Payload::Blank(proto::RaftBlank {}),
        EntryPayload::Normal(batch) => Payload::Commands(batch.0.clone()),
        EntryPayload::Membership(membership) => {
            Payload::Membership(membership_to_proto(membership))
        }
    };
    let message =
        proto::RaftEntry { id: Some(log_id_to_proto(&entry.log_id)), payload: Some(payload) };
    message.encode_to_vec()
}

pub(crate) fn decode_entry(index: u64, bytes: &[u8]) -> Result<Entry, StoreError> {
    let entry = decode_sent_entry(bytes)?;
    if entry.log_id.index != index {
        let reason = format!("the entry under index {index} says that it is {}", entry.log_id);
        return Err(StoreError::damaged("log entry", reason));
    }
    Ok(entry)
}

/// An entry that comes from another member: whether it fits is Raft's business.
pub(crate) fn decode_sent_entry(bytes: &[u8]) -> Result<Entry, StoreError> {
    use proto::raft_entry::Payload;
    let message: proto::RaftEntry = parse("log entry", bytes)?;
    let id = message.id.ok_or_else(|| StoreError::damaged("log entry", "it has no id"))?;
    let payload = match message.payload {
        Some(Payload::Blank(_)) => EntryPayload::Blank,
        Some(Payload::Commands(bytes)) => EntryPayload::Normal(EncodedBatch(bytes)),
        Some(Payload::Membership(membership)) => {
            EntryPayload::Membership(membership_from_proto(membership))
        }
        None => return Err(StoreError::damaged("log entry", "its payload is of an unknown kind")),
    };
    Ok(Entry { log_id: log_id_from_proto(&id), payload })
}

pub(crate) fn encode_membership(stored: &StoredMembership) -> Vec<u8> {
    stored_membership_to_proto(stored).encode_to_vec()
}

pub(crate) fn decode_membership(bytes: &[u8]) -> Result<StoredMembership, StoreError> {
    Ok(stored_membership_from_proto(parse("membership", bytes)?))
}

pub(crate) fn snapshot_meta_to_proto(meta: &SnapshotMeta) -> proto::SnapshotManifest {
    proto::SnapshotManifest {
        id: meta.snapshot_id.clone(),
        last_applied: meta.last_log_id.as_ref().map(log_id_to_proto),
        membership: Some(stored_membership_to_proto(&meta.last_membership)),
        files: Vec::new(),
    }
}

pub(crate) fn snapshot_meta_from_proto(manifest: &proto::SnapshotManifest) -> SnapshotMeta {
    SnapshotMeta {
        last_log_id: manifest.last_applied.as_ref().map(log_id_from_proto),
        last_membership: manifest
            .membership
            .clone()
            .map(stored_membership_from_proto)
            .unwrap_or_default(),
        snapshot_id: manifest.id.clone(),
    }
}

fn parse<M: Message + Default>(what: &'static str, bytes: &[u8]) -> Result<M, StoreError> {
    M::decode(bytes).map_err(|error| StoreError::damaged(what, error.to_string()))
}

pub(crate) fn log_id_to_proto(id: &LogId) -> proto::RaftLogId {
    proto::RaftLogId { term: id.leader_id.term, node: id.leader_id.node_id, index: id.index }
}

pub(crate) fn log_id_from_proto(id: &proto::RaftLogId) -> LogId {
    LogId::new(CommittedLeaderId::new(id.term, id.node), id.index)
}

fn membership_to_proto(membership: &Membership) -> proto::RaftMembership {
    let configs = membership
        .get_joint_config()
        .iter()
        .map(|voters| proto::RaftVoters { nodes: voters.iter().copied().collect() })
        .collect();
    let nodes = membership
        .nodes()
        .map(|(node, info)| proto::RaftNode { node: *node, address: info.addr.clone() })
        .collect();
    proto::RaftMembership { configs, nodes }
}

fn membership_from_proto(message: proto::RaftMembership) -> Membership {
    let configs = message
        .configs
        .into_iter()
        .map(|voters| voters.nodes.into_iter().collect::<BTreeSet<u64>>())
        .collect();
    let nodes: BTreeMap<u64, BasicNode> = message
        .nodes
        .into_iter()
        .map(|node| (node.node, BasicNode { addr: node.address }))
        .collect();
    Membership::new(configs, nodes)
}

fn stored_membership_to_proto(stored: &StoredMembership) -> proto::RaftStoredMembership {
    proto::RaftStoredMembership {
        id: stored.log_id().as_ref().map(log_id_to_proto),
        membership: Some(membership_to_proto(stored.membership())),
    }
}

fn stored_membership_from_proto(message: proto::RaftStoredMembership) -> StoredMembership {
    let membership = message.membership.map(membership_from_proto).unwrap_or_default();
    StoredMembership::new(message.id.as_ref().map(log_id_from_proto), membership)
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    pub(crate) fn log_ids() -> impl Strategy<Value = LogId> {
        (any::<u64>(), any::<u64>(), any::<u64>())
            .prop_map(|(term, node, index)| LogId::new(CommittedLeaderId::new(term, node), index))
    }

    pub(crate) fn votes() -> impl Strategy<Value = Vote> {
        (any::<u64>(), any::<u64>(), any::<bool>()).prop_map(|(term, node, committed)| Vote {
            leader_id: LeaderId::new(term, node),
            committed,
        })
    }

    fn memberships() -> impl Strategy<Value = Membership> {
        let voters = proptest::collection::btree_set(0_u64..9, 1..5);
        let nodes = proptest::collection::btree_map(0_u64..9, "[a-z:0-9]{0,20}", 0..5);
        (vec(voters, 1..3), nodes).prop_map(|(configs, nodes)| {
            let nodes: BTreeMap<u64, BasicNode> =
                nodes.into_iter().map(|(node, addr)| (node, BasicNode { addr })).collect();
            Membership::new(configs, nodes)
        })
    }

    pub(crate) fn entries() -> impl Strategy<Value = Entry> {
        let payload = prop_oneof![
            Just(EntryPayload::Blank),
            vec(any::<u8>(), 0..200)
                .prop_map(|bytes| EntryPayload::Normal(EncodedBatch(Bytes::from(bytes)))),
            memberships().prop_map(EntryPayload::Membership),
        ];
        (log_ids(), payload).prop_map(|(log_id, payload)| Entry { log_id, payload })
    }

    proptest! {
        #[test]
        fn entries_read_back_as_written(entry in entries()) {
            let read = decode_entry(entry.log_id.index, &encode_entry(&entry)).expect("decodes");
            prop_assert_eq!(read, entry);
        }

        #[test]
        fn marks_read_back_as_written(
            id in log_ids(),
            membership in memberships(),
            is_committed in any::<bool>(),
        ) {
            prop_assert_eq!(decode_log_id("mark", &encode_log_id(&id)).expect("decodes"), id);
            let stored = StoredMembership::new(Some(id), membership);
            prop_assert_eq!(decode_membership(&encode_membership(&stored)).expect("decodes"), stored);
            let leader_id = LeaderId::new(id.leader_id.term, id.leader_id.node_id);
            let vote = Vote { leader_id, committed: is_committed };
            prop_assert_eq!(decode_vote(&encode_vote(&vote)).expect("decodes"), vote);
        }

        #[test]
        fn arbitrary_bytes_are_an_error_or_a_record_and_never_a_panic(
            bytes in vec(any::<u8>(), 0..100),
        ) {
            let _ = decode_entry(0, &bytes);
            let _ = decode_log_id("mark", &bytes);
            let _ = decode_membership(&bytes);
            let _ = decode_vote(&bytes);
        }
    }

    #[test]
    fn an_entry_under_anothers_index_is_caught() {
        let entry = Entry {
            log_id: LogId::new(CommittedLeaderId::new(1, 1), 7),
            payload: EntryPayload::Blank,
        };
        decode_entry(8, &encode_entry(&entry)).expect_err("index 7 under 8");
    }

    /// The bytes of format 1, which every later release has to read.
    #[test]
    fn the_stored_bytes_are_the_documented_ones() {
        let log_id = LogId::new(CommittedLeaderId::new(2, 1), 300);
        let payload = EntryPayload::Normal(EncodedBatch(Bytes::from_static(b"abc")));
        let id = [0x08, 2, 0x10, 1, 0x18, 0xac, 0x02];
        assert_eq!(encode_log_id(&log_id), id);
        let entry = [&[0x0a, 7][..], &id, &[0x1a, 3], b"abc"].concat();
        assert_eq!(encode_entry(&Entry { log_id, payload }), entry);
        let vote = Vote { leader_id: LeaderId::new(2, 0), committed: true };
        assert_eq!(encode_vote(&vote), [0x08, 2, 0x10, 0, 0x18, 1]);
        let nodes = BTreeMap::from([(1, BasicNode { addr: "a".to_owned() })]);
        let membership = Membership::new(vec![BTreeSet::from([1])], nodes);
        let stored = StoredMembership::new(None, membership);
        let bytes = [0x12, 12, 0x0a, 3, 0x0a, 1, 1, 0x12, 5, 0x08, 1, 0x12, 1, b'a'];
        assert_eq!(encode_membership(&stored), bytes);
    }
}
