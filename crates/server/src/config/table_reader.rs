use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{ConfigMistake, ConfigProblem};

/// A parsed document and the mistakes found in it so far.
pub(super) struct Document<'i> {
    text: &'i str,
    mistakes: RefCell<Vec<ConfigMistake>>,
}

impl<'i> Document<'i> {
    pub(super) fn new(text: &'i str) -> Self {
        Self { text, mistakes: RefCell::default() }
    }

    /// Line of a byte offset, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    pub(super) fn report(&self, line: usize, key: impl Into<String>, problem: ConfigProblem) {
        self.mistakes.borrow_mut().push(ConfigMistake { line, key: key.into(), problem });
    }

    pub(super) fn has_mistakes(&self) -> bool {
        !self.mistakes.borrow().is_empty()
    }

    /// Every mistake in order of lines.
    pub(super) fn into_mistakes(self) -> Vec<ConfigMistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| mistake.line);
        mistakes
    }
}

/// A value with its place.
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) line: usize,
    pub(super) key: String,
}

impl<T> Placed<T> {
    /// Turns the value into another, or reports why it cannot be.
    pub(super) fn map<U>(
        self,
        document: &Document<'_>,
        convert: impl FnOnce(T) -> Result<U, ConfigProblem>,
    ) -> Option<U> {
        convert(self.value).map_err(|problem| document.report(self.line, self.key, problem)).ok()
    }
}

/// An item of a list that may be written short or long.
pub(super) enum TextOrTable<'d, 'i> {
    Text(Placed<String>),
    Table(TableReader<'d, 'i>),
}

/// Takes the keys of one table, one by one; what nobody took is unknown.
pub(super) struct TableReader<'d, 'i> {
    document: &'d Document<'i>,
    name: Cow<'static, str>,
    line: usize,
    table: Option<&'d DeTable<'i>>,
    asked: RefCell<Vec<&'static str>>,
    is_finished: Cell<bool>,
}

impl<'d, 'i> TableReader<'d, 'i> {
    pub(super) fn root(document: &'d Document<'i>, table: &'d DeTable<'i>) -> Self {
        Self::new(document, "", 1, Some(table))
    }

    fn new(
        document: &'d Document<'i>,
        name: impl Into<Cow<'static, str>>,
        line: usize,
        table: Option<&'d DeTable<'i>>,
    ) -> Self {
        let (asked, is_finished) = (RefCell::default(), Cell::new(false));
        Self { document, name: name.into(), line, table, asked, is_finished }
    }

    /// The table `key`; an absent one has no keys.
    pub(super) fn table(&self, key: &'static str) -> Self {
        let expected = "a table";
        let found = self.take(key).and_then(|value| match value.get_ref() {
            DeValue::Table(table) => Some((self.line_of(value), table)),
            _ => self.wrong_type(key, value, expected),
        });
        let line = found.map_or(self.line, |(line, _)| line);
        Self::new(self.document, key, line, found.map(|(_, table)| table))
    }

    /// Whether the document has no such table.
    pub(super) fn is_absent(&self) -> bool {
        let is_absent = self.table.is_none();
        if is_absent {
            self.is_finished.set(true);
        }
        is_absent
    }

    /// The tables in the table `key`, each with its name.
    pub(super) fn tables(&self, key: &'static str) -> Vec<(String, Self)> {
        let expected = "a table of tables";
        let Some(value) = self.take(key) else { return Vec::new() };
        let DeValue::Table(outer) = value.get_ref() else {
            self.wrong_type::<()>(key, value, expected);
            return Vec::new();
        };
        let named = outer.iter().filter_map(|(name, value)| {
            let name = name.get_ref().to_string();
            let full = format!("{key}.{name}");
            match value.get_ref() {
                DeValue::Table(table) => {
                    let line = self.line_of(value);
                    Some((name, Self::new(self.document, full, line, Some(table))))
                }
                _ => self.wrong_type(&full, value, expected),
            }
        });
        named.collect()
    }

    /// The items of the list `key`, each a text or a table; `None` when there is no such list.
    pub(super) fn texts_or_tables(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Option<Vec<TextOrTable<'d, 'i>>> {
        self.require(key, expected)?;
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.wrong_type(key, value, expected);
        };
        let mut read = Vec::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            let name = format!("{key}[{number}]");
            read.push(match item.get_ref() {
                DeValue::String(text) => {
                    TextOrTable::Text(self.placed(&name, item, text.to_string()))
                }
                DeValue::Table(table) => {
                    let line = self.line_of(item);
                    TextOrTable::Table(Self::new(self.document, name, line, Some(table)))
                }
                _ => return self.wrong_type(&name, item, expected),
            });
        }
        if read.is_empty() {
            return self.wrong_value(key, value, "an empty list", expected);
        }
        Some(read)
    }

    pub(super) fn flag(&self, key: &'static str, expected: &'static str) -> Option<Placed<bool>> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(self.placed(key, value, *flag)),
            _ => self.wrong_type(key, value, expected),
        }
    }

    /// Reports `key` if it is there: it belongs to a role that the process does not have.
    pub(super) fn not_for_role(&self, key: &'static str, role: &'static str) {
        if let Some(value) = self.take(key) {
            let problem = ConfigProblem::OtherRole { role };
            self.document.report(self.line_of(value), self.full_name(key), problem);
        }
    }

    /// Line that the table begins at, and its name.
    pub(super) fn place(&self) -> (usize, String) {
        (self.line, self.name.to_string())
    }

    pub(super) fn string(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Option<Placed<String>> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(self.placed(key, value, text.to_string())),
            _ => self.wrong_type(key, value, expected),
        }
    }

    pub(super) fn required_string(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Option<Placed<String>> {
        self.require(key, expected)?;
        self.string(key, expected)
    }

    pub(super) fn required_strings(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Option<Placed<Vec<String>>> {
        self.require(key, expected)?;
        self.strings(key, expected)
    }

    pub(super) fn strings(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Option<Placed<Vec<String>>> {
        let value = self.take(key)?;
        let DeValue::Array(items) = value.get_ref() else {
            return self.wrong_type(key, value, expected);
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items.iter() {
            let DeValue::String(text) = item.get_ref() else {
                return self.wrong_type(key, item, expected);
            };
            texts.push(text.to_string());
        }
        Some(self.placed(key, value, texts))
    }

    /// A whole number of at most 32 bits.
    pub(super) fn number(&self, key: &'static str, expected: &'static str) -> Option<Placed<u32>> {
        let value = self.take(key)?;
        let DeValue::Integer(digits) = value.get_ref() else {
            return self.wrong_type(key, value, expected);
        };
        match u32::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Some(self.placed(key, value, number)),
            Err(_) => self.wrong_value(key, value, digits.as_str(), expected),
        }
    }

    /// Reports every key that was not asked for.
    pub(super) fn finish(self) {
        self.is_finished.set(true);
        let asked = self.asked.borrow();
        for key in self.table.into_iter().flat_map(|table| table.keys()) {
            if !asked.contains(&key.get_ref().as_ref()) {
                let line = self.document.line(key.span().start);
                let problem = ConfigProblem::Unknown { known: asked.join(", ") };
                self.document.report(line, self.full_name(key.get_ref()), problem);
            }
        }
    }

    fn take(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'i>>> {
        if !self.asked.borrow().contains(&key) {
            self.asked.borrow_mut().push(key);
        }
        self.table?.get(key)
    }

    fn require(&self, key: &'static str, expected: &'static str) -> Option<()> {
        if self.take(key).is_none() {
            let problem = ConfigProblem::Missing { expected };
            self.document.report(self.line, self.full_name(key), problem);
            return None;
        }
        Some(())
    }

    fn placed<T>(&self, key: &str, at: &Spanned<DeValue<'_>>, value: T) -> Placed<T> {
        Placed { value, line: self.line_of(at), key: self.full_name(key) }
    }

    fn wrong_type<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        expected: &'static str,
    ) -> Option<T> {
        let found = value.get_ref().type_str();
        let problem = ConfigProblem::Type { found, expected };
        self.document.report(self.line_of(value), self.full_name(key), problem);
        None
    }

    fn wrong_value<T>(
        &self,
        key: &str,
        at: &Spanned<DeValue<'_>>,
        value: &str,
        expected: &'static str,
    ) -> Option<T> {
        let (value, expected) = (value.to_owned(), expected.to_owned());
        let problem = ConfigProblem::Value { value, expected };
        self.document.report(self.line_of(at), self.full_name(key), problem);
        None
    }

    fn line_of(&self, value: &Spanned<DeValue<'_>>) -> usize {
        self.document.line(value.span().start)
    }

    fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

impl Drop for TableReader<'_, '_> {
    fn drop(&mut self) {
        debug_assert!(self.is_finished.get(), "table {:?} was not finished", self.name);
    }
}
