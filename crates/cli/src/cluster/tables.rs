use custos_client::{ClusterStatus, DiskReport, DiskStatus, NodeStatus, ScrubReport};
use custos_core::{DiskState, Fullness, Timestamp};

use super::Directory;
use crate::{
    table::{Align, Table},
    units,
};

/// A table of nodes.
pub(crate) fn node_table() -> Table {
    Table::new(&[
        ("NODE", Align::Left),
        ("ID", Align::Left),
        ("ZONE", Align::Left),
        ("RACK", Align::Left),
        ("HOST", Align::Left),
        ("DISKS", Align::Right),
        ("VERSION", Align::Left),
        ("ENDPOINT", Align::Left),
        ("STATE", Align::Left),
    ])
}

/// A row for each node.
pub(crate) fn node_rows(status: &ClusterStatus) -> Vec<Vec<String>> {
    let directory = Directory::new(status);
    let row = |node: &NodeStatus| {
        let disks = node.disks.iter().filter(|disk| disk.state == DiskState::InService).count();
        vec![
            node.name.clone(),
            directory.short(node.node_id),
            or_dash(&node.labels.zone),
            or_dash(&node.labels.rack),
            or_dash(&node.labels.host),
            disks.to_string(),
            node.version.clone().unwrap_or_else(dash),
            or_dash(&node.endpoint),
            match &node.unreachable {
                None => "answers".to_owned(),
                Some(why) => format!("does not answer: {why}"),
            },
        ]
    };
    status.nodes.iter().map(row).collect()
}

/// A table of disks.
pub(crate) fn disk_table() -> Table {
    Table::new(&[
        ("DISK", Align::Left),
        ("ID", Align::Left),
        ("KIND", Align::Left),
        ("SLOTS", Align::Right),
        ("SHARDS", Align::Right),
        ("DATA", Align::Right),
        ("FREE", Align::Right),
        ("TOTAL", Align::Right),
        ("ERRORS", Align::Right),
        ("STATE", Align::Left),
    ])
}

/// A row for each disk, of all nodes or of one.
pub(crate) fn disk_rows(status: &ClusterStatus, of: Option<&NodeStatus>) -> Vec<Vec<String>> {
    let directory = Directory::new(status);
    let row = |(node, disk): (&NodeStatus, &DiskStatus)| {
        let report = disk.report.as_ref();
        let shown = |show: &dyn Fn(&DiskReport) -> String| report.map_or_else(dash, show);
        // A bucket has no end.
        let room = |bytes: u64, report: &DiskReport| match report.total_bytes {
            0 => dash(),
            _ => units::size(bytes),
        };
        vec![
            format!("{}/{}", node.name, disk.name),
            directory.short(disk.disk_id),
            shown(&|report| report.kind.clone()),
            disk.slots.to_string(),
            shown(&|report| units::grouped(report.shards)),
            shown(&|report| units::size(report.payload_bytes)),
            shown(&|report| room(report.free_bytes, report)),
            shown(&|report| room(report.total_bytes, report)),
            shown(&|report| units::grouped(report.io_errors)),
            state_of(node, disk),
        ]
    };
    let is_wanted = |node: &NodeStatus| of.is_none_or(|wanted| wanted.node_id == node.node_id);
    status.disks().filter(|(node, _)| is_wanted(node)).map(row).collect()
}

/// The state of a disk in words, with the cause where it is not well.
fn state_of(node: &NodeStatus, disk: &DiskStatus) -> String {
    if disk.state != DiskState::InService {
        return disk.state.name().to_owned();
    }
    let Some(report) = &disk.report else {
        let why = if node.unreachable.is_some() {
            "unknown: its node does not answer"
        } else {
            "missing"
        };
        return why.to_owned();
    };
    match (&report.offline, &report.suspect, report.fullness) {
        (Some(why), _, _) => format!("offline: {why}"),
        (None, Some(why), _) => format!("suspect: {why}"),
        (None, None, Fullness::Normal) => "in service".to_owned(),
        (None, None, fullness) => fullness.to_string(),
    }
}

/// A table of scrubs.
pub(crate) fn scrub_table() -> Table {
    Table::new(&[
        ("DISK", Align::Left),
        ("ID", Align::Left),
        ("STATE", Align::Left),
        ("DONE", Align::Right),
        ("SHARDS", Align::Right),
        ("DATA", Align::Right),
        ("DAMAGED", Align::Right),
        ("EVER", Align::Right),
        ("RATE", Align::Right),
        ("PERIOD", Align::Right),
        ("PASS STARTED", Align::Left),
        ("LAST WHOLE PASS", Align::Left),
    ])
}

/// A row for each disk in service.
pub(crate) fn scrub_rows(status: &ClusterStatus) -> Vec<Vec<String>> {
    let directory = Directory::new(status);
    let row = |(node, disk): (&NodeStatus, &DiskStatus)| {
        let scrub = disk.report.as_ref().and_then(|report| report.scrub.as_ref());
        let shown = |show: &dyn Fn(&ScrubReport) -> String| scrub.map_or_else(dash, show);
        vec![
            format!("{}/{}", node.name, disk.name),
            directory.short(disk.disk_id),
            scrub.map_or("unknown", scrub_state).to_owned(),
            shown(&|scrub| tenths_of_percent(scrub.progress_permille)),
            shown(&|scrub| units::grouped(scrub.shards_checked)),
            shown(&|scrub| units::size(scrub.bytes_checked)),
            shown(&|scrub| units::grouped(scrub.damaged)),
            shown(&|scrub| units::grouped(scrub.damaged_ever)),
            shown(&|scrub| format!("{}/s", units::size(scrub.bytes_per_second))),
            shown(&|scrub| format!("{} d", scrub.period_days)),
            shown(&|scrub| time_or_dash(scrub.pass_started)),
            shown(&|scrub| time_or_dash(scrub.pass_ended)),
        ]
    };
    status.disks().filter(|(_, disk)| disk.state == DiskState::InService).map(row).collect()
}

fn scrub_state(scrub: &ScrubReport) -> &'static str {
    match (scrub.paused, scrub.is_under_way()) {
        (true, _) => "paused",
        (false, true) => "under way",
        (false, false) => "waiting",
    }
}

fn tenths_of_percent(permille: u32) -> String {
    format!("{}.{} %", permille / 10, permille % 10)
}

fn time_or_dash(time: Option<Timestamp>) -> String {
    time.map_or_else(dash, |time| time.to_string())
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { dash() } else { text.to_owned() }
}

fn dash() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fixture::{cluster, disk, node};

    fn mixed() -> ClusterStatus {
        let mut bucket = disk("bucket", 0x0b);
        let report = bucket.report.as_mut().expect("reported");
        report.kind = "s3".to_owned();
        report.total_bytes = 0;
        report.suspect = Some("503 for a minute".to_owned());
        report.scrub.as_mut().expect("scrubbed").paused = true;
        let mut silent = disk("disk 0", 0x0c);
        silent.report = None;
        let mut away = node("store-2", vec![silent]);
        away.unreachable = Some("timed out".to_owned());
        away.version = None;
        cluster(vec![node("store-1", vec![disk("disk 0", 0x0a), bucket]), away])
    }

    fn shown(mut table: Table, rows: &[Vec<String>]) -> String {
        table.page(rows).join("\n")
    }

    #[test]
    fn a_disk_that_is_not_well_says_why_and_what_it_cannot_say_is_a_dash() {
        let status = mixed();
        let expected = "\
DISK            ID        KIND   SLOTS  SHARDS     DATA      FREE      TOTAL  ERRORS  STATE
store-1/disk 0  0a777777  local      3   1,200  3.0 GiB  96.0 GiB  100.0 GiB       0  in service
store-1/bucket  0b777777  s3         3   1,200  3.0 GiB         -          -       0  suspect: 503 for a minute
store-2/disk 0  0c777777  -          3       -        -         -          -       -  unknown: its node does not answer";
        assert_eq!(shown(disk_table(), &disk_rows(&status, None)), expected);
        assert_eq!(disk_rows(&status, Some(&status.nodes[1])).len(), 1);
    }

    #[test]
    fn a_disk_that_no_node_has_shows_how_it_went() {
        for (state, shown) in [(DiskState::Released, "released"), (DiskState::Removed, "removed")] {
            let mut gone = disk("disk 0", 0x0a);
            gone.state = state;
            let rows = disk_rows(&cluster(vec![node("store-1", vec![gone])]), None);
            assert_eq!(rows[0].last().map(String::as_str), Some(shown));
        }
    }

    #[test]
    fn a_node_shows_where_it_stands_and_whether_it_answers() {
        let text = shown(node_table(), &node_rows(&mixed()));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].starts_with("store-1  312d6572  z1    -     store-1      2  0.1.0"),
            "{text}"
        );
        assert!(lines[1].ends_with("https://store-1:7400  answers"), "{text}");
        assert!(lines[2].ends_with("does not answer: timed out"), "{text}");
    }

    #[test]
    fn a_scrub_shows_its_pace_and_what_it_found() {
        let rows = scrub_rows(&mixed());
        let expected = [
            "store-1/disk 0",
            "0a777777",
            "under way",
            "25.5 %",
            "300",
            "1.0 GiB",
            "0",
            "2",
            "50.0 MiB/s",
            "30 d",
            "1970-01-01T00:00:01.000Z",
            "-",
        ];
        assert_eq!(rows[0], expected);
        assert_eq!((rows[1][2].as_str(), rows[2][2].as_str()), ("paused", "unknown"));
    }
}
