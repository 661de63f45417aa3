use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicUsize},
};

use custos_ledger::{LedgerGroupId, Routing, Scope};
use parking_lot::RwLock;

use crate::{Channels, PeerError, channels::Peer};

/// The members of one group of the ledger.
pub(super) struct GroupPeers {
    pub(super) members: Vec<Arc<Peer>>,
    /// Which one answered last.
    pub(super) preferred: AtomicUsize,
}

impl GroupPeers {
    fn new(endpoints: &[String], channels: &Channels) -> Result<Self, PeerError> {
        let members = endpoints.iter().map(|one| channels.peer(one)).collect::<Result<_, _>>()?;
        Ok(Self { members, preferred: AtomicUsize::new(0) })
    }
}

/// The groups of the ledger, and which keeps what.
pub(super) struct Routes {
    /// Those that are configured: the system's group, and every one that the table gives no
    /// endpoints.
    configured: Arc<GroupPeers>,
    channels: Channels,
    learnt: RwLock<Learnt>,
}

#[derive(Default)]
struct Learnt {
    table: Option<Routing>,
    elsewhere: HashMap<LedgerGroupId, Arc<GroupPeers>>,
}

impl Routes {
    pub(super) fn new(endpoints: &[String], channels: &Channels) -> Result<Self, PeerError> {
        if endpoints.is_empty() {
            let reason = "no meta node is named".to_owned();
            return Err(PeerError::Endpoint { endpoint: String::new(), reason });
        }
        let configured = Arc::new(GroupPeers::new(endpoints, channels)?);
        Ok(Self { configured, channels: channels.clone(), learnt: RwLock::default() })
    }

    /// The system's group.
    pub(super) fn system(&self) -> Arc<GroupPeers> {
        self.configured.clone()
    }

    /// Who is to be asked; while no table is known, the configured ones.
    pub(super) fn of(&self, scope: Scope) -> Vec<Arc<GroupPeers>> {
        let learnt = self.learnt.read();
        let Some(table) = &learnt.table else { return vec![self.system()] };
        let group = |id| learnt.elsewhere.get(&id).unwrap_or(&self.configured).clone();
        table.groups_of(scope).into_iter().map(group).collect()
    }

    /// Takes over the table of the system's group.
    pub(super) fn learn(&self, table: &Routing) {
        if self.learnt.read().table.as_ref() == Some(table) {
            return;
        }
        let mut elsewhere = HashMap::new();
        let others = table.groups.iter().filter(|it| it.id != table.system);
        for group in others.filter(|it| !it.endpoints.is_empty()) {
            match GroupPeers::new(&group.endpoints, &self.channels) {
                Ok(peers) => drop(elsewhere.insert(group.id, Arc::new(peers))),
                Err(error) => {
                    tracing::error!(group = %group.id, %error, "a group of the ledger has no way");
                }
            }
        }
        *self.learnt.write() = Learnt { table: Some(table.clone()), elsewhere };
    }
}
