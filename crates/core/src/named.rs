//! Enums whose values have stable lower-case names: in messages, in JSON and on the command line.

macro_rules! named_enum {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$value_doc])* $value),+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// The stable lower-case name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$value => $text),+ }
            }

            /// The value with this [`name`](Self::name).
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::named::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_name(text).ok_or_else(|| $crate::named::UnknownName::new(
                    text,
                    Self::ALL.iter().map(|value| value.name()),
                ))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl $crate::Mirror<String> for $name {
            fn to_message(&self) -> String {
                self.name().to_owned()
            }

            fn from_message(name: String) -> Result<Self, $crate::MirrorError> {
                name.parse().map_err($crate::MirrorError::here)
            }
        }
    };
}

pub(crate) use named_enum;

/// A text that is none of the names that can stand there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {known}")]
pub struct UnknownName {
    /// What was given, cut to 80 characters.
    pub given: String,
    /// What would be right, separated by commas.
    pub known: String,
}

impl UnknownName {
    pub(crate) fn new(given: &str, known: impl Iterator<Item = &'static str>) -> Self {
        let known = known.collect::<Vec<_>>().join(", ");
        Self { given: given.chars().take(80).collect(), known }
    }
}
