use std::path::Path;

use custos_core::EvidenceKind;

const VIDEO: &[&str] = &[
    "3gp", "asf", "avi", "flv", "h264", "h265", "hevc", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg",
    "mpg", "mts", "mxf", "ogv", "ts", "vob", "webm", "wmv",
];
const AUDIO: &[&str] =
    &["aac", "aif", "aiff", "amr", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav", "wma"];
const PHOTO: &[&str] = &[
    "arw", "avif", "bmp", "cr2", "cr3", "dng", "gif", "heic", "heif", "jpeg", "jpg", "nef", "png",
    "raw", "webp",
];
const DOCUMENT: &[&str] = &["doc", "docx", "odt", "ofd", "pdf", "rtf", "tif", "tiff", "wps"];

/// Guesses from the extension what sort of record a file is: `electronic` when it tells nothing.
pub(crate) fn guess(path: &Path) -> EvidenceKind {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let extension = extension.to_ascii_lowercase();
    [
        (VIDEO, EvidenceKind::Video),
        (AUDIO, EvidenceKind::Audio),
        (PHOTO, EvidenceKind::Photo),
        (DOCUMENT, EvidenceKind::Document),
    ]
    .into_iter()
    .find(|(extensions, _)| extensions.contains(&extension.as_str()))
    .map_or(EvidenceKind::Electronic, |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_guessed_from_the_extension() {
        for (name, kind) in [
            ("clip.mp4", EvidenceKind::Video),
            ("CLIP.MP4", EvidenceKind::Video),
            ("a/b.c/call.wav", EvidenceKind::Audio),
            ("gate.jpeg", EvidenceKind::Photo),
            ("decision.pdf", EvidenceKind::Document),
            ("mail.eml", EvidenceKind::Electronic),
            ("mp4", EvidenceKind::Electronic),
            (".mp4", EvidenceKind::Electronic),
        ] {
            assert_eq!(guess(Path::new(name)), kind, "{name}");
        }
    }
}
