use std::fmt;

/// One process of a [`NodeCluster`](super::node_cluster::NodeCluster); numbers begin at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// The process that keeps the ledger.
    Meta,
    /// A storage node.
    Storage(usize),
    /// A gateway.
    Gateway(usize),
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Meta => f.write_str("meta"),
            Self::Storage(number) => write!(f, "s{number}"),
            Self::Gateway(number) => write!(f, "g{number}"),
        }
    }
}
