use custos_client::{Client, DiskRemoval, NewDisk};
use custos_core::{DiskId, Quarantined};

use crate::{
    args::{
        DiskAddArgs, DiskLsArgs, DiskName, DiskQuarantineArgs, DiskReleaseArgs, DiskRemoveArgs,
    },
    cluster::{Directory, disk_rows, disk_table},
    error::CliError,
    json::{DiskAddedObject, DiskObject, DiskReleasedObject, DiskRemovedObject, QuarantinedObject},
    output::{Console, OutputFormat},
    table::{Align, Table},
    units,
};

/// Lists the disks of all nodes or of one.
pub(super) async fn ls(
    client: &Client,
    args: &DiskLsArgs,
    console: &Console,
) -> Result<(), CliError> {
    let status = client.cluster_status().await?;
    let directory = Directory::new(&status);
    let only = args.node.as_ref().map(|name| directory.node(name)).transpose();
    let only = only.map_err(|error| CliError::name("--node", error))?;
    let disks: Vec<_> = status
        .disks()
        .filter(|(node, _)| only.is_none_or(|only| only.node_id == node.node_id))
        .collect();
    match console.format() {
        OutputFormat::Json => {
            disks.iter().try_for_each(|(node, disk)| console.object(&DiskObject::new(node, disk)))
        }
        OutputFormat::Human if disks.is_empty() => {
            console.progress().note("no disks");
            Ok(())
        }
        OutputFormat::Human => console.lines(disk_table().page(&disk_rows(&status, only))),
    }
}

/// Takes a folder of a node into service.
pub(super) async fn add(
    client: &Client,
    args: &DiskAddArgs,
    console: &Console,
) -> Result<(), CliError> {
    let status = client.cluster_status().await?;
    let node = Directory::new(&status).node(&args.node);
    let node = node.map_err(|error| CliError::name("--node", error))?;
    let disk =
        NewDisk { node: node.node_id.to_string(), path: args.path.clone(), create: args.create };
    let disk_id = client.add_disk(disk).await?;
    match console.format() {
        OutputFormat::Json => console.object(&DiskAddedObject {
            node: &node.name,
            path: &args.path,
            disk_id: disk_id.to_string(),
        }),
        OutputFormat::Human => console.lines([
            format!("disk {disk_id} is in service on node {}", node.name),
            "new vaults will use it: `custos cluster vaults create`".to_owned(),
        ]),
    }
}

/// Takes a disk out of service.
pub(super) async fn remove(
    client: &Client,
    args: &DiskRemoveArgs,
    console: &Console,
) -> Result<(), CliError> {
    let disk_id = find(client, "DISK", &args.disk).await?;
    // The arguments go together: one is not taken without the other.
    let removal = match &args.reason {
        Some(reason) => DiskRemoval::ForGood { reason: reason.clone() },
        None => DiskRemoval::UntilRestart,
    };
    client.remove_disk(disk_id, removal).await?;
    if console.format() == OutputFormat::Json {
        let disk_id = disk_id.to_string();
        return console.object(&DiskRemovedObject { disk_id, for_good: args.for_good });
    }
    let how = if args.for_good {
        "is out of the cluster for good"
    } else {
        "is out of service until its node starts again"
    };
    console.lines([format!("disk {disk_id} {how}")])
}

/// Gives a disk up for its node.
pub(super) async fn release(
    client: &Client,
    args: &DiskReleaseArgs,
    console: &Console,
) -> Result<(), CliError> {
    let disk_id = find(client, "DISK", &args.disk).await?;
    client.release_disk(disk_id, args.reason.clone()).await?;
    match console.format() {
        OutputFormat::Json => console.object(&DiskReleasedObject { disk_id: disk_id.to_string() }),
        OutputFormat::Human => console.lines([
            format!("disk {disk_id} is released: any node may take it into service"),
            "take it into service where it is then: `custos disk add`".to_owned(),
        ]),
    }
}

/// Lists what nobody knows on a disk.
pub(super) async fn quarantine(
    client: &Client,
    args: &DiskQuarantineArgs,
    console: &Console,
) -> Result<(), CliError> {
    let disk_id = find(client, "DISK", &args.disk).await?;
    let items = client.list_quarantine(disk_id, args.limit).await?;
    match console.format() {
        OutputFormat::Json => {
            items.iter().try_for_each(|item| console.object(&QuarantinedObject::from(item)))?;
        }
        OutputFormat::Human if items.is_empty() => {
            console.progress().note("the disk knows all that lies on it");
        }
        OutputFormat::Human => {
            let columns = [("SIZE", Align::Right), ("PLACE", Align::Left), ("WHY", Align::Left)];
            let rows: Vec<_> = items.iter().map(row).collect();
            console.lines(Table::new(&columns).page(&rows))?;
        }
    }
    if items.len() as u64 >= u64::from(args.limit) {
        console.warn("there may be more: the list ends where --limit says");
    }
    Ok(())
}

fn row(item: &Quarantined) -> Vec<String> {
    vec![units::size(item.len), item.place.clone(), item.reason.clone()]
}

/// The disk that an argument names.
///
/// Asks the cluster for all names, unless the id is whole.
pub(super) async fn find(
    client: &Client,
    argument: &'static str,
    name: &DiskName,
) -> Result<DiskId, CliError> {
    if let DiskName::Id(id) = name {
        return Ok(*id);
    }
    let status = client.cluster_status().await?;
    Directory::new(&status).disk(name).map_err(|error| CliError::name(argument, error))
}
