use serde::Serialize;

use super::{Classification, Sign};
use crate::{Stage, Timestamp, named::named_enum};

named_enum!(
    /// Sort of enforcement matter.
    ActType {
        /// 许可
        Licence = "licence",
        /// 处罚
        Penalty = "penalty",
        /// 强制
        Compulsion = "compulsion",
        /// 检查
        Inspection = "inspection",
        /// 征收
        Expropriation = "expropriation",
        /// 收费
        Fee = "fee",
        /// 调解
        Mediation = "mediation",
        /// 裁决
        Adjudication = "adjudication",
        /// 信息公开
        InformationDisclosure = "information-disclosure",
        /// 投诉举报
        Complaint = "complaint",
    }
);

named_enum!(
    /// Where a case is in its life.
    CaseState {
        /// Under way.
        Open = "open",
        /// Ended: its papers are being filed (rule R13).
        Closed = "closed",
        /// Filed: no more evidence without reopening.
        Archived = "archived",
    }
);

/// Somebody whom a case is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Name, 1 to 256 bytes.
    pub name: String,
    /// What the party is in the case, such as `respondent`: 1 to 64 bytes.
    pub role: String,
}

/// One enforcement matter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    /// As the agency writes it, 1 to 128 bytes.
    pub id: String,
    /// Sort of matter.
    pub act_type: ActType,
    /// The unit that it belongs to.
    pub unit: String,
    /// What it is about, at most 256 bytes.
    pub title: Option<String>,
    /// Where, at most 256 bytes.
    pub place: Option<String>,
    /// Certificate numbers of its officers, at most 32 (rule R7).
    pub officers: Vec<String>,
    /// At most 64.
    pub parties: Vec<Party>,
    /// Name of the person who answers for its filing (rule R26).
    pub custodian: String,
    /// How much of it is to be kept from whom.
    pub classification: Classification,
    /// A lower classification that was asked for and not agreed to yet.
    pub lower_to: Option<Classification>,
    /// Who asked for it.
    pub lower_asked: Option<Sign>,
    /// Where it stands.
    pub stage: Stage,
    /// Where it is in its life.
    pub state: CaseState,
    /// Cluster time of opening.
    pub opened_at: Timestamp,
    /// Cluster time of the last closing.
    pub closed_at: Option<Timestamp>,
    /// When its papers must be filed.
    pub archive_due: Option<Timestamp>,
    /// Cluster time of the last archiving.
    pub archived_at: Option<Timestamp>,
    /// Reason of the last step, if it had one.
    pub reason: Option<String>,
}
