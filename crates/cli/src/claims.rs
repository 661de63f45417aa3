use std::path::Path;

use custos_core::{Descriptor, limits};

use crate::{args::DescriptorArgs, descriptor_file::DescriptorFields, file_kind};

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
        let fields = DescriptorFields {
            kind: line.kind.or(file.kind),
            captured_at: line.captured_at.or(file.captured_at),
            recorder: over(&line.recorder, file.recorder),
            officers: if line.officers.is_empty() {
                file.officers
            } else {
                Some(line.officers.clone())
            },
            case: over(&line.case, file.case),
            stage: line.stage.or(file.stage),
            place: over(&line.place, file.place),
            note: over(&line.note, file.note),
            file_name: file.file_name,
            media_type: over(&line.media_type, file.media_type),
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
        };
        FileDescriptor { descriptor, warning }
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
            officers: vec!["3".to_owned()],
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
    fn an_odd_file_name_is_kept_readable_with_a_warning() {
        for bytes in [&b"clip-\xff\xfe.mp4"[..], b"a\nb.mp4", &[0xff; 255]] {
            let path = Path::new(OsStr::from_bytes(bytes));
            let described = Claims::default().about(path);
            assert!(described.warning.is_some(), "{path:?}");
            assert_eq!(described.descriptor.check(), Ok(()), "{path:?}");
        }
    }
}
