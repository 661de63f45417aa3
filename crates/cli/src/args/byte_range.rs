use std::{fmt, ops::Range, str::FromStr};

/// A range of bytes as HTTP writes it (RFC 9110 section 14.1.1): both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// `A-B`
    FromTo {
        /// First byte.
        first: u64,
        /// Last byte, not before the first.
        last: u64,
    },
    /// `A-`
    From {
        /// First byte.
        first: u64,
    },
    /// `-N`
    Last {
        /// How many, at least 1.
        count: u64,
    },
}

/// A text that is no range of at least one byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseByteRangeError {
    /// It is not of the form.
    #[error("write A-B (both included), A- (to the end) or -N (the last N bytes)")]
    Malformed,
    /// It ends before it begins.
    #[error("names no byte: {last} comes before {first}, and both are included")]
    Backwards {
        /// First byte.
        first: u64,
        /// Last byte.
        last: u64,
    },
    /// `-0`
    #[error("names no byte: -1 is the shortest")]
    LastNone,
}

/// A range that the evidence does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{range} is not within the evidence: its size is {size} bytes{hint}")]
pub(crate) struct RangePastEnd {
    range: ByteRange,
    size: u64,
    hint: String,
}

impl ByteRange {
    /// The positions that are meant whatever the size, the end not included; `None` when they
    /// depend on it.
    pub(crate) fn known(self) -> Option<Range<u64>> {
        match self {
            Self::FromTo { first, last } => Some(first..last.checked_add(1)?),
            Self::From { .. } | Self::Last { .. } => None,
        }
    }

    /// The positions that are meant in evidence of `size` bytes; the end is not included.
    pub(crate) fn within(self, size: u64) -> Result<Range<u64>, RangePastEnd> {
        let positions = match self {
            Self::FromTo { first, last } if last < size => Some(first..last + 1),
            Self::From { first } if first < size => Some(first..size),
            // All of nothing.
            Self::From { first: 0 } => Some(0..0),
            Self::Last { count } if count <= size => Some(size - count..size),
            _ => None,
        };
        positions.ok_or_else(|| {
            let hint = size
                .checked_sub(1)
                .map(|last| format!(", the last byte is {last}"))
                .unwrap_or_default();
            RangePastEnd { range: self, size, hint }
        })
    }
}

impl FromStr for ByteRange {
    type Err = ParseByteRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once('-').ok_or(ParseByteRangeError::Malformed)?;
        match (position(first)?, position(last)?) {
            (Some(first), Some(last)) if last < first => {
                Err(ParseByteRangeError::Backwards { first, last })
            }
            (Some(first), Some(last)) => Ok(Self::FromTo { first, last }),
            (Some(first), None) => Ok(Self::From { first }),
            (None, Some(0)) => Err(ParseByteRangeError::LastNone),
            (None, Some(count)) => Ok(Self::Last { count }),
            (None, None) => Err(ParseByteRangeError::Malformed),
        }
    }
}

fn position(text: &str) -> Result<Option<u64>, ParseByteRangeError> {
    if text.is_empty() {
        return Ok(None);
    }
    // `parse` would take a sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseByteRangeError::Malformed);
    }
    text.parse().map(Some).map_err(|_| ParseByteRangeError::Malformed)
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromTo { first, last } => write!(f, "{first}-{last}"),
            Self::From { first } => write!(f, "{first}-"),
            Self::Last { count } => write!(f, "-{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_included() {
        for (text, size, positions) in [
            ("0-99", 100, 0..100),
            ("7-7", 100, 7..8),
            ("100-", 101, 100..101),
            ("-100", 100, 0..100),
            ("-1", 100, 99..100),
            ("0-", 0, 0..0),
        ] {
            let range: ByteRange = text.parse().expect(text);
            assert_eq!(range.within(size), Ok(positions.clone()), "{text}");
            assert!(range.known().is_none_or(|known| known == positions), "{text}");
            assert_eq!(range.to_string(), text);
        }
    }

    #[test]
    fn a_text_that_names_no_byte_is_no_range() {
        for text in ["", "-", "7", "x-y", "5-4", "-0", "1-2-3", "+1-2", "0:9", "1 - 2", "--5"] {
            assert!(text.parse::<ByteRange>().is_err(), "{text:?}");
        }
        assert!("0-99999999999999999999".parse::<ByteRange>().is_err());
    }

    #[test]
    fn a_range_past_the_end_is_refused_with_the_size() {
        for (text, size) in [
            ("0-100", 100),
            ("100-", 100),
            ("-101", 100),
            ("0-0", 0),
            ("0-18446744073709551615", 9),
        ] {
            let range: ByteRange = text.parse().expect(text);
            let message = range.within(size).expect_err(text).to_string();
            assert!(message.contains(text) && message.contains(&size.to_string()), "{message}");
        }
    }
}
