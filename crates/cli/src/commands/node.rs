use custos_client::Client;

use crate::{
    cluster::{node_rows, node_table},
    error::CliError,
    json::NodeObject,
    output::{Console, OutputFormat},
};

/// Lists the nodes.
pub(super) async fn ls(client: &Client, console: &Console) -> Result<(), CliError> {
    let status = client.cluster_status().await?;
    match console.format() {
        OutputFormat::Json => {
            status.nodes.iter().try_for_each(|node| console.object(&NodeObject::from(node)))
        }
        OutputFormat::Human if status.nodes.is_empty() => {
            console.progress().note("no storage node has registered yet");
            Ok(())
        }
        OutputFormat::Human => console.lines(node_table().page(&node_rows(&status))),
    }
}
