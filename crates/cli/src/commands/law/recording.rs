use custos_client::RecordingReport;

use super::Session;
use crate::{
    error::CliError,
    output::OutputFormat,
    table::{self, Align, Table},
    units,
};

/// Says what is wrong with the continuity of a recording.
pub(super) async fn check(session: Session<'_>, recording: &str) -> Result<(), CliError> {
    let report = session.client.check_recording(recording).await?;
    match session.console.format() {
        OutputFormat::Json => session.console.object(&report),
        OutputFormat::Human => session.console.lines(lines(&report)),
    }
}

fn lines(checked: &RecordingReport) -> Vec<String> {
    let report = &checked.report;
    let time = |time: Option<custos_core::Timestamp>| {
        time.map_or_else(|| "-".to_owned(), |time| time.to_string())
    };
    let mut fields = vec![
        ("recording", checked.recording.clone()),
        ("segments", units::grouped(u64::from(report.segments))),
        ("captured from", time(report.captured_from)),
        ("captured until", time(report.captured_until)),
    ];
    if checked.truncated {
        fields.push(("cut short", "it has more segments than were looked at".to_owned()));
    }
    if report.findings.is_empty() {
        fields.push(("findings", "none: it is whole".to_owned()));
        return table::fields("", &fields);
    }
    let mut lines = table::fields("", &fields);
    lines.push(String::new());
    let mut table = Table::new(&[
        ("FINDING", Align::Left),
        ("RULE", Align::Left),
        ("EVIDENCE", Align::Left),
        ("WHAT", Align::Left),
    ]);
    let rows: Vec<_> = report
        .findings
        .iter()
        .map(|it| {
            let rule = it.kind.rule().to_string();
            vec![it.kind.to_string(), rule, it.evidence.to_string(), it.text.clone()]
        })
        .collect();
    lines.extend(table.page(&rows));
    lines
}
