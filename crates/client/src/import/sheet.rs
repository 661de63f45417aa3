//! A CSV file as lines of named cells.

use csv::{ReaderBuilder, StringRecord};

use super::{Fault, names};

/// A file whose columns are those that were asked for.
pub(super) struct Sheet {
    /// By place in the list that was asked for: place in the file.
    places: Vec<usize>,
    columns: &'static [&'static str],
    lines: Vec<Line>,
}

struct Line {
    number: u64,
    cells: StringRecord,
}

/// The cells of one line.
#[derive(Clone, Copy)]
pub(super) struct Cells<'s> {
    sheet: &'s Sheet,
    line: &'s Line,
}

impl Sheet {
    /// Reads a file; nothing if its first line does not name the columns. Lines that do not have
    /// as many cells as the first are left out and named.
    pub(super) fn read(
        columns: &'static [&'static str],
        text: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let mut lines = lines_of(text, faults).into_iter();
        let Some(header) = lines.next() else {
            let reason =
                format!("the file is empty; columns are {}", names(columns.iter().copied()));
            faults.push(Fault::new(1, None, reason));
            return None;
        };
        let places = places_of(columns, &header, faults)?;
        let expected = header.cells.len();
        let lines = lines.filter(|line| {
            let count = line.cells.len();
            if count != expected {
                let cells = if count == 1 { "cell" } else { "cells" };
                let is_open = line.cells.iter().any(|cell| cell.contains(['\r', '\n']));
                let hint = if is_open { "; a quote may not be closed" } else { "" };
                let reason = format!("has {count} {cells}, the first line has {expected}{hint}");
                faults.push(Fault::new(line.number, None, reason));
            }
            count == expected
        });
        Some(Self { places, columns, lines: lines.collect() })
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Cells<'_>> {
        self.lines.iter().map(|line| Cells { sheet: self, line })
    }
}

impl<'s> Cells<'s> {
    pub(super) fn line(self) -> u64 {
        self.line.number
    }

    /// What stands in a column, without the space around it.
    ///
    /// # Panics
    /// When the kind has no such column.
    pub(super) fn text(self, column: &'static str) -> &'s str {
        let place = self.sheet.columns.iter().position(|name| *name == column);
        let place = self.sheet.places[place.expect("a column of its kind")];
        self.line.cells.get(place).unwrap_or_default().trim()
    }

    /// The first column with a control character: texts are one line.
    pub(super) fn with_control_character(self) -> Option<&'static str> {
        let mut columns = self.sheet.columns.iter().zip(&self.sheet.places);
        let found = columns.find(|(_, place)| {
            self.line.cells.get(**place).is_some_and(|cell| cell.contains(char::is_control))
        });
        found.map(|(name, _)| *name)
    }
}

/// All lines that have any text.
fn lines_of(text: &str, faults: &mut Vec<Fault>) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut counted = LineCount { text: text.as_bytes(), offset: 0, number: 1 };
    let mut lines = Vec::new();
    for record in reader.records() {
        match record {
            Ok(cells) => {
                let offset = cells.position().map_or(0, csv::Position::byte);
                let number = counted.line_at(offset);
                if cells.iter().any(|cell| !cell.trim().is_empty()) {
                    lines.push(Line { number, cells });
                }
            }
            Err(error) => {
                let offset = error.position().map_or(0, csv::Position::byte);
                let line = counted.line_at(offset);
                faults.push(Fault::new(line, None, format!("cannot be read: {error}")));
            }
        }
    }
    lines
}

/// Tells lines from offsets that only grow.
struct LineCount<'t> {
    text: &'t [u8],
    offset: usize,
    number: u64,
}

impl LineCount<'_> {
    /// The line of the first text at or after `offset`: the reader takes the ends of lines before
    /// a record as a part of it.
    fn line_at(&mut self, offset: u64) -> u64 {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        while let Some(byte) = self.text.get(self.offset) {
            if self.offset >= offset && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            let next = self.text.get(self.offset + 1);
            if *byte == b'\n' || (*byte == b'\r' && next != Some(&b'\n')) {
                self.number += 1;
            }
            self.offset += 1;
        }
        self.number
    }
}

fn places_of(
    columns: &'static [&'static str],
    header: &Line,
    faults: &mut Vec<Fault>,
) -> Option<Vec<usize>> {
    let before = faults.len();
    let line = header.number;
    let given: Vec<&str> = header.cells.iter().map(str::trim).collect();
    for (place, name) in given.iter().enumerate() {
        let reason = if !columns.contains(name) {
            format!("no such column; columns are {}", names(columns.iter().copied()))
        } else if given[..place].contains(name) {
            "stands there twice".to_owned()
        } else {
            continue;
        };
        let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
        faults.push(Fault::new(line, Some(&name), reason));
    }
    let mut places = Vec::new();
    for column in columns {
        match given.iter().position(|name| name == column) {
            Some(place) => places.push(place),
            None => faults.push(Fault::new(line, Some(column), "the column is missing")),
        }
    }
    (faults.len() == before).then_some(places)
}
