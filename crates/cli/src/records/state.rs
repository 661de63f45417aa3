use custos_core::{
    EvidenceId,
    law::{
        Case, CaseState, Disposition, DispositionState, EvidenceFilter, Filing, Grant, GrantState,
        Hold, Record, Recorder, Sign,
    },
};

/// How a record stands, in a few words: what an act tells of what it did.
pub(crate) fn state(record: &Record) -> String {
    match record {
        Record::Unit(it) => in_use(it.active).to_owned(),
        Record::Person(it) => {
            format!("{} of {}, {}", it.role, it.unit, in_use(it.active))
        }
        Record::Recorder(it) => recorder(it),
        Record::Station(it) => format!("of {}, {}", it.unit, in_use(it.active)),
        Record::Case(it) => case(it),
        Record::Filing(it) => filing(it),
        Record::Note(it) => match it.supersedes {
            Some(number) => format!("by {}, in place of note {number}", it.author),
            None => format!("by {}", it.author),
        },
        Record::Relation(it) => format!("{} {}", it.relation, it.to),
        Record::Copy(it) => format!("on {}, at {}", it.medium, it.place),
        Record::Hold(it) => hold(it),
        Record::Grant(it) => grant(it),
        Record::Disposition(it) => disposition(it),
        Record::Policy(it) => format!("no retention under {} days", it.floor_days),
    }
}

fn in_use(active: bool) -> &'static str {
    if active { "active" } else { "not active" }
}

fn recorder(recorder: &Recorder) -> String {
    match (&recorder.issued_to, recorder.active) {
        (_, false) => in_use(false).to_owned(),
        (Some(person), true) => format!("issued to {person}"),
        (None, true) => "issued to nobody".to_owned(),
    }
}

fn case(case: &Case) -> String {
    let mut text = match case.state {
        CaseState::Open => format!("open at {}", case.stage),
        CaseState::Closed => match case.archive_due {
            Some(due) => format!("closed, to be archived by {due}"),
            None => "closed".to_owned(),
        },
        CaseState::Archived => "archived".to_owned(),
    };
    if let (Some(to), Some(asked)) = (case.lower_to, &case.lower_asked) {
        text.push_str(&lower(to.name(), asked));
    }
    text
}

fn filing(filing: &Filing) -> String {
    let mut text = match (&filing.case, filing.stage) {
        (Some(case), Some(stage)) => format!("filed under {case} at {stage}"),
        (Some(case), None) => format!("filed under {case}"),
        (None, _) => "unfiled".to_owned(),
    };
    text.push_str(&format!(", {}, kept until {}", filing.classification, filing.retain_until));
    if let (Some(to), Some(asked)) = (filing.lower_to, &filing.lower_asked) {
        text.push_str(&lower(to.name(), asked));
    }
    if let Some(disposition) = &filing.disposition {
        text.push_str(&format!("; its end is ordered by {disposition}"));
    }
    text
}

fn lower(to: &str, asked: &Sign) -> String {
    format!("; {} asked for {to}: a second person must agree", asked.by)
}

fn hold(hold: &Hold) -> String {
    match (&hold.released, &hold.release_asked) {
        (Some(released), _) => format!("released by {}", released.by),
        (None, Some(asked)) => {
            format!("release asked for by {}: a second person must release it too", asked.by)
        }
        (None, None) => format!("stands, to be reviewed at {}", hold.review_at),
    }
}

fn grant(grant: &Grant) -> String {
    match grant.state {
        GrantState::Applied => format!("applied for, to be answered by {}", grant.answer_due),
        GrantState::Approved => {
            let until = grant.valid_until.map(|time| format!(" until {time}")).unwrap_or_default();
            format!("approved{until}, used {} of {} times", grant.uses, grant.uses_max)
        }
        GrantState::Refused => "refused".to_owned(),
        GrantState::Revoked => "revoked".to_owned(),
    }
}

fn disposition(disposition: &Disposition) -> String {
    let items = disposition.evidence.len();
    match disposition.state {
        DispositionState::Proposed => {
            format!("proposed, {} of 2 approvals", disposition.approvals.len())
        }
        DispositionState::Approved => match disposition.grace_until {
            Some(until) => format!("approved, not to be ordered before {until}"),
            None => "approved".to_owned(),
        },
        DispositionState::Ordered | DispositionState::Done => format!(
            "{}, {} of {items} ended, {} struck off",
            disposition.state,
            disposition.ended.len(),
            disposition.struck.len()
        ),
        DispositionState::Stopped => "stopped".to_owned(),
    }
}

/// What a hold covers, in a few words.
pub(crate) fn covered(target: &EvidenceFilter) -> String {
    let named = [
        ("evidence", target.evidence.map(|id| id.to_string())),
        ("recording", target.recording.clone()),
        ("case", target.case.clone()),
        ("stage", target.stage.map(|stage| stage.to_string())),
        ("unit", target.unit.clone()),
        ("recorder", target.recorder.clone()),
        ("officer", target.officer.clone()),
        ("place", target.place.clone()),
        ("kind", target.kind.map(|kind| kind.to_string())),
        ("from", target.from.map(|time| time.to_string())),
        ("until", target.until.map(|time| time.to_string())),
    ];
    let parts = named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    parts.collect::<Vec<_>>().join(", ")
}

/// What a grant reaches, in a few words.
pub(crate) fn reached(grant: &Grant) -> String {
    let mut text = match (&grant.case, &grant.evidence[..]) {
        (Some(case), _) => format!("case {case}"),
        (None, [one]) => one.to_string(),
        (None, several) => several.iter().map(EvidenceId::to_string).collect::<Vec<_>>().join(", "),
    };
    if let Some(range) = grant.range {
        text.push_str(&format!(", bytes {}-{}", range.start, range.end.saturating_sub(1)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::samples;

    fn of(record: &str) -> String {
        state(&samples::record(record))
    }

    #[test]
    fn r11_a_hold_says_whether_a_second_person_must_release_it() {
        assert_eq!(of("hold"), "stands, to be reviewed at 1970-01-01T00:00:09.000Z");
        assert!(of("hold asked").contains("zhao.min: a second person must release it too"));
        assert_eq!(of("hold released"), "released by zhao.min");
    }

    #[test]
    fn r18_a_grant_says_how_long_and_how_often_it_is_good_for() {
        assert_eq!(of("grant"), "approved until 1970-01-01T00:00:09.000Z, used 1 of 3 times");
    }

    #[test]
    fn a_filter_is_told_in_the_order_of_its_fields() {
        let target = EvidenceFilter {
            case: Some("C-1".to_owned()),
            officer: Some("110421".to_owned()),
            ..EvidenceFilter::default()
        };
        assert_eq!(covered(&target), "case C-1, officer 110421");
    }
}
