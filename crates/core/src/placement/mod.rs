//! Where shards go: pure decisions on the cluster map.
//!
//! [`plan_vaults`] spreads the slots of new vaults over failure domains by weight, and the law
//! checks what it planned. A gateway asks [`rank_vaults`] which vault a new upload goes to,
//! [`check_reach`] whether that vault can take writes at all, [`choose_spare`] where a shard goes
//! when its home disk fails, and [`may_acknowledge`] when enough is written (invariant I1).
//!
//! Everything here is arithmetic on whole numbers: the same map gives the same answer anywhere.

mod acknowledge;
mod apportion;
mod mix;
mod plan;
mod rank;
mod reach;
mod refusal;
mod spare;

pub use acknowledge::may_acknowledge;
pub use plan::{
    SLOTS_PER_DISK, VAULTS_BY_DEFAULT_MAX, VAULTS_PER_PLAN_MAX, VaultPlan, plan_vaults,
};
pub use rank::rank_vaults;
pub use reach::{OutOfReach, check_reach};
pub use refusal::PlacementRefusal;
pub use spare::choose_spare;
