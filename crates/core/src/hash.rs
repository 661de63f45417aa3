use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER_PERMISSIVE;

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of 64 hexadecimal digits: {text:?}")]
pub struct ParseHashError {
    /// What was given, cut to 80 characters.
    pub text: String,
}

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The raw 32 bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Takes exactly 32 bytes.
            #[must_use]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl FromStr for $name {
            type Err = ParseHashError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                HEXLOWER_PERMISSIVE
                    .decode(text.as_bytes())
                    .ok()
                    .and_then(|bytes| Self::from_slice(&bytes))
                    .ok_or_else(|| ParseHashError { text: text.chars().take(80).collect() })
            }
        }
    };
}

hash_type!(
    /// Plain BLAKE3 of a file's bytes, as `b3sum` prints it.
    Blake3Hash
);
hash_type!(
    /// SHA-256 (FIPS 180-4) of a file's bytes, as `sha256sum` prints it.
    Sha256Hash
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_nonsense_is_named() {
        let hash = Blake3Hash([0xab; 32]);
        assert_eq!(hash.to_string().parse::<Blake3Hash>(), Ok(hash));
        assert!("xyz".parse::<Sha256Hash>().unwrap_err().to_string().contains("xyz"));
        assert!("ab".parse::<Sha256Hash>().is_err());
    }
}
