use std::fmt;

/// Bytes of a chaining value, in memory and in every layout.
pub(crate) const CV_BYTES: usize = 32;

/// 32-byte non-root BLAKE3 chaining value of an aligned subtree (BLAKE3 paper, section 2.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainingValue(pub [u8; CV_BYTES]);

impl ChainingValue {
    /// Takes exactly 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for ChainingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainingValue({self})")
    }
}
