use serde::Serialize;

/// How figures are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Tables for people.
    Tables,
    /// One JSON object per line.
    Json,
}

/// Figures that know both ways of being printed.
pub(crate) trait Figures: Serialize {
    /// Heads of the table's columns; the first column is text, the others are numbers.
    fn heads(&self) -> Vec<&'static str>;
    /// Its rows, each with as many cells as there are heads.
    fn rows(&self) -> Vec<Vec<String>>;
}

/// The build that the figures are of.
pub(crate) fn build_name() -> &'static str {
    if cfg!(debug_assertions) { "development" } else { "release" }
}

/// Prints figures on standard output.
pub(crate) fn print(figures: &impl Figures, output: Output) -> serde_json::Result<()> {
    match output {
        Output::Json => println!("{}", serde_json::to_string(figures)?),
        Output::Tables => print!("{}", table(&figures.heads(), &figures.rows())),
    }
    Ok(())
}

/// A number with as many digits as it deserves.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A number, or a dash where there is none.
pub(crate) fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    let mut text = String::new();
    for row in std::iter::once(&heads).chain(rows) {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let rows = vec![
            vec!["put".to_owned(), number(1234.5), maybe(Some(0.0123))],
            vec!["longer name".to_owned(), number(2.71), maybe(None)],
        ];
        let expected =
            ["what         MiB/s    CPU", "put           1234  0.012", "longer name   2.71      –"];
        let text = table(&["what", "MiB/s", "CPU"], &rows);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
