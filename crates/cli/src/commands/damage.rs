use custos_client::{Client, DamagedShard};
use custos_core::limits;

use crate::{
    args::DamageLsArgs,
    error::CliError,
    json::DamageObject,
    output::{Console, OutputFormat},
    table::{Align, Table},
    units,
};

/// Lists damaged shards page by page.
pub(super) async fn ls(
    client: &Client,
    args: &DamageLsArgs,
    console: &Console,
) -> Result<(), CliError> {
    let mut table = Table::new(&[
        ("REPORTED AT", Align::Left),
        ("DISK", Align::Left),
        ("EVIDENCE", Align::Left),
        ("VAULT", Align::Right),
        ("CHUNK", Align::Right),
        ("SLOT", Align::Right),
        ("ENTRY", Align::Right),
        ("WHAT", Align::Left),
    ]);
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut token = None;
    let mut listed: u64 = 0;
    while left > 0 {
        let page_items =
            u32::try_from(left.min(limits::PAGE_ITEMS_MAX as u64)).expect("a page has few items");
        let page = client.list_damage(token, page_items).await?;
        let count = page.items.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let items = &page.items[..count];
        match console.format() {
            OutputFormat::Json => {
                items.iter().try_for_each(|item| console.object(&DamageObject::from(item)))?;
            }
            OutputFormat::Human if items.is_empty() => {}
            OutputFormat::Human => {
                let rows: Vec<_> = items.iter().map(row).collect();
                console.lines(table.page(&rows))?;
            }
        }
        left -= count as u64;
        listed += count as u64;
        match page.next {
            Some(next) => token = Some(next),
            None => break,
        }
        if left == 0 && console.format() == OutputFormat::Human {
            let total = units::grouped(page.total);
            console.progress().note(&format!("{listed} of {total} damaged shards are listed"));
        }
    }
    if listed == 0 && console.format() == OutputFormat::Human {
        console.progress().note("no damaged shards are on record");
    }
    Ok(())
}

fn row(shard: &DamagedShard) -> Vec<String> {
    let key = &shard.damage.key;
    vec![
        shard.reported_at.to_string(),
        shard.disk_id.to_string(),
        key.evidence_id.to_string(),
        key.vault.to_string(),
        key.chunk.to_string(),
        key.slot.to_string(),
        shard.log_index.to_string(),
        shard.damage.what.clone(),
    ]
}
