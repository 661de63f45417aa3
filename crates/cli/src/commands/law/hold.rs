use custos_core::law::{EvidenceFilter, Keeping, PlaceHold, Record, RecordKind, ReleaseHold};

use super::{Session, listing::all_of};
use crate::{
    args::{HoldCommand, HoldPlaceArgs},
    error::CliError,
    output::OutputFormat,
    records,
    table::{self, Table},
};

pub(super) async fn run(session: Session<'_>, command: HoldCommand) -> Result<(), CliError> {
    match command {
        HoldCommand::Place(args) => session.act(place(*args)).await,
        HoldCommand::Release(args) => {
            session.act(ReleaseHold { hold: args.id, reason: args.reason }).await
        }
        HoldCommand::Ls(args) => {
            let list = all_of(RecordKind::Hold, &args.records);
            let keeps = |record: &Record| match record {
                Record::Hold(hold) => args.all || hold.released.is_none(),
                _ => false,
            };
            session.list(RecordKind::Hold, list, args.records.limit, keeps).await
        }
        HoldCommand::Show(args) => session.show(RecordKind::Hold, &args.id).await,
        HoldCommand::Why { evidence } => {
            let keeping = session.client.keeping(evidence).await;
            let keeping =
                keeping.map_err(|error| CliError::from(error).about_evidence(evidence))?;
            match session.console.format() {
                OutputFormat::Json => session.console.object(&keeping),
                OutputFormat::Human => session.console.lines(why(&keeping)),
            }
        }
    }
}

fn place(args: HoldPlaceArgs) -> PlaceHold {
    let target = args.target;
    PlaceHold {
        reason: args.reason,
        text: args.text,
        reference: args.reference,
        target: EvidenceFilter {
            evidence: target.evidence,
            recording: target.recording,
            case: target.case,
            stage: target.stage,
            unit: target.unit,
            recorder: target.recorder,
            officer: target.officer,
            place: target.place,
            kind: target.kind,
            from: target.from,
            until: target.until,
        },
        review_at: args.review_at,
    }
}

fn why(keeping: &Keeping) -> Vec<String> {
    let over = if keeping.retention_over { ", which is over" } else { "" };
    let mut fields = vec![
        ("evidence", keeping.evidence.to_string()),
        ("retain until", format!("{}{over}", keeping.retain_until)),
        ("because of", keeping.retained_for.clone()),
    ];
    if let Some(disposition) = &keeping.disposition {
        fields.push(("disposition", format!("{disposition} has ordered its end")));
    }
    if keeping.holds.is_empty() {
        fields.push(("holds", "none".to_owned()));
    }
    let mut lines = table::fields("", &fields);
    if !keeping.holds.is_empty() {
        lines.push(String::new());
        let rows: Vec<_> = keeping.holds.iter().map(|it| records::row(&it.record)).collect();
        lines.extend(Table::new(&records::columns(RecordKind::Hold)).page(&rows));
    }
    lines
}
