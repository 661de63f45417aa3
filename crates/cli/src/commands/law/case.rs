use std::collections::BTreeMap;

use custos_client::EvidenceSelection;
use custos_core::law::{
    ArchiveCase, CaseReport, ClassifyCase, CloseCase, MoveCase, OpenCase, Record, RecordKind,
    ReopenCase, StageReport, UpdateCase, Versioned,
};
use custos_core::{ErrorKind, EvidenceSummary, Stage};
use serde::Serialize;

use super::{Session, listing::all_of};
use crate::{
    args::{CaseCommand, CaseOpenArgs, CaseUpdateArgs},
    error::CliError,
    json::EvidenceObject,
    output::OutputFormat,
    printable, records,
    table::{self, Align, Table},
    units,
};

/// What `case show` says.
#[derive(Serialize)]
struct CaseObject<'a> {
    case: &'a Versioned,
    report: &'a CaseReport,
    evidence: Vec<FiledObject<'a>>,
}

#[derive(Serialize)]
struct FiledObject<'a> {
    filed: Option<Stage>,
    #[serde(flatten)]
    evidence: EvidenceObject<'a>,
}

/// Evidence of a case, and the stage that it is filed under now.
struct Filed {
    stage: Option<Stage>,
    evidence: EvidenceSummary,
}

pub(super) async fn run(session: Session<'_>, command: CaseCommand) -> Result<(), CliError> {
    match command {
        CaseCommand::Open(args) => session.act(open(args)).await,
        CaseCommand::Update(args) => session.act(update(args)).await,
        CaseCommand::Move(args) => {
            session.act(MoveCase { case: args.id, stage: args.to, reason: args.reason }).await
        }
        CaseCommand::Close(args) => {
            session.act(CloseCase { case: args.id, reason: args.reason }).await
        }
        CaseCommand::Archive(args) => {
            session.act(ArchiveCase { case: args.id, despite: args.despite }).await
        }
        CaseCommand::Reopen(args) => {
            session.act(ReopenCase { case: args.id, stage: args.stage, reason: args.reason }).await
        }
        CaseCommand::Classify(args) => {
            session.act(ClassifyCase { case: args.id, to: args.to, reason: args.reason }).await
        }
        CaseCommand::Show(args) => show(session, &args.id).await,
        CaseCommand::Ls(args) => {
            let list = all_of(RecordKind::Case, &args.records);
            let keeps = |record: &Record| match record {
                Record::Case(case) => args.state.is_none_or(|state| case.state == state),
                _ => false,
            };
            session.list(RecordKind::Case, list, args.records.limit, keeps).await
        }
        CaseCommand::Report(args) => {
            let report = session.client.case_report(&args.id).await?;
            match session.console.format() {
                OutputFormat::Json => session.console.object(&report),
                OutputFormat::Human => session.console.lines(report_lines(&report)),
            }
        }
        CaseCommand::History(args) => session.history(RecordKind::Case, &args.id).await,
    }
}

fn open(args: CaseOpenArgs) -> OpenCase {
    OpenCase {
        case: args.id,
        act_type: args.act_type,
        unit: args.unit,
        title: args.title,
        place: args.place,
        officers: args.officers,
        parties: args.parties,
        custodian: args.custodian,
        classification: args.classification,
    }
}

fn update(args: CaseUpdateArgs) -> UpdateCase {
    UpdateCase {
        case: args.id,
        title: args.title,
        place: args.place,
        custodian: args.custodian,
        add_officers: args.add_officers,
        remove_officers: args.remove_officers,
        add_parties: args.add_parties,
        reason: args.reason,
    }
}

/// Shows a case as its timeline: what it is, what is on record under each stage, what is missing.
async fn show(session: Session<'_>, id: &str) -> Result<(), CliError> {
    let case = session.client.record(RecordKind::Case, id).await?;
    let report = session.client.case_report(id).await?;
    let evidence = session.evidence_of(id).await?;
    if session.console.format() == OutputFormat::Json {
        let evidence = evidence
            .iter()
            .map(|it| FiledObject { filed: it.stage, evidence: (&it.evidence).into() })
            .collect();
        return session.console.object(&CaseObject { case: &case, report: &report, evidence });
    }
    let mut lines = table::fields("", &records::fields(&case));
    lines.push(String::new());
    lines.extend(timeline(&report, &evidence));
    lines.push(String::new());
    lines.extend(missing(&report));
    session.console.lines(lines)
}

impl Session<'_> {
    async fn evidence_of(self, case: &str) -> Result<Vec<Filed>, CliError> {
        let only = EvidenceSelection { case: Some(case.to_owned()), recording: None };
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = self.client.list_evidence(token, 0, only.clone()).await?;
            for evidence in page.items {
                if let Some(stage) = self.stage_under(case, &evidence).await? {
                    all.push(Filed { stage, evidence });
                }
            }
            token = page.next;
            if token.is_none() {
                return Ok(all);
            }
        }
    }

    /// The stage that evidence is filed under; `None` when it is filed under another case.
    async fn stage_under(
        self,
        case: &str,
        evidence: &EvidenceSummary,
    ) -> Result<Option<Option<Stage>>, CliError> {
        let id = evidence.evidence_id.to_string();
        let filing = match self.client.record(RecordKind::Filing, &id).await {
            Ok(found) => found.record,
            // Sealed before there were cases.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(None)),
            Err(error) => return Err(error.into()),
        };
        match filing {
            Record::Filing(filing) if filing.case.as_deref() == Some(case) => {
                Ok(Some(filing.stage))
            }
            Record::Filing(filing) if filing.case.is_none() => Ok(Some(None)),
            _ => Ok(None),
        }
    }
}

/// Every stage with its evidence, in order of capture.
fn timeline(report: &CaseReport, evidence: &[Filed]) -> Vec<String> {
    let mut by_stage: BTreeMap<Option<Stage>, Vec<&EvidenceSummary>> = BTreeMap::new();
    for filed in evidence {
        by_stage.entry(filed.stage).or_default().push(&filed.evidence);
    }
    let stages = report.stages.iter().map(|it| (Some(it.stage), stage_heading(it)));
    // Where a stage of the act type went away, or evidence waits to be filed, it still shows.
    let others = by_stage
        .keys()
        .copied()
        .filter(|stage| !report.stages.iter().any(|it| Some(it.stage) == *stage))
        .map(|stage| (stage, stage.map_or("not filed yet".to_owned(), |it| it.to_string())));
    let mut lines = Vec::new();
    for (stage, heading) in stages.chain(others.collect::<Vec<_>>()) {
        lines.push(heading);
        let mut items = by_stage.get(&stage).cloned().unwrap_or_default();
        items.sort_by_key(|it| (it.descriptor.captured_at.unwrap_or(it.sealed_at), it.evidence_id));
        let mut table = Table::new(&[
            ("CAPTURED AT", Align::Left),
            ("EVIDENCE", Align::Left),
            ("KIND", Align::Left),
            ("SIZE", Align::Right),
            ("RECORDING", Align::Left),
            ("FILE", Align::Left),
        ]);
        let rows: Vec<_> = items.iter().map(|it| evidence_row(it)).collect();
        if !rows.is_empty() {
            lines.extend(table.page(&rows).into_iter().map(|line| format!("  {line}")));
        }
    }
    lines
}

fn stage_heading(report: &StageReport) -> String {
    let items = units::count(u64::from(report.items), "item", "items");
    let seen = match (report.audio_visual, report.audio_visual_required) {
        (0, true) => ", none of them audio-visual though rule R9 asks for it".to_owned(),
        (0, false) => String::new(),
        (seen, _) => format!(", {seen} audio-visual"),
    };
    format!("{}: {items}{seen}", report.stage)
}

fn evidence_row(evidence: &EvidenceSummary) -> Vec<String> {
    let text = |value: Option<&String>| value.cloned().unwrap_or_else(|| "-".to_owned());
    let descriptor = &evidence.descriptor;
    let recording = match (&descriptor.recording, descriptor.sequence) {
        (Some(recording), Some(number)) => format!("{recording} #{number}"),
        (recording, _) => text(recording.as_ref()),
    };
    vec![
        descriptor.captured_at.map_or_else(|| "-".to_owned(), |time| time.to_string()),
        evidence.evidence_id.to_string(),
        descriptor.kind.to_string(),
        units::size(evidence.size),
        recording,
        text(descriptor.file_name.as_ref()),
    ]
}

fn report_lines(report: &CaseReport) -> Vec<String> {
    let stages = report.stages.iter().map(stage_heading);
    stages.chain([String::new()]).chain(missing(report)).collect()
}

fn missing(report: &CaseReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.truncated {
        lines.push("More evidence is filed than was counted.".to_owned());
    }
    if report.missing.is_empty() {
        lines.push("Nothing is missing.".to_owned());
    } else {
        lines.push("What is missing:".to_owned());
        lines.extend(report.missing.iter().map(|what| format!("  {}", printable::line(what))));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_a_stage_without_sound_and_picture_says_so_only_where_they_must_be() {
        let report = |items, audio_visual, audio_visual_required| StageReport {
            stage: Stage::Investigation,
            items,
            audio_visual,
            audio_visual_required,
        };
        assert_eq!(stage_heading(&report(0, 0, false)), "investigation: 0 items");
        assert_eq!(stage_heading(&report(2, 1, true)), "investigation: 2 items, 1 audio-visual");
        assert!(stage_heading(&report(1, 0, true)).contains("rule R9"));
    }

    #[test]
    fn r1_what_a_case_lacks_is_told_line_by_line() {
        let report = CaseReport {
            case: "C-1".to_owned(),
            stages: Vec::new(),
            missing: vec!["R1: nothing is on record under review".to_owned()],
            truncated: false,
        };
        let lines = ["What is missing:", "  R1: nothing is on record under review"];
        assert_eq!(missing(&report), lines);
        let whole = CaseReport { missing: Vec::new(), ..report };
        assert_eq!(missing(&whole), ["Nothing is missing."]);
    }
}
