//! The one table of rights: what each role may do, and how far from its own unit. What is not in it
//! is not allowed.

use std::fmt;

use custos_core::Role;

/// How far a right reaches from the actor's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// There is no such right.
    Nothing,
    /// The unit and what is below it.
    Unit,
    /// The whole agency.
    Agency,
    /// Every agency.
    Anywhere,
}

macro_rules! rights {
    ($($(#[$doc:meta])* $right:ident = $text:literal: $($role:ident $reach:ident),*;)+) => {
        /// A right over records of a unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Right { $($(#[$doc])* $right),+ }

        impl Right {
            /// How far it reaches for a role.
            pub(super) fn reach(self, role: Role) -> Reach {
                match (self, role) {
                    // The user of development mode may do what one person may.
                    (Self::Execute, Role::System) => Reach::Anywhere,
                    (right, Role::Developer) if right != Self::Execute => Reach::Anywhere,
                    $($((Self::$right, Role::$role) => Reach::$reach,)*)+
                    _ => Reach::Nothing,
                }
            }
        }

        impl fmt::Display for Right {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$right => $text),+ })
            }
        }
    };
}

rights!(
    /// Units, persons, stations, the policy.
    Register = "keep the registers": Administrator Anywhere;
    /// Recorders.
    Issue = "keep recorders": Custodian Unit, Administrator Anywhere;
    /// Opens, updates, moves and closes cases.
    RunCase = "run cases": Officer Unit, Custodian Unit, UnitHead Unit;
    Archive = "archive cases": Custodian Unit;
    Reopen = "reopen cases": UnitHead Unit;
    Put = "put evidence": Officer Unit, Auxiliary Unit, Custodian Unit, UnitHead Unit,
        Station Anywhere, System Anywhere;
    /// Files, describes and relates evidence.
    File = "file evidence": Officer Unit, Custodian Unit, UnitHead Unit;
    Note = "write notes": Officer Unit, Custodian Unit, UnitHead Unit, Reviewer Unit,
        Auditor Agency;
    Classify = "classify": Custodian Unit, UnitHead Unit;
    Declassify = "agree to a lower classification": UnitHead Unit;
    Extend = "extend retention": Custodian Unit, UnitHead Unit, Auditor Agency;
    Copy = "register copies": Custodian Unit, UnitHead Unit;
    Hold = "place holds": Officer Unit, Custodian Unit, UnitHead Unit, Reviewer Unit,
        Auditor Agency;
    Release = "release holds": UnitHead Unit, Auditor Agency;
    /// What is on record, but for the bytes of evidence.
    Read = "read the records": Officer Agency, Auxiliary Unit, Custodian Agency, UnitHead Agency,
        Reviewer Agency, Auditor Agency, Administrator Anywhere, Playback Anywhere, System Anywhere;
    /// The bytes of evidence.
    View = "view evidence": Custodian Unit, UnitHead Unit, Reviewer Unit, Auditor Agency,
        System Anywhere;
    Apply = "apply for grants": Officer Agency, Custodian Agency, UnitHead Agency,
        Reviewer Agency, Auditor Agency;
    Decide = "decide applications": UnitHead Unit;
    Revoke = "revoke grants": Custodian Unit, UnitHead Unit, Auditor Agency;
    Propose = "propose dispositions": Custodian Unit;
    Approve = "approve dispositions": UnitHead Unit, Auditor Agency;
    Stop = "stop dispositions": Custodian Unit, UnitHead Unit, Reviewer Unit, Auditor Agency;
    Order = "order dispositions": UnitHead Unit, Auditor Agency, System Anywhere;
    ConfirmClock = "confirm the clock": Auditor Anywhere, Administrator Anywhere;
    /// What the store itself does on an order.
    Execute = "execute orders": ;
);

impl Right {
    /// Whether an auxiliary who tries is refused as one who would sign (rule R7).
    pub(super) fn is_signing(self) -> bool {
        matches!(self, Self::RunCase | Self::File | Self::Note | Self::Hold | Self::Apply)
    }
}
