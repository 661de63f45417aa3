//! Units, persons, recorders, stations, and the clock.

use custos_core::{
    Actor, Role, Rule,
    law::{ConfirmClock, Person, Recorder, Station, Unit},
};

use super::{Model, Reasons, Right, rights::Reach};

/// Most levels of units.
const LEVELS_MAX: usize = 8;

impl Model {
    pub(super) fn judge_set_unit(&self, no: &mut Reasons, actor: &Actor, unit: &Unit) {
        self.check_role(no, actor, Right::Register);
        no.id("id", &unit.id, 64);
        no.text("title", &unit.title, 256);
        let stands = self.units.get(&unit.id);
        if let Some(stands) = stands {
            no.when(stands.parent != unit.parent, Rule::R26, "parent");
        }
        let Some(parent) = &unit.parent else { return };
        match self.units.get(parent) {
            None => no.absent(Rule::R26, "parent"),
            Some(it) => no.when(stands.is_none() && !it.active, Rule::R26, "parent"),
        }
        if stands.is_none() {
            no.when(self.line_of(parent).count() >= LEVELS_MAX, Rule::I10, "parent");
        }
        no.when(*parent == unit.id, Rule::R26, "parent");
        no.when(self.is_within(parent, &unit.id), Rule::R26, "parent");
    }

    /// A unit that a record is to belong to.
    fn check_unit(&self, no: &mut Reasons, unit: &str) {
        match self.units.get(unit) {
            None => no.absent(Rule::R26, "unit"),
            Some(unit) => no.when(!unit.active, Rule::R26, "unit"),
        }
    }

    pub(super) fn judge_set_person(&self, no: &mut Reasons, actor: &Actor, person: &Person) {
        self.check_role(no, actor, Right::Register);
        no.id("id", &person.id, 64);
        no.text_if("title", person.title.as_deref(), 256);
        no.text_if("certificate_no", person.certificate_no.as_deref(), 64);
        self.check_unit(no, &person.unit);
        no.when(!person.role.is_person(), Rule::R26, "role");
        let has_number = person.certificate_no.is_some();
        let is_wrong = match person.role {
            Role::Officer => !has_number,
            Role::Auxiliary => has_number,
            _ => false,
        };
        no.when(is_wrong, Rule::R7, "certificate_no");
        let is_taken = self.persons.values().any(|other| {
            has_number && other.id != person.id && other.certificate_no == person.certificate_no
        });
        no.when(is_taken, Rule::R26, "certificate_no");
        no.when(actor.role.is_person() && actor.name == person.id, Rule::I8, "person");
    }

    pub(super) fn judge_set_recorder(&self, no: &mut Reasons, actor: &Actor, it: &Recorder) {
        self.check_right(no, actor, Right::Issue, self.known_unit(&it.unit));
        let is_nowhere = self.known_unit(&it.unit).is_none();
        no.when(is_nowhere && Right::Issue.reach(actor.role) == Reach::Unit, Rule::R23, "unit");
        if let Some(stands) = self.recorders.get(&it.id) {
            self.check_right(no, actor, Right::Issue, Some(&stands.unit));
        }
        no.id("id", &it.id, 64);
        no.text_if("model", it.model.as_deref(), 256);
        self.check_unit(no, &it.unit);
        if let Some(holder) = &it.issued_to {
            match self.persons.get(holder) {
                None => no.absent(Rule::R26, "issued_to"),
                Some(holder) => no.when(!holder.active, Rule::R26, "issued_to"),
            }
        }
        if let Some(key) = &it.signing_key {
            let is_key = key.len() == 64 && key.chars().all(|c| c.is_ascii_hexdigit());
            no.when(!is_key, Rule::R6, "signing_key");
        }
    }

    pub(super) fn judge_set_station(&self, no: &mut Reasons, actor: &Actor, station: &Station) {
        self.check_role(no, actor, Right::Register);
        no.id("id", &station.id, 64);
        self.check_unit(no, &station.unit);
    }

    /// A unit that is on the register: what is not is refused for that.
    pub(super) fn known_unit<'a>(&self, unit: &'a str) -> Option<&'a str> {
        self.units.contains_key(unit).then_some(unit)
    }

    pub(super) fn judge_confirm_clock(&self, no: &mut Reasons, actor: &Actor, it: &ConfirmClock) {
        self.check_role(no, actor, Right::Confirm);
        no.text("reason", &it.reason, 512);
        no.when(self.unconfirmed_ms == 0, Rule::R3, "clock");
        if let Some(first) = &self.confirmed_by {
            no.when(first.by == actor.name || first.role == actor.role, Rule::I8, "actor");
        }
    }
}
