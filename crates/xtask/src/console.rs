//! What a person at the terminal sees. Colour only when there is a terminal to show it.

use std::io::{IsTerminal, Write};

fn painted(code: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// One line, or several, on stdout. Output that nobody reads any more is not an error.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _closed_pipe = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Start of a step.
pub(crate) fn heading(text: &str) {
    say(&format!("\n{}", painted("1;36", &format!("== {text}"))));
}

/// A command that is about to run, as one could type it.
pub(crate) fn command(text: &str) {
    say(&painted("2", &format!("$ {text}")));
}

/// A check that held.
pub(crate) fn held(text: &str) {
    say(&format!("{} {text}", painted("1;32", "ok")));
}

/// Why the whole run failed, on stderr.
pub(crate) fn failure(text: &str) {
    eprintln!("\n{} {text}", painted("1;31", "FAILED"));
}
