use std::{fmt, str::FromStr};

/// A Reed–Solomon profile `k+m`: k data shards, m parity shards, any k of the n rebuild the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErasureProfile {
    data: u8,
    parity: u8,
}

/// A text that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such erasure profile: {text:?} (known: 2+1, 4+2, 8+3, 10+4)")]
pub struct ParseProfileError {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl ErasureProfile {
    /// Three disks, survives one: for development.
    pub const P2_1: Self = Self { data: 2, parity: 1 };
    /// Six disks, survives two.
    pub const P4_2: Self = Self { data: 4, parity: 2 };
    /// Eleven disks, survives three.
    pub const P8_3: Self = Self { data: 8, parity: 3 };
    /// Fourteen disks, survives four.
    pub const P10_4: Self = Self { data: 10, parity: 4 };
    /// Every profile that may be written.
    pub const ALL: [Self; 4] = [Self::P2_1, Self::P4_2, Self::P8_3, Self::P10_4];

    /// The known profile with these counts.
    #[must_use]
    pub fn new(data: u8, parity: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.data == data && p.parity == parity)
    }

    /// k: data shards.
    #[must_use]
    pub fn data(self) -> usize {
        usize::from(self.data)
    }

    /// m: parity shards.
    #[must_use]
    pub fn parity(self) -> usize {
        usize::from(self.parity)
    }

    /// n = k + m: all shards.
    #[must_use]
    pub fn total(self) -> usize {
        self.data() + self.parity()
    }

    /// Shards that must be fsynced on distinct disks before a chunk may be acknowledged when not
    /// all targets answer in time: max(k+m−1, k+1) (invariant I1).
    #[must_use]
    pub fn ack_quorum(self) -> usize {
        (self.total() - 1).max(self.data() + 1)
    }
}

impl fmt::Display for ErasureProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.data, self.parity)
    }
}

impl FromStr for ErasureProfile {
    type Err = ParseProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.to_string() == text)
            .ok_or_else(|| ParseProfileError { text: text.chars().take(80).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_parse_and_print() {
        for profile in ErasureProfile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert!("3+3".parse::<ErasureProfile>().is_err());
    }

    #[test]
    fn i1_quorum_survives_the_loss_of_any_m_minus_one_domains() {
        assert_eq!(ErasureProfile::P2_1.ack_quorum(), 3);
        assert_eq!(ErasureProfile::P4_2.ack_quorum(), 5);
        assert_eq!(ErasureProfile::P8_3.ack_quorum(), 10);
        for p in ErasureProfile::ALL {
            assert!(p.ack_quorum() - (p.parity() - 1) >= p.data());
        }
    }
}
