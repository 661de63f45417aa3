//! `custos-disk.json`: which disk a prefix of a bucket is, and how often it was taken into service.

use custos_core::{DiskGeneration, DiskId, RunId};
use serde_json::{Value, json};

/// Newest format of a prefix that this version reads, and the one it writes.
pub(crate) const FORMAT_VERSION: u64 = 1;
const FORMAT_NAME: &str = "custos-bucket";

/// What a bucket says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: DiskId,
    /// As last taken into service; 0 before the first time.
    pub(crate) generation: DiskGeneration,
    /// A taking into service that was begun and not finished.
    pub(crate) opening: Option<Opening>,
}

/// A claim to the next generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) generation: DiskGeneration,
    /// Tells this claim from that of a copy of the bucket.
    pub(crate) run: RunId,
}

/// Why some bytes are no identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdentityError {
    Damaged(String),
    Newer(u64),
}

impl Identity {
    /// The identity object's text.
    pub(crate) fn encode(&self) -> String {
        let mut value = json!({
            "disk_id": self.id.to_string(),
            "format": FORMAT_NAME,
            "generation": self.generation.0,
            "version": FORMAT_VERSION,
        });
        if let Some(Opening { generation, run }) = self.opening {
            value["opening"] = json!({ "generation": generation.0, "run": run.to_string() });
        }
        format!("{value:#}\n")
    }

    pub(crate) fn decode(text: &[u8]) -> Result<Self, IdentityError> {
        let bad = |reason: &str| IdentityError::Damaged(reason.to_owned());
        let value: Value = serde_json::from_slice(text).map_err(|error| bad(&error.to_string()))?;
        if value["format"] != FORMAT_NAME {
            return Err(bad("its format is not custos-bucket"));
        }
        let version = value["version"].as_u64().ok_or_else(|| bad("it has no version"))?;
        if version > FORMAT_VERSION {
            return Err(IdentityError::Newer(version));
        }
        let id = value["disk_id"].as_str().and_then(|text| text.parse().ok());
        let id = id.ok_or_else(|| bad("disk_id is not 32 hexadecimal digits"))?;
        let generation = value["generation"].as_u64().ok_or_else(|| bad("it has no generation"))?;
        let opening = match &value["opening"] {
            Value::Null => None,
            opening => Some(decode_opening(opening).ok_or_else(|| bad("its opening is damaged"))?),
        };
        Ok(Self { id, generation: DiskGeneration(generation), opening })
    }
}

fn decode_opening(value: &Value) -> Option<Opening> {
    let generation = DiskGeneration(value["generation"].as_u64()?);
    let run = value["run"].as_str()?.parse().ok()?;
    Some(Opening { generation, run })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn identity(opening: Option<Opening>) -> Identity {
        let id = DiskId::from_bytes([0xd1; 16]);
        Identity { id, generation: DiskGeneration(7), opening }
    }

    fn claimed() -> Identity {
        let run = RunId::from_bytes([0x0b; 16]);
        identity(Some(Opening { generation: DiskGeneration(8), run }))
    }

    #[test]
    fn the_format_of_an_identity_is_the_one_that_was_promised() {
        let golden = Path::new("tests/golden");
        for (file, identity) in
            [("custos-disk-v1.json", identity(None)), ("custos-disk-v1-opening.json", claimed())]
        {
            let text = std::fs::read(golden.join(file)).expect("golden file");
            assert_eq!(identity.encode().as_bytes(), text, "{file}");
            assert_eq!(Identity::decode(&text), Ok(identity), "{file}");
        }
    }

    #[test]
    fn newer_and_damaged_identities_are_named() {
        let newer = Identity::decode(br#"{"format":"custos-bucket","version":9}"#);
        assert_eq!(newer, Err(IdentityError::Newer(9)));
        let right = claimed().encode();
        for text in [
            "",
            "[]",
            r#"{"format":"custos-disk","version":1}"#,
            r#"{"format":"custos-bucket"}"#,
            &right.replace("d1d1", "d1"),
            &right.replace("\"generation\": 7", "\"generation\": -7"),
            &right.replace("0b0b", "0bxx"),
            &right[..right.len() / 2],
        ] {
            let outcome = Identity::decode(text.as_bytes());
            assert!(matches!(outcome, Err(IdentityError::Damaged(_))), "{text}: {outcome:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Identity::decode(&bytes);
        }
    }
}
