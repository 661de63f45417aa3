//! Who may do what to the records of which unit: the table of the law.

use custos_core::{Actor, Role, Rule};

use super::{Model, Reasons};

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Register,
    Issue,
    Case,
    Archive,
    Reopen,
    Put,
    Describe,
    Note,
    Classify,
    Agree,
    Extend,
    Copy,
    Hold,
    Release,
    View,
    Apply,
    Decide,
    Revoke,
    Propose,
    Approve,
    Stop,
    Confirm,
}

/// A cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Never,
    /// An auxiliary never signs.
    Unsigned,
    Own,
    Unit,
    Agency,
    Anywhere,
}

impl Right {
    /// How far a role reaches.
    pub(crate) fn reach(self, role: Role) -> Reach {
        use Reach::{Agency, Anywhere, Never, Own, Unit, Unsigned};
        // Officer, auxiliary, custodian, unit head, reviewer, auditor, administrator.
        let row = match self {
            Self::Register => [Never, Never, Never, Never, Never, Never, Anywhere],
            Self::Issue => [Never, Never, Unit, Never, Never, Never, Anywhere],
            Self::Case => [Unit, Unsigned, Unit, Unit, Never, Never, Never],
            Self::Archive | Self::Propose => [Never, Never, Unit, Never, Never, Never, Never],
            Self::Reopen | Self::Agree | Self::Decide => {
                [Never, Never, Never, Unit, Never, Never, Never]
            }
            Self::Put => [Unit, Unit, Unit, Unit, Never, Never, Never],
            Self::Describe => [Unit, Unsigned, Unit, Unit, Never, Never, Never],
            Self::Note | Self::Hold => [Unit, Unsigned, Unit, Unit, Unit, Agency, Never],
            Self::Classify | Self::Copy => [Never, Never, Unit, Unit, Never, Never, Never],
            Self::Extend | Self::Revoke => [Never, Never, Unit, Unit, Never, Agency, Never],
            Self::Release | Self::Approve => [Never, Never, Never, Unit, Never, Agency, Never],
            Self::View => [Own, Own, Unit, Unit, Unit, Agency, Never],
            Self::Apply => [Agency, Unsigned, Agency, Agency, Agency, Agency, Never],
            Self::Stop => [Never, Never, Unit, Unit, Unit, Agency, Never],
            Self::Confirm => [Never, Never, Never, Never, Never, Anywhere, Anywhere],
        };
        let column = match role {
            Role::Developer => return Anywhere,
            Role::System | Role::Station | Role::Playback => return Never,
            Role::Officer => 0,
            Role::Auxiliary => 1,
            Role::Custodian => 2,
            Role::UnitHead => 3,
            Role::Reviewer => 4,
            Role::Auditor => 5,
            Role::Administrator => 6,
        };
        row[column]
    }
}

impl Model {
    /// Whether whoever acts is known as what the certificate says.
    pub(super) fn check_actor(&self, no: &mut Reasons, actor: &Actor) {
        no.when(self.is_unknown(actor), Rule::R26, "actor");
    }

    /// Whether whoever acts is on no register, or may not act.
    pub(super) fn is_unknown(&self, actor: &Actor) -> bool {
        let is_out = self.stations.get(&actor.name).is_some_and(|station| !station.active);
        (actor.role.is_person() && self.person(actor).is_none())
            || (actor.role == Role::Station && is_out)
    }

    /// Whether the role of whoever acts has the right at all.
    pub(super) fn check_role(&self, no: &mut Reasons, actor: &Actor, right: Right) -> Reach {
        let reach = right.reach(actor.role);
        match reach {
            Reach::Never => no.rule(Rule::R23, "role"),
            Reach::Unsigned => no.rule(Rule::R7, "actor"),
            Reach::Own | Reach::Unit | Reach::Agency | Reach::Anywhere => {}
        }
        reach
    }

    /// Whether whoever acts has the right to a record of `unit`.
    pub(super) fn check_right(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        right: Right,
        unit: Option<&str>,
    ) {
        let reach = self.check_role(no, actor, right);
        no.when(self.is_out_of(reach, actor, unit), Rule::R23, "unit");
    }

    /// Whether a record of `unit` is further away than `reach`.
    pub(super) fn is_out_of(&self, reach: Reach, actor: &Actor, unit: Option<&str>) -> bool {
        // Who is not known is refused for that.
        let (Some(person), Some(unit)) = (self.person(actor), unit) else { return false };
        match reach {
            Reach::Never | Reach::Unsigned | Reach::Own | Reach::Anywhere => false,
            Reach::Unit => !self.is_within(unit, &person.unit),
            Reach::Agency => self.agency_of(unit) != self.agency_of(&person.unit),
        }
    }

    /// Whether somebody could do such a thing to a record of `unit`.
    pub(crate) fn may(&self, actor: &Actor, right: Right, unit: Option<&str>) -> bool {
        let mut no = Reasons::default();
        self.check_actor(&mut no, actor);
        self.check_right(&mut no, actor, right, unit);
        no.all().is_empty()
    }
}
