//! What goes wrong in a run, drawn from its seed.

use std::{collections::BTreeSet, sync::Arc};

use custos_core::MetaId;
use tokio::time::{self, Duration, Instant};

use super::{
    fabric::Weather,
    group::Group,
    history::Record,
    plant::{Plant, is_planted},
    random::Random,
    transport::endpoint,
};
use crate::network::MemberChange;

/// Nodes beyond this are not added.
const NODES_MAX: usize = 8;
const YEAR_MS: i64 = 365 * 24 * 60 * 60 * 1000;
pub(crate) struct Nemesis {
    pub(crate) group: Arc<Group>,
    pub(crate) record: Record,
    pub(crate) random: Random,
    /// Links that are cut, each until its time.
    cuts: Vec<(Instant, BTreeSet<(u64, u64)>)>,
    /// Nodes to be started or resumed at a time.
    repairs: Vec<(Instant, u64)>,
    weather_ends: Option<Instant>,
}

impl Nemesis {
    pub(crate) fn new(group: Arc<Group>, record: Record, random: Random) -> Self {
        Self { group, record, random, cuts: Vec::new(), repairs: Vec::new(), weather_ends: None }
    }

    /// Makes trouble until `end`, and leaves it as it is then.
    pub(crate) async fn run(mut self, end: Instant) {
        while Instant::now() < end {
            time::sleep(Duration::from_millis(self.random.between(50, 900))).await;
            self.repair().await;
            self.group.look_at_all();
            self.strike().await;
        }
    }

    async fn strike(&mut self) {
        match self.random.below(100) {
            0..14 => self.change_weather(),
            14..32 => self.cut(),
            32..50 => self.crash_one().await,
            50..53 => self.crash_all(),
            53..62 => self.pause(),
            62..70 => self.jump_clock(),
            70..76 => self.take_snapshot().await,
            76..80 => self.elect().await,
            _ => self.change_membership().await,
        }
    }

    fn until(&mut self, most_ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(self.random.between(100, most_ms))
    }

    async fn repair(&mut self) {
        let now = Instant::now();
        if self.weather_ends.is_some_and(|end| end <= now) {
            self.weather_ends = None;
            self.group.parts.fabric.set_weather(Weather::CALM);
        }
        let before = self.cuts.len();
        self.cuts.retain(|(end, _)| *end > now);
        if self.cuts.len() < before {
            self.apply_cuts();
        }
        let (due, later) = self.repairs.drain(..).partition(|(at, _)| *at <= now);
        self.repairs = later;
        let due: Vec<(Instant, u64)> = due;
        for (_, node) in due {
            self.group.resume(node);
            if self.group.down().contains(&node) {
                self.group.start(node).await;
            }
        }
    }

    fn change_weather(&mut self) {
        let random = &mut self.random;
        let weather = Weather {
            lost_permille: [0, 20, 100, 300][random.below(4) as usize],
            repeated_permille: [0, 50, 300][random.below(3) as usize],
            late_permille: [0, 20, 100][random.below(3) as usize],
            refused_permille: [0, 20, 200][random.below(3) as usize],
            delay_ms_max: [5, 50, 300][random.below(3) as usize],
        };
        self.group.parts.fabric.set_weather(weather);
        self.weather_ends = Some(self.until(6000));
    }

    fn cut(&mut self) {
        let nodes = self.group.present();
        let links = cut_links(&mut self.random, nodes);
        let end = self.until(6000);
        self.cuts.push((end, links));
        self.apply_cuts();
    }

    fn apply_cuts(&self) {
        let links = self.cuts.iter().flat_map(|(_, links)| links.iter().copied()).collect();
        self.group.parts.fabric.cut(links);
    }

    fn some_running(&mut self) -> Option<u64> {
        // The leader is the most interesting one.
        if self.random.permille(400)
            && let Some((_, metrics)) = self.group.leader()
        {
            return Some(metrics.id);
        }
        self.random.pick(&self.group.running()).copied()
    }

    async fn crash_one(&mut self) {
        let installing = self.record.installing().filter(|_| self.random.permille(700));
        let Some(node) = installing.or_else(|| self.some_running()) else { return };
        if is_planted(Plant::ReturnWiped) {
            self.group.wipe(node);
        } else {
            self.group.crash(node);
        }
        if self.random.permille(400) {
            // A supervisor that starts it again at once.
            time::sleep(Duration::from_millis(self.random.between(10, 400))).await;
            return self.group.start(node).await;
        }
        let at = self.until(4000);
        self.repairs.push((at, node));
    }

    /// The power fails everywhere at once.
    fn crash_all(&mut self) {
        for node in self.group.running() {
            self.group.crash(node);
            let at = self.until(2000);
            self.repairs.push((at, node));
        }
    }

    fn pause(&mut self) {
        let Some(node) = self.some_running() else { return };
        self.group.pause(node);
        let at = self.until(5000);
        self.repairs.push((at, node));
    }

    fn jump_clock(&mut self) {
        let Some(node) = self.some_running() else { return };
        let years = i64::try_from(self.random.below(41)).expect("small") - 20;
        let offset_ms = [0, years * 1000, years * YEAR_MS][self.random.below(3) as usize];
        self.group.jump_clock(node, offset_ms);
    }

    async fn take_snapshot(&mut self) {
        let Some(process) = self.some_running().and_then(|id| self.group.process(id)) else {
            return;
        };
        let raft = process.raft.clone();
        self.record.trace.note(format_args!("a snapshot is asked for"));
        process.life.spawn(async move { raft.trigger().snapshot().await.ok() });
    }

    async fn elect(&mut self) {
        let Some(process) = self.some_running().and_then(|id| self.group.process(id)) else {
            return;
        };
        let raft = process.raft.clone();
        self.record.trace.note(format_args!("an election is asked for"));
        process.life.spawn(async move { raft.trigger().elect().await.ok() });
    }

    /// As an administrator does: one step, asked of any member, and without waiting for long.
    async fn change_membership(&mut self) {
        let Some((_, metrics)) = self.group.leader() else { return };
        let membership = metrics.membership_config.membership();
        let voters: Vec<u64> = membership.voter_ids().collect();
        let learners: Vec<u64> = membership.learner_ids().collect();
        let members: Vec<u64> = membership.nodes().map(|(id, _)| *id).collect();
        let present = self.group.present();
        let outside: Vec<u64> =
            present.iter().copied().filter(|id| !members.contains(id)).collect();
        let change = match self.random.below(8) {
            0 | 1 if present.len() < NODES_MAX => {
                // An id that was a member never comes back.
                let new = outside.iter().copied().find(|id| self.group.is_blank(*id));
                let node = new.unwrap_or_else(|| self.group.add());
                self.group.start(node).await;
                MemberChange::AddLearner { id: MetaId(node), endpoint: endpoint(node) }
            }
            2 | 3 => {
                let Some(node) = self.random.pick(&learners) else { return };
                MemberChange::Promote(MetaId(*node))
            }
            4 => {
                let Some(node) = self.random.pick(&members) else { return };
                MemberChange::Remove(MetaId(*node))
            }
            5 | 6 => {
                let Some(node) = self.random.pick(&voters) else { return };
                MemberChange::Lead(MetaId(*node))
            }
            _ => {
                // Who is out may be switched off.
                let Some(node) = self.random.pick(&outside) else { return };
                return self.group.retire(*node);
            }
        };
        self.change(change);
    }

    fn change(&mut self, change: MemberChange) {
        let Some(asked) = self.random.pick(&self.group.running()).copied() else { return };
        let Some(process) = self.group.process(asked) else { return };
        self.record.trace.note(format_args!("node {asked} is asked for {change:?}"));
        let (record, answer) = (self.record.clone(), process.change(change.clone()));
        tokio::spawn(async move {
            let changed = match answer.await {
                Ok(Ok(())) => "done".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the node has died".to_owned(),
            };
            record.trace.note(format_args!("{change:?}: {changed}"));
        });
    }
}

/// Links that a partition of some shape cuts.
fn cut_links(random: &mut Random, nodes: Vec<u64>) -> BTreeSet<(u64, u64)> {
    let nodes = random.shuffled(nodes);
    let side = random.between(1, (nodes.len() as u64).max(2) - 1);
    let (one, other) = nodes.split_at(usize::try_from(side).expect("few").min(nodes.len()));
    let pairs = |from: &[u64], to: &[u64]| -> Vec<(u64, u64)> {
        from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))).collect()
    };
    let (there, back) = (pairs(one, other), pairs(other, one));
    match random.below(4) {
        // Two halves that do not hear of each other.
        0 => there.into_iter().chain(back).collect(),
        // One half hears, and is not heard.
        1 => there.into_iter().collect(),
        // Two halves, and one node that is in both.
        2 => {
            let bridge = one[0];
            let touches = |link: &(u64, u64)| link.0 == bridge || link.1 == bridge;
            there.into_iter().chain(back).filter(|link| !touches(link)).collect()
        }
        // Some links here and there.
        _ => {
            let all = pairs(&nodes, &nodes);
            all.into_iter().filter(|(from, to)| from != to && random.permille(300)).collect()
        }
    }
}

/// Stops all trouble: everything runs, hears and is heard.
pub(crate) async fn heal(group: &Group) {
    group.parts.fabric.set_weather(Weather::CALM);
    group.parts.fabric.cut(BTreeSet::new());
    for node in group.paused() {
        group.resume(node);
    }
    for node in group.down() {
        group.start(node).await;
    }
}
