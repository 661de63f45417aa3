//! The members of the group among each other.
//!
//! A message is bytes that a [`PeerTransport`](custos_ports::PeerTransport) carries: `message` says
//! what may be in it and `encoding` how. Outwards, `client` is what openraft sends with, and
//! `snapshot_sender` what it sends snapshots with; inwards, `inbox` answers, and
//! `snapshot_receiver` collects the pieces.

mod client;
mod continuity;
mod encoding;
mod group;
mod inbox;
mod message;
mod snapshot_receiver;
mod snapshot_sender;

pub(crate) use client::PeerNetwork;
#[cfg(test)]
pub(crate) use encoding::{decode_request, encode_answer, encode_request};
pub(crate) use group::Group;
pub(crate) use inbox::Inbox;
pub use message::MemberStatus;
pub(crate) use message::{Answer, MemberChange, PreVote, Request};
