use crate::{ErasureProfile, ErrorKind, FailureDomain, Refusal, Rule};

/// Why no vaults can be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlacementRefusal {
    /// Fewer failure domains than the profile has shards.
    #[error(
        "{profile} needs {} {level}s, the cluster has {domains} ({})",
        profile.total(),
        match level {
            FailureDomain::Disk => format!("on {hosts} hosts"),
            _ => format!("and {disks} disks"),
        }
    )]
    TooFewDomains {
        /// The profile asked for.
        profile: ErasureProfile,
        /// The level asked for, or the finest.
        level: FailureDomain,
        /// Failure domains of that level with a disk in service.
        domains: usize,
        /// Hosts with a disk in service.
        hosts: usize,
        /// Disks in service.
        disks: usize,
    },
    /// No count was asked for, and the profile has as many vaults as its disks need.
    #[error("{profile} has {vaults} vaults, enough for {disks} disks: name a count to add more")]
    EnoughVaults {
        /// The profile asked for.
        profile: ErasureProfile,
        /// Vaults that it has.
        vaults: usize,
        /// Disks in service.
        disks: usize,
    },
    /// A count out of bounds was asked for.
    #[error("{count} vaults at once, 1 to {max} can be planned")]
    Count {
        /// What was asked for.
        count: u32,
        /// Most vaults of one plan.
        max: u32,
    },
}

impl PlacementRefusal {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooFewDomains { .. } | Self::EnoughVaults { .. } => ErrorKind::Refused,
            Self::Count { .. } => ErrorKind::Invalid,
        }
    }
}

impl From<PlacementRefusal> for Refusal {
    fn from(refusal: PlacementRefusal) -> Self {
        let (rule, field) = match refusal {
            PlacementRefusal::TooFewDomains { .. } => (Rule::I1, "level"),
            PlacementRefusal::EnoughVaults { .. } | PlacementRefusal::Count { .. } => {
                (Rule::I10, "count")
            }
        };
        let (kind, reason) = (refusal.kind(), refusal.to_string());
        Self { kind, rule, field: field.to_owned(), reason }
    }
}
