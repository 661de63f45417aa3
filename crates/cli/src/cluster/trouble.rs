use custos_client::{ClusterStatus, DiskReport, DiskStatus, NodeStatus};
use custos_core::{DiskId, DiskState, Fullness};

use super::{Directory, group};
use crate::units;

/// Whether somebody must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Something does not do what it is for.
    Wrong,
    /// Everything works; somebody may want to know.
    Notice,
}

impl Severity {
    /// The stable lower-case name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Notice => "notice",
        }
    }
}

/// One thing about the cluster that is not as it should be, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// Whether somebody must act.
    pub(crate) severity: Severity,
    /// What sort of thing: a stable lower-case name for programs.
    pub(crate) kind: &'static str,
    /// The node that it is about, by name.
    pub(crate) node: Option<String>,
    /// The disk that it is about.
    pub(crate) disk_id: Option<DiskId>,
    /// One line without a full stop.
    pub(crate) message: String,
}

impl Trouble {
    /// All that is not as it should be, what is wrong before what is only worth knowing.
    pub(crate) fn all_of(status: &ClusterStatus) -> Vec<Self> {
        let directory = Directory::new(status);
        let mut troubles = of_cluster(status);
        troubles.extend(group::troubles(&status.meta));
        troubles.extend(status.nodes.iter().filter_map(of_node));
        troubles.extend(status.nodes.iter().flat_map(of_strange_disks));
        for (node, disk) in status.disks() {
            let about = About { node, disk, label: directory.disk_label(node, disk) };
            troubles.extend(about.troubles());
        }
        troubles.sort_by_key(|trouble| trouble.severity);
        troubles
    }
}

fn of_cluster(status: &ClusterStatus) -> Vec<Trouble> {
    let wrong = |kind, message: String| Trouble {
        severity: Severity::Wrong,
        kind,
        node: None,
        disk_id: None,
        message,
    };
    let mut troubles = Vec::new();
    if status.damaged_shards > 0 {
        let count = units::count(status.damaged_shards, "damaged shard is", "damaged shards are");
        troubles.push(wrong("damage", format!("{count} on record: `custos damage ls`")));
    }
    if status.nodes.is_empty() {
        troubles.push(wrong("no-nodes", "no storage node has registered yet".to_owned()));
    } else if status.vaults.iter().all(|group| group.vaults == 0) {
        let message = "there is no vault, so nothing can be put: \
                       `custos cluster vaults create --profile K+M`";
        troubles.push(wrong("no-vaults", message.to_owned()));
    }
    troubles
}

fn of_node(node: &NodeStatus) -> Option<Trouble> {
    let why = node.unreachable.as_ref()?;
    let is_used = node.disks.iter().any(|disk| disk.state == DiskState::InService);
    let at =
        if node.endpoint.is_empty() { String::new() } else { format!(" at {}", node.endpoint) };
    let rest = if is_used { "" } else { "; none of its disks is in service" };
    Some(Trouble {
        severity: if is_used { Severity::Wrong } else { Severity::Notice },
        kind: "node-unreachable",
        node: Some(node.name.clone()),
        disk_id: None,
        message: format!("node {}{at} does not answer: {why}{rest}", node.name),
    })
}

fn of_strange_disks(node: &NodeStatus) -> impl Iterator<Item = Trouble> {
    node.strange_disks.iter().map(|disk| Trouble {
        severity: Severity::Wrong,
        kind: "disk-offline",
        node: Some(node.name.clone()),
        disk_id: None,
        message: format!("disk {}/{} is out of service: {}", node.name, disk.name, disk.offline),
    })
}

/// A disk that is looked at.
struct About<'a> {
    node: &'a NodeStatus,
    disk: &'a DiskStatus,
    label: String,
}

impl About<'_> {
    fn troubles(&self) -> Vec<Trouble> {
        match self.disk.state {
            DiskState::InService => {}
            DiskState::Released => return self.of_released().into_iter().collect(),
            DiskState::Removed => return self.of_removed().into_iter().collect(),
        }
        let Some(report) = &self.disk.report else {
            // When the node does not answer, that is the trouble.
            let is_missing = self.node.unreachable.is_none();
            return is_missing.then(|| self.of_missing()).into_iter().collect();
        };
        if let Some(why) = &report.offline {
            let message = format!("is out of service: {why}");
            return vec![self.trouble(Severity::Wrong, "disk-offline", &message)];
        }
        let mut troubles = Vec::new();
        if let Some(why) = &report.suspect {
            let message = format!("is suspect and gets no new shards: {why}");
            troubles.push(self.trouble(Severity::Wrong, "disk-suspect", &message));
        } else if report.io_errors > 0 {
            let count =
                units::count(report.io_errors, "read, write or sync", "reads, writes or syncs");
            let message = format!("failed {count} since it was opened");
            troubles.push(self.trouble(Severity::Notice, "disk-errors", &message));
        }
        troubles.extend(self.of_fullness(report));
        if report.quarantined > 0 {
            let count = units::count(report.quarantined, "thing", "things");
            let id = self.disk.disk_id;
            let message = format!("keeps {count} that nobody knows: `custos disk quarantine {id}`");
            troubles.push(self.trouble(Severity::Notice, "quarantine", &message));
        }
        if report.scrub.as_ref().is_some_and(|scrub| scrub.paused) {
            let message = "is not scrubbed: paused, `custos scrub resume`";
            troubles.push(self.trouble(Severity::Notice, "scrub-paused", message));
        }
        troubles
    }

    fn of_released(&self) -> Option<Trouble> {
        let slots = self.slots()?;
        let message = format!(
            "was released and is still the place of {slots}: `custos disk add` where it is now"
        );
        Some(self.trouble(Severity::Wrong, "disk-released", &message))
    }

    fn of_removed(&self) -> Option<Trouble> {
        let slots = self.slots()?;
        let message = format!("was taken out for good and is still the place of {slots}");
        Some(self.trouble(Severity::Wrong, "disk-removed", &message))
    }

    /// The slots that it is the place of, in words, if any.
    fn slots(&self) -> Option<String> {
        let slots = u64::from(self.disk.slots);
        (slots > 0).then(|| units::count(slots, "slot of a vault", "slots of vaults"))
    }

    fn of_missing(&self) -> Trouble {
        let message = "is missing: its node answers and does not have it";
        self.trouble(Severity::Wrong, "disk-missing", message)
    }

    fn of_fullness(&self, report: &DiskReport) -> Option<Trouble> {
        let (severity, says) = match report.fullness {
            Fullness::Normal => return None,
            Fullness::NearFull => (Severity::Notice, "is nearly full"),
            Fullness::BackfillFull => (Severity::Wrong, "is too full to take repaired shards"),
            Fullness::Full => (Severity::Wrong, "is full and takes no new shards"),
        };
        let left = match report.total_bytes {
            0 => String::new(),
            total => {
                format!(": {} of {} are free", units::size(report.free_bytes), units::size(total))
            }
        };
        Some(self.trouble(severity, "disk-full", &format!("{says}{left}")))
    }

    fn trouble(&self, severity: Severity, kind: &'static str, predicate: &str) -> Trouble {
        Trouble {
            severity,
            kind,
            node: Some(self.node.name.clone()),
            disk_id: Some(self.disk.disk_id),
            message: format!("disk {} {predicate}", self.label),
        }
    }
}

#[cfg(test)]
mod tests {
    use custos_client::StrangeDisk;

    use super::*;
    use crate::cluster::fixture::{cluster, disk, node, report};

    fn messages(status: &ClusterStatus) -> Vec<(Severity, String)> {
        let troubles = Trouble::all_of(status).into_iter();
        troubles.map(|trouble| (trouble.severity, trouble.message)).collect()
    }

    fn with_disk(change: impl FnOnce(&mut DiskStatus)) -> ClusterStatus {
        let mut changed = disk("disk 1", 0x0b);
        change(&mut changed);
        cluster(vec![node("store-1", vec![disk("disk 0", 0x0a), changed])])
    }

    fn with_report(change: impl FnOnce(&mut DiskReport)) -> ClusterStatus {
        let mut changed = report();
        change(&mut changed);
        with_disk(|disk| disk.report = Some(changed))
    }

    #[test]
    fn a_cluster_that_is_well_has_no_trouble() {
        assert_eq!(messages(&with_disk(|_| {})), []);
    }

    #[test]
    fn every_trouble_of_a_disk_names_it_and_the_cause() {
        use Severity::{Notice, Wrong};
        let well = |_: &mut DiskReport| {};
        let cases: [(ClusterStatus, Severity, &str); 10] = [
            (
                with_report(|r| r.offline = Some("a copy of it serves on store-9".to_owned())),
                Wrong,
                "is out of service: a copy of it serves on store-9",
            ),
            (
                with_report(|r| r.suspect = Some("slow".to_owned())),
                Wrong,
                "is suspect and gets no new shards: slow",
            ),
            (
                with_report(|r| (r.fullness, r.free_bytes) = (Fullness::Full, 1 << 30)),
                Wrong,
                "is full and takes no new shards: 1.0 GiB of 100.0 GiB are free",
            ),
            (
                with_report(|r| (r.fullness, r.total_bytes) = (Fullness::NearFull, 0)),
                Notice,
                "is nearly full",
            ),
            (
                with_report(|r| r.io_errors = 3),
                Notice,
                "failed 3 reads, writes or syncs since it was opened",
            ),
            (
                with_report(|r| r.quarantined = 1),
                Notice,
                "keeps 1 thing that nobody knows: \
                 `custos disk quarantine 0b777777777777777777777777777777`",
            ),
            (
                with_report(|r| r.scrub.as_mut().expect("scrubbed").paused = true),
                Notice,
                "is not scrubbed: paused, `custos scrub resume`",
            ),
            (
                with_disk(|disk| disk.report = None),
                Wrong,
                "is missing: its node answers and does not have it",
            ),
            (
                with_disk(|disk| disk.state = DiskState::Removed),
                Wrong,
                "was taken out for good and is still the place of 3 slots of vaults",
            ),
            (
                with_disk(|disk| disk.state = DiskState::Released),
                Wrong,
                "was released and is still the place of 3 slots of vaults: `custos disk add` where \
                 it is now",
            ),
        ];
        assert_eq!(messages(&with_report(well)), []);
        let given_up = |disk: &mut DiskStatus| (disk.state, disk.slots) = (DiskState::Released, 0);
        assert_eq!(messages(&with_disk(given_up)), [], "nobody waits for it");
        for (status, severity, says) in cases {
            let expected = (severity, format!("disk store-1/disk 1 (0b777777) {says}"));
            assert_eq!(messages(&status), [expected]);
        }
    }

    #[test]
    fn a_disk_that_never_was_in_service_is_a_trouble_too() {
        let mut strange = node("store-1", vec![disk("disk 0", 0x0a)]);
        strange.strange_disks = vec![StrangeDisk {
            name: "disk 1 (s3://footage/store-1)".to_owned(),
            offline: "there is no bucket footage".to_owned(),
        }];
        let says = "disk store-1/disk 1 (s3://footage/store-1) is out of service: there is no \
                    bucket footage";
        assert_eq!(messages(&cluster(vec![strange])), [(Severity::Wrong, says.to_owned())]);
    }

    #[test]
    fn a_silent_node_is_one_trouble_and_not_one_for_each_disk() {
        let mut silent = disk("disk 0", 0x0a);
        silent.report = None;
        let mut away = node("store-1", vec![silent]);
        away.unreachable = Some("connection refused".to_owned());
        let says = "node store-1 at https://store-1:7400 does not answer: connection refused";
        assert_eq!(messages(&cluster(vec![away.clone()])), [(Severity::Wrong, says.to_owned())]);
        away.disks.clear();
        let [(severity, message)] = &messages(&cluster(vec![away]))[..] else { panic!("one") };
        assert_eq!(*severity, Severity::Notice, "nothing is lost with it: {message}");
    }

    #[test]
    fn what_is_wrong_stands_before_what_is_worth_knowing() {
        let mut status = with_report(|report| {
            report.quarantined = 2;
            report.suspect = Some("slow".to_owned());
        });
        status.damaged_shards = 1;
        let kinds: Vec<_> =
            Trouble::all_of(&status).into_iter().map(|t| (t.severity, t.kind)).collect();
        let expected = [
            (Severity::Wrong, "damage"),
            (Severity::Wrong, "disk-suspect"),
            (Severity::Notice, "quarantine"),
        ];
        assert_eq!(kinds, expected);
        let (_, message) = &messages(&status)[0];
        assert_eq!(message, "1 damaged shard is on record: `custos damage ls`");
    }

    #[test]
    fn a_cluster_without_nodes_or_vaults_says_what_comes_next() {
        let kind = |status: &ClusterStatus| Trouble::all_of(status)[0].kind;
        assert_eq!(kind(&cluster(vec![])), "no-nodes");
        let mut empty = with_disk(|_| {});
        empty.vaults.clear();
        assert_eq!(kind(&empty), "no-vaults");
    }
}
