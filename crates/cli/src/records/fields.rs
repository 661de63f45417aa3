use custos_core::{
    EvidenceId,
    law::{
        Case, Disposition, Filing, Grant, Hold, LawPolicy, MediaCopy, Note, OutsideParty, Person,
        Record, Recorder, Sign, Station, Unit, Versioned,
    },
};

use super::{covered, dash, or_dash, reached, state};

type Fields = Vec<(&'static str, String)>;

/// Everything that a version of a record says, name by name.
pub(crate) fn fields(versioned: &Versioned) -> Vec<(&'static str, String)> {
    let record = &versioned.record;
    let mut fields = match record {
        Record::Unit(it) => unit(it),
        Record::Person(it) => person(it),
        Record::Recorder(it) => recorder(it),
        Record::Station(it) => station(it),
        Record::Case(it) => case(it),
        Record::Filing(it) => filing(it),
        Record::Note(it) => note(it),
        Record::Relation(it) => vec![
            ("evidence", it.evidence.to_string()),
            ("relation", it.relation.to_string()),
            ("to", it.to.to_string()),
        ],
        Record::Copy(it) => copy(it),
        Record::Hold(it) => hold(it),
        Record::Grant(it) => grant(it),
        Record::Disposition(it) => disposition(it),
        Record::Policy(it) => policy(it),
    };
    let state = state(record);
    if !fields.iter().any(|(_, value)| *value == state) {
        fields.push(("state", state));
    }
    fields.push((
        "version",
        format!(
            "{}, {}, by {}, custody entry {}",
            versioned.version, versioned.changed_at, versioned.changed_by, versioned.log_index
        ),
    ));
    fields
}

fn unit(unit: &Unit) -> Fields {
    vec![
        ("unit", unit.id.clone()),
        ("title", unit.title.clone()),
        ("parent", or_dash(unit.parent.as_ref())),
    ]
}

fn person(person: &Person) -> Fields {
    vec![
        ("person", person.id.clone()),
        ("title", or_dash(person.title.as_ref())),
        ("role", person.role.to_string()),
        ("unit", person.unit.clone()),
        ("certificate", or_dash(person.certificate_no.as_ref())),
        ("clearance", person.clearance.to_string()),
    ]
}

fn recorder(recorder: &Recorder) -> Fields {
    vec![
        ("recorder", recorder.id.clone()),
        ("model", or_dash(recorder.model.as_ref())),
        ("unit", recorder.unit.clone()),
        ("issued to", or_dash(recorder.issued_to.as_ref())),
        ("signing key", or_dash(recorder.signing_key.as_ref())),
    ]
}

fn station(station: &Station) -> Fields {
    vec![("station", station.id.clone()), ("unit", station.unit.clone())]
}

fn case(case: &Case) -> Fields {
    let parties = case.parties.iter().map(|party| format!("{} ({})", party.name, party.role));
    vec![
        ("case", case.id.clone()),
        ("act type", case.act_type.to_string()),
        ("title", or_dash(case.title.as_ref())),
        ("unit", case.unit.clone()),
        ("place", or_dash(case.place.as_ref())),
        ("officers", list(case.officers.iter().cloned())),
        ("parties", list(parties)),
        ("custodian", case.custodian.clone()),
        ("classification", case.classification.to_string()),
        ("stage", case.stage.to_string()),
        ("opened at", case.opened_at.to_string()),
        ("closed at", or_dash(case.closed_at.as_ref())),
        ("archive due", or_dash(case.archive_due.as_ref())),
        ("archived at", or_dash(case.archived_at.as_ref())),
        ("reason", or_dash(case.reason.as_ref())),
    ]
}

fn filing(filing: &Filing) -> Fields {
    vec![
        ("evidence", filing.id.clone()),
        ("unit", or_dash(filing.unit.as_ref())),
        ("case", or_dash(filing.case.as_ref())),
        ("stage", or_dash(filing.stage.as_ref())),
        ("classification", filing.classification.to_string()),
        ("retain until", filing.retain_until.to_string()),
        ("described anew", if filing.descriptor.is_some() { "yes" } else { "no" }.to_owned()),
        ("disposition", or_dash(filing.disposition.as_ref())),
        ("reason", or_dash(filing.reason.as_ref())),
    ]
}

fn note(note: &Note) -> Fields {
    vec![
        ("note", note.id.clone()),
        ("author", note.author.clone()),
        ("supersedes", or_dash(note.supersedes.as_ref())),
        ("text", note.text.clone()),
    ]
}

fn copy(copy: &MediaCopy) -> Fields {
    vec![
        ("copy", copy.id.clone()),
        ("evidence", copy.evidence.to_string()),
        ("blake3", copy.blake3.to_string()),
        ("medium", copy.medium.clone()),
        ("place", copy.place.clone()),
        ("made", signed(&copy.made)),
    ]
}

fn hold(hold: &Hold) -> Fields {
    vec![
        ("hold", hold.id.clone()),
        ("reason", hold.reason.to_string()),
        ("text", or_dash(hold.text.as_ref())),
        ("reference", or_dash(hold.reference.as_ref())),
        ("covers", covered(&hold.target)),
        ("unit", or_dash(hold.unit.as_ref())),
        ("placed", signed(&hold.placed)),
        ("review at", hold.review_at.to_string()),
        ("release asked", maybe_signed(hold.release_asked.as_ref())),
        ("released", maybe_signed(hold.released.as_ref())),
    ]
}

fn grant(grant: &Grant) -> Fields {
    vec![
        ("grant", grant.id.clone()),
        ("holder", grant.holder.clone()),
        ("for", grant.outside.as_ref().map_or_else(dash, party)),
        ("scope", grant.scope.to_string()),
        ("of", reached(grant)),
        ("purpose", grant.purpose.clone()),
        ("unit", or_dash(grant.unit.as_ref())),
        ("applied", signed(&grant.applied)),
        ("answer due", grant.answer_due.to_string()),
        ("decided", maybe_signed(grant.decided.as_ref())),
        ("revoked", maybe_signed(grant.revoked.as_ref())),
        ("valid until", or_dash(grant.valid_until.as_ref())),
    ]
}

fn party(party: &OutsideParty) -> String {
    let contact = party.contact.as_ref().map(|it| format!(", {it}")).unwrap_or_default();
    format!("{} ({}{contact})", party.name, party.standing)
}

fn disposition(disposition: &Disposition) -> Fields {
    let ids = |items: &[EvidenceId]| lines(items.iter().map(ToString::to_string));
    let struck = disposition.struck.iter().map(|it| format!("{}: {}", it.evidence, it.why));
    vec![
        ("disposition", disposition.id.clone()),
        ("unit", or_dash(disposition.unit.as_ref())),
        ("evidence", ids(&disposition.evidence)),
        ("proposed", signed(&disposition.proposed)),
        ("approvals", lines(disposition.approvals.iter().map(signed))),
        ("grace until", or_dash(disposition.grace_until.as_ref())),
        ("stopped", maybe_signed(disposition.stopped.as_ref())),
        ("ordered at", disposition.ordered_at.map_or_else(dash, |it| format!("entry {it}"))),
        ("ended", ids(&disposition.ended)),
        ("struck off", lines(struck)),
    ]
}

fn policy(policy: &LawPolicy) -> Fields {
    let days = |days: u32| format!("{days} days");
    let kinds = policy.kinds.iter().map(|it| format!("{}: {} days", it.kind, it.retention_days));
    let classifications = policy
        .classifications
        .iter()
        .map(|it| format!("{}: {} days", it.classification, it.retention_days));
    let act_types = policy.act_types.iter().map(|it| {
        let stages = list(it.stages.iter().map(ToString::to_string));
        let seen = list(it.audio_visual.iter().map(ToString::to_string));
        let kept = match it.retention_days {
            0 => String::new(),
            days => format!("; {days} days"),
        };
        format!("{}: {stages}; audio-visual: {seen}{kept}", it.act_type)
    });
    vec![
        ("incomplete descriptor", policy.incomplete_descriptor.to_string()),
        ("floor", days(policy.floor_days)),
        ("kinds", lines(kinds)),
        ("classifications", lines(classifications)),
        ("act types", lines(act_types)),
        ("late after", format!("{} hours", policy.late_after_hours)),
        ("clock tolerance", format!("{} seconds", policy.clock_tolerance_seconds)),
        ("archive within", days(policy.archive_days)),
        ("answer within", days(policy.answer_days)),
        ("longest grant", days(policy.grant_days_max)),
        ("grace", days(policy.grace_days)),
        ("hold review after", days(policy.hold_review_days)),
        ("recorder silent after", days(policy.recorder_silent_days)),
        ("release by two", list(policy.release_by_two.iter().map(ToString::to_string))),
    ]
}

fn signed(sign: &Sign) -> String {
    format!("{}, by {} ({}): {}", sign.at, sign.by, sign.role, sign.reason)
}

fn maybe_signed(sign: Option<&Sign>) -> String {
    sign.map_or_else(dash, signed)
}

fn list(items: impl Iterator<Item = String>) -> String {
    joined(items, ", ")
}

fn lines(items: impl Iterator<Item = String>) -> String {
    joined(items, "\n")
}

fn joined(items: impl Iterator<Item = String>, between: &str) -> String {
    let all: Vec<String> = items.collect();
    if all.is_empty() { dash() } else { all.join(between) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::samples;

    #[test]
    fn r26_every_record_says_who_changed_it_and_in_which_entry() {
        for record in samples::all() {
            let fields = fields(&samples::versioned(record));
            let (name, version) = fields.last().expect("has fields");
            assert_eq!(*name, "version");
            assert!(version.contains("li.na (custodian), custody entry 7"), "{version}");
        }
    }
}
