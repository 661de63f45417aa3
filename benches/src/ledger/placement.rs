use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;
use tonic::transport::{Channel, Endpoint};

/// Members of either group.
pub(super) const MEMBERS: usize = 3;
/// Connections that all clients of a run share: two for each member. A member of ours takes 128
/// calls of one connection at once, so that 256 clients find room also when all are at one member.
const CONNECTIONS: usize = 2 * MEMBERS;

/// Which members clients talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Placement {
    /// Every client goes from member to member, one commit at each.
    Spread,
    /// All are at the leader.
    Leader,
}

impl Placement {
    /// As tables name it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::Leader => "leader",
        }
    }

    /// The member at the other end of each connection.
    fn members(self, leader: usize) -> [usize; CONNECTIONS] {
        std::array::from_fn(|number| match self {
            Self::Spread => number % MEMBERS,
            Self::Leader => leader,
        })
    }

    /// Makes the connections.
    pub(super) async fn connect(
        self,
        endpoints: &[Endpoint],
        leader: usize,
    ) -> Result<Vec<Channel>> {
        let mut channels = Vec::new();
        for member in self.members(leader) {
            let endpoint = endpoints.get(member).context("there are three members")?;
            let channel = endpoint.connect().await;
            channels.push(channel.with_context(|| format!("connecting to {}", endpoint.uri()))?);
        }
        Ok(channels)
    }
}

/// One client's way through the connections: each call takes the next one.
#[derive(Debug, Clone)]
pub(super) struct Rotation<T> {
    connections: Vec<T>,
    next: usize,
}

impl<T> Rotation<T> {
    /// Client `number` begins at another connection than the one before it.
    pub(super) fn new(connections: Vec<T>, number: usize) -> Self {
        assert!(!connections.is_empty(), "a client has a connection");
        Self { connections, next: number }
    }

    pub(super) fn next(&mut self) -> &mut T {
        let number = self.next % self.connections.len();
        self.next = self.next.wrapping_add(1);
        &mut self.connections[number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_two_for_each_member_or_all_to_the_leader() {
        assert_eq!(Placement::Spread.members(2), [0, 1, 2, 0, 1, 2]);
        assert_eq!(Placement::Leader.members(2), [2; CONNECTIONS]);
    }

    #[test]
    fn clients_begin_apart_and_take_every_connection_in_turn() {
        let taken = |number| {
            let mut rotation = Rotation::new(vec!['a', 'b', 'c'], number);
            (0..4).map(|_| *rotation.next()).collect::<String>()
        };
        assert_eq!((taken(0), taken(4)), ("abca".to_owned(), "bcab".to_owned()));
    }
}
