use custos_core::law::{Record, RecordKind, Versioned};

use super::{covered, dash, or_dash, reached, state};
use crate::table::Align;

/// Columns of a list of records of one kind; the first is the record's id.
pub(crate) fn columns(kind: RecordKind) -> Vec<(&'static str, Align)> {
    let names: &[&str] = match kind {
        RecordKind::Unit => &["UNIT", "PARENT", "TITLE", "STATE"],
        RecordKind::Person => {
            &["PERSON", "ROLE", "UNIT", "CERTIFICATE", "CLEARANCE", "ACTIVE", "TITLE"]
        }
        RecordKind::Recorder => &["RECORDER", "UNIT", "MODEL", "STATE"],
        RecordKind::Station => &["STATION", "STATE"],
        RecordKind::Case => {
            &["CASE", "ACT TYPE", "UNIT", "CUSTODIAN", "CLASSIFICATION", "STATE", "TITLE"]
        }
        RecordKind::Filing => {
            &["EVIDENCE", "UNIT", "CASE", "STAGE", "CLASSIFICATION", "RETAIN UNTIL"]
        }
        RecordKind::Note => &["NOTE", "AUTHOR", "SUPERSEDES", "TEXT"],
        RecordKind::Relation => &["EVIDENCE", "RELATION", "TO"],
        RecordKind::Copy => &["COPY", "EVIDENCE", "MEDIUM", "PLACE", "MADE BY", "MADE AT"],
        RecordKind::Hold => &["HOLD", "REASON", "PLACED BY", "STATE", "COVERS"],
        RecordKind::Grant => &["GRANT", "SCOPE", "HOLDER", "FOR", "STATE", "OF", "PURPOSE"],
        RecordKind::Disposition => &["DISPOSITION", "UNIT", "ITEMS", "PROPOSED BY", "STATE"],
        RecordKind::Policy => &["POLICY", "STATE"],
    };
    names.iter().map(|name| (*name, Align::Left)).collect()
}

/// The row of a record, one cell for each of the [`columns`] of its kind.
pub(crate) fn row(record: &Record) -> Vec<String> {
    let outside = |name: Option<&str>| name.map_or_else(dash, str::to_owned);
    match record {
        Record::Unit(it) => {
            vec![it.id.clone(), or_dash(it.parent.as_ref()), it.title.clone(), state(record)]
        }
        Record::Person(it) => vec![
            it.id.clone(),
            it.role.to_string(),
            it.unit.clone(),
            or_dash(it.certificate_no.as_ref()),
            it.clearance.to_string(),
            if it.active { "yes" } else { "no" }.to_owned(),
            or_dash(it.title.as_ref()),
        ],
        Record::Recorder(it) => {
            vec![it.id.clone(), it.unit.clone(), or_dash(it.model.as_ref()), state(record)]
        }
        Record::Station(it) => vec![it.id.clone(), state(record)],
        Record::Case(it) => vec![
            it.id.clone(),
            it.act_type.to_string(),
            it.unit.clone(),
            it.custodian.clone(),
            it.classification.to_string(),
            state(record),
            or_dash(it.title.as_ref()),
        ],
        Record::Filing(it) => vec![
            it.id.clone(),
            or_dash(it.unit.as_ref()),
            or_dash(it.case.as_ref()),
            or_dash(it.stage.as_ref()),
            it.classification.to_string(),
            it.retain_until.to_string(),
        ],
        Record::Note(it) => {
            vec![it.id.clone(), it.author.clone(), or_dash(it.supersedes.as_ref()), it.text.clone()]
        }
        Record::Relation(it) => {
            vec![it.evidence.to_string(), it.relation.to_string(), it.to.to_string()]
        }
        Record::Copy(it) => vec![
            it.id.clone(),
            it.evidence.to_string(),
            it.medium.clone(),
            it.place.clone(),
            it.made.by.clone(),
            it.made.at.to_string(),
        ],
        Record::Hold(it) => vec![
            it.id.clone(),
            it.reason.to_string(),
            it.placed.by.clone(),
            state(record),
            covered(&it.target),
        ],
        Record::Grant(it) => vec![
            it.id.clone(),
            it.scope.to_string(),
            it.holder.clone(),
            outside(it.outside.as_ref().map(|party| party.name.as_str())),
            state(record),
            reached(it),
            it.purpose.clone(),
        ],
        Record::Disposition(it) => vec![
            it.id.clone(),
            or_dash(it.unit.as_ref()),
            it.evidence.len().to_string(),
            it.proposed.by.clone(),
            state(record),
        ],
        Record::Policy(_) => vec![record.id().to_owned(), state(record)],
    }
}

/// Columns of the versions of one record.
pub(crate) fn history_columns(kind: RecordKind) -> Vec<(&'static str, Align)> {
    let mut all = vec![
        ("VERSION", Align::Right),
        ("CHANGED AT", Align::Left),
        ("BY", Align::Left),
        ("ENTRY", Align::Right),
    ];
    all.extend(columns(kind).into_iter().skip(1));
    all
}

/// The row of a version, one cell for each of the [`history_columns`] of its kind.
pub(crate) fn history_row(versioned: &Versioned) -> Vec<String> {
    let mut cells = vec![
        versioned.version.to_string(),
        versioned.changed_at.to_string(),
        versioned.changed_by.clone(),
        versioned.log_index.to_string(),
    ];
    cells.extend(row(&versioned.record).into_iter().skip(1));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::samples;

    #[test]
    fn every_kind_has_a_cell_for_each_of_its_columns() {
        for record in samples::all() {
            let kind = record.kind();
            assert_eq!(row(&record).len(), columns(kind).len(), "{kind}");
            let versioned = samples::versioned(record);
            assert_eq!(history_row(&versioned).len(), history_columns(kind).len(), "{kind}");
        }
    }
}
