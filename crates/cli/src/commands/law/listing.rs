use custos_client::Records;
use custos_core::{
    law::{ListPage, Record, RecordKind, RecordList, Versioned},
    limits,
};
use serde::Serialize;

use super::Session;
use crate::{
    args::{RecordLsArgs, TodayArgs},
    error::CliError,
    output::OutputFormat,
    records,
    table::Table,
};

/// Records of each list that `today` shows of all of them.
const TODAY_ITEMS: u64 = 20;

/// A record and the list that it is on.
#[derive(Serialize)]
struct ListedObject<'a> {
    list: RecordList,
    #[serde(flatten)]
    record: &'a Versioned,
}

/// All records of one kind.
pub(super) fn all_of(kind: RecordKind, args: &RecordLsArgs) -> ListPage {
    ListPage {
        list: RecordList::All,
        kind: Some(kind),
        unit: args.unit.clone(),
        prefix: None,
        after: None,
        limit: page_items(args.limit),
    }
}

/// Fewer than a page when fewer are wanted.
fn page_items(limit: Option<u64>) -> u32 {
    let most = limits::PAGE_ITEMS_MAX as u64;
    u32::try_from(limit.unwrap_or(most).min(most)).expect("a page has few items")
}

impl Session<'_> {
    /// Lists the records of one kind.
    pub(super) async fn ls(self, kind: RecordKind, args: &RecordLsArgs) -> Result<(), CliError> {
        self.list(kind, all_of(kind, args), args.limit, |_| true).await
    }

    /// Lists records page by page, those that `keeps` says.
    pub(super) async fn list(
        self,
        kind: RecordKind,
        list: ListPage,
        limit: Option<u64>,
        keeps: impl Fn(&Record) -> bool,
    ) -> Result<(), CliError> {
        let mut table = Table::new(&records::columns(kind));
        let mut left = limit.unwrap_or(u64::MAX);
        let mut listed = false;
        let mut pages = self.client.records(list);
        while let Some(page) = next_page(&mut pages, left).await? {
            let kept = page.into_iter().filter(|it| keeps(&it.record));
            let items: Vec<_> = kept.take(usize::try_from(left).unwrap_or(usize::MAX)).collect();
            left -= items.len() as u64;
            listed |= !items.is_empty();
            match self.console.format() {
                OutputFormat::Json => items.iter().try_for_each(|it| self.console.object(it))?,
                OutputFormat::Human if items.is_empty() => {}
                OutputFormat::Human => {
                    let rows: Vec<_> = items.iter().map(|it| records::row(&it.record)).collect();
                    self.console.lines(table.page(&rows))?;
                }
            }
        }
        if !listed && self.console.format() == OutputFormat::Human {
            self.console.progress().note(&format!("no {kind} on record"));
        }
        Ok(())
    }

    /// Lists every version of a record.
    pub(super) async fn history(self, kind: RecordKind, id: &str) -> Result<(), CliError> {
        let mut table = Table::new(&records::history_columns(kind));
        let mut pages = self.client.history(kind, id);
        while let Some(page) = pages.next_page().await? {
            match self.console.format() {
                OutputFormat::Json => page.iter().try_for_each(|it| self.console.object(it))?,
                OutputFormat::Human => {
                    let rows: Vec<_> = page.iter().map(records::history_row).collect();
                    self.console.lines(table.page(&rows))?;
                }
            }
        }
        Ok(())
    }
}

async fn next_page(pages: &mut Records<'_>, left: u64) -> Result<Option<Vec<Versioned>>, CliError> {
    if left == 0 {
        return Ok(None);
    }
    Ok(pages.next_page().await?)
}

/// Shows the lists that run the day.
pub(super) async fn today(session: Session<'_>, args: &TodayArgs) -> Result<(), CliError> {
    let limit = match (args.limit, args.list) {
        (Some(limit), _) => limit,
        (None, Some(_)) => u64::MAX,
        (None, None) => TODAY_ITEMS,
    };
    let mut shown = false;
    for list in args.lists() {
        // One more than is shown, to know whether there are more.
        let page = ListPage {
            list,
            kind: None,
            unit: args.unit.clone(),
            prefix: None,
            after: None,
            limit: page_items(limit.checked_add(1)),
        };
        let mut items = Vec::new();
        let mut pages = session.client.records(page);
        while (items.len() as u64) <= limit {
            let Some(page) = pages.next_page().await? else { break };
            items.extend(page);
        }
        let more = items.len() as u64 > limit;
        items.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        match session.console.format() {
            OutputFormat::Json => items
                .iter()
                .try_for_each(|record| session.console.object(&ListedObject { list, record }))?,
            OutputFormat::Human if items.is_empty() => {}
            OutputFormat::Human => {
                let gap = if shown { vec![String::new()] } else { Vec::new() };
                session.console.lines(gap.into_iter().chain(block(list, &items, more)))?;
            }
        }
        shown |= !items.is_empty();
    }
    if !shown && session.console.format() == OutputFormat::Human {
        session.console.progress().note("nothing is to be done");
    }
    Ok(())
}

fn block(list: RecordList, items: &[Versioned], more: bool) -> Vec<String> {
    let mut lines = vec![format!("{} ({list}):", heading(list))];
    // A list has records of one kind.
    let kind = items[0].record.kind();
    let rows: Vec<_> = items
        .iter()
        .filter(|it| it.record.kind() == kind)
        .map(|it| records::row(&it.record))
        .collect();
    lines.extend(Table::new(&records::columns(kind)).page(&rows));
    if more {
        lines.push(format!("there are more: `custos today --list {list}`"));
    }
    lines
}

fn heading(list: RecordList) -> &'static str {
    match list {
        RecordList::All => "All",
        RecordList::Unfiled => "Evidence that is filed under no case",
        RecordList::ArchiveDue => "Closed cases whose papers are to be filed",
        RecordList::ArchiveOverdue => "Closed cases whose papers are overdue",
        RecordList::HoldsToReview => "Holds to be reviewed",
        RecordList::ApplicationsWaiting => "Applications without an answer",
        RecordList::DispositionsPending => "Dispositions under way",
        RecordList::RecordersSilent => "Recorders that nothing came from",
        RecordList::RetentionOver => "Evidence whose retention is over",
    }
}
