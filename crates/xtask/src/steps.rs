use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::console;

/// Runs named steps one after another and remembers what each took.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Runs one step; the first that fails ends the run.
    ///
    /// # Errors
    /// The step's own, with its name in front.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        console::heading(name);
        let started = Instant::now();
        let outcome = work();
        self.done.push((name, started.elapsed()));
        if outcome.is_err() {
            self.print();
        }
        outcome.with_context(|| format!("step `{name}`"))
    }

    /// Prints what each step took.
    pub(crate) fn print(&self) {
        console::heading("time");
        let mut total = Duration::ZERO;
        for (name, took) in &self.done {
            console::say(&line(name, *took));
            total += *took;
        }
        console::say(&line("total", total));
    }
}

fn line(name: &str, took: Duration) -> String {
    format!("{:>7.1} s  {name}", took.as_secs_f64())
}
