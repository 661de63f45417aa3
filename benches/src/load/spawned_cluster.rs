use std::{fs, fs::File, path::Path, process::Stdio};

use anyhow::{Context, Result, bail};
use custos_core::ErasureProfile;
use tokio::process::Command;

use crate::ready_child::{ReadyChild, StopBy};

/// Lines of the server's log that are shown when it does not start.
const LOG_TAIL_LINES: usize = 20;

/// Starts `custosd dev`, found beside this program, in `dir`, with metrics off and a free port.
pub(super) async fn start(dir: &Path, profile: ErasureProfile) -> Result<ReadyChild> {
    let own = std::env::current_exe().context("the path of this program")?;
    let program = own.with_file_name("custosd");
    if !program.is_file() {
        bail!(
            "{} is not there: cargo build -p custos-server, in the same profile",
            program.display()
        );
    }
    let log = dir.join("custosd.log");
    let stderr = File::create(&log).with_context(|| format!("{}", log.display()))?;
    let mut command = Command::new(program);
    command.arg("dev").arg("--data").arg(dir.join("data"));
    command.args(["--listen", "127.0.0.1:0", "--profile", &profile.to_string()]);
    command.env_remove("RUST_LOG").stderr(Stdio::from(stderr));
    let started = ReadyChild::start("custosd", StopBy::Signal, command).await;
    started.with_context(|| format!("its log ends with:\n{}", tail(&log)))
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}
