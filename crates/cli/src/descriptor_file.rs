use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use custos_core::{EvidenceKind, Stage, Timestamp, law::Classification};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};

/// Largest descriptor file: 64 KiB, several times the longest descriptor.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Every field that a descriptor file may have.
const FIELDS: &[&str] = &[
    "kind",
    "captured_at",
    "recorder",
    "officers",
    "case",
    "stage",
    "place",
    "note",
    "file_name",
    "media_type",
    "captured_until",
    "recording",
    "sequence",
    "notice_at_ms",
    "device_ahead_ms",
    "station_at",
    "classification",
    "source",
];

/// Descriptor fields as far as they are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DescriptorFields {
    pub(crate) kind: Option<EvidenceKind>,
    pub(crate) captured_at: Option<Timestamp>,
    pub(crate) recorder: Option<String>,
    pub(crate) officers: Option<Vec<String>>,
    pub(crate) case: Option<String>,
    pub(crate) stage: Option<Stage>,
    pub(crate) place: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) file_name: Option<String>,
    pub(crate) media_type: Option<String>,
    pub(crate) captured_until: Option<Timestamp>,
    pub(crate) recording: Option<String>,
    pub(crate) sequence: Option<u64>,
    pub(crate) notice_at_ms: Option<u64>,
    pub(crate) device_ahead_ms: Option<i64>,
    pub(crate) station_at: Option<Timestamp>,
    pub(crate) classification: Option<Classification>,
    pub(crate) source: Option<String>,
}

/// Why a descriptor file cannot be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescriptorFileError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is too large to be one.
    #[error("{path}: larger than {FILE_BYTES_MAX} bytes: this is no descriptor")]
    TooLarge {
        /// Which.
        path: PathBuf,
    },
    /// It is no JSON object of known fields.
    #[error("{path}: line {line}, column {column}: {field}{reason}", field = prefix(field.as_deref()))]
    Malformed {
        /// Which.
        path: PathBuf,
        /// From 1; 0 when the place is not known.
        line: usize,
        /// From 1.
        column: usize,
        /// The field with the bad name or value.
        field: Option<String>,
        /// What is wrong and what would be right.
        reason: String,
    },
}

fn prefix(field: Option<&str>) -> String {
    field.map(|field| format!("{field}: ")).unwrap_or_default()
}

impl DescriptorFileError {
    /// The offending field, where there is one.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::Malformed { field, .. } => field.as_deref(),
            Self::Unreadable { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// Reads a descriptor file.
pub(crate) fn read(path: &Path) -> Result<DescriptorFields, DescriptorFileError> {
    let unreadable = |source| DescriptorFileError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(DescriptorFileError::TooLarge { path: path.to_owned() });
    }
    parse(&bytes, path)
}

fn parse(bytes: &[u8], path: &Path) -> Result<DescriptorFields, DescriptorFileError> {
    let mut field = None;
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = FieldsSeed { field: &mut field }
        .deserialize(&mut json)
        .and_then(|fields| json.end().map(|()| fields));
    parsed.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        let place = format!(" at line {line} column {column}");
        let reason = reason.strip_suffix(&place).unwrap_or(&reason).to_owned();
        DescriptorFileError::Malformed { path: path.to_owned(), line, column, field, reason }
    })
}

/// Reads the fields and leaves behind the name of the one that it stopped at.
struct FieldsSeed<'a> {
    field: &'a mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = DescriptorFields;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<DescriptorFields, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = DescriptorFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object with descriptor fields")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<DescriptorFields, M::Error> {
        let mut fields = DescriptorFields::default();
        while let Some(name) = map.next_key::<String>()? {
            *self.field = Some(name.chars().take(80).collect());
            match name.as_str() {
                "kind" => set(&mut fields.kind, named(map.next_value()?, EvidenceKind::ALL)?)?,
                "captured_at" => set(&mut fields.captured_at, time(map.next_value()?)?)?,
                "recorder" => value(&mut map, &mut fields.recorder)?,
                "officers" => value(&mut map, &mut fields.officers)?,
                "case" => value(&mut map, &mut fields.case)?,
                "stage" => set(&mut fields.stage, named(map.next_value()?, Stage::ALL)?)?,
                "place" => value(&mut map, &mut fields.place)?,
                "note" => value(&mut map, &mut fields.note)?,
                "file_name" => value(&mut map, &mut fields.file_name)?,
                "media_type" => value(&mut map, &mut fields.media_type)?,
                "captured_until" => set(&mut fields.captured_until, time(map.next_value()?)?)?,
                "recording" => value(&mut map, &mut fields.recording)?,
                "sequence" => value(&mut map, &mut fields.sequence)?,
                "notice_at_ms" => value(&mut map, &mut fields.notice_at_ms)?,
                "device_ahead_ms" => value(&mut map, &mut fields.device_ahead_ms)?,
                "station_at" => set(&mut fields.station_at, time(map.next_value()?)?)?,
                "classification" => {
                    let given = named(map.next_value()?, Classification::ALL)?;
                    set(&mut fields.classification, given)?;
                }
                "source" => value(&mut map, &mut fields.source)?,
                _ => {
                    let known = FIELDS.join(", ");
                    return Err(de::Error::custom(format!("no such field (known: {known})")));
                }
            }
            *self.field = None;
        }
        Ok(fields)
    }
}

/// `null` is as good as leaving the field away.
fn value<'de, T: DeserializeOwned, M: MapAccess<'de>>(
    map: &mut M,
    field: &mut Option<T>,
) -> Result<(), M::Error> {
    set(field, map.next_value()?)
}

fn set<T, E: de::Error>(field: &mut Option<T>, value: Option<T>) -> Result<(), E> {
    if field.is_some() {
        return Err(E::custom("given twice"));
    }
    *field = value;
    Ok(())
}

fn named<T: Copy + fmt::Display, E: de::Error>(
    name: Option<String>,
    all: &[T],
) -> Result<Option<T>, E> {
    let Some(name) = name else { return Ok(None) };
    let found = all.iter().copied().find(|value| value.to_string() == name);
    found.map(Some).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(T::to_string).collect();
        let given: String = name.chars().take(80).collect();
        E::custom(format!("{given:?} is not one of {}", known.join(", ")))
    })
}

fn time<E: de::Error>(text: Option<String>) -> Result<Option<Timestamp>, E> {
    text.map(|text| text.parse()).transpose().map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<DescriptorFields, DescriptorFileError> {
        parse(json.as_bytes(), Path::new("d.json"))
    }

    #[test]
    fn every_field_of_a_descriptor_can_be_given() {
        let fields = check(
            r#"{"kind": "video", "captured_at": "2026-03-01T08:30:00Z", "recorder": "BWC-7",
                "officers": ["110-1", "110-2"], "case": "C-17", "stage": "investigation",
                "place": "Gate 3", "note": null, "file_name": "a.mp4", "media_type": "video/mp4",
                "captured_until": "2026-03-01T08:35:00Z", "recording": "R-1", "sequence": 4,
                "notice_at_ms": 900, "device_ahead_ms": -20, "station_at": "2026-03-01T18:00:00Z",
                "classification": "privacy", "source": "mail.example"}"#,
        )
        .expect("a descriptor");
        assert_eq!(fields.kind, Some(EvidenceKind::Video));
        assert_eq!(fields.officers.as_ref().map(Vec::len), Some(2));
        assert_eq!(fields.stage, Some(Stage::Investigation));
        assert_eq!((fields.sequence, fields.device_ahead_ms), (Some(4), Some(-20)));
        assert_eq!(fields.classification, Some(Classification::Privacy));
        assert_eq!((fields.note, fields.case), (None, Some("C-17".to_owned())));
        assert_eq!(check("{}").expect("says nothing"), DescriptorFields::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_field() {
        for (json, field, line, words) in [
            ("{\"case\": \"C\",\n \"colour\": \"red\"}", Some("colour"), 2, "known: kind"),
            ("{\n\"stage\": \"afterwards\"}", Some("stage"), 2, "initiation"),
            ("{\"captured_at\": \"yesterday\"}", Some("captured_at"), 1, "RFC 3339"),
            ("{\"officers\": \"just one\"}", Some("officers"), 1, "sequence"),
            ("{\"case\": 7}", Some("case"), 1, "integer"),
            ("{\"case\": \"a\", \"case\": \"b\"}", Some("case"), 1, "twice"),
            ("{", None, 1, "EOF"),
            ("[]", None, 1, "JSON object"),
            ("{} {}", None, 1, "trailing"),
        ] {
            let error = check(json).expect_err(json);
            assert_eq!(error.field(), field, "{json}");
            let message = error.to_string();
            assert!(message.starts_with(&format!("d.json: line {line}, column ")), "{message}");
            assert!(message.contains(words), "{message}");
            assert_eq!(message.matches("column").count(), 1, "{message}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/no-such-folder/d.json")).expect_err("not there");
        assert!(error.to_string().contains("/no-such-folder/d.json"));
    }
}
