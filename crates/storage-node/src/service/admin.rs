use std::path::Path;

use custos_core::{DiskId, Timestamp};
use custos_peers::convert::{disk_status_to_wire, id_from_wire};
use custos_wire::WireError;
use custos_wire::internal_v1::{
    AddDiskRequest, AddDiskResponse, DetachDiskRequest, DetachDiskResponse, DiskStatus,
    ScrubStatus, SetScrubRequest, SetScrubResponse, StatusResponse,
};
use tonic::Status;

use super::ShardService;
use crate::{DiskChangeError, DiskReport, NodeStatus, ScrubChange, ScrubReport, WhenAbsent};

/// Longest folder of a disk.
const PATH_BYTES_MAX: usize = 4096;

impl ShardService {
    pub(super) fn change_scrub(
        &self,
        request: &SetScrubRequest,
    ) -> Result<SetScrubResponse, Status> {
        if request.bytes_per_second == Some(0) {
            let what = "0 never ends; pause the scrub instead";
            return Err(WireError::invalid("bytes_per_second", what).into());
        }
        if request.period_days == Some(0) {
            return Err(WireError::invalid("period_days", "it is at least 1").into());
        }
        let disk_id = match request.disk_id.is_empty() {
            true => None,
            false => Some(DiskId(id_from_wire("disk_id", &request.disk_id)?)),
        };
        let change = ScrubChange {
            bytes_per_second: request.bytes_per_second,
            period_days: request.period_days,
            paused: request.paused,
            start: request.start,
        };
        match (self.node.change_scrub(disk_id, change), disk_id) {
            (false, Some(disk_id)) => Err(failed(&DiskChangeError::NotInService { disk_id })),
            _ => Ok(SetScrubResponse {}),
        }
    }

    pub(super) async fn take_disk(
        &self,
        request: AddDiskRequest,
    ) -> Result<AddDiskResponse, Status> {
        let path = request.path;
        if path.len() > PATH_BYTES_MAX || !Path::new(&path).is_absolute() {
            let what = "an absolute folder of at most 4096 bytes is needed";
            return Err(WireError::invalid("path", what).into());
        }
        let absent = if request.create { WhenAbsent::Create } else { WhenAbsent::Refuse };
        let added = self.node.add_disk(&path, absent).await;
        let disk_id = added.map_err(|error| failed(&error))?;
        Ok(AddDiskResponse { disk_id: disk_id.0.to_vec() })
    }

    pub(super) async fn give_disk_up(
        &self,
        request: &DetachDiskRequest,
    ) -> Result<DetachDiskResponse, Status> {
        let disk_id = DiskId(id_from_wire("disk_id", &request.disk_id)?);
        self.node.detach_disk(disk_id).await.map_err(|error| failed(&error))?;
        Ok(DetachDiskResponse {})
    }
}

fn failed(error: &DiskChangeError) -> Status {
    match error {
        DiskChangeError::Refused { refusal, .. } => {
            let message = error.to_string();
            WireError { message, ..WireError::from(refusal.clone()) }.into()
        }
        other => WireError::new(other.kind(), other.to_string()).into(),
    }
}

pub(super) fn status_to_wire(status: NodeStatus) -> StatusResponse {
    StatusResponse {
        node_id: status.node_id.0.to_vec(),
        run: status.run.0.to_vec(),
        name: status.name,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        epoch: status.epoch.0,
        disks: status.disks.into_iter().map(disk_to_wire).collect(),
    }
}

fn disk_to_wire(report: DiskReport) -> DiskStatus {
    let shards = report.store.shards;
    let scrub = report.scrub.map(|scrub| scrub_to_wire(scrub, shards));
    let kind = report.kind.map_or("", crate::BackendKind::name);
    let id = report.disk_id.unwrap_or(DiskId([0; 16]));
    let wire = disk_status_to_wire(id, report.generation, kind, report.store, scrub);
    match report.disk_id {
        Some(_) => wire,
        None => DiskStatus { disk_id: Vec::new(), ..wire },
    }
}

fn scrub_to_wire(scrub: ScrubReport, shards: u64) -> ScrubStatus {
    let ScrubReport { progress, settings } = scrub;
    let millis = |time: Option<Timestamp>| time.map_or(0, Timestamp::as_millis);
    ScrubStatus {
        pass_started_ms: millis(progress.pass_started),
        pass_ended_ms: millis(progress.pass_ended),
        shards_checked: progress.shards_checked,
        bytes_checked: progress.bytes_checked,
        damaged: progress.damaged,
        damaged_ever: progress.damaged_ever,
        progress_permille: progress.permille(shards),
        bytes_per_second: settings.bytes_per_second,
        period_days: settings.period_days,
        paused: settings.paused,
    }
}
