use crate::named::named_enum;

named_enum!(
    /// What a certificate entitles its holder to be; the name is the `OU` of its subject.
    Role {
        /// May do everything that one person may: the user of development mode.
        Developer = "developer",
        /// A collection station that uploads what recorders captured.
        Station = "station",
        /// A service that streams clips to players.
        Playback = "playback",
        /// The store itself.
        System = "system",
        /// 执法人员: a person with a law-enforcement certificate.
        Officer = "officer",
        /// 辅助人员: may help to record, never signs (rule R7).
        Auxiliary = "auxiliary",
        /// Answers for filing, keeping and use (rule R26).
        Custodian = "custodian",
        /// Head of a unit, who agrees to copies (rule R18).
        UnitHead = "unit-head",
        /// Looks whether everything was recorded and the conduct was lawful (rule R16).
        Reviewer = "reviewer",
        /// Checks the store and those who use it.
        Auditor = "auditor",
        /// Runs the machines and the registers; owns no evidence.
        Administrator = "administrator",
    }
);

impl Role {
    /// Whether it is one of a natural person, who must be on the register.
    #[must_use]
    pub fn is_person(self) -> bool {
        !matches!(self, Self::Developer | Self::Station | Self::Playback | Self::System)
    }
}

/// Who acts: a person or service as its client certificate names it (rule R26).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Common name of the certificate's subject, at most 64 bytes.
    pub name: String,
    /// Organisational unit of the certificate's subject.
    pub role: Role,
    /// SHA-256 of the certificate's DER bytes.
    pub fingerprint: [u8; 32],
}

impl Actor {
    /// The store acting by itself.
    #[must_use]
    pub fn system() -> Self {
        Self { name: "custosd".to_owned(), role: Role::System, fingerprint: [0; 32] }
    }
}
