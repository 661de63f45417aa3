use custos_core::{Actor, DiskId, Epoch, ErasureProfile, FailureDomain, Refusal, placement};
use custos_ledger::{Command, NewVault, Outcome, VAULTS_PER_COMMAND_MAX};
use custos_ports::LedgerError;
use tracing::info;

use super::plannable::Plannable;
use crate::{Gateway, GatewayError};

/// Plans that are made before a map that keeps changing is given up on.
const PLANS_MAX: usize = 5;

/// Vaults that were made.
#[derive(Debug, Clone)]
pub struct CreatedVaults {
    /// How many.
    pub count: u32,
    /// Level at which their slots are apart.
    pub level: FailureDomain,
    /// Epoch of the map with them.
    pub epoch: Epoch,
    /// Disks in the map that no slot was planned on, and why, in words.
    pub left_out: Vec<String>,
}

impl Gateway {
    /// Plans vaults on the newest map and creates them; plans again when the map changes meanwhile.
    /// Disks that are full or out of service, or whose node does not answer, are left out.
    ///
    /// # Errors
    /// What the planner or the law refuses; a map that keeps changing; a ledger that does not
    /// answer. Vaults created before an error stay.
    pub async fn create_vaults(
        &self,
        actor: &Actor,
        profile: ErasureProfile,
        level: Option<FailureDomain>,
        count: Option<u32>,
    ) -> Result<CreatedVaults, GatewayError> {
        let mut wanted = count;
        let mut created = 0;
        let mut refusal = None;
        for _ in 0..PLANS_MAX {
            let map = self.inner.deps.cluster.refresh().await?;
            let Plannable { map: plannable, left_out } = self.plannable(&map).await;
            let plan = placement::plan_vaults(&plannable, profile, level, wanted)
                .map_err(|refusal| with_left_out(refusal.into(), &left_out))?;
            let total = u32::try_from(plan.slots.len()).expect("a plan has a limit");
            let mut done = 0;
            let mut epoch = map.epoch;
            let batches = plan.slots.chunks(VAULTS_PER_COMMAND_MAX);
            let mut outcome = Ok(());
            for batch in batches {
                match self.create_batch(actor, profile, plan.level, batch, epoch).await {
                    Ok(now) => epoch = now,
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                }
                done += u32::try_from(batch.len()).expect("a batch has a limit");
            }
            created += done;
            match outcome {
                Ok(()) => {
                    info!(%profile, level = %plan.level, vaults = created, "vaults created");
                    // So that this gateway uses them at once; the others read the map soon.
                    self.inner.deps.cluster.refresh().await?;
                    let level = plan.level;
                    return Ok(CreatedVaults { count: created, level, epoch, left_out });
                }
                Err(error) if is_outdated_plan(&error) => {
                    wanted = Some(total - done);
                    refusal = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal.expect("a plan was refused"))
    }

    async fn create_batch(
        &self,
        actor: &Actor,
        profile: ErasureProfile,
        level: FailureDomain,
        batch: &[Vec<DiskId>],
        planned_at: Epoch,
    ) -> Result<Epoch, GatewayError> {
        let vaults =
            batch.iter().map(|slots| NewVault { profile, level, slots: slots.clone() }).collect();
        match self.submit(actor, Command::CreateVaults { vaults, planned_at }).await? {
            Outcome::MapChanged(epoch) => Ok(epoch),
            _ => Err(GatewayError::unexpected("CreateVaults")),
        }
    }
}

/// A refusal that names what would have helped.
fn with_left_out(mut refusal: Refusal, left_out: &[String]) -> Refusal {
    if !left_out.is_empty() {
        refusal.reason.push_str(&format!("; left out: {}", left_out.join("; ")));
    }
    refusal
}

fn is_outdated_plan(error: &GatewayError) -> bool {
    matches!(
        error,
        GatewayError::Ledger(LedgerError::Refused(refusal)) if refusal.field == "planned_at"
    )
}
