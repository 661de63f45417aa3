use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use custos_codec::ShardHeader;
use custos_core::{DiskId, ErrorKind, ShardSlot};
use custos_ports::{ShardError, ShardKey, ShardRead};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};
use tracing::warn;

use super::{fetch::check_header, source::ChunkSource};
use crate::{
    Gateway, GatewayError,
    error::{ShardUnusable, join_failures},
    homes::Homes,
    stores::{Operation, Standing, StoreAccess},
};

/// A shard whose header fits; its payload is yet to prove itself.
pub(super) struct GoodShard {
    pub(super) slot: ShardSlot,
    pub(super) store: StoreAccess,
    pub(super) header: ShardHeader,
    pub(super) payload: Bytes,
}

/// What is wrong with a shard at home on a store that answers.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) slot: ShardSlot,
    pub(crate) disk: DiskId,
    pub(crate) what: String,
    pub(crate) state: FindingState,
}

/// Whether a shard is not there, or not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FindingState {
    Missing,
    Damaged,
}

/// Where the next shard may be read.
enum Unasked {
    /// At these places; those that were not looked up yet are only looked up when these are used up.
    Homes(VecDeque<(ShardSlot, StoreAccess)>),
    /// At these places, which are the last.
    Strays(VecDeque<(ShardSlot, StoreAccess)>),
}

/// Reads of whole shards: k at first, then one more whenever one fails or dawdles. Homes are asked
/// first, suspect ones last; when these give fewer than needed, every other disk is. One shard of
/// each slot is read while it proves good; a copy elsewhere is of use only when k slots do not open.
pub(super) struct ShardReads<'a> {
    gateway: &'a Gateway,
    homes: &'a Homes,
    source: ChunkSource,
    running: JoinSet<(ShardSlot, StoreAccess, Result<ShardRead, ShardError>)>,
    unasked: Unasked,
    /// In the order in which they came; several of one slot only as a last resort.
    pub(super) good: Vec<GoodShard>,
    failures: Vec<ShardUnusable>,
    pub(super) findings: Vec<Finding>,
}

impl<'a> ShardReads<'a> {
    pub(super) fn start(gateway: &'a Gateway, homes: &'a Homes, source: ChunkSource) -> Self {
        let (mut well, mut suspect) = (VecDeque::new(), VecDeque::new());
        for (slot, disk) in homes.slots() {
            let store = gateway.store(disk);
            match store.standing(Operation::Read) {
                Standing::Healthy | Standing::ProbeDue => well.push_back((slot, store)),
                Standing::Suspect => suspect.push_back((slot, store)),
            }
        }
        well.append(&mut suspect);
        let mut reads = Self {
            gateway,
            homes,
            source,
            running: JoinSet::new(),
            unasked: Unasked::Homes(well),
            good: Vec::new(),
            failures: Vec::new(),
            findings: Vec::new(),
        };
        for _ in 0..source.profile.data() {
            reads.ask_next();
        }
        reads
    }

    fn unasked(&mut self) -> &mut VecDeque<(ShardSlot, StoreAccess)> {
        match &mut self.unasked {
            Unasked::Homes(places) | Unasked::Strays(places) => places,
        }
    }

    fn ask_next(&mut self) {
        let Some((slot, store)) = self.next_place() else { return };
        let key = self.source.key(slot);
        let gateway = self.gateway.clone();
        self.running.spawn(async move {
            let started = Instant::now();
            let read = store.read(&key, None).await;
            gateway.inner.read_latency.record(started.elapsed());
            (slot, store, read)
        });
    }

    /// The next place of a slot that is not good yet; when k slots are good and there is no other,
    /// the next copy of one of them.
    fn next_place(&mut self) -> Option<(ShardSlot, StoreAccess)> {
        let good = self.good_slots();
        let are_enough = good.len() >= self.source.profile.data();
        let places = self.unasked();
        let lacking = places.iter().position(|(slot, _)| !good.contains(slot));
        places.remove(lacking.or(are_enough.then_some(0))?)
    }

    fn good_slots(&self) -> BTreeSet<ShardSlot> {
        self.good.iter().map(|shard| shard.slot).collect()
    }

    /// Looks for shards that are not at home, once.
    async fn look_for_strays(&mut self) {
        let Unasked::Homes(_) = self.unasked else { return };
        let ChunkSource { vault, evidence_id, chunk, salt, profile, .. } = self.source;
        let good = self.good_slots();
        let fits = |key: &ShardKey| key.salt == salt && usize::from(key.slot.0) < profile.total();
        let found = self.gateway.find_strays(self.homes, (vault, evidence_id, chunk), |strays| {
            let keys = strays.iter().map(|stray| stray.entry.key).filter(fits);
            let slots: BTreeSet<_> = keys.map(|key| key.slot).chain(good.iter().copied()).collect();
            slots.len() >= profile.total()
        });
        let places = found
            .await
            .into_iter()
            .filter(|stray| fits(&stray.entry.key))
            .map(|stray| (stray.entry.key.slot, self.gateway.store(stray.disk)))
            .collect();
        self.unasked = Unasked::Strays(places);
        let lacking = profile.data().saturating_sub(good.len()).max(1);
        for _ in 0..lacking {
            self.ask_next();
        }
    }

    /// Gathers until there are good shards of k slots, and one more than at the last call; `false`
    /// when there are no more to be had.
    pub(super) async fn gather_one_more(&mut self) -> bool {
        let before = self.good.len();
        let needed = self.source.profile.data();
        let mut may_hedge = true;
        while self.good.len() == before || self.good_slots().len() < needed {
            if self.running.is_empty() {
                self.ask_next();
            }
            if self.running.is_empty() {
                self.look_for_strays().await;
            }
            let hedge_at = Instant::now() + self.gateway.inner.read_latency.hedge_after();
            let next = if may_hedge && !self.unasked().is_empty() {
                timeout_at(hedge_at, self.running.join_next()).await
            } else {
                // Each read ends within its own deadline.
                Ok(self.running.join_next().await)
            };
            match next {
                Ok(Some(done)) => {
                    let (slot, store, read) = done.expect("a shard read does not panic");
                    self.take(slot, store, read);
                }
                Ok(None) => return false,
                Err(_) if self.gateway.inner.hedges.spend() => {
                    self.gateway.metrics().hedged_reads.inc();
                    self.ask_next();
                }
                Err(_) => may_hedge = false,
            }
        }
        true
    }

    fn take(&mut self, slot: ShardSlot, store: StoreAccess, read: Result<ShardRead, ShardError>) {
        let failure = match self.judge(slot, &store, read) {
            Ok(good) => {
                self.good.push(good);
                return;
            }
            Err(failure) => failure,
        };
        warn!(
            evidence = %self.source.evidence_id, chunk = %self.source.chunk, %failure,
            "shard cannot be used"
        );
        let state = match &failure {
            ShardUnusable::Store(error) => match error.kind() {
                ErrorKind::NotFound => Some(FindingState::Missing),
                ErrorKind::Integrity => Some(FindingState::Damaged),
                _ => None,
            },
            _ => Some(FindingState::Damaged),
        };
        if let Some(state) = state {
            self.note_finding(slot, &store, state, failure.to_string());
        }
        self.failures.push(failure);
        self.ask_next();
    }

    /// Remembers what is wrong with a shard at home.
    pub(super) fn note_finding(
        &mut self,
        slot: ShardSlot,
        store: &StoreAccess,
        state: FindingState,
        what: String,
    ) {
        if state == FindingState::Damaged {
            self.gateway.metrics().corrupt_shards.inc();
        }
        let disk = store.disk();
        if self.homes.disk(slot) == disk {
            self.findings.push(Finding { slot, disk, what, state });
        }
    }

    fn judge(
        &self,
        slot: ShardSlot,
        store: &StoreAccess,
        read: Result<ShardRead, ShardError>,
    ) -> Result<GoodShard, ShardUnusable> {
        let read = read?;
        let header = check_header(self.source, slot, store, &read.header)?;
        let expected = self.source.layout().shard_len();
        if read.payload.len() != expected {
            let store = store.name().to_owned();
            return Err(ShardUnusable::Length { store, found: read.payload.len(), expected });
        }
        Ok(GoodShard { slot, store: store.clone(), header, payload: read.payload })
    }

    pub(super) fn too_few(&self) -> GatewayError {
        GatewayError::TooFewShards {
            evidence_id: self.source.evidence_id,
            chunk: self.source.chunk.to_string(),
            found: self.good_slots().len(),
            needed: self.source.profile.data(),
            failures: join_failures(&self.failures),
        }
    }
}
