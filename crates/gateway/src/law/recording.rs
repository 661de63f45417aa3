use std::collections::HashSet;

use custos_core::{
    Actor, EvidenceId, EvidenceRecord, Refusal, Rule,
    continuity::{self, Limits, Report, Segment},
    law::{LawPolicy, Record, RecordKind},
    limits::PAGE_ITEMS_MAX,
};
use custos_ledger::{Answer, Query};

use crate::{Gateway, GatewayError};

/// Segments of one recording that are looked at: more than a device writes in a month without a
/// pause, five minutes each.
const SEGMENTS_MAX: usize = 10_000;
/// Pages that are asked for: pages of long descriptors hold far fewer items than they may.
const PAGES_MAX: usize = 200;

/// What a recording shows of its own continuity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRecording {
    /// What was found.
    pub report: Report,
    /// It has more segments than were looked at.
    pub truncated: bool,
}

impl Gateway {
    /// Judges whether a recording is whole, by what its segments on record say (rules R3, R5).
    ///
    /// # Errors
    /// `NotFound` for a recording without a segment, a refusal when the reader may not read every
    /// segment, or a ledger that does not answer.
    pub async fn check_recording(
        &self,
        reader: &Actor,
        recording: &str,
    ) -> Result<CheckedRecording, GatewayError> {
        let limits = self.time_limits().await?;
        let (mut segments, is_all) = self.segments(&Actor::system(), recording).await?;
        // What is hidden from the reader would look like a gap.
        let (shown, _) = self.segments(reader, recording).await?;
        let shown: HashSet<EvidenceId> = shown.into_iter().map(|it| it.evidence).collect();
        for hidden in segments.iter().filter(|it| !shown.contains(&it.evidence)) {
            // Refused, unless it has ended meanwhile, or may be read now.
            self.query_by(reader, Query::Evidence(hidden.evidence)).await?;
        }
        if segments.is_empty() {
            let reason = format!("no sealed evidence is a segment of {recording}");
            return Err(Refusal::not_found(Rule::R5, "recording", reason).into());
        }
        let truncated = !is_all || segments.len() > SEGMENTS_MAX;
        segments.truncate(SEGMENTS_MAX);
        Ok(CheckedRecording { report: continuity::check(&segments, limits), truncated })
    }

    /// The segments that somebody may read, in order of their ids, and whether these are all.
    async fn segments(
        &self,
        reader: &Actor,
        recording: &str,
    ) -> Result<(Vec<Segment>, bool), GatewayError> {
        let mut segments = Vec::new();
        let mut after = None;
        // Also where the reader may read none of them.
        for _page in 0..PAGES_MAX {
            let query = Query::ListEvidence {
                after,
                limit: PAGE_ITEMS_MAX,
                case: None,
                recording: Some(recording.to_owned()),
            };
            let Answer::List { items, resume_after } = self.query_by(reader, query).await? else {
                return Err(GatewayError::unexpected("ListEvidence"));
            };
            segments.extend(items.into_iter().map(segment));
            after = resume_after;
            if after.is_none() || segments.len() >= SEGMENTS_MAX {
                break;
            }
        }
        Ok((segments, after.is_none()))
    }

    /// What the policy that stands says of time.
    async fn time_limits(&self) -> Result<Limits, GatewayError> {
        match self.law_record(&Actor::system(), RecordKind::Policy, LawPolicy::ID).await?.record {
            Record::Policy(policy) => Ok(Limits {
                late_after_hours: policy.late_after_hours,
                clock_tolerance_seconds: policy.clock_tolerance_seconds,
            }),
            _ => Err(GatewayError::unexpected("Record of the policy")),
        }
    }
}

fn segment(record: EvidenceRecord) -> Segment {
    let descriptor = record.descriptor;
    Segment {
        sequence: descriptor.sequence,
        captured_at: descriptor.captured_at,
        evidence: record.evidence_id,
        captured_until: descriptor.captured_until,
        opened_at: record.opened_at,
        sealed_at: record.sealed_at,
        station_at: descriptor.station_at,
        device_ahead_ms: descriptor.device_ahead_ms,
        notice_at_ms: descriptor.notice_at_ms,
    }
}
