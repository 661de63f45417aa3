use custos_client::{Client, ClusterStatus, LedgerGroup, VaultOrder};
use custos_core::{
    continuity::Length,
    law::{ClockState, ConfirmClock},
};

use crate::{
    args::CreateVaultsArgs,
    cluster::{
        Severity, Trouble, disk_rows, disk_table, meta_rows, meta_table, node_rows, node_table,
    },
    error::CliError,
    json::{ActObject, ClusterObject, VaultsObject},
    output::{Console, OutputFormat},
    printable, table, units,
};

/// Shows what is wrong, then everything.
pub(super) async fn status(client: &Client, console: &Console) -> Result<(), CliError> {
    let status = client.cluster_status().await?;
    let troubles = Trouble::all_of(&status);
    match console.format() {
        OutputFormat::Json => console.object(&ClusterObject::new(&status, &troubles)),
        OutputFormat::Human => console.lines(lines(&status, &troubles)),
    }
}

/// Creates vaults.
pub(super) async fn create_vaults(
    client: &Client,
    args: &CreateVaultsArgs,
    console: &Console,
) -> Result<(), CliError> {
    let profile = args.profile;
    let order = VaultOrder { profile, level: args.level, count: args.count };
    let vaults = client.create_vaults(order).await?;
    for what in &vaults.left_out {
        console.warn(&format!("left out: {}", printable::line(what)));
    }
    if console.format() == OutputFormat::Json {
        return console.object(&VaultsObject::new(profile, &vaults));
    }
    let line = match vaults.level {
        Some(level) if vaults.created > 0 => {
            let count = units::count(u64::from(vaults.created), "vault", "vaults");
            format!("created {count} of {profile}, apart by {level} (epoch {})", vaults.epoch)
        }
        _ => format!("no vault of {profile} was needed (epoch {})", vaults.epoch),
    };
    console.lines([line])
}

/// Shows cluster time, and how much of it counts for retention.
pub(super) async fn show_clock(client: &Client, console: &Console) -> Result<(), CliError> {
    let clock = client.clock().await?;
    if console.format() == OutputFormat::Json {
        return console.object(&clock);
    }
    let confirmed = match &clock.confirmed_by {
        Some(sign) => format!(
            "by {} ({}) at {}: a second person of another role must too",
            sign.by, sign.role, sign.at
        ),
        None => "-".to_owned(),
    };
    let fields = [
        ("cluster time", clock.time.to_string()),
        ("settled time", clock.settled.to_string()),
        ("not confirmed", Length(clock.unconfirmed_ms).to_string()),
        ("confirmed", confirmed),
    ];
    console.lines(table::fields("", &fields))
}

/// Confirms that cluster time is right.
pub(super) async fn confirm_clock(
    client: &Client,
    reason: String,
    console: &Console,
) -> Result<(), CliError> {
    let (entry, _) = client.act(ConfirmClock { reason }).await?;
    match console.format() {
        OutputFormat::Json => console.object(&ActObject { log_index: entry.0 }),
        OutputFormat::Human => {
            // It is done, also when the ledger does not say any more what became of it.
            let what = match client.clock().await {
                Ok(ClockState { confirmed_by: Some(_), .. }) => {
                    "confirmed by one; somebody of another role must confirm it too"
                }
                Ok(_) => "confirmed by two: all of cluster time counts",
                Err(_) => "confirmed",
            };
            console.lines([format!("{what}; custody entry {entry}")])
        }
    }
}

fn lines(status: &ClusterStatus, troubles: &[Trouble]) -> Vec<String> {
    let mut lines = Vec::new();
    for (heading, severity) in
        [("What is wrong:", Severity::Wrong), ("Worth knowing:", Severity::Notice)]
    {
        let messages: Vec<_> =
            troubles.iter().filter(|trouble| trouble.severity == severity).collect();
        match severity {
            Severity::Wrong if messages.is_empty() => lines.push("Nothing is wrong.".to_owned()),
            Severity::Notice if messages.is_empty() => continue,
            _ => lines.push(heading.to_owned()),
        }
        lines.extend(messages.iter().map(|it| format!("  {}", printable::line(&it.message))));
        lines.push(String::new());
    }
    lines.extend(table::fields("", &summary(status)));
    for (mut table, rows) in [
        (meta_table(), meta_rows(&status.meta)),
        (node_table(), node_rows(status)),
        (disk_table(), disk_rows(status, None)),
    ] {
        if !rows.is_empty() {
            lines.push(String::new());
            lines.extend(table.page(&rows));
        }
    }
    lines
}

fn ledger_group(group: &LedgerGroup) -> String {
    let shards = group.shards.iter().map(|(first, last)| format!("{first}-{last}"));
    let shards = shards.collect::<Vec<_>>().join(", ");
    let system = if group.is_system { "the system and " } else { "" };
    format!("group {} keeps {system}virtual shards {shards}", group.id)
}

fn summary(status: &ClusterStatus) -> Vec<(&'static str, String)> {
    let reports = || status.disks().filter_map(|(_, disk)| disk.report.as_ref());
    let shards = reports().map(|report| report.shards).fold(0, u64::saturating_add);
    let bytes = reports().map(|report| report.payload_bytes).fold(0, u64::saturating_add);
    let groups: Vec<String> = status
        .vaults
        .iter()
        .map(|group| {
            let vaults = units::grouped(u64::from(group.vaults));
            format!("{vaults} of {}, apart by {}", group.profile, group.level)
        })
        .collect();
    let ledger_groups: Vec<String> = status.ledger_groups.iter().map(ledger_group).collect();
    vec![
        ("cluster", format!("{}, epoch {}, {}", status.origin, status.epoch, status.time)),
        ("ledger", ledger_groups.join("\n")),
        ("vaults", if groups.is_empty() { "none".to_owned() } else { groups.join("\n") }),
        ("shards", format!("{} with {}", units::grouped(shards), units::size(bytes))),
        ("damaged", units::grouped(status.damaged_shards)),
    ]
}
