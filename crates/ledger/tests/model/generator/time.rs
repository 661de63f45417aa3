//! When the next step happens: soon, at a deadline, or long after.

use custos_core::{
    Timestamp,
    law::{DispositionState, GrantState},
};

use super::{Due, Generator};
use crate::reference::{DAY_MS, Model, STEP_MS_MAX};

/// Ends of years and days around 29 February.
const TURNS: [&str; 7] = [
    "2026-12-31T23:59:59.999Z",
    "2027-02-28T23:59:59.999Z",
    "2027-12-31T23:59:59.999Z",
    "2028-02-28T23:59:59.999Z",
    "2028-02-29T23:59:59.999Z",
    "2028-12-31T23:59:59.999Z",
    "2032-02-29T12:00:00Z",
];

impl Generator {
    /// The leader's clock at the next step.
    pub(super) fn time(&mut self, model: &Model) -> Timestamp {
        let now = model.now.as_millis();
        let moved_ms = self.near(model).or_else(|| self.far(model)).unwrap_or_else(|| {
            match self.rng.weighted(&[70, 10, 3, 1, 2, 3, 1]) {
                0 => self.rng.within(1000, 60_000),
                1 => self.rng.within(1, STEP_MS_MAX),
                2 => STEP_MS_MAX + self.rng.within(-1, 2),
                3 => self.rng.within(1, 40) * DAY_MS,
                4 => -self.rng.within(1, 3 * DAY_MS),
                5 => 0,
                _ => self.turn(now),
            }
        });
        Timestamp::from_millis(now + moved_ms)
    }

    /// From now to the end of a year or of a February.
    fn turn(&mut self, now: i64) -> i64 {
        let turns = TURNS.iter().map(|turn| turn.parse::<Timestamp>().expect("a time"));
        let to_come: Vec<i64> = turns.map(Timestamp::as_millis).filter(|it| *it > now).collect();
        let turn = self.rng.pick(&to_come).copied().unwrap_or(now);
        turn - now + self.rng.within(0, 2)
    }

    /// A deadline within a step that counts at once: to it, or a millisecond off.
    fn near(&mut self, model: &Model) -> Option<i64> {
        let mut near = deadlines(model);
        near.retain(|it| (0..STEP_MS_MAX).contains(&it.away_ms));
        if near.is_empty() || !self.rng.chance(40) {
            return None;
        }
        let Deadline { away_ms, due, .. } = near.swap_remove(self.rng.below(near.len()));
        self.due = Some(due);
        Some((away_ms + self.rng.within(-1, 2)).max(0))
    }

    /// A deadline that is far away: to shortly before it, so that it can be reached in a step that
    /// counts at once, or straight to it.
    fn far(&mut self, model: &Model) -> Option<i64> {
        let mut far = deadlines(model);
        far.retain(|it| it.away_ms >= STEP_MS_MAX && it.percent > 0);
        // The most urgent ones rather than many others.
        let weights: Vec<usize> = far.iter().map(|it| it.percent * it.percent).collect();
        if weights.is_empty() {
            return None;
        }
        let Deadline { away_ms, unsettled_ms, percent, .. } = &far[self.rng.weighted(&weights)];
        let often = if self.drives() { 3 } else { 1 };
        if !self.rng.chance(percent * often) {
            return None;
        }
        let away_ms = away_ms - unsettled_ms;
        Some(match self.rng.below(3) {
            0 => away_ms + self.rng.within(-1, 2),
            1 => away_ms + self.rng.within(0, 10 * DAY_MS),
            _ => away_ms - self.rng.within(1, STEP_MS_MAX),
        })
    }
}

/// When something ends.
struct Deadline {
    /// How far cluster time has to move from now on, in steps that count at once.
    away_ms: i64,
    /// How much less if all is confirmed then.
    unsettled_ms: i64,
    /// In how many of a hundred steps it goes there if it is far.
    percent: usize,
    due: Due,
}

fn deadlines(model: &Model) -> Vec<Deadline> {
    let by_cluster_time = |at: Timestamp, percent, due| {
        let away_ms = at.as_millis() - model.now.as_millis();
        Deadline { away_ms, unsettled_ms: 0, percent, due }
    };
    let by_settled_time = |at: Timestamp, percent, due| {
        let away_ms = at.as_millis() - model.settled().as_millis();
        Deadline { away_ms, unsettled_ms: model.unconfirmed_ms, percent, due }
    };
    let mut all = Vec::new();
    for id in model.evidence.keys() {
        let Some(sealed) = model.sealed(*id) else { continue };
        let percent = if sealed.filing.disposition.is_some() { 0 } else { 8 };
        all.push(by_settled_time(model.keep_until(sealed), percent, Due::Retention(*id)));
    }
    for disposition in model.dispositions_in(DispositionState::Approved) {
        let until = disposition.grace_until.expect("approved");
        all.push(by_settled_time(until, 40, Due::Grace(disposition.id.clone())));
    }
    for grant in model.grants.iter().filter(|it| it.state == GrantState::Approved) {
        let until = grant.valid_until.expect("approved");
        all.push(by_cluster_time(until, 4, Due::Grant(grant.id.clone())));
    }
    for due in model.cases.values().filter_map(|case| case.archive_due) {
        all.push(by_cluster_time(due, 2, Due::Other));
    }
    for hold in model.holds.iter().filter(|hold| hold.released.is_none()) {
        all.push(by_cluster_time(hold.review_at, 1, Due::Other));
    }
    all
}
