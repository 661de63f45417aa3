//! Who acts or reads: what the register says of them, and what they have the right to.

use custos_core::{
    Actor, Refusal, Role, Rule,
    law::{Classification, Person},
};

use super::{
    acting::{find_person, find_station, is_within, top_of},
    rights::{Reach, Right},
};
use crate::{KvRead, custody};

/// Who acts or reads.
pub(crate) struct Who<'a> {
    actor: &'a Actor,
    pub(super) person: Option<Person>,
    /// Their unit, if they have one.
    pub(super) unit: Option<String>,
}

impl<'a> Who<'a> {
    /// Looks an actor up.
    ///
    /// # Errors
    /// R26 when a person is not on the register with that role, or a station is out of use.
    pub(crate) fn new(kv: &impl KvRead, actor: &'a Actor) -> Result<Self, Refusal> {
        let refused = |reason: String| Refusal::refused(Rule::R26, "actor", reason);
        let (mut person, mut unit) = (None, None);
        match actor.role {
            Role::Developer | Role::Playback | Role::System => {}
            Role::Station => {
                if let Some(station) = find_station(kv, &actor.name) {
                    if !station.active {
                        return Err(refused(format!("station {} is out of use", actor.name)));
                    }
                    unit = Some(station.unit);
                }
            }
            _ => {
                let found = find_person(kv, &actor.name).filter(|person| person.role == actor.role);
                let Some(found) = found else {
                    let name = custody::actor_name(actor);
                    return Err(refused(format!("{name} is not on the register of persons")));
                };
                if !found.active {
                    return Err(refused(format!("{} may not act any more", actor.name)));
                }
                unit = Some(found.unit.clone());
                person = Some(found);
            }
        }
        Ok(Self { actor, person, unit })
    }

    pub(super) fn role(&self) -> Role {
        self.actor.role
    }

    pub(super) fn name(&self) -> &str {
        &self.actor.name
    }

    /// The highest classification that the actor may see.
    pub(super) fn clearance(&self) -> Classification {
        match &self.person {
            Some(person) => person.clearance,
            // What a station puts it has seen; it views nothing but that.
            None => Classification::StateSecret,
        }
    }

    /// Whether the actor may know what is classified so. The refusal does not say how it is.
    ///
    /// # Errors
    /// R19.
    pub(super) fn check_cleared(&self, classification: Classification) -> Result<(), Refusal> {
        if classification <= self.clearance() {
            return Ok(());
        }
        let reason = format!("it is above the clearance of {}", self.name());
        Err(Refusal::refused(Rule::R19, "clearance", reason))
    }

    /// Whether the actor has a right over records of `unit`.
    ///
    /// # Errors
    /// R7 for an auxiliary who would sign, R23 field `role` without the right, R23 field `unit` when
    /// it does not reach so far.
    pub(super) fn check(
        &self,
        kv: &impl KvRead,
        right: Right,
        unit: Option<&str>,
    ) -> Result<(), Refusal> {
        let reach = right.reach(self.role());
        let who = || custody::actor_name(self.actor);
        match reach {
            Reach::Nothing if self.role() == Role::Auxiliary && right.is_signing() => {
                let reason = format!("{} helps to record and never signs", who());
                Err(Refusal::refused(Rule::R7, "actor", reason))
            }
            Reach::Nothing => {
                let reason = format!("{} has no right to {right}", who());
                Err(Refusal::refused(Rule::R23, "role", reason))
            }
            _ if self.reaches(kv, reach, unit) => Ok(()),
            _ => {
                let unit = unit.unwrap_or_default();
                let reason = format!("{} may not {right} in unit {unit}", who());
                Err(Refusal::refused(Rule::R23, "unit", reason))
            }
        }
    }

    fn reaches(&self, kv: &impl KvRead, reach: Reach, unit: Option<&str>) -> bool {
        let (Some(unit), Some(own)) = (unit, self.unit.as_deref()) else {
            // What belongs to no unit is within reach of whoever has the right at all.
            return reach != Reach::Nothing && (unit.is_none() || reach == Reach::Anywhere);
        };
        match reach {
            Reach::Nothing => false,
            Reach::Unit => is_within(kv, unit, own),
            Reach::Agency => top_of(kv, unit) == top_of(kv, own),
            Reach::Anywhere => true,
        }
    }

    /// Refuses records of another agency.
    pub(super) fn check_agency(
        &self,
        kv: &impl KvRead,
        field: &str,
        unit: Option<&str>,
    ) -> Result<(), Refusal> {
        let (Some(unit), Some(own)) = (unit, self.unit.as_deref()) else { return Ok(()) };
        if top_of(kv, unit) == top_of(kv, own) {
            return Ok(());
        }
        let reason = format!("it belongs to unit {unit}, which is of another agency");
        Err(Refusal::refused(Rule::R23, field, reason))
    }
}
