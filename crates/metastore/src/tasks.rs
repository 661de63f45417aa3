//! Where tasks and blocking work of a node run: on tokio. In this crate's own tests they belong to
//! a simulated node, if one began them, and end or pause with it.

#[cfg(test)]
pub(crate) use crate::simulation::{spawn, spawn_blocking, wait_for};
#[cfg(not(test))]
pub(crate) use tokio::task::{spawn, spawn_blocking};

/// Waits until what is watched is as wanted, and returns it.
///
/// # Errors
/// When nobody is left who could change it.
#[cfg(not(test))]
pub(crate) async fn wait_for<T: Clone>(
    mut watched: tokio::sync::watch::Receiver<T>,
    wanted: impl FnMut(&T) -> bool,
) -> Result<T, tokio::sync::watch::error::RecvError> {
    watched.wait_for(wanted).await.map(|seen| seen.clone())
}
