//! Records of the law as people read them: how one stands in a few words, a row of a table, and
//! field by field.

mod fields;
#[cfg(test)]
mod samples;
mod state;
mod tables;

pub(crate) use fields::fields;
pub(crate) use state::{covered, reached, state};
pub(crate) use tables::{columns, history_columns, history_row, row};

/// What stands where there is nothing.
fn dash() -> String {
    "-".to_owned()
}

/// A value, or a dash.
fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(dash, T::to_string)
}
