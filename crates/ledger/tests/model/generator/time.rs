//! When the next step happens: soon, at a deadline, or long after.

use custos_core::{
    Timestamp,
    law::{DispositionState, GrantState},
};

use super::Generator;
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
        let near: Vec<i64> = deadlines(model)
            .into_iter()
            .map(|(away_ms, _)| away_ms)
            .filter(|away_ms| (0..STEP_MS_MAX).contains(away_ms))
            .collect();
        if near.is_empty() || !self.rng.chance(40) {
            return None;
        }
        let away_ms = self.rng.one(&near);
        Some((away_ms + self.rng.within(-1, 2)).max(0))
    }

    /// A deadline that is far away: to shortly before it, so that it can be reached in a step that
    /// counts at once, or straight to it.
    fn far(&mut self, model: &Model) -> Option<i64> {
        let far: Vec<(i64, usize)> =
            deadlines(model).into_iter().filter(|(away_ms, _)| *away_ms >= STEP_MS_MAX).collect();
        // The most urgent ones rather than many others.
        let weights: Vec<usize> = far.iter().map(|(_, percent)| percent * percent).collect();
        if weights.iter().all(|weight| *weight == 0) {
            return None;
        }
        let (away_ms, percent) = far[self.rng.weighted(&weights)];
        let often = if self.drives() { 3 } else { 1 };
        if !self.rng.chance(percent * often) {
            return None;
        }
        // What is not settled counts once it is confirmed.
        let away_ms = away_ms - model.unconfirmed_ms;
        Some(match self.rng.below(3) {
            0 => away_ms + self.rng.within(-1, 2),
            1 => away_ms + self.rng.within(0, 10 * DAY_MS),
            _ => away_ms - self.rng.within(1, STEP_MS_MAX),
        })
    }
}

/// How far cluster time has to move to each deadline, and in how many of a hundred steps it goes
/// there if it is far.
fn deadlines(model: &Model) -> Vec<(i64, usize)> {
    let (now, settled) = (model.now.as_millis(), model.settled().as_millis());
    let mut all = Vec::new();
    for sealed in model.evidence.keys().filter_map(|id| model.sealed(*id)) {
        let over = model.keep_until(sealed).as_millis();
        let is_ordered = sealed.filing.disposition.is_some();
        all.push((over - settled, if is_ordered { 0 } else { 8 }));
    }
    for disposition in model.dispositions_in(DispositionState::Approved) {
        let until = disposition.grace_until.expect("approved").as_millis();
        all.push((until - settled, 40));
    }
    for grant in model.grants.iter().filter(|it| it.state == GrantState::Approved) {
        let until = grant.valid_until.expect("approved").as_millis();
        all.push((until - now, 4));
    }
    for case in model.cases.values() {
        all.extend(case.archive_due.map(|due| (due.as_millis() - now, 2)));
    }
    for hold in model.holds.iter().filter(|hold| hold.released.is_none()) {
        all.push((hold.review_at.as_millis() - now, 1));
    }
    all
}
