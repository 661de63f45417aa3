//! The network between simulated nodes: it loses, delays, repeats and cuts, as the weather is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use custos_ports::{PeerFault, PeerInbox};
use parking_lot::Mutex;
use tokio::{sync::oneshot, task::JoinHandle, time};

use super::{history::Record, messages, random::Random, runtime::Life};
use crate::{network::Inbox, raft_types::Raft};

/// How bad the network is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weather {
    /// Of 1000 messages, and again of their answers.
    pub(crate) lost_permille: u64,
    pub(crate) repeated_permille: u64,
    /// Messages that take up to [`LATE_MS_MAX`].
    pub(crate) late_permille: u64,
    /// Messages whose sender is told at once that nobody is there.
    pub(crate) refused_permille: u64,
    /// Of all others.
    pub(crate) delay_ms_max: u64,
}

impl Weather {
    pub(crate) const CALM: Self = Self {
        lost_permille: 0,
        repeated_permille: 0,
        late_permille: 0,
        refused_permille: 0,
        delay_ms_max: 5,
    };
}

/// Longer than any time-out between nodes, so that answers and entries of other times come along.
const LATE_MS_MAX: u64 = 4000;

/// The longest silence until the transport takes a connection for broken, whatever the deadline:
/// `custos-peers` asks for a sign of life each 10 s and waits 5 s for it.
const NOTICED_AFTER: Duration = Duration::from_secs(15);

/// A node as the network reaches it.
#[derive(Clone)]
struct Endpoint {
    life: Life,
    inbox: Arc<Inbox>,
    raft: Raft,
}

#[derive(Clone)]
pub(crate) struct Fabric {
    state: Arc<Mutex<State>>,
    record: Record,
}

struct State {
    endpoints: BTreeMap<u64, Endpoint>,
    /// Links that carry nothing, from and to.
    cut: BTreeSet<(u64, u64)>,
    weather: Weather,
    random: Random,
}

/// What becomes of one message.
struct Fate {
    way: Option<Duration>,
    second_way: Option<Duration>,
    way_back: Option<Duration>,
}

impl Fabric {
    pub(crate) fn new(record: Record, random: Random) -> Self {
        let state = State {
            endpoints: BTreeMap::new(),
            cut: BTreeSet::new(),
            weather: Weather::CALM,
            random,
        };
        Self { state: Arc::new(Mutex::new(state)), record }
    }

    pub(crate) fn connect(&self, node: u64, life: Life, inbox: Arc<Inbox>, raft: Raft) {
        self.state.lock().endpoints.insert(node, Endpoint { life, inbox, raft });
    }

    pub(crate) fn disconnect(&self, node: u64) {
        self.state.lock().endpoints.remove(&node);
    }

    /// Forgets every node. They know the fabric, so that neither would ever go by itself.
    pub(crate) fn disconnect_all(&self) {
        self.state.lock().endpoints.clear();
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.record.trace.note(format_args!("{weather:?}"));
        self.state.lock().weather = weather;
    }

    /// From now on exactly these links carry nothing.
    pub(crate) fn cut(&self, links: BTreeSet<(u64, u64)>) {
        self.record.trace.note(format_args!("cut: {links:?}"));
        self.state.lock().cut = links;
    }

    /// For planted bugs that do not always show.
    pub(crate) fn permille(&self, share: u64) -> bool {
        self.state.lock().random.permille(share)
    }

    /// Brings a message to `to` and its answer back. What is on its way goes on when the caller
    /// does not wait any more.
    pub(crate) async fn carry(
        &self,
        (from, to): (u64, u64),
        message: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, PeerFault> {
        let Some(fate) = self.draw(from, to) else {
            return Err(PeerFault::Unreachable { reason: format!("nobody is at {to}") });
        };
        let (answer, answered) = oneshot::channel();
        if let Some(second_way) = fate.second_way {
            // Its answer is of no use to anybody.
            let arrival = self.clone().arrive((from, to), message.clone(), second_way);
            tokio::spawn(async move { drop(arrival.await) });
        }
        if let Some(way) = fate.way {
            let fabric = self.clone();
            // A task of the network, which lives on when the sender dies.
            tokio::spawn(async move {
                let arrival = fabric.clone().arrive((from, to), message, way);
                let Some(result) = arrival.await else { return };
                let (Ok(result), Some(way_back)) = (result.await, fate.way_back) else { return };
                time::sleep(way_back).await;
                if !fabric.state.lock().cut.contains(&(to, from)) {
                    let _gone = answer.send(result);
                }
            });
        }
        let given_up = time::Instant::now() + deadline.min(NOTICED_AFTER);
        if let Ok(Ok(result)) = time::timeout_at(given_up, answered).await {
            return result;
        }
        // Nobody will answer, which the sender learns by waiting.
        time::sleep_until(given_up).await;
        Err(PeerFault::Unknown { reason: format!("node {to} did not answer") })
    }

    /// Waits for the message to arrive and hands it over; the node answers in its own time.
    async fn arrive(
        self,
        (from, to): (u64, u64),
        message: Bytes,
        way: Duration,
    ) -> Option<JoinHandle<Result<Bytes, PeerFault>>> {
        time::sleep(way).await;
        let Endpoint { life, inbox, raft } = {
            let state = self.state.lock();
            if state.cut.contains(&(from, to)) {
                return None;
            }
            state.endpoints.get(&to)?.clone()
        };
        self.record.trace.note(format_args!("{from} -> {to}: {}", messages::told(&message)));
        let message = messages::tampered(message, &raft);
        Some(life.spawn(async move { inbox.receive(message).await }))
    }

    /// `None` when the sender is told at once.
    fn draw(&self, from: u64, to: u64) -> Option<Fate> {
        let mut state = self.state.lock();
        let weather = state.weather;
        let is_there = state.endpoints.contains_key(&to);
        let is_cut = state.cut.contains(&(from, to));
        let random = &mut state.random;
        let mut way = || {
            let is_late = random.permille(weather.late_permille);
            let most = if is_late { LATE_MS_MAX } else { weather.delay_ms_max };
            let way = Duration::from_millis(random.below(most + 1));
            (!random.permille(weather.lost_permille)).then_some(way)
        };
        let (there, again, back) = (way(), way(), way());
        let is_refused = random.permille(weather.refused_permille);
        let is_repeated = random.permille(weather.repeated_permille);
        // A machine that is down refuses at once or stays silent.
        let is_told = !is_there && !is_cut && random.permille(500);
        if is_refused || is_told {
            return None;
        }
        Some(Fate { way: there, second_way: again.filter(|_| is_repeated), way_back: back })
    }
}
