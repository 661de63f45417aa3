use std::{collections::BTreeSet, sync::Arc, time::Duration};

use custos_core::{
    Actor, ClusterMap, Epoch, ErasureProfile,
    placement::{VaultPlan, plan_vaults},
};
use custos_ledger::{Answer, Command, Envelope, NewVault, Query, VAULTS_PER_COMMAND_MAX};
use custos_ports::{Entropy, Ledger, LedgerError};
use tokio::time::sleep;
use tracing::{info, warn};

/// The map is looked at this often while the cluster comes together.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Makes the first vaults of a new cluster once its nodes have come.
///
/// Every meta node may run it at the same time: from the same map they plan the same vaults, and
/// the law takes the same plan once.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// Nodes with a disk in service that are waited for. Vaults are spread over what is there when
    /// they are planned; disks that come later get vaults that an administrator adds.
    pub expect_nodes: usize,
    /// Erasure profile of the vaults.
    pub profile: ErasureProfile,
    /// The map is looked at this often.
    pub poll_interval: Duration,
}

/// What is to be done about a map.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    /// Nothing any more.
    Done,
    /// Nothing yet, and why.
    Wait(String),
    /// Create these vaults.
    Create(VaultPlan),
}

impl Bootstrap {
    /// Looks at the map once a second.
    #[must_use]
    pub fn new(expect_nodes: usize, profile: ErasureProfile) -> Self {
        Self { expect_nodes, profile, poll_interval: POLL_INTERVAL }
    }

    /// Returns when the cluster has vaults of the profile: at once when it had some before. Waits
    /// for nodes, and for a ledger that does not answer, as long as it takes, and logs what it
    /// waits for. When it is ended between two of its commands (each makes up to 128 vaults), the
    /// cluster has fewer than planned; an administrator can add the rest.
    pub async fn run(self, ledger: Arc<dyn Ledger>, entropy: Arc<dyn Entropy>) {
        let mut target = None;
        let mut last_said = String::new();
        let mut say = |what: String| {
            // Each state of waiting once, and not once a second.
            if what != last_said {
                info!(profile = %self.profile, "no vaults yet: {what}");
                last_said = what;
            }
        };
        loop {
            match read_map(&*ledger).await {
                Err(error) => say(format!("the ledger does not answer ({error})")),
                Ok(map) => match self.decide(&map, target) {
                    Decision::Done => return,
                    Decision::Wait(reason) => say(reason),
                    Decision::Create(plan) => {
                        target.get_or_insert(self.vaults_in(&map) + plan.slots.len());
                        self.create(&*ledger, &*entropy, map.epoch, plan).await;
                        // The map says whether all of it was done.
                        continue;
                    }
                },
            }
            sleep(self.poll_interval).await;
        }
    }

    /// `target` is how many vaults there should be, when some of a plan were perhaps created.
    fn decide(&self, map: &ClusterMap, target: Option<usize>) -> Decision {
        let vaults = self.vaults_in(map);
        if vaults >= target.unwrap_or(1) {
            return Decision::Done;
        }
        let nodes: BTreeSet<_> = map.disks_in_service().map(|disk| disk.node_id).collect();
        let expected = self.expect_nodes.max(1);
        if nodes.len() < expected {
            let names: Vec<_> = nodes.iter().filter_map(|id| map.node(*id)).collect();
            let names: Vec<_> = names.iter().map(|node| node.name.as_str()).collect();
            let have = nodes.len();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Decision::Wait(format!(
                "{have} of {expected} nodes have taken disks into service ({names})"
            ));
        }
        let rest = target.map(|target| u32::try_from(target - vaults).expect("a plan's length"));
        match plan_vaults(map, self.profile, None, rest) {
            Ok(plan) => Decision::Create(plan),
            Err(refusal) => Decision::Wait(refusal.to_string()),
        }
    }

    fn vaults_in(&self, map: &ClusterMap) -> usize {
        map.vaults.iter().filter(|vault| vault.profile == self.profile).count()
    }

    async fn create(
        &self,
        ledger: &dyn Ledger,
        entropy: &(dyn Entropy + 'static),
        planned_at: Epoch,
        plan: VaultPlan,
    ) {
        let VaultPlan { level, slots } = plan;
        // One after the other: the next follows from the epoch that the one before makes, whoever
        // made it, so that two who do this at once do the same.
        for (epoch, slots) in (planned_at.0..).map(Epoch).zip(slots.chunks(VAULTS_PER_COMMAND_MAX))
        {
            let vaults: Vec<NewVault> = slots
                .iter()
                .map(|slots| NewVault { profile: self.profile, level, slots: slots.clone() })
                .collect();
            let count = vaults.len();
            let envelope = Envelope {
                request_id: entropy.array(),
                actor: Actor::system(),
                entry_salt: entropy.array(),
                command: Command::CreateVaults { vaults, planned_at: epoch },
            };
            match ledger.submit(envelope).await {
                Ok(_) => info!(profile = %self.profile, %level, count, "vaults are created"),
                Err(error) => {
                    warn!(%error, "vaults could not be created; planning again");
                    // The map has changed, or the ledger is away.
                    sleep(self.poll_interval).await;
                    return;
                }
            }
        }
    }
}

async fn read_map(ledger: &dyn Ledger) -> Result<ClusterMap, LedgerError> {
    match ledger.query(Query::ClusterMap { newer_than: Epoch(0) }).await? {
        Answer::ClusterMap(map) => Ok(map.map_or_else(ClusterMap::default, |map| *map)),
        _ => {
            let reason = "the answer to a query for the cluster map is another".to_owned();
            Err(LedgerError::Fault { reason })
        }
    }
}
