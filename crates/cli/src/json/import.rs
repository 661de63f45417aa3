use serde::Serialize;

/// What `import` says of one line of a table.
#[derive(Debug, Serialize)]
pub(crate) struct ImportLineObject<'a> {
    pub(crate) line: u64,
    pub(crate) kind: &'static str,
    pub(crate) id: Option<&'a str>,
    /// `added`, `changed`, `same`, `refused` or `bad`.
    pub(crate) outcome: &'static str,
    /// Those that change.
    pub(crate) columns: Vec<&'static str>,
    /// The one to blame.
    pub(crate) column: Option<&'a str>,
    pub(crate) rule: Option<&'static str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) log_index: Option<u64>,
}

/// How many lines `import` did.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ImportSummaryObject {
    pub(crate) file: String,
    pub(crate) dry_run: bool,
    pub(crate) added: u64,
    pub(crate) changed: u64,
    pub(crate) same: u64,
    pub(crate) refused: u64,
    pub(crate) bad: u64,
}
