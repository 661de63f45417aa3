//! Domain values and their forms in messages, without knowing any message.
//!
//! The records of the law are many, and each of them stands in two packages of messages: as it is
//! stored, and as the public API shows it. Their fields have the same names in all three, so a
//! conversion is the list of those names, which [`mirror!`](crate::mirror) and
//! [`mirror_oneof!`](crate::mirror_oneof) take.

use std::fmt;

use crate::{Blake3Hash, EvidenceId, LogIndex, Sha256Hash, Timestamp};

/// A value that has another form as a field of a message.
pub trait Mirror<M>: Sized {
    /// The form in a message; never fails.
    fn to_message(&self) -> M;

    /// The value of a form.
    ///
    /// # Errors
    /// When the form cannot be one of this value.
    fn from_message(message: M) -> Result<Self, MirrorError>;
}

/// A message that does not say what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorError {
    /// The field, with those that it is in: `place_hold.target.kind`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

impl MirrorError {
    /// For the value that is being read.
    pub fn here(reason: impl fmt::Display) -> Self {
        Self { field: String::new(), reason: reason.to_string() }
    }

    /// For a value that is not there.
    #[must_use]
    pub fn missing() -> Self {
        Self::here("is missing")
    }

    /// The same, as seen from the message that has the value as a field.
    #[must_use]
    pub fn within(mut self, field: &str) -> Self {
        self.field = match self.field.is_empty() {
            true => field.to_owned(),
            false => format!("{field}.{}", self.field),
        };
        self
    }
}

impl fmt::Display for MirrorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for MirrorError {}

macro_rules! same_in_messages {
    ($($kind:ty),+) => {$(
        impl Mirror<$kind> for $kind {
            fn to_message(&self) -> $kind {
                self.clone()
            }

            fn from_message(message: $kind) -> Result<Self, MirrorError> {
                Ok(message)
            }
        }
    )+};
}

same_in_messages!(String, bool, u32, u64, i64);

impl<M, T: Mirror<M>> Mirror<Option<M>> for Option<T> {
    fn to_message(&self) -> Option<M> {
        self.as_ref().map(T::to_message)
    }

    fn from_message(message: Option<M>) -> Result<Self, MirrorError> {
        message.map(T::from_message).transpose()
    }
}

impl<M, T: Mirror<M>> Mirror<Vec<M>> for Vec<T> {
    fn to_message(&self) -> Vec<M> {
        self.iter().map(T::to_message).collect()
    }

    fn from_message(message: Vec<M>) -> Result<Self, MirrorError> {
        message.into_iter().map(T::from_message).collect()
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
impl Mirror<i64> for Timestamp {
    fn to_message(&self) -> i64 {
        self.as_millis()
    }

    fn from_message(message: i64) -> Result<Self, MirrorError> {
        Ok(Self::from_millis(message))
    }
}

impl Mirror<u64> for LogIndex {
    fn to_message(&self) -> u64 {
        self.0
    }

    fn from_message(message: u64) -> Result<Self, MirrorError> {
        Ok(Self(message))
    }
}

macro_rules! bytes_in_messages {
    ($($kind:ty: $len:literal),+) => {$(
        impl Mirror<Vec<u8>> for $kind {
            fn to_message(&self) -> Vec<u8> {
                self.as_bytes().to_vec()
            }

            fn from_message(message: Vec<u8>) -> Result<Self, MirrorError> {
                Self::from_slice(&message).ok_or_else(|| {
                    MirrorError::here(format!("{} bytes, {} expected", message.len(), $len))
                })
            }
        }
    )+};
}

bytes_in_messages!(EvidenceId: 16, Blake3Hash: 32, Sha256Hash: 32);

/// Says that a struct and a message have the same fields: `mirror!(Domain => message::Domain { a, b
/// } + { c } + { d_at as d_at_ms })`. Every field of both must be named. Those of the second list
/// are messages or oneofs that must be there; those of the third are named otherwise in the message.
#[macro_export]
macro_rules! mirror {
    (
        $domain:ty => $message:ty { $($field:ident),* $(,)? }
        $(+ { $($inner:ident),* })?
        $(~ { $($other:ident as $name:ident),* $(,)? })?
    ) => {
        impl $crate::Mirror<$message> for $domain {
            fn to_message(&self) -> $message {
                type Message = $message;
                Message {
                    $($field: $crate::Mirror::to_message(&self.$field),)*
                    $($($inner: Some($crate::Mirror::to_message(&self.$inner)),)*)?
                    $($($name: $crate::Mirror::to_message(&self.$other),)*)?
                }
            }

            fn from_message(message: $message) -> Result<Self, $crate::MirrorError> {
                type Message = $message;
                let Message { $($field,)* $($($inner,)*)? $($($name,)*)? } = message;
                Ok(Self {
                    $($field: $crate::Mirror::from_message($field)
                        .map_err(|error| $crate::MirrorError::within(error, stringify!($field)))?,)*
                    $($($inner: $inner
                        .ok_or_else($crate::MirrorError::missing)
                        .and_then($crate::Mirror::from_message)
                        .map_err(|error| $crate::MirrorError::within(error, stringify!($inner)))?,
                    )*)?
                    $($($other: $crate::Mirror::from_message($name)
                        .map_err(|error| $crate::MirrorError::within(error, stringify!($name)))?,)*)?
                })
            }
        }
    };
}

/// Says that an enum of structs and a oneof have the same alternatives: `mirror_oneof!(Domain =>
/// message::domain::Kind { A, B })`.
#[macro_export]
macro_rules! mirror_oneof {
    ($domain:ty => $message:ty { $($variant:ident),* $(,)? }) => {
        impl $crate::Mirror<$message> for $domain {
            fn to_message(&self) -> $message {
                type Message = $message;
                match self {
                    $(Self::$variant(it) => Message::$variant($crate::Mirror::to_message(it))),*
                }
            }

            fn from_message(message: $message) -> Result<Self, $crate::MirrorError> {
                type Message = $message;
                Ok(match message {
                    $(Message::$variant(it) => Self::$variant($crate::Mirror::from_message(it)?)),*
                })
            }
        }
    };
}
