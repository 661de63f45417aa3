//! Whether this process still is what the cluster map says. Pure.

use custos_core::{ClusterMap, DiskGeneration, DiskId, DiskState, Epoch, NodeId, RunId};

use crate::NodeFailure;

/// What this process has registered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnNode {
    pub(crate) node_id: NodeId,
    pub(crate) run: RunId,
    /// Maps older than this do not know of this process.
    pub(crate) registered: Epoch,
}

/// A disk that this process has taken into service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnDisk {
    pub(crate) disk_id: DiskId,
    pub(crate) generation: DiskGeneration,
    /// Maps older than this do not know of it.
    pub(crate) registered: Epoch,
}

/// The other process that has this node's identity, if the map shows one.
pub(crate) fn usurper(map: &ClusterMap, own: OwnNode) -> Option<NodeFailure> {
    let node = map.node(own.node_id).filter(|_| map.epoch >= own.registered)?;
    (node.run != own.run).then(|| NodeFailure::SameIdentity {
        node_id: own.node_id,
        own_run: own.run,
        other_run: node.run,
        other_name: node.name.clone(),
        other_endpoint: match node.endpoint.as_str() {
            "" => "no address".to_owned(),
            endpoint => endpoint.to_owned(),
        },
    })
}

/// Why a disk must not be served by this process any more, if so.
pub(crate) fn lost(map: &ClusterMap, node: OwnNode, own: OwnDisk) -> Option<String> {
    let disk = map.disk(own.disk_id).filter(|_| map.epoch >= own.registered)?;
    let id = own.disk_id;
    if disk.state == DiskState::Removed {
        return Some(format!("disk {id} was removed from the cluster for good"));
    }
    if disk.node_id != node.node_id {
        let other = map.node(disk.node_id);
        let name = other.map_or_else(|| disk.node_id.to_string(), |node| node.name.clone());
        return Some(format!(
            "disk {id} was taken into service by node {name} as generation {} (here it is {}): \
             one of the two is a copy; detach it here, or there",
            disk.generation, own.generation
        ));
    }
    if disk.state == DiskState::Released {
        return Some(format!(
            "disk {id} was released, so that any node may take it into service: add it again to \
             use it here"
        ));
    }
    (disk.generation > own.generation).then(|| {
        format!(
            "disk {id} was taken into service again as generation {} (this is {}): one of the two \
             is a copy; keep the newer one",
            disk.generation, own.generation
        )
    })
}

#[cfg(test)]
mod tests {
    use custos_core::{DiskRecord, Labels, NodeRecord, Timestamp};

    use super::*;

    const NODE: OwnNode =
        OwnNode { node_id: NodeId([1; 16]), run: RunId([7; 16]), registered: Epoch(5) };
    const DISK: OwnDisk =
        OwnDisk { disk_id: DiskId([3; 16]), generation: DiskGeneration(4), registered: Epoch(6) };

    fn map() -> ClusterMap {
        let node = |id, name: &str| NodeRecord {
            node_id: NodeId([id; 16]),
            name: name.to_owned(),
            endpoint: format!("https://{name}:7400"),
            labels: Labels::default(),
            run: NODE.run,
            registered_at: Timestamp::from_millis(0),
        };
        let disk = DiskRecord {
            disk_id: DISK.disk_id,
            node_id: NODE.node_id,
            name: "disk 0".to_owned(),
            weight: 1,
            generation: DISK.generation,
            opening: RunId([0; 16]),
            state: DiskState::InService,
        };
        ClusterMap {
            epoch: Epoch(9),
            nodes: vec![node(1, "a"), node(2, "b")],
            disks: vec![disk],
            vaults: Vec::new(),
        }
    }

    #[test]
    fn a_map_that_shows_what_was_registered_is_fine() {
        assert_eq!(usurper(&map(), NODE), None);
        assert_eq!(lost(&map(), NODE, DISK), None);
        assert_eq!(usurper(&ClusterMap::default(), NODE), None);
        assert_eq!(lost(&ClusterMap::default(), NODE, DISK), None);
    }

    #[test]
    fn another_process_with_this_identity_is_named_with_its_endpoint() {
        let mut map = map();
        map.nodes[0].run = RunId([8; 16]);
        let failure = usurper(&map, NODE).expect("usurped").to_string();
        assert!(failure.contains("two nodes have one identity"), "{failure}");
        assert!(failure.contains("https://a:7400"), "{failure}");
        // The map from before this process registered shows the process before it.
        map.epoch = Epoch(4);
        assert_eq!(usurper(&map, NODE), None);
    }

    #[test]
    fn a_disk_that_another_node_or_opening_has_is_lost_and_so_is_a_removed_or_released_one() {
        let changed = |change: &dyn Fn(&mut DiskRecord)| {
            let mut map = map();
            change(&mut map.disks[0]);
            lost(&map, NODE, DISK).expect("lost")
        };
        let moved = changed(&|disk| disk.node_id = NodeId([2; 16]));
        assert!(moved.contains("by node b"), "{moved}");
        let again = changed(&|disk| disk.generation = DiskGeneration(5));
        assert!(again.contains("as generation 5 (this is 4)"), "{again}");
        let removed = changed(&|disk| disk.state = DiskState::Removed);
        assert!(removed.contains("removed from the cluster"), "{removed}");
        let released = changed(&|disk| disk.state = DiskState::Released);
        assert!(released.contains("was released") && released.contains("add it"), "{released}");
        // Taken into service again since, the map from before that counts no more.
        let mut before = map();
        (before.epoch, before.disks[0].state) = (Epoch(5), DiskState::Released);
        assert_eq!(lost(&before, NODE, DISK), None);
    }
}
