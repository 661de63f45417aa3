//! Registers, policy, clock.

use custos_core::{
    EvidenceKind, Role, Stage,
    law::{
        ActType, ActTypePolicy, Classification, ClassificationPolicy, ConfirmClock, HoldReason,
        IncompleteDescriptor, LawPolicy, Person, Recorder, ReportRefusal, SetPerson, SetPolicy,
        SetRecorder, SetStation, SetUnit, Station, Unit,
    },
};

use super::{Asked, Generator};
use crate::reference::{Model, Right};

const PERSON_ROLES: [Role; 7] = [
    Role::Officer,
    Role::Auxiliary,
    Role::Custodian,
    Role::UnitHead,
    Role::Reviewer,
    Role::Auditor,
    Role::Administrator,
];

impl Generator {
    pub(super) fn set_unit(&mut self, model: &Model) -> Asked {
        let actor = self.able(model, Right::Register, None);
        let all: Vec<&Unit> = model.units.values().collect();
        let stands = self.rng.one(&all);
        let unit = if self.rng.chance(40) {
            let active = self.rng.chance(70);
            Unit { active, title: self.title(), ..stands.clone() }
        } else {
            // Most of the time under the deepest, so that it gets too deep.
            let depth = |unit: &&&Unit| model.line_of(&unit.id).count();
            let deepest = all.iter().max_by_key(depth).expect("not empty");
            let parent = match self.rng.below(10) {
                0 => None,
                1 => Some(stands.id.clone()),
                _ => Some(deepest.id.clone()),
            };
            Unit {
                id: format!("u{}", model.units.len()),
                title: self.title(),
                parent,
                active: self.rng.chance(95),
            }
        };
        (actor, SetUnit { unit }.into())
    }

    fn title(&mut self) -> String {
        format!("Title {}", self.rng.below(1000))
    }

    pub(super) fn classification(&mut self) -> Classification {
        self.rng.one(Classification::ALL)
    }

    pub(super) fn set_person(&mut self, model: &Model) -> Asked {
        let actor = self.able(model, Right::Register, None);
        let all: Vec<&Person> = model.persons.values().collect();
        let mut person = self.rng.one(&all).clone();
        if self.rng.chance(40) {
            person.id = format!("p{}", model.persons.len());
            person.role = self.rng.one(&PERSON_ROLES);
            person.certificate_no = match person.role {
                Role::Officer => Some(format!("N{}", model.persons.len())),
                _ => None,
            };
            person.active = true;
        }
        // Who holds a grant loses clearance, role or office more often than others.
        let holders: Vec<&String> = model.grants.iter().map(|it| &it.holder).collect();
        if self.is_about_sight()
            && let Some(holder) = self.rng.pick(&holders).and_then(|id| model.persons.get(*id))
        {
            person = holder.clone();
        }
        let is_in_office = person.active && self.is_about_sight();
        match self.rng.below(if is_in_office { 2 } else { 5 }) {
            0 => person.active = !person.active,
            1 => person.unit = self.any_unit(model),
            2 => person.clearance = self.classification(),
            3 => person.title = Some(self.title()),
            _ => person.active = true,
        }
        if self.rng.chance(20) {
            person.unit = self.any_unit(model);
        }
        (actor, SetPerson { person }.into())
    }

    pub(super) fn set_recorder(&mut self, model: &Model) -> Asked {
        let unit = self.any_unit(model);
        let actor = self.able(model, Right::Issue, Some(&unit));
        let number = self.rng.below(model.recorders.len() + 2) + 1;
        let all: Vec<&String> = model.persons.keys().collect();
        let active: Vec<&String> =
            model.persons.values().filter(|it| it.active).map(|it| &it.id).collect();
        let nobody = "nobody".to_owned();
        let recorder = Recorder {
            id: format!("BWC-{number}"),
            model: None,
            unit,
            signing_key: self.rng.chance(50).then(|| "0123456789abcdef".repeat(4)),
            issued_to: self.rng.chance(60).then(|| self.choose(&active, &all, &nobody).clone()),
            active: self.rng.chance(90),
        };
        (actor, SetRecorder { recorder }.into())
    }

    pub(super) fn set_station(&mut self, model: &Model) -> Asked {
        let actor = self.able(model, Right::Register, None);
        let station = Station {
            id: self.rng.one(&["st.traffic", "st.port", "st.old", "st.new"]).to_owned(),
            unit: self.any_unit(model),
            active: self.rng.chance(80),
        };
        (actor, SetStation { station }.into())
    }

    pub(super) fn confirm_clock(&mut self, model: &Model) -> Asked {
        let actor = self.able(model, Right::Confirm, None);
        (actor, ConfirmClock { reason: self.reason() }.into())
    }

    pub(super) fn report_refusal(&mut self, model: &Model) -> Asked {
        let actor = self.able(model, Right::Register, None);
        let attempt = self.rng.one(&["set_policy", "place_hold"]).to_owned();
        (actor, ReportRefusal { attempt, what: "R26 reason: is missing".to_owned() }.into())
    }

    pub(super) fn set_policy(&mut self, model: &Model) -> Asked {
        let actor = self.able(model, Right::Register, None);
        let mut policy = model.policy().clone();
        for _ in 0..=self.rng.below(3) {
            self.change_policy(&mut policy);
        }
        let stands = u32::try_from(model.policies.len() - 1).expect("few");
        let based_on = if self.rng.chance(95) { stands } else { stands.wrapping_sub(1) };
        (actor, SetPolicy { policy, based_on }.into())
    }

    fn change_policy(&mut self, policy: &mut LawPolicy) {
        match self.rng.below(10) {
            0 => policy.incomplete_descriptor = self.rng.one(IncompleteDescriptor::ALL),
            1 => policy.floor_days += u32::try_from(self.rng.below(3)).expect("few"),
            2 | 3 => {
                let kind = self.rng.below(EvidenceKind::ALL.len());
                policy.kinds[kind].retention_days = self.days();
            }
            4 => {
                let classification = self.classification();
                let retention_days = self.days();
                policy.classifications.retain(|it| it.classification != classification);
                policy
                    .classifications
                    .push(ClassificationPolicy { classification, retention_days });
            }
            5 => self.change_act_type(policy),
            6 => policy.grace_days = self.rng.one(&[1, 7, 30]),
            7 => policy.grant_days_max = self.rng.one(&[1, 30, 366]),
            8 => {
                policy.release_by_two =
                    HoldReason::ALL.iter().copied().filter(|_| self.rng.chance(40)).collect();
            }
            _ => {
                policy.archive_days = self.rng.one(&[1, 30]);
                policy.answer_days = self.rng.one(&[1, 60]);
                policy.hold_review_days = self.rng.one(&[1, 3660]);
                policy.recorder_silent_days = self.rng.one(&[1, 90]);
            }
        }
    }

    /// A period that is not under a floor of a year and a little.
    fn days(&mut self) -> u32 {
        self.rng.one(&[400, 500, 731, 1096, 1500])
    }

    fn change_act_type(&mut self, policy: &mut LawPolicy) {
        let act_type = self.rng.one(ActType::ALL);
        let mut stages: Vec<Stage> =
            Stage::ALL.iter().copied().filter(|_| self.rng.chance(60)).collect();
        if stages.is_empty() || (self.rng.chance(90) && stages.last() != Some(&Stage::Archiving)) {
            stages.push(Stage::Archiving);
        }
        let audio_visual = stages.iter().copied().filter(|_| self.rng.chance(20)).collect();
        let retention_days = if self.rng.chance(50) { 0 } else { self.days() };
        policy.act_types.retain(|it| it.act_type != act_type);
        policy.act_types.push(ActTypePolicy { act_type, stages, audio_visual, retention_days });
    }
}
