//! Reasons to refuse, all that apply.

use custos_core::{ErrorKind, Refusal, Rule};

/// One reason to refuse what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reason {
    /// The rule that may be named; any where the law's text leaves it open.
    pub(crate) rule: Option<Rule>,
    /// The field that may be named.
    pub(crate) field: &'static str,
    /// Whether what is named does not exist.
    pub(crate) found: Found,
}

/// Whether an answer must be *not found*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// It must not.
    Yes,
    /// It must.
    No,
    /// The law's text names a rule for what does not exist.
    Either,
}

/// All that apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reasons(Vec<Reason>);

impl Reasons {
    pub(crate) fn all(&self) -> &[Reason] {
        &self.0
    }

    /// Whether it must be refused.
    pub(crate) fn must(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether it may be refused like this.
    pub(crate) fn allow(&self, refusal: &Refusal) -> bool {
        self.0.iter().any(|reason| {
            let found = match reason.found {
                Found::Yes => refusal.kind != ErrorKind::NotFound,
                Found::No => refusal.kind == ErrorKind::NotFound,
                Found::Either => true,
            };
            let rule = reason.rule.is_none_or(|rule| rule == refusal.rule);
            found && rule && reason.field == refusal.field
        })
    }

    fn add(&mut self, rule: Option<Rule>, field: &'static str, found: Found) {
        self.0.push(Reason { rule, field, found });
    }

    /// Refused under `rule`.
    pub(crate) fn rule(&mut self, rule: Rule, field: &'static str) {
        self.add(Some(rule), field, Found::Yes);
    }

    /// Refused under `rule` when `is_broken`.
    pub(crate) fn when(&mut self, is_broken: bool, rule: Rule, field: &'static str) {
        if is_broken {
            self.rule(rule, field);
        }
    }

    /// Refused under `rule`, by whatever kind of answer, because what is named does not exist.
    pub(crate) fn absent(&mut self, rule: Rule, field: &'static str) {
        self.add(Some(rule), field, Found::Either);
    }

    /// Answered *not found*.
    pub(crate) fn unknown(&mut self, field: &'static str) {
        self.add(None, field, Found::No);
    }

    /// Refused in some way by this field.
    pub(crate) fn somehow(&mut self, field: &'static str) {
        self.add(None, field, Found::Either);
    }

    /// Forgets a reason that another one comes before.
    pub(crate) fn without(&mut self, rule: Rule, field: &str) {
        self.0.retain(|reason| reason.rule != Some(rule) || reason.field != field);
    }

    /// A line of 1 to `bytes_max` bytes.
    pub(crate) fn text(&mut self, field: &'static str, text: &str, bytes_max: usize) {
        self.when(text.is_empty(), Rule::R26, field);
        self.when(text.len() > bytes_max, Rule::I10, field);
        self.when(text.chars().any(char::is_control), Rule::R26, field);
    }

    /// The same of a text that may be absent.
    pub(crate) fn text_if(&mut self, field: &'static str, text: Option<&str>, bytes_max: usize) {
        if let Some(text) = text {
            self.text(field, text, bytes_max);
        }
    }

    /// An id that a person made up.
    pub(crate) fn id(&mut self, field: &'static str, id: &str, bytes_max: usize) {
        let is_good = |c: char| {
            if c.is_ascii() {
                c.is_ascii_alphanumeric() || "-_./:#@()[]".contains(c)
            } else {
                c.is_alphabetic() || "〔〕".contains(c)
            }
        };
        let is_bad = id.is_empty() || id.len() > 128 || !id.chars().all(is_good);
        self.when(is_bad, Rule::R26, field);
        if id.len() > bytes_max {
            self.rule(Rule::I10, field);
            self.rule(Rule::R26, field);
        }
    }
}
