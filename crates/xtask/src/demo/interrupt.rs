use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

/// Turns Ctrl-C and SIGTERM into an error at the next step, so that everything is cleaned up.
pub(super) struct Interrupt {
    arrived: Arc<AtomicBool>,
}

impl Interrupt {
    /// Watches from now on, until this program ends.
    pub(super) fn watch() -> Result<Self> {
        let arrived = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&arrived))
                .context("cannot watch for Ctrl-C")?;
        }
        Ok(Self { arrived })
    }

    /// An error when a signal has arrived.
    pub(super) fn check(&self) -> Result<()> {
        if self.arrived.load(Ordering::Relaxed) {
            bail!("interrupted");
        }
        Ok(())
    }
}
