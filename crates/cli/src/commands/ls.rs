use custos_client::{Client, EvidenceSelection};
use custos_core::{EvidenceSummary, limits};

use crate::{
    args::LsArgs,
    error::CliError,
    json::EvidenceObject,
    output::{Console, OutputFormat},
    table::{Align, Table},
    units,
};

/// Which columns are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Columns {
    Short,
    Long,
}

/// Lists evidence page by page.
pub(super) async fn run(client: &Client, args: &LsArgs, console: &Console) -> Result<(), CliError> {
    let columns = if args.long { Columns::Long } else { Columns::Short };
    let mut table = columns.table();
    let mut left = args.limit.unwrap_or(u64::MAX);
    let only = EvidenceSelection { case: args.case.clone(), recording: args.recording.clone() };
    let mut token = None;
    let mut listed: u64 = 0;
    while left > 0 {
        let page_items =
            u32::try_from(left.min(limits::PAGE_ITEMS_MAX as u64)).expect("a page has few items");
        let page = client.list_evidence(token, page_items, only.clone()).await?;
        let count = page.items.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let items = &page.items[..count];
        match console.format() {
            OutputFormat::Json => {
                for item in items {
                    console.object(&EvidenceObject::from(item))?;
                }
            }
            OutputFormat::Human if items.is_empty() => {}
            OutputFormat::Human => {
                let rows: Vec<_> = items.iter().map(|item| columns.row(item)).collect();
                console.lines(table.page(&rows))?;
            }
        }
        left -= count as u64;
        listed += count as u64;
        match page.next {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    if listed == 0 && console.format() == OutputFormat::Human {
        console.progress().note("no sealed evidence");
    }
    Ok(())
}

impl Columns {
    fn table(self) -> Table {
        let mut columns = vec![
            ("EVIDENCE", Align::Left),
            ("SEALED AT", Align::Left),
            ("KIND", Align::Left),
            ("SIZE", Align::Right),
            ("CASE", Align::Left),
        ];
        if self == Self::Long {
            columns.extend([
                ("STAGE", Align::Left),
                ("RECORDING", Align::Left),
                ("NUMBER", Align::Right),
                ("CAPTURED AT", Align::Left),
                ("RECORDER", Align::Left),
                ("OFFICERS", Align::Left),
                ("PLACE", Align::Left),
                ("PUT BY", Align::Left),
            ]);
        }
        columns.extend([("FILE", Align::Left), ("", Align::Left)]);
        Table::new(&columns)
    }

    fn row(self, evidence: &EvidenceSummary) -> Vec<String> {
        let descriptor = &evidence.descriptor;
        let text = |value: &Option<String>| value.clone().unwrap_or_else(dash);
        let mut row = vec![
            evidence.evidence_id.to_string(),
            evidence.sealed_at.to_string(),
            descriptor.kind.to_string(),
            if evidence.size == 0 { "(empty)".to_owned() } else { units::size(evidence.size) },
            text(&descriptor.case),
        ];
        if self == Self::Long {
            row.extend([
                descriptor.stage.map_or_else(dash, |stage| stage.to_string()),
                text(&descriptor.recording),
                descriptor.sequence.map_or_else(dash, |number| number.to_string()),
                descriptor.captured_at.map_or_else(dash, |time| time.to_string()),
                text(&descriptor.recorder),
                if descriptor.officers.is_empty() { dash() } else { descriptor.officers.join(",") },
                text(&descriptor.place),
                evidence.put_by.clone(),
            ]);
        }
        let is_filed = evidence.missing_fields.is_empty();
        row.extend([text(&descriptor.file_name), if is_filed { "" } else { "unfiled" }.to_owned()]);
        row
    }
}

fn dash() -> String {
    "-".to_owned()
}
