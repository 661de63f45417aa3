use serde::Serialize;

use super::Measure;
use crate::{
    figures::{self, Figures},
    work::Rate,
};

/// One baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) measure: Measure,
    /// Throughput, and processor time of this process.
    #[serde(flatten)]
    pub(crate) rate: Rate,
    /// Processor time of the process at the other end, where there is one.
    pub(crate) server_cpu_s_per_gib: Option<f64>,
    /// How it was measured, where that can differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

impl Figure {
    /// Of one process.
    pub(crate) fn new(measure: Measure, rate: Rate) -> Self {
        Self { measure, rate, server_cpu_s_per_gib: None, note: None }
    }
}

/// The baselines of one machine at one time.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Baseline {
    command: &'static str,
    build: &'static str,
    figures: Vec<Figure>,
}

impl Baseline {
    pub(crate) fn new() -> Self {
        Self { command: "limit", build: figures::build_name(), figures: Vec::new() }
    }

    pub(crate) fn extend(&mut self, figures: impl IntoIterator<Item = Figure>) {
        self.figures.extend(figures);
    }

    /// The figure of this measure, if it was taken.
    pub(crate) fn figure(&self, measure: Measure) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.measure == measure)
    }
}

impl Figures for Baseline {
    fn heads(&self) -> Vec<&'static str> {
        vec!["baseline", "MiB/s", "CPU-s/GiB", "server CPU-s/GiB"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |figure: &Figure| {
            let note = figure.note.as_deref().map(|note| format!(" ({note})")).unwrap_or_default();
            vec![
                format!("{}{note}", figure.measure.label()),
                figures::number(figure.rate.mib_per_s),
                figures::number(figure.rate.cpu_s_per_gib),
                figures::maybe(figure.server_cpu_s_per_gib),
            ]
        };
        self.figures.iter().map(row).collect()
    }
}
