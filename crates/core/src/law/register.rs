use serde::Serialize;

use crate::{Role, named::named_enum};

named_enum!(
    /// How much is to be kept from whom (rule R19), the least first. A person's clearance is the
    /// highest that the person may see.
    Classification {
        /// Nothing beyond the rules for all evidence.
        Ordinary = "ordinary",
        /// 个人隐私
        Privacy = "privacy",
        /// 商业秘密
        TradeSecret = "trade-secret",
        /// 国家秘密
        StateSecret = "state-secret",
    }
);

/// An agency (without a parent) or a department of one. Every record belongs to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Short name, such as `traffic`: 1 to 64 bytes.
    pub id: String,
    /// Name for people, 1 to 256 bytes.
    pub title: String,
    /// The unit that it is a department of; it never changes.
    pub parent: Option<String>,
    /// Whether records may still be given to it.
    pub active: bool,
}

/// A person who acts under a client certificate, and an officer in what the evidence shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Common name of the person's certificate, 1 to 64 bytes.
    pub id: String,
    /// Name for people, at most 256 bytes.
    pub title: Option<String>,
    /// What the person may do; the certificate must say the same.
    pub role: Role,
    /// The unit that the person belongs to.
    pub unit: String,
    /// Number of the law-enforcement certificate: one person has it. Officers need one (rule R7).
    pub certificate_no: Option<String>,
    /// The highest classification that the person may see.
    pub clearance: Classification,
    /// Whether the person may act.
    pub active: bool,
}

/// A device that records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recorder {
    /// Serial, 1 to 64 bytes.
    pub id: String,
    /// Model, at most 256 bytes.
    pub model: Option<String>,
    /// The unit that it belongs to.
    pub unit: String,
    /// Ed25519 key that it signs with, 64 hexadecimal digits.
    pub signing_key: Option<String>,
    /// Who has it now; earlier versions of the record say who had it when.
    pub issued_to: Option<String>,
    /// Whether it is in use.
    pub active: bool,
}

/// A service that uploads what recorders captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Station {
    /// Common name of its certificate, 1 to 64 bytes.
    pub id: String,
    /// The unit that it belongs to.
    pub unit: String,
    /// Whether it may upload.
    pub active: bool,
}
