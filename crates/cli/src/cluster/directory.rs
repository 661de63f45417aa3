use custos_client::{ClusterStatus, DiskStatus, NodeStatus};
use custos_core::{DiskId, DiskState};

use crate::args::{DiskName, ID_DIGITS_MIN};

/// Digits of an id that are shown where they suffice.
const ID_DIGITS_SHOWN: usize = 8;

/// A name that does not lead to one node or disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// Nothing has it.
    #[error("no {what} is named {name:?}; `{list}` lists them")]
    Nothing {
        /// `node`, `disk` or `meta node`.
        what: &'static str,
        /// The command that lists them.
        list: &'static str,
        /// What was written.
        name: String,
    },
    /// Several have it.
    #[error("{name:?} names several; write more digits of one of them: {}", candidates.join(", "))]
    Several {
        /// What was written.
        name: String,
        /// What it may mean, with whole ids.
        candidates: Vec<String>,
    },
}

/// The names of all nodes and disks of a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'a> {
    status: &'a ClusterStatus,
    id_digits: usize,
}

impl<'a> Directory<'a> {
    /// Of this cluster.
    pub(crate) fn new(status: &'a ClusterStatus) -> Self {
        let mut ids: Vec<String> =
            status.disks().map(|(_, disk)| disk.disk_id.to_string()).collect();
        ids.extend(status.nodes.iter().map(|node| node.node_id.to_string()));
        ids.sort_unstable();
        // A copy of a disk is shown under its own node with the same id.
        ids.dedup();
        let alike = |pair: &[String]| {
            pair[0].bytes().zip(pair[1].bytes()).take_while(|(one, other)| one == other).count()
        };
        let longest = ids.windows(2).map(alike).max().unwrap_or(0);
        Self { status, id_digits: ID_DIGITS_SHOWN.max(longest + 1) }
    }

    /// The beginning of an id that is enough to tell it from all others.
    pub(crate) fn short(&self, id: impl ToString) -> String {
        let mut text = id.to_string();
        text.truncate(self.id_digits);
        text
    }

    /// A disk in a sentence: `store-1/disk 2 (0a1b2c3d)`.
    pub(crate) fn disk_label(&self, node: &NodeStatus, disk: &DiskStatus) -> String {
        format!("{} ({})", path_of(node, disk), self.short(disk.disk_id))
    }

    /// The disk that is meant.
    pub(crate) fn disk(&self, name: &DiskName) -> Result<DiskId, NameError> {
        let found: Vec<_> = match name {
            DiskName::Id(id) => return Ok(*id),
            DiskName::IdPrefix(prefix) => {
                let begins = |disk: &DiskStatus| disk.disk_id.to_string().starts_with(prefix);
                self.status.disks().filter(|(_, disk)| begins(disk)).collect()
            }
            DiskName::OnNode(path) => {
                let all: Vec<_> = self
                    .status
                    .disks()
                    .filter(|(node, disk)| path_of(node, disk) == *path)
                    .collect();
                // A disk that was replaced often has its name from the one that went.
                let in_state = |state: DiskState| {
                    all.iter().copied().filter(move |(_, disk)| disk.state == state).collect()
                };
                let states = [DiskState::InService, DiskState::Released, DiskState::Removed];
                let mut found = states.into_iter().map(in_state);
                found.find(|found: &Vec<_>| !found.is_empty()).unwrap_or_default()
            }
        };
        let mut ids: Vec<DiskId> = found.iter().map(|(_, disk)| disk.disk_id).collect();
        ids.sort_unstable();
        ids.dedup();
        match ids[..] {
            [id] => Ok(id),
            [] => Err(NameError::Nothing {
                what: "disk",
                list: "custos disk ls",
                name: name.to_string(),
            }),
            _ => Err(NameError::Several {
                name: name.to_string(),
                candidates: found
                    .iter()
                    .map(|(node, disk)| format!("{} ({})", path_of(node, disk), disk.disk_id))
                    .collect(),
            }),
        }
    }

    /// The node that is meant: by name, by id, or by the beginning of its id.
    pub(crate) fn node(&self, name: &str) -> Result<&'a NodeStatus, NameError> {
        let nodes = &self.status.nodes;
        if let Some(node) = nodes.iter().find(|node| node.name == name) {
            return Ok(node);
        }
        let prefix = name.to_ascii_lowercase();
        let begins = |node: &&NodeStatus| {
            prefix.len() >= ID_DIGITS_MIN && node.node_id.to_string().starts_with(&prefix)
        };
        let found: Vec<&NodeStatus> = nodes.iter().filter(begins).collect();
        match found[..] {
            [node] => Ok(node),
            [] => Err(NameError::Nothing {
                what: "node",
                list: "custos node ls",
                name: name.to_owned(),
            }),
            _ => Err(NameError::Several {
                name: name.to_owned(),
                candidates: found
                    .iter()
                    .map(|node| format!("{} ({})", node.name, node.node_id))
                    .collect(),
            }),
        }
    }
}

/// The name of a disk in the whole cluster: `store-1/disk 2`.
fn path_of(node: &NodeStatus, disk: &DiskStatus) -> String {
    format!("{}/{}", node.name, disk.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fixture::{cluster, disk, node};

    fn named(text: &str) -> DiskName {
        text.parse().expect("a name")
    }

    fn id(first: u8) -> DiskId {
        let mut bytes = [0x77; 16];
        bytes[0] = first;
        DiskId::from_bytes(bytes)
    }

    fn alike() -> ClusterStatus {
        let mut twin = disk("disk 1", 0x0a);
        let mut bytes = *twin.disk_id.as_bytes();
        bytes[5] = 0;
        twin.disk_id = DiskId::from_bytes(bytes);
        cluster(vec![node("store-1", vec![disk("disk 0", 0x0a), twin]), node("store-2", vec![])])
    }

    #[test]
    fn a_disk_is_found_by_what_is_unique_of_it() {
        let status =
            cluster(vec![node("store-1", vec![disk("disk 0", 0x0a), disk("disk 1", 0x0b)])]);
        let directory = Directory::new(&status);
        for text in ["0a77", "0A7777", "store-1/disk 0", &id(0x0a).to_string()] {
            assert_eq!(directory.disk(&named(text)), Ok(id(0x0a)), "{text}");
        }
        assert_eq!(directory.short(id(0x0a)), "0a777777");
        let elsewhere = id(0xff);
        assert_eq!(directory.disk(&DiskName::Id(elsewhere)), Ok(elsewhere), "the server judges");
        for text in ["0c77", "store-2/disk 0", "store-1/disk"] {
            let error = directory.disk(&named(text)).expect_err(text);
            assert!(matches!(error, NameError::Nothing { .. }), "{error}");
        }
    }

    #[test]
    fn a_beginning_of_two_ids_is_refused_with_both() {
        let status = alike();
        let directory = Directory::new(&status);
        let error = directory.disk(&named("0a77")).expect_err("two").to_string();
        assert!(error.contains("store-1/disk 0 (0a777777777777777777777777777777)"), "{error}");
        assert!(error.contains("store-1/disk 1 (0a777777770077777777777777777777)"), "{error}");
        assert_eq!(directory.short(id(0x0a)), "0a777777777", "as many digits as tell them apart");
        assert_eq!(directory.disk(&named("0a777777777")), Ok(id(0x0a)));
    }

    #[test]
    fn the_name_of_a_replaced_disk_means_the_new_one() {
        let [mut gone, mut away] = [disk("disk 0", 0x0a), disk("disk 0", 0x0c)];
        (gone.state, away.state) = (DiskState::Removed, DiskState::Released);
        let of = |disks| cluster(vec![node("store-1", disks)]);
        let status = of(vec![gone.clone(), away.clone(), disk("disk 0", 0x0b)]);
        let directory = Directory::new(&status);
        assert_eq!(directory.disk(&named("store-1/disk 0")), Ok(id(0x0b)));
        assert_eq!(directory.disk(&named("0a77")), Ok(id(0x0a)), "its id still names the old one");
        let status = of(vec![gone, away]);
        assert_eq!(Directory::new(&status).disk(&named("store-1/disk 0")), Ok(id(0x0c)));
    }

    #[test]
    fn a_copy_that_shows_on_a_second_node_is_the_same_disk() {
        let status = cluster(vec![
            node("store-1", vec![disk("disk 0", 0x0a)]),
            node("store-2", vec![disk("disk 0", 0x0a)]),
        ]);
        assert_eq!(Directory::new(&status).disk(&named("0a77")), Ok(id(0x0a)));
    }

    #[test]
    fn a_node_is_found_by_name_before_id() {
        let mut other = node("store-2", vec![]);
        let wanted = node("store-1", vec![]);
        other.name = wanted.node_id.to_string()[..8].to_owned();
        let status = cluster(vec![wanted.clone(), other.clone()]);
        let directory = Directory::new(&status);
        let found = |name: &str| directory.node(name).map(|node| node.node_id);
        assert_eq!(found("store-1"), Ok(wanted.node_id));
        assert_eq!(found(&other.name), Ok(other.node_id));
        assert_eq!(found(&wanted.node_id.to_string()), Ok(wanted.node_id));
        assert!(found("store-9").is_err() && found("").is_err());
    }
}
