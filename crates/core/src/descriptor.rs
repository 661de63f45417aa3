use crate::{Refusal, Rule, Timestamp, law::Classification, limits, named::named_enum};

named_enum!(
    /// What sort of record it is (rule R2).
    EvidenceKind {
        /// Moving pictures, with or without sound.
        Video = "video",
        /// Sound alone.
        Audio = "audio",
        /// A still picture.
        Photo = "photo",
        /// A scanned paper.
        Document = "document",
        /// A message, mail, web page or system export.
        Electronic = "electronic",
    }
);

impl EvidenceKind {
    /// Video and audio: what rule R4 asks the fullest descriptor of.
    #[must_use]
    pub fn is_audio_visual(self) -> bool {
        matches!(self, Self::Video | Self::Audio)
    }
}

named_enum!(
    /// Stage of a case under which evidence is filed (rule R1).
    Stage {
        /// 启动/受理
        Initiation = "initiation",
        /// 调查取证
        Investigation = "investigation",
        /// 审查决定
        Review = "review",
        /// 送达执行
        Service = "service",
        /// 归档
        Archiving = "archiving",
    }
);

/// What is said about evidence when it is put: the uploader's claims (rules R3, R4, R6).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Descriptor {
    /// Sort of record.
    pub kind: EvidenceKind,
    /// When the device says it began to capture.
    pub captured_at: Option<Timestamp>,
    /// Serial of the recorder.
    pub recorder: Option<String>,
    /// Certificate numbers of the officers.
    pub officers: Vec<String>,
    /// The case's own id, as the agency writes it.
    pub case: Option<String>,
    /// Stage of the case.
    pub stage: Option<Stage>,
    /// Where it was captured.
    pub place: Option<String>,
    /// What it shows.
    pub note: Option<String>,
    /// Name of the file on the uploader's side, without folders.
    pub file_name: Option<String>,
    /// Media type such as `video/mp4` (RFC 6838).
    pub media_type: Option<String>,
    /// When the device says it ended to capture.
    pub captured_until: Option<Timestamp>,
    /// The recording that it is a segment of: what one recorder made at one place for one case,
    /// without a break (rule R5).
    pub recording: Option<String>,
    /// Number that the device gave the segment; grows by one from segment to segment.
    pub sequence: Option<u64>,
    /// When the party was told that recording has begun, in milliseconds after the capture began
    /// (rule R8).
    pub notice_at_ms: Option<u64>,
    /// How far the device's clock was ahead of the station's when the station read it, in
    /// milliseconds (rule R3).
    pub device_ahead_ms: Option<i64>,
    /// The station's clock when it opened the upload.
    pub station_at: Option<Timestamp>,
    /// How much of it is to be kept from whom; ordinary when absent (rule R19).
    pub classification: Option<Classification>,
    /// Where an electronic record came from: the system, address or account.
    pub source: Option<String>,
}

impl Descriptor {
    /// A descriptor that says nothing but the kind.
    #[must_use]
    pub fn of_kind(kind: EvidenceKind) -> Self {
        Self {
            kind,
            captured_at: None,
            recorder: None,
            officers: Vec::new(),
            case: None,
            stage: None,
            place: None,
            note: None,
            file_name: None,
            media_type: None,
            captured_until: None,
            recording: None,
            sequence: None,
            notice_at_ms: None,
            device_ahead_ms: None,
            station_at: None,
            classification: None,
            source: None,
        }
    }

    /// Checks every length and count limit; a value that breaks one is named.
    ///
    /// # Errors
    /// A refusal of class `Invalid` that names the field.
    pub fn check(&self) -> Result<(), Refusal> {
        let name_max = limits::DESCRIPTOR_NAME_BYTES_MAX;
        text("recorder", self.recorder.as_deref(), name_max)?;
        text("case", self.case.as_deref(), name_max)?;
        text("place", self.place.as_deref(), name_max)?;
        text("note", self.note.as_deref(), limits::DESCRIPTOR_NOTE_BYTES_MAX)?;
        text("file_name", self.file_name.as_deref(), name_max)?;
        text("media_type", self.media_type.as_deref(), name_max)?;
        text("recording", self.recording.as_deref(), name_max)?;
        text("source", self.source.as_deref(), name_max)?;
        if self.sequence.is_some() && self.recording.is_none() {
            let reason = "given without the recording that it counts the segments of";
            return Err(Refusal::invalid(Rule::R5, "sequence", reason));
        }
        if let (Some(from), Some(until)) = (self.captured_at, self.captured_until)
            && until < from
        {
            let reason = format!("{until} is before the capture began at {from}");
            return Err(Refusal::invalid(Rule::R3, "captured_until", reason));
        }
        if self.officers.len() > limits::DESCRIPTOR_OFFICERS_MAX {
            let max = limits::DESCRIPTOR_OFFICERS_MAX;
            let reason = format!("{} officers, at most {max} are allowed", self.officers.len());
            return Err(Refusal::invalid(Rule::I10, "officers", reason));
        }
        for officer in &self.officers {
            text("officers", Some(officer), name_max)?;
        }
        Ok(())
    }

    /// Fields that rule R4 asks for and that are not given, by name, in a fixed order. Evidence
    /// with any is *unfiled*.
    #[must_use]
    pub fn missing_fields(&self) -> Vec<&'static str> {
        let mut missing = Vec::new();
        let mut need = |given: bool, name| {
            if !given {
                missing.push(name);
            }
        };
        need(self.captured_at.is_some(), "captured_at");
        if self.kind.is_audio_visual() {
            need(self.recorder.is_some(), "recorder");
            need(self.place.is_some(), "place");
        }
        match self.kind {
            EvidenceKind::Photo => need(self.place.is_some(), "place"),
            EvidenceKind::Electronic => need(self.source.is_some(), "source"),
            EvidenceKind::Video | EvidenceKind::Audio | EvidenceKind::Document => {}
        }
        need(!self.officers.is_empty(), "officers");
        need(self.case.is_some(), "case");
        need(self.stage.is_some(), "stage");
        missing
    }
}

fn text(field: &'static str, value: Option<&str>, max: usize) -> Result<(), Refusal> {
    let Some(value) = value else { return Ok(()) };
    if value.is_empty() {
        return Err(Refusal::invalid(Rule::R4, field, "given but empty"));
    }
    if value.len() > max {
        let reason = format!("{} bytes, at most {max} are allowed", value.len());
        return Err(Refusal::invalid(Rule::I10, field, reason));
    }
    if value.chars().any(|c| c.is_control() && !(field == "note" && (c == '\n' || c == '\t'))) {
        return Err(Refusal::invalid(Rule::R4, field, "holds a control character"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_missing_fields_are_named_by_kind() {
        let video = Descriptor::of_kind(EvidenceKind::Video);
        assert_eq!(
            video.missing_fields(),
            ["captured_at", "recorder", "place", "officers", "case", "stage"]
        );
        let paper = Descriptor::of_kind(EvidenceKind::Document);
        assert_eq!(paper.missing_fields(), ["captured_at", "officers", "case", "stage"]);
    }

    #[test]
    fn i10_overlong_and_empty_fields_are_refused_by_name() {
        let mut descriptor = Descriptor::of_kind(EvidenceKind::Video);
        descriptor.place = Some("x".repeat(257));
        assert_eq!(descriptor.check().unwrap_err().field, "place");
        descriptor.place = Some(String::new());
        assert_eq!(descriptor.check().unwrap_err().field, "place");
        descriptor.place = Some("a\nb".to_owned());
        assert_eq!(descriptor.check().unwrap_err().field, "place");
        descriptor.place = None;
        descriptor.note = Some("two\nlines".to_owned());
        assert_eq!(descriptor.check(), Ok(()));
        descriptor.officers = vec!["1".to_owned(); 33];
        assert_eq!(descriptor.check().unwrap_err().field, "officers");
    }
}
