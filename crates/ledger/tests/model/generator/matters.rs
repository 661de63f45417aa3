//! Cases, from opening to archiving.

use custos_core::{
    Role, Stage,
    law::{
        ActType, ArchiveCase, Case, CaseState, ClassifyCase, CloseCase, MoveCase, OpenCase, Party,
        ReopenCase, UpdateCase,
    },
};

use super::{Asked, Generator};
use crate::reference::{Model, Right};

/// The short ones more often, so that matters come to their end.
const ACT_TYPES: [ActType; 7] = [
    ActType::Inspection,
    ActType::Inspection,
    ActType::Inspection,
    ActType::Compulsion,
    ActType::Compulsion,
    ActType::Penalty,
    ActType::Licence,
];

impl Generator {
    /// Certificate numbers of officers of the agency of `unit`, most of the time.
    pub(super) fn officers(&mut self, model: &Model, unit: &str, count: usize) -> Vec<String> {
        let is_strict = self.rng.chance(94);
        let mut numbers: Vec<String> = model
            .persons
            .values()
            .filter(|person| {
                let is_near = model.agency_of(&person.unit) == model.agency_of(unit);
                !is_strict || (person.active && person.role == Role::Officer && is_near)
            })
            .filter_map(|person| person.certificate_no.clone())
            .collect();
        while numbers.len() > count {
            numbers.remove(self.rng.below(numbers.len()));
        }
        numbers
    }

    fn custodian(&mut self, model: &Model, unit: &str) -> String {
        let all: Vec<String> = model.persons.keys().cloned().collect();
        let fit: Vec<String> = model
            .persons
            .values()
            .filter(|it| it.active && it.role == Role::Custodian)
            .filter(|it| model.is_within(unit, &it.unit))
            .map(|it| it.id.clone())
            .collect();
        if self.rng.chance(92) && !fit.is_empty() {
            return self.rng.one(&fit);
        }
        self.choose(&fit, &all, "nobody".to_owned())
    }

    pub(super) fn open_case(&mut self, model: &Model) -> Asked {
        let unit = self.any_unit(model);
        let actor = self.able(model, Right::Case, Some(&unit));
        let count = self.rng.one(&[2, 2, 2, 3, 1, 0]);
        let parties = match self.rng.chance(50) {
            true => vec![Party { name: "王五".to_owned(), role: "respondent".to_owned() }],
            false => Vec::new(),
        };
        let command = OpenCase {
            // Now and then one that is there.
            case: format!("C〔2026〕-{}", model.cases.len() + usize::from(self.rng.chance(96))),
            act_type: self.rng.one(&ACT_TYPES),
            title: self.rng.chance(30).then(|| "stall on the pavement".to_owned()),
            place: self.rng.chance(30).then(|| "Century Avenue".to_owned()),
            officers: self.officers(model, &unit, count),
            parties,
            custodian: self.custodian(model, &unit),
            classification: match self.rng.chance(75) {
                true => custos_core::law::Classification::Ordinary,
                false => self.classification(),
            },
            unit,
        };
        (actor, command.into())
    }

    /// A case in one of these states, most of the time.
    pub(super) fn case_in<'a>(
        &mut self,
        model: &'a Model,
        states: &[CaseState],
    ) -> Option<&'a Case> {
        let all: Vec<&Case> = model.cases.values().collect();
        let fit: Vec<&Case> =
            all.iter().copied().filter(|case| states.contains(&case.state)).collect();
        let from = if self.rng.chance(90) { &fit } else { &all };
        self.rng.pick(from).copied()
    }

    pub(super) fn update_case(&mut self, model: &Model) -> Option<Asked> {
        let case = self.case_in(model, &[CaseState::Open, CaseState::Closed])?;
        let actor = self.able(model, Right::Case, Some(&case.unit));
        let mut command = UpdateCase {
            case: case.id.clone(),
            title: None,
            place: None,
            custodian: None,
            add_officers: Vec::new(),
            remove_officers: Vec::new(),
            add_parties: Vec::new(),
            reason: self.reason(),
        };
        for _ in 0..=self.rng.below(2) {
            match self.rng.below(7) {
                0 => command.title = Some(format!("title {}", self.rng.below(3))),
                1 => command.place = Some(format!("place {}", self.rng.below(3))),
                2 => command.custodian = Some(self.custodian(model, &case.unit)),
                3 | 4 => {
                    let mut officers = self.officers(model, &case.unit, 9);
                    if self.rng.chance(85) {
                        officers.retain(|officer| !case.officers.contains(officer));
                    }
                    officers.truncate(1 + self.rng.below(2));
                    command.add_officers = officers;
                }
                5 => command.remove_officers.extend(self.rng.pick(&case.officers).cloned()),
                _ => {
                    let party = Party { name: "赵六".to_owned(), role: "witness".to_owned() };
                    command.add_parties = vec![party];
                }
            }
        }
        Some((actor, command.into()))
    }

    pub(super) fn move_case(&mut self, model: &Model) -> Option<Asked> {
        let case = self.case_in(model, &[CaseState::Open])?;
        let actor = self.able(model, Right::Case, Some(&case.unit));
        let stages = model.stages_of(case.act_type);
        let at = stages.iter().position(|stage| *stage == case.stage);
        let next = at.and_then(|at| stages.get(at + 1)).copied();
        let stage = match self.rng.chance(60) {
            true => next.unwrap_or(stages[0]),
            false => self.rng.one(Stage::ALL),
        };
        let is_back = stage < case.stage;
        let reason = self.reason_if(if is_back { 80 } else { 20 });
        Some((actor, MoveCase { case: case.id.clone(), stage, reason }.into()))
    }

    pub(super) fn close_case(&mut self, model: &Model) -> Option<Asked> {
        let case = self.case_in(model, &[CaseState::Open])?;
        let actor = self.able(model, Right::Case, Some(&case.unit));
        Some((actor, CloseCase { case: case.id.clone(), reason: self.reason() }.into()))
    }

    pub(super) fn archive_case(&mut self, model: &Model) -> Option<Asked> {
        let case = self.case_in(model, &[CaseState::Closed])?;
        let actor = self.able(model, Right::Archive, Some(&case.unit));
        let despite = self.reason_if(70);
        Some((actor, ArchiveCase { case: case.id.clone(), despite }.into()))
    }

    pub(super) fn reopen_case(&mut self, model: &Model) -> Option<Asked> {
        let case = self.case_in(model, &[CaseState::Closed, CaseState::Archived])?;
        let actor = self.able(model, Right::Reopen, Some(&case.unit));
        let stages = model.stages_of(case.act_type);
        let stage = match self.rng.chance(80) {
            true => self.rng.one(&stages),
            false => self.rng.one(Stage::ALL),
        };
        let command = ReopenCase { case: case.id.clone(), stage, reason: self.reason() };
        Some((actor, command.into()))
    }

    pub(super) fn classify_case(&mut self, model: &Model) -> Option<Asked> {
        let all: Vec<&Case> = model.cases.values().collect();
        let case = *self.rng.pick(&all)?;
        // Who agrees must be another, so everybody with the right is asked.
        let right = if self.rng.chance(50) { Right::Classify } else { Right::Agree };
        let actor = self.able(model, right, Some(&case.unit));
        let to = match case.lower_to {
            Some(lower) if self.rng.chance(70) => lower,
            _ => self.classification(),
        };
        let command = ClassifyCase { case: case.id.clone(), to, reason: self.reason() };
        Some((actor, command.into()))
    }
}
