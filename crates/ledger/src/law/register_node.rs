use custos_core::{Labels, NodeId, NodeRecord, Refusal, Rule, RunId, Timestamp};

use super::operation;
use crate::{
    Envelope, Kv, KvRead, NODES_MAX, Outcome,
    stored::{map_epoch, node},
};

/// What `Command::RegisterNode` asks for.
pub(super) struct RegisterNode<'a> {
    pub(super) node_id: NodeId,
    pub(super) name: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) labels: &'a Labels,
    pub(super) run: RunId,
}

/// Puts a node into the map, or what it says of itself now; the same again changes nothing. A node
/// that only runs anew makes no entry, but an epoch: whoever else runs under its id must see it.
pub(super) fn register_node(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    request: &RegisterNode<'_>,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    check_texts(request)?;
    check_unique(kv, request)?;

    let before = node::load(kv, request.node_id);
    let after = NodeRecord {
        node_id: request.node_id,
        name: request.name.to_owned(),
        endpoint: request.endpoint.to_owned(),
        labels: request.labels.clone(),
        run: request.run,
        registered_at: before.as_ref().map_or(now, |node| node.registered_at),
    };
    if before.as_ref() == Some(&after) {
        return Ok(Outcome::MapChanged(map_epoch::load(kv)));
    }
    if let Some(detail) = detail(before, &after) {
        operation::enter_change(kv, envelope, now, detail);
    }
    node::save(kv, &after);
    Ok(Outcome::MapChanged(map_epoch::advance(kv)))
}

fn check_texts(request: &RegisterNode<'_>) -> Result<(), Refusal> {
    operation::check_name("name", request.name)?;
    operation::check_endpoint(request.endpoint)?;
    operation::check_label("zone", &request.labels.zone)?;
    operation::check_label("rack", &request.labels.rack)?;
    operation::check_name("host", &request.labels.host)
}

fn check_unique(kv: &impl KvRead, request: &RegisterNode<'_>) -> Result<(), Refusal> {
    let others: Vec<NodeRecord> =
        node::all(kv).into_iter().filter(|node| node.node_id != request.node_id).collect();
    if let Some(other) = others.iter().find(|node| node.name == request.name) {
        let reason = format!("node {} has the name {:?} already", other.node_id, other.name);
        return Err(Refusal::refused(Rule::R14, "name", reason));
    }
    let is_reachable = !request.endpoint.is_empty();
    if let Some(other) =
        others.iter().find(|node| is_reachable && node.endpoint == request.endpoint)
    {
        let reason = format!("node {:?} is at {} already", other.name, other.endpoint);
        return Err(Refusal::refused(Rule::R14, "endpoint", reason));
    }
    if others.len() >= NODES_MAX {
        let reason = format!("the cluster has {NODES_MAX} nodes, the most that it can");
        return Err(Refusal::refused(Rule::I10, "node_id", reason));
    }
    Ok(())
}

/// What the entry says; `None` when only the run is another.
fn detail(before: Option<NodeRecord>, after: &NodeRecord) -> Option<String> {
    let stands = format!("{:?} {}", after.name, place(after));
    let Some(before) = before else {
        return Some(format!("node {} registered: {stands}", after.node_id));
    };
    if (NodeRecord { run: after.run, ..before.clone() }) == *after {
        return None;
    }
    let stood = format!("{:?} {}", before.name, place(&before));
    Some(format!("node {} changed: {stands}, before {stood}", after.node_id))
}

fn place(node: &NodeRecord) -> String {
    let Labels { zone, rack, host } = &node.labels;
    let endpoint = if node.endpoint.is_empty() { "no endpoint" } else { &node.endpoint };
    format!("at {endpoint}, zone {zone:?} rack {rack:?} host {host:?}")
}
