use custos_core::ErrorKind;

/// Bytes that are not the layout they should be, or belong to something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Too short or too long.
    #[error("{what}: {found} bytes, expected {expected}")]
    Length {
        /// Which layout.
        what: &'static str,
        /// Bytes it must have.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The first bytes are not the layout's own.
    #[error("{what}: magic bytes are wrong")]
    Magic {
        /// Which layout.
        what: &'static str,
    },
    /// Written by other software, newer or broken.
    #[error("{what}: version {found} is not known (known: {known})")]
    Version {
        /// Which layout.
        what: &'static str,
        /// Version in the bytes.
        found: u8,
        /// Newest version that this code reads.
        known: u8,
    },
    /// The checksum does not match.
    #[error("{what}: CRC-32C is {stored:08x} but the bytes have {computed:08x}")]
    Checksum {
        /// Which layout.
        what: &'static str,
        /// Checksum in the bytes.
        stored: u32,
        /// Checksum of the bytes.
        computed: u32,
    },
    /// A field has a value that cannot be.
    #[error("{what}: {field} is {found}")]
    Field {
        /// Which layout.
        what: &'static str,
        /// Which field.
        field: &'static str,
        /// Its value.
        found: String,
    },
    /// Whole and well formed, but of something else.
    #[error("{what}: {field} is {found}, expected {expected}")]
    Identity {
        /// Which layout.
        what: &'static str,
        /// The field that differs.
        field: &'static str,
        /// What it should name.
        expected: String,
        /// What it names.
        found: String,
    },
}

impl FormatError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Integrity
    }
}
