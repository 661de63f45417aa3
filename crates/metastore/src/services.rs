use std::{sync::Arc, time::Duration};

use custos_ports::Clock;

use crate::{
    cluster_time::TimeKeeper,
    commands::CommandQueue,
    elections::Elections,
    fault::Fault,
    leadership::LeaderWatch,
    members::Members,
    network::{Group, Inbox},
    raft_types::Raft,
    reads::ReadBarrier,
    router::Router,
};

/// What a member runs on its Raft, whatever that stands on. Its tasks end when it is dropped.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) router: Router,
    pub(crate) inbox: Arc<Inbox>,
    _time_keeper: Arc<TimeKeeper>,
}

/// Bounds of the way in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Commands, and reads, that may wait.
    pub(crate) queue_items_max: usize,
    /// Longest wait of one.
    pub(crate) timeout: Duration,
}

impl Services {
    pub(crate) fn start(
        raft: Raft,
        group: Group,
        clock: Arc<dyn Clock>,
        limits: Limits,
        fault: Fault,
    ) -> Self {
        let Limits { queue_items_max: items_max, timeout } = limits;
        let (agreed, time) = TimeKeeper::channel();
        let commands = CommandQueue::start(raft.clone(), time, items_max, timeout, fault.clone());
        let leader = LeaderWatch::start(&raft);
        let (watch, peers) = (leader.clone(), group.clone());
        let barrier =
            ReadBarrier::start(raft.clone(), watch, peers, items_max, timeout, fault.clone());
        let members = Members::new(raft.clone(), group.clone(), commands.clone());
        let time_keeper = TimeKeeper::start(raft.clone(), members.clone(), clock.clone(), agreed);
        let elections = Elections::start(raft.clone(), group.clone(), fault);
        let router = Router { raft, leader, group, commands, barrier, members, timeout };
        let inbox = Arc::new(Inbox::new(router.clone(), elections, clock));
        Self { router, inbox, _time_keeper: time_keeper }
    }
}
