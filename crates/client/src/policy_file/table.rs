//! TOML whose every value knows its path and line.

use std::str::FromStr;

use custos_core::UnknownName;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::PolicyFileError;

/// A table of the file, in the order of the file.
pub(super) struct Table<'t> {
    path: String,
    /// Line of its header; none for the file itself.
    line: Option<usize>,
    fields: Vec<Field<'t>>,
}

/// A key of a table and its value.
#[derive(Clone)]
pub(super) struct Field<'t> {
    key: String,
    path: String,
    line: usize,
    value: DeValue<'t>,
    text: &'t str,
}

impl<'t> Table<'t> {
    /// The table that the file is.
    pub(super) fn of_file(text: &'t str) -> Result<Self, PolicyFileError> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            PolicyFileError::new("policy", line, not_toml(&error, line, text))
        })?;
        Ok(Self::of(table.into_inner(), String::new(), None, text))
    }

    fn of(table: DeTable<'t>, path: String, line: Option<usize>, text: &'t str) -> Self {
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let fields = entries.into_iter().map(|(key, value)| {
            let start = key.span().start;
            Field::of(key.into_inner().into_owned(), &path, start, value, text)
        });
        Self { fields: fields.collect(), path, line }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Refuses every key but `known` ones.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), PolicyFileError> {
        match self.fields.iter().find(|field| !known.contains(&field.key.as_str())) {
            Some(field) => Err(field.error(format!("no such key; known are {}", known.join(", ")))),
            None => Ok(()),
        }
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Field<'t>> {
        self.fields.iter().cloned()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Field<'t>> {
        self.fields.iter().find(|field| field.key == key)
    }

    pub(super) fn required(&self, key: &str) -> Result<&Field<'t>, PolicyFileError> {
        self.get(key).ok_or_else(|| {
            PolicyFileError::new(joined(&self.path, key), self.line, "is missing".to_owned())
        })
    }
}

impl<'t> Field<'t> {
    fn of(
        key: String,
        parent: &str,
        start: usize,
        value: Spanned<DeValue<'t>>,
        text: &'t str,
    ) -> Self {
        let path = joined(parent, &key);
        Self { key, path, line: line_of(text, start), value: value.into_inner(), text }
    }

    /// Its line, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn error(&self, reason: String) -> PolicyFileError {
        PolicyFileError::new(&self.path, Some(self.line), reason)
    }

    fn other_type(&self, expected: &str) -> PolicyFileError {
        self.error(format!("{} where {expected} must stand", described(&self.value)))
    }

    /// The key as one of the names that can stand there.
    pub(super) fn key_as_name<T: FromStr<Err = UnknownName>>(&self) -> Result<T, PolicyFileError> {
        self.key.parse().map_err(|error: UnknownName| self.error(error.to_string()))
    }

    /// A whole number from 0 to 4,294,967,295.
    pub(super) fn number(&self) -> Result<u32, PolicyFileError> {
        let expected = "a whole number from 0 to 4294967295";
        let DeValue::Integer(integer) = &self.value else {
            return Err(self.other_type(expected));
        };
        u32::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| self.error(format!("{integer} is not {expected}")))
    }

    /// A name in quotes.
    pub(super) fn name<T: FromStr<Err = UnknownName>>(&self) -> Result<T, PolicyFileError> {
        let DeValue::String(name) = &self.value else {
            return Err(self.other_type("a name in quotes"));
        };
        name.parse().map_err(|error: UnknownName| self.error(error.to_string()))
    }

    /// A list of names in quotes.
    pub(super) fn names<T: FromStr<Err = UnknownName>>(&self) -> Result<Vec<T>, PolicyFileError> {
        let DeValue::Array(values) = &self.value else {
            return Err(self.other_type("a list of names in quotes"));
        };
        let items = values.iter().enumerate().map(|(place, value)| Self {
            key: String::new(),
            path: format!("{}[{place}]", self.path),
            line: line_of(self.text, value.span().start),
            value: value.get_ref().clone(),
            text: self.text,
        });
        items.map(|item| item.name()).collect()
    }

    pub(super) fn table(&self) -> Result<Table<'t>, PolicyFileError> {
        let DeValue::Table(table) = &self.value else {
            return Err(self.other_type("a table"));
        };
        Ok(Table::of(table.clone(), self.path.clone(), Some(self.line), self.text))
    }
}

fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn joined(parent: &str, key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let key = match !key.is_empty() && key.chars().all(is_bare) {
        true => key.to_owned(),
        false => format!("{:?}", key.chars().take(80).collect::<String>()),
    };
    if parent.is_empty() { key } else { format!("{parent}.{key}") }
}

fn line_of(text: &str, start: usize) -> usize {
    let before = text.as_bytes().get(..start).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn not_toml(error: &toml::de::Error, line: Option<usize>, text: &str) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    match line.and_then(|line| text.lines().nth(line - 1)) {
        Some(line) => {
            let line: String = line.trim().chars().take(80).collect();
            format!("is not TOML: {message}: {line:?}")
        }
        None => format!("is not TOML: {message}"),
    }
}
