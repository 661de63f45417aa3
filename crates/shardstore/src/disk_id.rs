use std::fmt;

/// Identity of one disk: 16 random bytes, given once when the disk is made.
///
/// It stands in the disk's identity file, in every extent, in every record and in the index, so
/// that a swapped, cloned or foreign part is recognised.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DiskId([u8; 16]);

impl DiskId {
    /// From 16 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for DiskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DiskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DiskId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::DiskId;

    #[test]
    fn disk_ids_round_trip_through_text() {
        let id = DiskId::from_bytes(*b"\x00\x01\xfe\xffabcdefghijkl");
        assert_eq!(DiskId::parse(&id.to_string()), Some(id));
        for bad in ["", "00", "+0000000000000000000000000000000", &"é".repeat(16)] {
            assert_eq!(DiskId::parse(bad), None, "{bad}");
        }
    }
}
