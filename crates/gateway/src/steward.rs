//! The steward: carries out what the ledger has ordered, and keeps its time.
//!
//! Every gateway runs one. What is to be done stands in the ledger, each step is safe to do twice,
//! and the ledger records the end of evidence once: so a steward that dies anywhere is followed by
//! any other, and two of them at once harm nobody. It decides nothing: the ledger orders, and each
//! storage node checks the order for itself before it removes anything.

use std::time::Duration;

use custos_core::{
    Actor, EvidenceId,
    law::{
        ClockAsked, ClockState, Disposition, DispositionState, Filing, LawAnswer, LawCommand,
        LawQuery, ListPage, OrderDisposition, Record, RecordDisposal, RecordKind, RecordList,
        RecordName, RecordPage,
    },
};
use custos_ledger::{Answer, Command, Query};
use custos_ports::{RemovalOrder, RemovalReason};
use futures::{TryStreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::{Gateway, GatewayError, strays::DISKS_ASKED_MAX, upload::remove_from};

/// What is waited between two rounds.
const PAUSE: Duration = Duration::from_secs(5);
/// Time is sent to the ledger this often, so that it moves in steps that count for retention:
/// steps of more than an hour do not.
const TIME_PAUSE: Duration = Duration::from_secs(10 * 60);
/// Dispositions that are looked at in one round.
const PAGE_ITEMS: u32 = 100;

impl Gateway {
    /// Runs until it is dropped.
    pub async fn run_steward(self) {
        let mut rounds = interval(PAUSE);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut time_sent: Option<Instant> = None;
        loop {
            rounds.tick().await;
            if time_sent.is_none_or(|sent| sent.elapsed() >= TIME_PAUSE) {
                match self.submit(&Actor::system(), Command::KeepTime).await {
                    Ok(_) => time_sent = Some(Instant::now()),
                    Err(error) => warn!(%error, "the ledger was not told the time"),
                }
            }
            if let Err(error) = self.carry_out().await {
                warn!(%error, "dispositions were not seen to");
            }
        }
    }

    /// Orders what is due, and ends what is ordered.
    async fn carry_out(&self) -> Result<(), GatewayError> {
        let mut after = None;
        loop {
            let page = self.pending(after).await?;
            for found in page.items {
                let Record::Disposition(disposition) = found.record else { continue };
                let id = disposition.id.clone();
                // What keeps one from going on keeps no other.
                if let Err(error) = self.see_to(disposition).await {
                    warn!(disposition = %id, %error, "not seen to");
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn see_to(&self, mut disposition: Disposition) -> Result<(), GatewayError> {
        let id = disposition.id.clone();
        if disposition.state == DispositionState::Approved {
            let due = disposition.grace_until;
            let settled = self.clock_state().await?.settled;
            if due.is_none_or(|due| settled < due) {
                return Ok(());
            }
            let order = OrderDisposition { disposition: id.clone() };
            self.submit(&Actor::system(), law(order)).await?;
            info!(disposition = %id, "ordered");
            match self.record(RecordKind::Disposition, &id).await? {
                Some(Record::Disposition(ordered)) => disposition = ordered,
                _ => return Err(GatewayError::unexpected("a disposition")),
            }
        }
        if disposition.state != DispositionState::Ordered {
            return Ok(());
        }
        let is_done = |evidence: &EvidenceId| {
            disposition.ended.contains(evidence)
                || disposition.struck.iter().any(|struck| struck.evidence == *evidence)
        };
        for evidence in disposition.evidence.iter().filter(|evidence| !is_done(evidence)) {
            // What one disk does not let go of yet keeps nothing else.
            match self.end(&id, *evidence).await {
                Ok(()) => info!(disposition = %id, %evidence, "ended"),
                Err(error) => warn!(disposition = %id, %evidence, %error, "not ended yet"),
            }
        }
        Ok(())
    }

    /// Has every disk remove what it holds of evidence, then records that it has ended.
    async fn end(&self, disposition: &str, evidence: EvidenceId) -> Result<(), GatewayError> {
        let filing = match self.record(RecordKind::Filing, &evidence.to_string()).await? {
            Some(Record::Filing(filing)) => filing,
            // Another steward was faster.
            _ => return Ok(()),
        };
        let Filing { ordered_at: Some(ledger_index), .. } = filing else { return Ok(()) };
        let record = match self.query(Query::Evidence(evidence)).await? {
            Answer::Evidence(Some(record)) => record,
            Answer::Evidence(None) => return Ok(()),
            _ => return Err(GatewayError::unexpected("evidence")),
        };
        let order = RemovalOrder { reason: RemovalReason::Disposition, ledger_index };
        let map = self.inner.deps.cluster.refresh().await?;
        let disks: Vec<_> = map.disks_in_service().map(|disk| disk.disk_id).collect();
        let upload = (record.vault, evidence);
        stream::iter(disks.into_iter().map(Ok::<_, GatewayError>))
            .try_for_each_concurrent(DISKS_ASKED_MAX, |disk| async move {
                Ok(remove_from(&self.store(disk), upload, order, &[].into()).await?)
            })
            .await?;
        let disposal = RecordDisposal { disposition: disposition.to_owned(), evidence };
        self.submit(&Actor::system(), law(disposal)).await?;
        Ok(())
    }

    async fn pending(&self, after: Option<String>) -> Result<RecordPage, GatewayError> {
        let page = ListPage {
            list: RecordList::DispositionsPending,
            kind: None,
            unit: None,
            prefix: None,
            after,
            limit: PAGE_ITEMS,
        };
        match self.ask_law(LawQuery::List(page)).await? {
            LawAnswer::Records(page) => Ok(page),
            _ => Err(GatewayError::unexpected("dispositions")),
        }
    }

    /// A record of the law as it is now.
    pub(crate) async fn record(
        &self,
        kind: RecordKind,
        id: &str,
    ) -> Result<Option<Record>, GatewayError> {
        let name = RecordName { kind, id: id.to_owned() };
        match self.ask_law(LawQuery::Record(name)).await? {
            LawAnswer::Records(page) => Ok(page.items.into_iter().next().map(|it| it.record)),
            _ => Err(GatewayError::unexpected("a record")),
        }
    }

    async fn clock_state(&self) -> Result<ClockState, GatewayError> {
        match self.ask_law(LawQuery::Clock(ClockAsked { limit: 0 })).await? {
            LawAnswer::Clock(state) => Ok(state),
            _ => Err(GatewayError::unexpected("the clock")),
        }
    }

    pub(crate) async fn ask_law(&self, query: LawQuery) -> Result<LawAnswer, GatewayError> {
        match self.query(Query::Law(query)).await? {
            Answer::Law(answer) => Ok(*answer),
            _ => Err(GatewayError::unexpected("the law")),
        }
    }
}

fn law(command: impl Into<LawCommand>) -> Command {
    Command::Law(Box::new(command.into()))
}
