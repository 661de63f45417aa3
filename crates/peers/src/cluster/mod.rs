//! The cluster as one process sees it: the map, kept fresh, and a store for each disk.

mod map_keeper;
mod node_client;
mod peers;
mod route;

pub use node_client::NodeClient;
pub use peers::{ClusterOptions, ClusterPeers};

pub(crate) use map_keeper::MapKeeper;
pub(crate) use route::{NoRoute, Route, named};
