use custos_core::{Actor, DiskId, Epoch, ErasureProfile, FailureDomain, Refusal, placement};
use custos_ledger::{Command, NewVault, Outcome, VAULTS_PER_COMMAND_MAX};
use custos_ports::LedgerError;
use tracing::info;

use crate::{Gateway, GatewayError};

/// Plans that are made before a map that keeps changing is given up on.
const PLANS_MAX: usize = 5;

/// Vaults that were made.
#[derive(Debug, Clone, Copy)]
pub struct CreatedVaults {
    /// How many.
    pub count: u32,
    /// Level at which their slots are apart.
    pub level: FailureDomain,
    /// Epoch of the map with them.
    pub epoch: Epoch,
}

impl Gateway {
    /// Plans vaults on the newest map and creates them; plans again when the map changes meanwhile.
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
            let plan =
                placement::plan_vaults(&map, profile, level, wanted).map_err(Refusal::from)?;
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
                    return Ok(CreatedVaults { count: created, level: plan.level, epoch });
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

fn is_outdated_plan(error: &GatewayError) -> bool {
    matches!(
        error,
        GatewayError::Ledger(LedgerError::Refused(refusal)) if refusal.field == "planned_at"
    )
}
