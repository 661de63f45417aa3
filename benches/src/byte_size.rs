use std::{fmt, str::FromStr};

const UNITS: [(&str, u32); 4] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("B", 0)];

/// A number of bytes as people write it: `65536`, `64KiB`, `8MiB`, `1GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

/// A text that is no number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a number of bytes such as 65536, 64KiB, 8MiB or 1GiB: {text:?}")]
pub struct ParseByteSizeError {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl ByteSize {
    /// This many MiB.
    #[must_use]
    pub const fn mib(mib: u32) -> Self {
        Self((mib as u64) << 20)
    }

    /// Bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Bytes in MiB.
    #[must_use]
    pub fn as_mib(self) -> f64 {
        self.0 as f64 / f64::from(1 << 20)
    }
}

impl FromStr for ByteSize {
    type Err = ParseByteSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, shift) = UNITS
            .into_iter()
            .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, shift)))
            .unwrap_or((text, 0));
        let number = digits.trim_end().parse::<u64>().ok();
        number
            .and_then(|number| number.checked_mul(1 << shift))
            .map(Self)
            .ok_or_else(|| ParseByteSizeError { text: text.chars().take(80).collect() })
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |shift: u32| self.0 != 0 && self.0.is_multiple_of(1 << shift);
        let unit = [("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter().find(|unit| fits(unit.1));
        let (name, shift) = unit.unwrap_or(("B", 0));
        write!(f, "{} {name}", self.0 >> shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_a_unit_and_printed_in_the_largest_whole_one() {
        for (text, bytes, printed) in [
            ("0", 0, "0 B"),
            ("65537", 65_537, "65537 B"),
            ("64KiB", 65_536, "64 KiB"),
            ("8 MiB", 8 << 20, "8 MiB"),
            ("1GiB", 1 << 30, "1 GiB"),
            ("12B", 12, "12 B"),
        ] {
            let size: ByteSize = text.parse().expect(text);
            assert_eq!(size.bytes(), bytes);
            assert_eq!(size.to_string(), printed);
        }
    }

    #[test]
    fn what_is_no_size_or_too_large_is_named() {
        for text in ["", "MiB", "-1", "1.5GiB", "1MB", "99999999999GiB"] {
            let error = text.parse::<ByteSize>().expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
