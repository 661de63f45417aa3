use custos_client::Client;
use custos_core::{
    Descriptor, ErrorKind, EvidenceId, EvidenceSummary,
    law::{Classification, RecordKind, Versioned},
};
use serde::Serialize;

use crate::{
    error::CliError,
    json::EvidenceObject,
    output::{Console, OutputFormat},
    records, table, units,
};

/// Shows one evidence item.
pub(super) async fn run(
    client: &Client,
    evidence_id: EvidenceId,
    console: &Console,
) -> Result<(), CliError> {
    let evidence = client.evidence(evidence_id).await;
    let evidence = evidence.map_err(|error| CliError::from(error).about_evidence(evidence_id))?;
    let filing = match client.record(RecordKind::Filing, &evidence_id.to_string()).await {
        Ok(filing) => Some(filing),
        // A station reads of what it put what the catalogue says, and no more.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Refused) => None,
        Err(error) => return Err(error.into()),
    };
    match console.format() {
        OutputFormat::Json => {
            console.object(&ShownObject { evidence: (&evidence).into(), filing: filing.as_ref() })
        }
        OutputFormat::Human => {
            let mut fields = fields(&evidence);
            if let Some(filing) = &filing {
                fields.push(("filing", records::state(&filing.record)));
            }
            console.lines(table::fields("", &fields))
        }
    }
}

/// What `show` says: what was sealed, and how it is filed now.
#[derive(Serialize)]
struct ShownObject<'a> {
    #[serde(flatten)]
    evidence: EvidenceObject<'a>,
    filing: Option<&'a Versioned>,
}

fn fields(evidence: &EvidenceSummary) -> Vec<(&'static str, String)> {
    let descriptor = &evidence.descriptor;
    let mut size = units::exact_size(evidence.size);
    if evidence.size == 0 {
        size.push_str(" (empty)");
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_else(dash);
    let mut fields = vec![
        ("evidence", evidence.evidence_id.to_string()),
        ("kind", descriptor.kind.to_string()),
        ("size", size),
        ("blake3", evidence.blake3.to_string()),
        ("sha256", evidence.sha256.to_string()),
        ("case", text(&descriptor.case)),
        ("stage", descriptor.stage.map_or_else(dash, |stage| stage.to_string())),
        ("captured at", descriptor.captured_at.map_or_else(dash, |time| time.to_string())),
        ("captured until", descriptor.captured_until.map_or_else(dash, |time| time.to_string())),
        ("recording", recording(descriptor)),
        ("recorder", text(&descriptor.recorder)),
        (
            "officers",
            if descriptor.officers.is_empty() { dash() } else { descriptor.officers.join(", ") },
        ),
        ("place", text(&descriptor.place)),
        ("note", text(&descriptor.note)),
        ("file name", text(&descriptor.file_name)),
        ("media type", text(&descriptor.media_type)),
        ("source", text(&descriptor.source)),
        (
            "classification",
            descriptor.classification.unwrap_or(Classification::Ordinary).to_string(),
        ),
        ("notice given", descriptor.notice_at_ms.map_or_else(dash, after_start)),
        ("clocks", clocks(descriptor)),
        ("put by", evidence.put_by.clone()),
        ("opened at", evidence.opened_at.to_string()),
        ("sealed at", format!("{}, custody entry {}", evidence.sealed_at, evidence.log_index)),
        ("retain until", evidence.retain_until.to_string()),
        ("stored as", format!("{} in chunks of {}", evidence.profile, evidence.chunk_size)),
    ];
    if evidence.missing_shards > 0 {
        let count = evidence.missing_shards;
        fields.push(("late shards", format!("{count} were not yet written when acknowledged")));
    }
    if !evidence.missing_fields.is_empty() {
        fields.push(("unfiled", format!("missing {}", evidence.missing_fields.join(", "))));
    }
    fields
}

fn recording(descriptor: &Descriptor) -> String {
    match (&descriptor.recording, descriptor.sequence) {
        (Some(recording), Some(number)) => format!("{recording}, segment {number}"),
        (Some(recording), None) => recording.clone(),
        (None, _) => dash(),
    }
}

fn after_start(ms: u64) -> String {
    format!("{} ms after the capture began", units::grouped(ms))
}

/// What is said about clocks when it was taken over (rule R3).
fn clocks(descriptor: &Descriptor) -> String {
    let ahead = descriptor.device_ahead_ms.map(|ms| {
        let what = if ms < 0 { "behind" } else { "ahead" };
        format!("device {} ms {what}", units::grouped(ms.unsigned_abs()))
    });
    let station = descriptor.station_at.map(|time| format!("station said {time}"));
    let both: Vec<String> = ahead.into_iter().chain(station).collect();
    if both.is_empty() { dash() } else { both.join(", ") }
}

fn dash() -> String {
    "-".to_owned()
}
