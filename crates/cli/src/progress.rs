use std::{
    io::{self, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle as BarStyle};

use crate::{printable, units};

const BAR: &str = "{prefix} [{bar:24}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta} {wide_msg}";
const COUNT_BAR: &str = "{prefix} [{bar:24}] {pos}/{len} {eta}";
/// A stalled transfer's rate goes down although nothing comes.
const TICK: Duration = Duration::from_millis(250);
/// Longest name before a bar, in characters.
const NAME_CHARS_MAX: usize = 36;

/// How progress is shown on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressStyle {
    /// A bar for every transfer, for a terminal.
    Bars,
    /// A line when a transfer begins, breaks, goes on and ends, for a log.
    Lines,
    /// Not at all.
    Off,
}

/// Shows transfers that run, and keeps other output from tearing their bars.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    style: ProgressStyle,
    bars: Arc<MultiProgress>,
}

/// One transfer that runs; its bar goes away when dropped.
#[derive(Debug)]
pub(crate) struct Transfer {
    progress: Progress,
    name: String,
    bar: Option<ProgressBar>,
    total_bytes: u64,
    started: Instant,
}

/// Things that are done one after the other; its bar goes away when dropped.
#[derive(Debug)]
pub(crate) struct Count {
    progress: Progress,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows nothing yet.
    pub(crate) fn new(style: ProgressStyle) -> Self {
        Self { style, bars: Arc::new(MultiProgress::new()) }
    }

    /// A transfer of `total_bytes` begins.
    pub(crate) fn begin(&self, name: &str, total_bytes: u64) -> Transfer {
        let bar = (self.style == ProgressStyle::Bars).then(|| {
            let style = BarStyle::with_template(BAR).expect("the template is right");
            let bar = self.bars.add(ProgressBar::new(total_bytes));
            bar.set_style(style.progress_chars("=> "));
            bar.set_prefix(shortened(&printable::line(name)));
            bar.enable_steady_tick(TICK);
            bar
        });
        let transfer = Transfer {
            progress: self.clone(),
            name: name.to_owned(),
            bar,
            total_bytes,
            started: Instant::now(),
        };
        transfer.line(&format!("begins, {}", units::size(total_bytes)));
        transfer
    }

    /// `total` things are going to be done.
    pub(crate) fn count(&self, name: &str, total: usize) -> Count {
        let bar = (self.style == ProgressStyle::Bars).then(|| {
            let style = BarStyle::with_template(COUNT_BAR).expect("the template is right");
            let bar = self.bars.add(ProgressBar::new(total as u64));
            bar.set_style(style.progress_chars("=> "));
            bar.set_prefix(shortened(&printable::line(name)));
            bar.enable_steady_tick(TICK);
            bar
        });
        Count { progress: self.clone(), bar }
    }

    /// Writes to the terminal while no bar is drawn.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bars.suspend(write)
    }

    fn clear(&self, bar: Option<&ProgressBar>) {
        if let Some(bar) = bar {
            bar.finish_and_clear();
            self.bars.remove(bar);
        }
    }

    /// Writes a line to standard error. When that is closed there is nobody to tell.
    pub(crate) fn write_line(&self, line: &str) {
        self.suspend(|| {
            let _closed = writeln!(io::stderr().lock(), "{line}");
        });
    }

    /// Writes a line to standard error unless progress is off.
    pub(crate) fn note(&self, line: &str) {
        if self.style != ProgressStyle::Off {
            self.write_line(line);
        }
    }
}

impl Transfer {
    /// Everything before `offset` was there already: it does not count for the rate.
    pub(crate) fn resume_at(&self, offset: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(offset);
            bar.reset_eta();
            bar.set_message("");
        }
        if offset > 0 {
            self.line(&format!("resumed at {offset} of {} bytes", self.total_bytes));
        }
    }

    /// Everything before `offset` is done.
    pub(crate) fn advance_to(&self, offset: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(offset);
        }
    }

    /// The transfer waits and goes on by itself.
    pub(crate) fn wait(&self, why: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(printable::line(why));
        }
        self.line(why);
    }

    /// The transfer is done.
    pub(crate) fn finish(&self) {
        let took = units::seconds(self.started.elapsed());
        self.line(&format!("done, {} in {took}", units::size(self.total_bytes)));
    }

    /// For a log; a bar shows the same by itself.
    fn line(&self, what: &str) {
        if self.progress.style == ProgressStyle::Lines {
            self.progress.write_line(&printable::line(&format!("{}: {what}", self.name)));
        }
    }
}

impl Count {
    /// One more is done.
    pub(crate) fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        self.progress.clear(self.bar.as_ref());
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.progress.clear(self.bar.as_ref());
    }
}

fn shortened(name: &str) -> String {
    let chars = name.chars().count();
    if chars <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    // The end of a path or file name tells more than its beginning.
    let end = name.chars().skip(chars + 1 - NAME_CHARS_MAX);
    std::iter::once('…').chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(shortened("clip.mp4"), "clip.mp4");
        let short = shortened(&format!("{}clip.mp4", "x".repeat(100)));
        assert_eq!(short.chars().count(), NAME_CHARS_MAX);
        assert!(short.starts_with("…x") && short.ends_with("clip.mp4"));
    }
}
