use std::path::Path;

use anyhow::{Context, Result};
use custos_core::ErasureProfile;

use crate::{
    custosd,
    ready_child::{ReadyChild, StopBy},
};

/// Starts `custosd dev`, found beside this program, in `dir`, with metrics off and a free port.
pub(super) async fn start(dir: &Path, profile: ErasureProfile) -> Result<ReadyChild> {
    let log = dir.join("custosd.log");
    let mut command = custosd::command(&log)?;
    command.arg("dev").arg("--data").arg(dir.join("data"));
    command.args(["--listen", "127.0.0.1:0", "--profile", &profile.to_string()]);
    let started = ReadyChild::start("custosd", StopBy::Signal, command).await;
    started.with_context(|| format!("its log ends with:\n{}", custosd::tail(&log)))
}
