use std::path::Path;

use custos_core::{Descriptor, limits};

use crate::{
    args::{CorrectionArgs, DescriptorArgs},
    descriptor_file::DescriptorFields,
    file_kind,
};

/// What the user says about the files of one command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims {
    fields: DescriptorFields,
}

/// A descriptor for one file.
#[derive(Debug)]
pub(crate) struct FileDescriptor {
    pub(crate) descriptor: Descriptor,
    /// What the user should know about how it came about.
    pub(crate) warning: Option<String>,
}

impl Claims {
    /// Claims of a descriptor file, over which come those of the command line.
    pub(crate) fn new(file: DescriptorFields, line: &DescriptorArgs) -> Self {
        let over = |line: &Option<String>, file| line.clone().or(file);
        let fields = over_corrections(file, &line.correctable);
        let fields = DescriptorFields {
            kind: line.kind.or(fields.kind),
            case: over(&line.case, fields.case),
            stage: line.stage.or(fields.stage),
            recording: over(&line.recording, fields.recording),
            sequence: line.sequence.or(fields.sequence),
            classification: line.classification.or(fields.classification),
            ..fields
        };
        Self { fields }
    }

    /// Whether they name the file, so that they cannot be about several.
    pub(crate) fn name_the_file(&self) -> bool {
        self.fields.file_name.is_some()
    }

    /// The descriptor of one of the files.
    pub(crate) fn about(&self, path: &Path) -> FileDescriptor {
        let fields = self.fields.clone();
        let (file_name, warning) = match fields.file_name {
            Some(name) => (Some(name), None),
            None => name_of(path),
        };
        let descriptor = Descriptor {
            kind: fields.kind.unwrap_or_else(|| file_kind::guess(path)),
            captured_at: fields.captured_at,
            recorder: fields.recorder,
            officers: fields.officers.unwrap_or_default(),
            case: fields.case,
            stage: fields.stage,
            place: fields.place,
            note: fields.note,
            file_name,
            media_type: fields.media_type,
            captured_until: fields.captured_until,
            recording: fields.recording,
            sequence: fields.sequence,
            notice_at_ms: fields.notice_at_ms,
            device_ahead_ms: fields.device_ahead_ms,
            station_at: fields.station_at,
            classification: fields.classification,
            source: fields.source,
        };
        FileDescriptor { descriptor, warning }
    }
}

fn over_corrections(file: DescriptorFields, line: &CorrectionArgs) -> DescriptorFields {
    let over = |line: &Option<String>, file| line.clone().or(file);
    let given = (!line.officers.is_empty()).then(|| line.officers.clone());
    DescriptorFields {
        captured_at: line.captured_at.or(file.captured_at),
        captured_until: line.captured_until.or(file.captured_until),
        recorder: over(&line.recorder, file.recorder),
        officers: given.or(file.officers),
        place: over(&line.place, file.place),
        note: over(&line.note, file.note),
        media_type: over(&line.media_type, file.media_type),
        notice_at_ms: line.notice_at_ms.or(file.notice_at_ms),
        device_ahead_ms: line.device_ahead_ms.or(file.device_ahead_ms),
        station_at: line.station_at.or(file.station_at),
        source: over(&line.source, file.source),
        ..file
    }
}

/// Puts claims of a descriptor file, over which come those of the command line, in place of what
/// a descriptor says; what is not claimed stays.
pub(crate) fn correct(descriptor: &mut Descriptor, file: DescriptorFields, line: &CorrectionArgs) {
    let fields = over_corrections(file, line);
    // Exhaustive, so that a new field is not forgotten.
    let DescriptorFields {
        kind,
        captured_at,
        recorder,
        officers,
        case,
        stage,
        place,
        note,
        file_name,
        media_type,
        captured_until,
        recording,
        sequence,
        notice_at_ms,
        device_ahead_ms,
        station_at,
        classification,
        source,
    } = fields;
    let now = descriptor.clone();
    *descriptor = Descriptor {
        kind: kind.unwrap_or(now.kind),
        captured_at: captured_at.or(now.captured_at),
        recorder: recorder.or(now.recorder),
        officers: officers.unwrap_or(now.officers),
        case: case.or(now.case),
        stage: stage.or(now.stage),
        place: place.or(now.place),
        note: note.or(now.note),
        file_name: file_name.or(now.file_name),
        media_type: media_type.or(now.media_type),
        captured_until: captured_until.or(now.captured_until),
        recording: recording.or(now.recording),
        sequence: sequence.or(now.sequence),
        notice_at_ms: notice_at_ms.or(now.notice_at_ms),
        device_ahead_ms: device_ahead_ms.or(now.device_ahead_ms),
        station_at: station_at.or(now.station_at),
        classification: classification.or(now.classification),
        source: source.or(now.source),
    };
}

/// Fields that a description can do without and that may be corrected.
pub(crate) const CLEARABLE: [&str; 12] = [
    "captured_at",
    "captured_until",
    "recorder",
    "officers",
    "place",
    "note",
    "file_name",
    "media_type",
    "notice_at_ms",
    "device_ahead_ms",
    "station_at",
    "source",
];

/// Takes one of the [`CLEARABLE`] fields out of a descriptor.
pub(crate) fn clear(descriptor: &mut Descriptor, field: &str) {
    match field {
        "captured_at" => descriptor.captured_at = None,
        "captured_until" => descriptor.captured_until = None,
        "recorder" => descriptor.recorder = None,
        "officers" => descriptor.officers.clear(),
        "place" => descriptor.place = None,
        "note" => descriptor.note = None,
        "file_name" => descriptor.file_name = None,
        "media_type" => descriptor.media_type = None,
        "notice_at_ms" => descriptor.notice_at_ms = None,
        "device_ahead_ms" => descriptor.device_ahead_ms = None,
        "station_at" => descriptor.station_at = None,
        "source" => descriptor.source = None,
        other => unreachable!("{other} is none of the fields that can be cleared"),
    }
}

/// The file's name in a form that a descriptor may hold: an odd name must not keep footage out.
fn name_of(path: &Path) -> (Option<String>, Option<String>) {
    let Some(name) = path.file_name() else { return (None, None) };
    let lossy = name.to_string_lossy();
    let mut kept: String = lossy
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    let end = kept.floor_char_boundary(limits::DESCRIPTOR_NAME_BYTES_MAX);
    kept.truncate(end);
    let what = if name.to_str().is_none() {
        "is not UTF-8"
    } else if kept != lossy {
        "is too long or holds control characters"
    } else {
        return (Some(kept), None);
    };
    let warning = format!("{}: name {what}; it is kept as {kept:?}", path.display());
    (Some(kept), Some(warning))
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use custos_core::EvidenceKind;

    use super::*;

    #[test]
    fn the_command_line_comes_before_the_descriptor_file() {
        let file = DescriptorFields {
            case: Some("file".to_owned()),
            place: Some("file".to_owned()),
            officers: Some(vec!["1".to_owned(), "2".to_owned()]),
            ..DescriptorFields::default()
        };
        let line = DescriptorArgs {
            case: Some("line".to_owned()),
            correctable: CorrectionArgs {
                officers: vec!["3".to_owned()],
                ..CorrectionArgs::default()
            },
            ..DescriptorArgs::default()
        };
        let described = Claims::new(file, &line).about(Path::new("a/clip.mp4"));
        let descriptor = described.descriptor;
        assert_eq!(descriptor.case.as_deref(), Some("line"));
        assert_eq!(descriptor.place.as_deref(), Some("file"));
        assert_eq!(descriptor.officers, ["3"]);
        assert_eq!(descriptor.file_name.as_deref(), Some("clip.mp4"));
        assert_eq!(descriptor.kind, EvidenceKind::Video);
        assert_eq!(described.warning, None);
    }

    #[test]
    fn r6_a_correction_keeps_what_it_does_not_name() {
        let mut descriptor = Descriptor::of_kind(EvidenceKind::Video);
        descriptor.place = Some("Gate 3".to_owned());
        descriptor.note = Some("wrong".to_owned());
        let line = CorrectionArgs { recorder: Some("BWC-1".to_owned()), ..Default::default() };
        correct(&mut descriptor, DescriptorFields::default(), &line);
        assert_eq!(descriptor.place.as_deref(), Some("Gate 3"));
        assert_eq!(descriptor.recorder.as_deref(), Some("BWC-1"));
        for field in CLEARABLE {
            clear(&mut descriptor, field);
        }
        assert_eq!(descriptor, Descriptor::of_kind(EvidenceKind::Video));
    }

    #[test]
    fn an_odd_file_name_is_kept_readable_with_a_warning() {
        for bytes in [&b"clip-\xff\xfe.mp4"[..], b"a\nb.mp4", &[0xff; 255]] {
            let path = Path::new(OsStr::from_bytes(bytes));
            let described = Claims::default().about(path);
            assert!(described.warning.is_some(), "{path:?}");
            assert_eq!(described.descriptor.check(), Ok(()), "{path:?}");
        }
    }
}
