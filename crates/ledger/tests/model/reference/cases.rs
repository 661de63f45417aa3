//! Cases: who may open, move, close, archive and classify them, and what becomes of them.

use custos_core::{
    Actor, Role, Rule, Stage,
    law::{
        ActType, ArchiveCase, Case, CaseState, Classification, ClassifyCase, CloseCase, MoveCase,
        OpenCase, ReopenCase, Sign, UpdateCase,
    },
};

use super::{Life, Model, Reasons, Right};

const OFFICERS_MAX: usize = 32;
const PARTIES_MAX: usize = 64;

/// What a case lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lack {
    Nothing,
    /// Sound and picture alone.
    AudioVisual,
    /// Anything under a stage.
    Stage,
}

impl Model {
    pub(super) fn judge_open_case(&self, no: &mut Reasons, actor: &Actor, it: &OpenCase) {
        self.check_right(no, actor, Right::Case, self.known_unit(&it.unit));
        match self.units.get(&it.unit) {
            None => no.somehow("unit"),
            Some(unit) => no.when(!unit.active, Rule::R26, "unit"),
        }
        no.id("case", &it.case, 128);
        no.when(self.cases.contains_key(&it.case), Rule::R26, "case");
        no.text_if("title", it.title.as_deref(), 256);
        no.text_if("place", it.place.as_deref(), 256);
        self.check_custodian(no, &it.custodian, &it.unit);
        no.when(it.officers.len() > OFFICERS_MAX, Rule::I10, "officers");
        no.when(it.parties.len() > PARTIES_MAX, Rule::I10, "parties");
        self.check_officers(no, &it.officers, &it.unit);
        no.when(is_twice(&it.officers), Rule::R7, "officers");
        let is_high = it.classification > self.clearance(actor);
        no.when(is_high, Rule::R19, "classification");
    }

    fn check_custodian(&self, no: &mut Reasons, custodian: &str, unit: &str) {
        let is_right = self.persons.get(custodian).is_some_and(|person| {
            person.active && person.role == Role::Custodian && self.is_within(unit, &person.unit)
        });
        if !is_right {
            no.absent(Rule::R26, "custodian");
        }
    }

    fn check_officers(&self, no: &mut Reasons, officers: &[String], unit: &str) {
        let is_right = |number: &String| {
            self.persons.values().any(|person| {
                is_certified(person, number) && self.agency_of(&person.unit) == self.agency_of(unit)
            })
        };
        if !officers.iter().all(is_right) {
            no.absent(Rule::R7, "officers");
        }
    }

    /// Active certified officers among these.
    fn certified<'a>(&self, officers: impl Iterator<Item = &'a String>) -> usize {
        officers
            .filter(|number| self.persons.values().any(|person| is_certified(person, number)))
            .count()
    }

    pub(super) fn do_open_case(&mut self, it: &OpenCase) -> Case {
        let case = Case {
            id: it.case.clone(),
            act_type: it.act_type,
            unit: it.unit.clone(),
            title: it.title.clone(),
            place: it.place.clone(),
            officers: it.officers.clone(),
            parties: it.parties.clone(),
            custodian: it.custodian.clone(),
            classification: it.classification,
            lower_to: None,
            lower_asked: None,
            stage: self.stages_of(it.act_type)[0],
            state: CaseState::Open,
            opened_at: self.now,
            closed_at: None,
            archive_due: None,
            archived_at: None,
            reason: None,
        };
        self.cases.insert(it.case.clone(), case.clone());
        self.classes.insert(it.case.clone(), [it.classification].into());
        case
    }

    /// The case, if it exists.
    fn check_case(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        right: Right,
        case: &str,
    ) -> Option<&Case> {
        let found = self.cases.get(case);
        match found {
            Some(found) => {
                self.check_right(no, actor, right, Some(&found.unit));
                no.when(found.classification > self.clearance(actor), Rule::R19, "clearance");
            }
            None => {
                self.check_role(no, actor, right);
                no.unknown("case");
                no.id("case", case, 128);
            }
        }
        found
    }

    pub(super) fn judge_update_case(&self, no: &mut Reasons, actor: &Actor, it: &UpdateCase) {
        no.text("reason", &it.reason, 512);
        no.text_if("title", it.title.as_deref(), 256);
        no.text_if("place", it.place.as_deref(), 256);
        let Some(case) = self.check_case(no, actor, Right::Case, &it.case) else { return };
        no.when(case.state == CaseState::Archived, Rule::R13, "case");
        if let Some(custodian) = &it.custodian {
            self.check_custodian(no, custodian, &case.unit);
        }
        self.check_officers(no, &it.add_officers, &case.unit);
        no.when(it.add_officers.iter().any(|it| case.officers.contains(it)), Rule::R7, "officers");
        let is_absent = |it: &String| !case.officers.contains(it);
        no.when(it.remove_officers.iter().any(is_absent), Rule::R7, "officers");
        no.when(is_twice(&it.remove_officers), Rule::R7, "officers");
        no.when(is_twice(&it.add_officers), Rule::R7, "officers");
        let is_back = it.add_officers.iter().any(|officer| it.remove_officers.contains(officer));
        no.when(is_back, Rule::R7, "officers");
        let stays = case.officers.iter().filter(|officer| !it.remove_officers.contains(officer));
        let stay: Vec<&String> = stays.chain(&it.add_officers).collect();
        no.when(stay.len() > OFFICERS_MAX, Rule::I10, "officers");
        no.when(case.parties.len() + it.add_parties.len() > PARTIES_MAX, Rule::I10, "parties");
        let is_past = self.stages_of(case.act_type).first() != Some(&case.stage);
        let lacks = is_past && !it.remove_officers.is_empty();
        no.when(lacks && self.certified(stay.into_iter()) < 2, Rule::R7, "remove_officers");
        let is_same =
            |new: &Option<String>, old: Option<&String>| new.is_none() || new.as_ref() == old;
        let is_nothing = is_same(&it.title, case.title.as_ref())
            && is_same(&it.place, case.place.as_ref())
            && is_same(&it.custodian, Some(&case.custodian))
            && it.add_officers.is_empty()
            && it.remove_officers.is_empty()
            && it.add_parties.is_empty();
        no.when(is_nothing, Rule::R26, "case");
    }

    pub(super) fn do_update_case(&mut self, it: &UpdateCase) -> Case {
        self.change(&it.case, Some(&it.reason), |case| {
            case.title = it.title.clone().or(case.title.take());
            case.place = it.place.clone().or(case.place.take());
            if let Some(custodian) = &it.custodian {
                case.custodian.clone_from(custodian);
            }
            case.officers.retain(|officer| !it.remove_officers.contains(officer));
            case.officers.extend(it.add_officers.iter().cloned());
            case.parties.extend(it.add_parties.iter().cloned());
        })
    }

    fn change(&mut self, id: &str, reason: Option<&str>, change: impl FnOnce(&mut Case)) -> Case {
        let case = self.cases.get_mut(id).expect("judged before");
        change(case);
        case.reason = reason.map(str::to_owned);
        case.clone()
    }

    pub(super) fn judge_move_case(&self, no: &mut Reasons, actor: &Actor, it: &MoveCase) {
        no.text_if("reason", it.reason.as_deref(), 512);
        let Some(case) = self.check_case(no, actor, Right::Case, &it.case) else { return };
        no.when(case.state != CaseState::Open, Rule::R13, "case");
        no.when(it.stage == Stage::Archiving, Rule::R13, "stage");
        let stages = self.stages_of(case.act_type);
        let at = |stage: Stage| stages.iter().position(|it| *it == stage);
        let Some(to) = at(it.stage) else { return no.rule(Rule::R1, "stage") };
        let Some(from) = at(case.stage) else {
            // A policy took the stage away under the case: to any other, as from the first one.
            return no.when(self.certified(case.officers.iter()) < 2, Rule::R7, "officers");
        };
        no.when(to == from || to > from + 1, Rule::R1, "stage");
        no.when(to < from && it.reason.is_none(), Rule::R26, "reason");
        let leaves = from == 0 && to != from;
        no.when(leaves && self.certified(case.officers.iter()) < 2, Rule::R7, "officers");
    }

    pub(super) fn do_move_case(&mut self, it: &MoveCase) -> Case {
        self.change(&it.case, it.reason.as_deref(), |case| case.stage = it.stage)
    }

    pub(super) fn judge_close_case(&self, no: &mut Reasons, actor: &Actor, it: &CloseCase) {
        no.text("reason", &it.reason, 512);
        let Some(case) = self.check_case(no, actor, Right::Case, &it.case) else { return };
        no.when(case.state != CaseState::Open, Rule::R13, "case");
        no.when(self.certified(case.officers.iter()) < 2, Rule::R7, "officers");
    }

    pub(super) fn do_close_case(&mut self, it: &CloseCase) -> Case {
        let (now, days) = (self.now, self.policy().archive_days);
        self.change(&it.case, Some(&it.reason), |case| {
            case.stage = Stage::Archiving;
            case.state = CaseState::Closed;
            case.closed_at = Some(now);
            case.archive_due = Some(now.plus_days(days));
        })
    }

    pub(super) fn judge_archive_case(&self, no: &mut Reasons, actor: &Actor, it: &ArchiveCase) {
        no.text_if("despite", it.despite.as_deref(), 512);
        let Some(case) = self.check_case(no, actor, Right::Archive, &it.case) else { return };
        no.when(case.state != CaseState::Closed, Rule::R13, "case");
        if it.despite.is_none() {
            match self.lack_of(case) {
                Lack::Nothing => {}
                Lack::AudioVisual => no.rule(Rule::R9, "despite"),
                Lack::Stage => no.rule(Rule::R1, "despite"),
            }
        }
    }

    /// What the report of a case says that it lacks.
    pub(crate) fn lack_of(&self, case: &Case) -> Lack {
        let mut lack = Lack::Nothing;
        for stage in self.stages_of(case.act_type) {
            let (items, audio_visual) = self.filed_under(&case.id, stage);
            let is_needed = self.audio_visual_stages_of(case.act_type).contains(&stage);
            if items == 0 {
                return Lack::Stage;
            }
            if is_needed && audio_visual == 0 {
                lack = Lack::AudioVisual;
            }
        }
        lack
    }

    /// Items filed under a stage of a case, and those of them that are video or audio.
    pub(crate) fn filed_under(&self, case: &str, stage: Stage) -> (u32, u32) {
        let mut counts = (0, 0);
        for evidence in self.evidence.values() {
            let Life::Sealed(sealed) = &evidence.life else { continue };
            let filing = &sealed.filing;
            if filing.case.as_deref() == Some(case) && filing.stage == Some(stage) {
                counts.0 += 1;
                counts.1 += u32::from(sealed.record.descriptor.kind.is_audio_visual());
            }
        }
        counts
    }

    pub(super) fn do_archive_case(&mut self, it: &ArchiveCase) -> Case {
        let now = self.now;
        self.change(&it.case, it.despite.as_deref(), |case| {
            case.state = CaseState::Archived;
            case.archived_at = Some(now);
        })
    }

    pub(super) fn judge_reopen_case(&self, no: &mut Reasons, actor: &Actor, it: &ReopenCase) {
        no.text("reason", &it.reason, 512);
        let Some(case) = self.check_case(no, actor, Right::Reopen, &it.case) else { return };
        no.when(case.state == CaseState::Open, Rule::R13, "case");
        let is_one = self.is_stage_of(case.act_type, it.stage);
        no.when(!is_one || it.stage == Stage::Archiving, Rule::R1, "stage");
    }

    pub(super) fn is_stage_of(&self, act_type: ActType, stage: Stage) -> bool {
        self.stages_of(act_type).contains(&stage)
    }

    pub(super) fn do_reopen_case(&mut self, it: &ReopenCase) -> Case {
        self.change(&it.case, Some(&it.reason), |case| {
            case.state = CaseState::Open;
            case.stage = it.stage;
            case.archive_due = None;
        })
    }

    pub(super) fn judge_classify_case(&self, no: &mut Reasons, actor: &Actor, it: &ClassifyCase) {
        no.text("reason", &it.reason, 512);
        let Some(case) = self.check_case(no, actor, Right::Classify, &it.case) else { return };
        let asked = (case.lower_to, case.lower_asked.as_ref());
        self.check_classify(no, actor, Some(&case.unit), case.classification, asked, it.to);
    }

    /// What holds of classifying anything.
    pub(super) fn check_classify(
        &self,
        no: &mut Reasons,
        actor: &Actor,
        unit: Option<&str>,
        is: Classification,
        asked: (Option<Classification>, Option<&Sign>),
        to: Classification,
    ) {
        no.when(to == is, Rule::R19, "to");
        no.when(to > self.clearance(actor), Rule::R19, "to");
        if to < is
            && let (Some(lower), Some(first)) = asked
        {
            no.when(lower != to, Rule::R19, "to");
            no.when(first.by == actor.name, Rule::I8, "actor");
            self.check_right(no, actor, Right::Agree, unit);
        }
    }

    pub(super) fn do_classify_case(&mut self, actor: &Actor, it: &ClassifyCase) -> Case {
        let sign = self.sign(actor, &it.reason);
        let case = self.change(&it.case, Some(&it.reason), |case| {
            classify(
                &mut case.classification,
                &mut case.lower_to,
                &mut case.lower_asked,
                it.to,
                sign,
            );
        });
        let classes = self.classes.get_mut(&it.case).expect("judged before");
        classes.insert(case.classification);
        case
    }
}

/// Raises, lowers, or puts on record that a lower classification is asked for.
pub(super) fn classify(
    is: &mut Classification,
    lower_to: &mut Option<Classification>,
    lower_asked: &mut Option<Sign>,
    to: Classification,
    sign: Sign,
) {
    if to > *is || lower_to.is_some() {
        *is = to;
        *lower_to = None;
        *lower_asked = None;
    } else {
        *lower_to = Some(to);
        *lower_asked = Some(sign);
    }
}

fn is_twice(officers: &[String]) -> bool {
    (1..officers.len()).any(|number| officers[..number].contains(&officers[number]))
}

fn is_certified(person: &custos_core::law::Person, number: &str) -> bool {
    person.active
        && person.role == Role::Officer
        && person.certificate_no.as_deref() == Some(number)
}
