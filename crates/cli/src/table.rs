use unicode_width::UnicodeWidthStr;

use crate::printable;

/// Blanks between two columns.
const GAP: &str = "  ";

/// On which side a column's cells begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table that is printed page by page: columns never get narrower than on the page before.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    heading_is_due: bool,
}

#[derive(Debug)]
struct Column {
    heading: &'static str,
    align: Align,
    /// In terminal cells: an ideograph takes two.
    width: usize,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        let columns = columns
            .iter()
            .map(|&(heading, align)| Column { heading, align, width: heading.width() })
            .collect();
        Self { columns, heading_is_due: true }
    }

    /// The lines of one page, under the headings if it is the first. Every row has one cell for
    /// each column.
    pub(crate) fn page(&mut self, rows: &[Vec<String>]) -> Vec<String> {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| printable::line(cell)).collect()).collect();
        for row in &rows {
            assert_eq!(row.len(), self.columns.len(), "one cell for each column");
            for (column, cell) in self.columns.iter_mut().zip(row) {
                column.width = column.width.max(cell.width());
            }
        }
        let mut lines = Vec::with_capacity(rows.len() + 1);
        if std::mem::take(&mut self.heading_is_due) {
            lines.push(self.line(self.columns.iter().map(|column| column.heading)));
        }
        lines.extend(rows.iter().map(|row| self.line(row.iter().map(String::as_str))));
        lines
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>) -> String {
        let mut line = String::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            if !line.is_empty() {
                line.push_str(GAP);
            }
            let blanks = " ".repeat(column.width.saturating_sub(cell.width()));
            match column.align {
                Align::Left => line.extend([cell, &blanks]),
                Align::Right => line.extend([&blanks, cell]),
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Lines of `name  value` with the values below each other; a value's further lines are indented.
pub(crate) fn fields(indent: &str, fields: &[(&str, String)]) -> Vec<String> {
    let width = fields.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (name, value) in fields {
        let value = printable::lines(value);
        for (at, part) in value.split('\n').enumerate() {
            let name = if at == 0 { name } else { "" };
            lines.push(format!("{indent}{name:width$}{GAP}{part}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_also_with_ideographs() {
        let mut table = Table::new(&[("CASE", Align::Left), ("SIZE", Align::Right)]);
        let row = |case: &str, size: &str| vec![case.to_owned(), size.to_owned()];
        assert_eq!(
            table.page(&[row("案件一", "1 B"), row("C-1", "20 B")]),
            ["CASE    SIZE", "案件一   1 B", "C-1     20 B"]
        );
        assert_eq!(table.page(&[row("x", "1 B")]), ["x        1 B"], "headings come once");
    }

    #[test]
    fn fields_keep_the_lines_of_a_note() {
        let lines = fields(" ", &[("note", "one\ntwo".to_owned()), ("case", "C".to_owned())]);
        assert_eq!(lines, [" note  one", "       two", " case  C"]);
    }
}
