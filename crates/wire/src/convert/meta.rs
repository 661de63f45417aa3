use custos_core::Timestamp;

use crate::{internal_v1, v1};

/// The wire form of a member of the ledger's group, as the public API shows it.
#[must_use]
pub fn meta_member_to_wire(member: internal_v1::GroupMember) -> v1::MetaMember {
    v1::MetaMember {
        id: member.id,
        name: member.name,
        endpoint: member.endpoint,
        vote: member.vote,
        state: member.state,
        unreachable: member.unreachable,
        report: member.report.map(report_to_wire),
    }
}

fn report_to_wire(report: internal_v1::MemberReport) -> v1::MetaReport {
    v1::MetaReport {
        role: report.role,
        term: report.term,
        leader: report.leader,
        last_log: report.last_log,
        applied: report.applied,
        snapshot: report.snapshot,
        clock: Timestamp::from_millis(report.clock_ms).to_string(),
    }
}
