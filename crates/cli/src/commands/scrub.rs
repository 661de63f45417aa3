use custos_client::{Client, ScrubChange};
use custos_core::DiskState;

use super::disk;
use crate::{
    args::{ScrubPace, ScrubSetArgs, ScrubTarget},
    cluster::{scrub_rows, scrub_table},
    error::CliError,
    json::{DiskScrubObject, ScrubOrderObject},
    output::{Console, OutputFormat},
    units,
};

/// Shows how far the scrub of each disk is.
pub(super) async fn status(client: &Client, console: &Console) -> Result<(), CliError> {
    let status = client.cluster_status().await?;
    if console.format() == OutputFormat::Json {
        return status
            .disks()
            .filter(|(_, disk)| disk.state == DiskState::InService)
            .try_for_each(|(node, disk)| console.object(&DiskScrubObject::new(node, disk)));
    }
    let rows = scrub_rows(&status);
    if rows.is_empty() {
        console.progress().note("no disk is in service");
    } else {
        console.lines(scrub_table().page(&rows))?;
    }
    if status.damaged_shards > 0 {
        let count = units::count(status.damaged_shards, "damaged shard is", "damaged shards are");
        console.lines([String::new(), format!("{count} on record: `custos damage ls`")])?;
    }
    Ok(())
}

/// Changes the pace.
pub(super) async fn set(
    client: &Client,
    args: &ScrubSetArgs,
    console: &Console,
) -> Result<(), CliError> {
    let ScrubPace { rate, period_days } = args.pace;
    let change = ScrubChange { bytes_per_second: rate, period_days, ..ScrubChange::default() };
    order(client, &args.target, change, console).await
}

/// Begins a new pass.
pub(super) async fn start(
    client: &Client,
    target: &ScrubTarget,
    console: &Console,
) -> Result<(), CliError> {
    order(client, target, ScrubChange { start: true, ..ScrubChange::default() }, console).await
}

/// Lets the scrub rest.
pub(super) async fn pause(
    client: &Client,
    target: &ScrubTarget,
    console: &Console,
) -> Result<(), CliError> {
    order(client, target, ScrubChange { paused: Some(true), ..ScrubChange::default() }, console)
        .await
}

/// Lets the scrub go on.
pub(super) async fn resume(
    client: &Client,
    target: &ScrubTarget,
    console: &Console,
) -> Result<(), CliError> {
    order(client, target, ScrubChange { paused: Some(false), ..ScrubChange::default() }, console)
        .await
}

async fn order(
    client: &Client,
    target: &ScrubTarget,
    change: ScrubChange,
    console: &Console,
) -> Result<(), CliError> {
    let disk_id = match &target.disk {
        Some(name) => Some(disk::find(client, "--disk", name).await?),
        None => None,
    };
    let disks = client.set_scrub(disk_id, change).await?;
    if disks == 0 {
        return Err(CliError::NobodyFollows);
    }
    match console.format() {
        OutputFormat::Json => console.object(&ScrubOrderObject::new(disk_id, disks)),
        OutputFormat::Human => {
            console.lines([units::count(u64::from(disks), "disk follows", "disks follow")])
        }
    }
}
