use custos_client::Client;
use custos_core::MetaId;

use crate::{
    args::{MetaLeadArgs, MetaRemoveArgs},
    cluster::{find_member, meta_rows, meta_table},
    error::CliError,
    json::{MetaObject, MetaOrderObject},
    output::{Console, OutputFormat},
};

/// Lists the members of the ledger's group.
pub(super) async fn ls(client: &Client, console: &Console) -> Result<(), CliError> {
    let group = client.list_meta().await?;
    match console.format() {
        OutputFormat::Json => {
            let mut members = group.members.iter();
            members.try_for_each(|member| console.object(&MetaObject::new(&group, member)))
        }
        OutputFormat::Human => console.lines(meta_table().page(&meta_rows(&group))),
    }
}

/// Takes a member out of the group for good.
pub(super) async fn remove(
    client: &Client,
    args: &MetaRemoveArgs,
    console: &Console,
) -> Result<(), CliError> {
    let id = find(client, &args.node).await?;
    client.remove_meta(id, args.reason.clone()).await?;
    match console.format() {
        OutputFormat::Json => console.object(&MetaOrderObject { id: id.0 }),
        OutputFormat::Human => console.lines([
            format!("meta node {id} is out of the ledger's group for good: end its process"),
            "to replace it, start another with an empty folder and `join`".to_owned(),
        ]),
    }
}

/// Makes a member the leader.
pub(super) async fn lead(
    client: &Client,
    args: &MetaLeadArgs,
    console: &Console,
) -> Result<(), CliError> {
    let id = find(client, &args.node).await?;
    client.lead_meta(id).await?;
    match console.format() {
        OutputFormat::Json => console.object(&MetaOrderObject { id: id.0 }),
        OutputFormat::Human => console.lines([format!("meta node {id} leads the ledger's group")]),
    }
}

async fn find(client: &Client, name: &str) -> Result<MetaId, CliError> {
    let group = client.list_meta().await?;
    find_member(&group, name).map_err(|error| CliError::name("NODE", error))
}
