//! Random steps, most of them possible by what the model says, the rest near misses.

mod books;
mod items;
mod keep;
mod matters;
mod spoil;
mod time;

use custos_core::{
    Actor, EvidenceId,
    law::{DispositionState, GrantState},
};

use crate::{
    deed::{Deed, Step},
    reference::{Model, Right},
    rng::Rng,
    world::{actor, strangers},
};

/// What a sequence is mostly about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Matters,
    Books,
    Cases,
    Sight,
    Holds,
    Ends,
}

const MOODS: [Mood; 6] =
    [Mood::Matters, Mood::Books, Mood::Cases, Mood::Sight, Mood::Holds, Mood::Ends];

/// Somebody asks for something.
type Asked = (Actor, Deed);

/// Makes the steps of one sequence.
pub(crate) struct Generator {
    rng: Rng,
    mood: Mood,
    keys: u64,
    /// What ends about now.
    due: Option<Due>,
}

/// What ends at a time, so that something else is lawful from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Due {
    Retention(EvidenceId),
    Grace(String),
    Grant(String),
    /// Nothing that an act depends on.
    Other,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mood = rng.one(&MOODS);
        Self { rng, mood, keys: 0, due: None }
    }

    /// How many steps the sequence has.
    pub(crate) fn length(&mut self) -> usize {
        20 + self.rng.below(41)
    }

    /// The next step after what `model` has seen.
    pub(crate) fn next(&mut self, model: &Model) -> Step {
        let stamped = self.time(model);
        let mut then = model.clone();
        then.advance(stamped);
        let (actor, deed) = self.asked(&then);
        let repeated = self.rng.chance(3);
        Step { stamped, actor, deed, repeated }
    }

    fn asked(&mut self, model: &Model) -> Asked {
        let due = self.due.take();
        if let Some(due) = due.filter(|_| self.rng.chance(70))
            && let Some(asked) = self.at_due(model, &due)
        {
            return asked;
        }
        let kind = self.rng.below(100);
        if kind >= 85 {
            return self.any(model);
        }
        let mut possible = self.possible(model);
        if kind >= 70 {
            self.spoil(model, &mut possible);
        }
        possible
    }

    /// What becomes lawful, or is so no more, at about this time.
    fn at_due(&mut self, model: &Model, due: &Due) -> Option<Asked> {
        match due {
            Due::Retention(id) => self.propose_these(model, vec![*id]),
            Due::Grace(id) => self.order_this(model, model.disposition(id)?),
            Due::Grant(id) => Some(self.view_under(model, model.grant(id)?)),
            Due::Other => None,
        }
    }

    /// Something that is possible, or else anything.
    fn possible(&mut self, model: &Model) -> Asked {
        let mut last = self.any(model);
        for _ in 0..12 {
            if model.judge(&last.0, &last.1).all().is_empty() {
                break;
            }
            last = self.any(model);
        }
        last
    }

    fn any(&mut self, model: &Model) -> Asked {
        let weights = self.weights(model);
        loop {
            let asked = match self.rng.weighted(&weights) {
                0 => Some(self.open_case(model)),
                1 => self.update_case(model),
                2 => self.move_case(model),
                3 => self.close_case(model),
                4 => self.archive_case(model),
                5 => self.reopen_case(model),
                6 => self.classify_case(model),
                7 => Some(self.put(model)),
                8 => self.seal(model),
                9 => self.abort(model),
                10 => self.file(model),
                11 => self.add_note(model),
                12 => self.correct(model),
                13 => self.relate(model),
                14 => self.classify_evidence(model),
                15 => self.extend(model),
                16 => self.register_copy(model),
                17 => Some(self.place_hold(model)),
                18 => self.release_hold(model),
                19 => self.apply(model),
                20 => self.decide(model),
                21 => self.revoke(model),
                22 => self.view(model),
                23 => self.propose(model),
                24 => self.approve(model),
                25 => self.stop(model),
                26 => self.order(model),
                27 => self.dispose(model),
                28 => Some(self.confirm_clock(model)),
                29 => Some(self.set_unit(model)),
                30 => Some(self.set_person(model)),
                31 => Some(self.set_recorder(model)),
                32 => Some(self.set_station(model)),
                33 => Some(self.set_policy(model)),
                34 => Some(self.report_refusal(model)),
                other => unreachable!("{other}"),
            };
            if let Some(asked) = asked {
                return asked;
            }
        }
    }

    /// How likely each of the acts is, so that whole matters happen.
    fn weights(&self, model: &Model) -> [usize; 35] {
        let given = |is_so: bool, often: usize, seldom: usize| if is_so { often } else { seldom };
        let times = |moods: &[Mood], factor: usize| given(moods.contains(&self.mood), factor, 1);
        let opened = model.evidence.values().filter(|it| it.is_open()).count();
        let over = model.evidence.keys().any(|id| model.may_end(*id) && !model.is_under_way(*id));
        let held = model.holds.iter().any(|hold| hold.released.is_none());
        let applied = model.grants.iter().any(|grant| grant.state == GrantState::Applied);
        let granted = model.grants.iter().any(|grant| grant.state == GrantState::Approved);
        let has = |state| model.dispositions_in(state).next().is_some();
        let settled = model.settled();
        let ripe = model
            .dispositions_in(DispositionState::Approved)
            .any(|it| it.grace_until.is_some_and(|until| until <= settled));
        let cases = times(&[Mood::Cases], 3);
        let books = times(&[Mood::Books], 5);
        let sight = times(&[Mood::Sight], 3);
        let holds = times(&[Mood::Holds], 3);
        let ends = times(&[Mood::Ends, Mood::Matters], 4);
        [
            given(model.cases.len() < 3, 10, 2) * cases,
            3 * cases,
            7 * cases,
            4 * cases,
            4 * cases,
            2 * cases,
            2 * cases,
            given(model.evidence.len() < 5, 14, 3),
            given(opened > 0, 22, 1),
            1,
            5,
            2,
            3,
            2,
            3 * sight,
            2,
            3 * sight,
            4 * holds,
            given(held, 6, 1) * holds,
            4 * sight,
            given(applied, 10, 1) * sight,
            2 * sight,
            given(granted, 14, 6) * sight,
            given(over, 25 * ends, 3),
            given(has(DispositionState::Proposed), 25 * ends, 1),
            1,
            given(ripe, 30 * ends, 2),
            given(has(DispositionState::Ordered), 10 * ends, 1),
            given(model.unconfirmed_ms > 0, 40 * ends, 1),
            4 * books,
            2 * books * sight,
            books,
            books,
            2 * books,
            1,
        ]
    }

    /// Everybody who may act, and some who may not.
    fn actors(model: &Model) -> Vec<Actor> {
        let persons = model.persons.values().map(|person| actor(&person.id, person.role));
        let stations = model.stations.values().map(|it| actor(&it.id, custos_core::Role::Station));
        persons.chain(stations).chain(strangers()).collect()
    }

    /// Whether matters are brought to their end.
    fn drives(&self) -> bool {
        matches!(self.mood, Mood::Ends | Mood::Matters)
    }

    /// Whether it is mostly about who reads what.
    fn is_about_sight(&self) -> bool {
        self.mood == Mood::Sight
    }

    fn anyone(&mut self, model: &Model) -> Actor {
        self.rng.one(&Self::actors(model))
    }

    /// Somebody who has the right to a record of `unit`, most of the time.
    fn able(&mut self, model: &Model, right: Right, unit: Option<&str>) -> Actor {
        let mut all = Self::actors(model);
        if self.rng.chance(94) {
            all.retain(|actor| model.may(actor, right, unit));
        }
        match all.is_empty() {
            true => self.anyone(model),
            false => self.rng.one(&all),
        }
    }

    fn reason(&mut self) -> String {
        self.rng.one(&["as the file shows", "依据档案", "asked for in writing"]).to_owned()
    }

    /// A reason, or none.
    fn reason_if(&mut self, percent: usize) -> Option<String> {
        self.rng.chance(percent).then(|| self.reason())
    }

    /// One of those that fit, most of the time; else any, and now and then one that is not there.
    fn choose<T: Clone>(&mut self, fit: &[T], all: &[T], unknown: T) -> T {
        let luck = self.rng.below(100);
        if luck < 3 {
            return unknown;
        }
        let from = if luck < 85 && !fit.is_empty() { fit } else { all };
        self.rng.pick(from).cloned().unwrap_or(unknown)
    }

    fn any_evidence(&mut self, model: &Model) -> EvidenceId {
        let sealed: Vec<_> =
            model.evidence.keys().copied().filter(|id| model.sealed(*id).is_some()).collect();
        let all: Vec<_> = model.evidence.keys().copied().collect();
        self.choose(&sealed, &all, EvidenceId::from_bytes([0xee; 16]))
    }

    fn any_unit(&mut self, model: &Model) -> String {
        let all: Vec<_> = model.units.keys().cloned().collect();
        let active: Vec<_> =
            model.units.values().filter(|it| it.active).map(|it| it.id.clone()).collect();
        self.choose(&active, &all, "nowhere".to_owned())
    }
}
