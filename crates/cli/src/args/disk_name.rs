use std::{fmt, str::FromStr};

use custos_core::DiskId;

/// Fewest hexadecimal digits of an id that say which disk is meant.
pub(crate) const ID_DIGITS_MIN: usize = 4;
/// Hexadecimal digits of a whole id.
const ID_DIGITS: usize = 32;

/// A disk as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DiskName {
    /// By its whole id.
    Id(DiskId),
    /// By the beginning of its id, in lower case.
    IdPrefix(String),
    /// By its node's name and its own: `NODE/DISK`.
    OnNode(String),
}

/// A text that names no disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write the id of the disk, the first {ID_DIGITS_MIN} or more of its digits, or NODE/DISK")]
pub(crate) struct ParseDiskNameError;

impl FromStr for DiskName {
    type Err = ParseDiskNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('/') {
            return Ok(Self::OnNode(text.to_owned()));
        }
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hexadecimal || !(ID_DIGITS_MIN..=ID_DIGITS).contains(&text.len()) {
            return Err(ParseDiskNameError);
        }
        Ok(match text.parse() {
            Ok(id) => Self::Id(id),
            Err(_) => Self::IdPrefix(text.to_ascii_lowercase()),
        })
    }
}

impl fmt::Display for DiskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::IdPrefix(text) | Self::OnNode(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_named_by_id_by_its_beginning_or_by_its_node() {
        let id = DiskId::from_bytes([0xab; 16]);
        for (text, name) in [
            ("ab".repeat(16), DiskName::Id(id)),
            ("AB".repeat(16), DiskName::Id(id)),
            ("0A1b".to_owned(), DiskName::IdPrefix("0a1b".to_owned())),
            ("store-1/disk 2".to_owned(), DiskName::OnNode("store-1/disk 2".to_owned())),
        ] {
            assert_eq!(text.parse(), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_could_be_any_disk_names_none() {
        for text in ["", "0a1", "disk 2", "store-1", "0a1bx", &"0".repeat(33)] {
            assert_eq!(text.parse::<DiskName>(), Err(ParseDiskNameError), "{text:?}");
        }
    }
}
