use std::fmt;

/// What a certificate entitles its holder to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// May do everything that one person may: the user of development mode.
    Developer,
    /// A collection station that uploads what recorders captured.
    Station,
    /// A service that streams clips to players.
    Playback,
    /// The store itself.
    System,
}

impl Role {
    /// The stable lower-case name, carried as `OU` of the certificate's subject.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Station => "station",
            Self::Playback => "playback",
            Self::System => "system",
        }
    }

    /// The role with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Developer, Self::Station, Self::Playback, Self::System]
            .into_iter()
            .find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
