//! Evidence: put, sealed, filed, described.

use custos_core::{
    Descriptor, EvidenceId, EvidenceKind, Role, Stage, Timestamp,
    law::{
        AddNote, AddRelation, CaseState, Classification, ClassifyEvidence, CorrectDescriptor,
        ExtendRetention, FileEvidence, RegisterCopy, RelationKind,
    },
};

use super::{Asked, Generator};
use crate::{
    deed::{Deed, Put},
    reference::{DAY_MS, Model, Right},
    world::{PLACES, actor, blake3_of},
};

/// Old evidence, for whom nothing is new.
const AGE_MS_MAX: i64 = 10 * DAY_MS;

impl Generator {
    fn stage_of(&mut self, model: &Model, case: &str) -> Stage {
        let stages = model.cases.get(case).map(|case| model.stages_of(case.act_type));
        match stages {
            Some(stages) if self.rng.chance(93) => self.rng.one(&stages),
            _ => self.rng.one(Stage::ALL),
        }
    }

    fn descriptor(&mut self, model: &Model) -> Descriptor {
        let kind = self.rng.one(EvidenceKind::ALL);
        let mut descriptor = Descriptor::of_kind(kind);
        let age_ms = self.rng.within(0, AGE_MS_MAX);
        let captured_at = Timestamp::from_millis(model.now.as_millis() - age_ms);
        descriptor.captured_at = self.rng.chance(80).then_some(captured_at);
        if self.rng.chance(80) {
            let case = self.case_in(model, &[CaseState::Open, CaseState::Closed]);
            let case = case.map_or_else(|| "C-claimed".to_owned(), |case| case.id.clone());
            descriptor.stage = self.rng.chance(95).then(|| self.stage_of(model, &case));
            descriptor.case = Some(case);
        } else if self.rng.chance(30) {
            // Perhaps the next one that is opened.
            descriptor.case = Some(format!("C〔2026〕-{}", model.cases.len() + 1));
            descriptor.stage = Some(self.rng.one(Stage::ALL));
        }
        let recorders = ["BWC-1", "BWC-2", "BWC-3", "BWC-unknown"];
        descriptor.recorder = self.rng.chance(70).then(|| self.rng.one(&recorders).to_owned());
        descriptor.place = self.rng.chance(70).then(|| self.rng.one(&PLACES).to_owned());
        let count = self.rng.below(3);
        descriptor.officers = self.officers(model, "traffic", count);
        if self.rng.chance(40) {
            descriptor.recording = Some(format!("rec-{}", self.rng.below(3)));
            descriptor.sequence = self.rng.chance(80).then(|| self.rng.any() % 5);
        }
        if self.rng.chance(15) {
            descriptor.classification = Some(self.classification());
        }
        descriptor.source = self.rng.chance(80).then(|| "mail".to_owned());
        descriptor
    }

    pub(super) fn put(&mut self, model: &Model) -> Asked {
        let descriptor = self.descriptor(model);
        let case = descriptor.case.as_ref().and_then(|case| model.cases.get(case));
        let station = match case.map(|case| model.agency_of(&case.unit)) {
            Some("city") => "st.traffic",
            Some("port") => "st.port",
            _ => "st.free",
        };
        let actor = match self.rng.below(10) {
            0..4 => actor(station, Role::Station),
            4..9 => self.able(model, Right::Put, case.map(|case| case.unit.as_str())),
            _ => self.anyone(model),
        };
        self.keys += 1;
        let number = u128::try_from(model.evidence.len()).expect("few") + 1;
        let mut evidence = EvidenceId::from_bytes((number | (1 << 120)).to_be_bytes());
        if self.rng.chance(1) {
            evidence = self.any_evidence(model);
        }
        (actor, Deed::Put(Box::new(Put { key: self.keys, evidence, descriptor })))
    }

    pub(super) fn seal(&mut self, model: &Model) -> Option<Asked> {
        let is_any = self.rng.chance(8);
        let open: Vec<_> = model.evidence.values().filter(|it| is_any || it.is_open()).collect();
        let evidence = self.rng.pick(&open)?;
        let actor = match self.rng.chance(95) {
            true => evidence.put_by.clone(),
            false => self.anyone(model),
        };
        Some((actor, Deed::Seal(evidence.id)))
    }

    pub(super) fn abort(&mut self, model: &Model) -> Option<Asked> {
        let all: Vec<_> = model.evidence.values().collect();
        let evidence = self.rng.pick(&all)?;
        Some((evidence.put_by.clone(), Deed::Abort(evidence.id)))
    }

    /// Evidence and its unit.
    fn item(&mut self, model: &Model) -> Option<(EvidenceId, Option<String>)> {
        if model.evidence.is_empty() {
            return None;
        }
        let id = self.any_evidence(model);
        let unit = model.sealed(id).and_then(|it| it.filing.unit.clone());
        Some((id, unit))
    }

    pub(super) fn file(&mut self, model: &Model) -> Option<Asked> {
        let (evidence, unit) = self.item(model)?;
        let actor = self.able(model, Right::Describe, unit.as_deref());
        let case = self.case_in(model, &[CaseState::Open, CaseState::Closed]);
        let case = case.map_or_else(|| "C-none".to_owned(), |case| case.id.clone());
        let stage = self.stage_of(model, &case);
        let reason = self.reason_if(75);
        Some((actor, FileEvidence { evidence, case, stage, reason }.into()))
    }

    pub(super) fn add_note(&mut self, model: &Model) -> Option<Asked> {
        let (evidence, unit) = self.item(model)?;
        let actor = self.able(model, Right::Note, unit.as_deref());
        let notes = model.notes_of(evidence);
        let supersedes = match self.rng.below(10) {
            0..6 => None,
            6..9 if notes > 0 => {
                Some(1 + u32::try_from(self.rng.below(notes as usize)).expect("few"))
            }
            _ => Some(self.rng.one(&[0, notes + 1])),
        };
        let text = "seen on the square\n\tby both officers".to_owned();
        Some((actor, AddNote { evidence, text, supersedes }.into()))
    }

    pub(super) fn correct(&mut self, model: &Model) -> Option<Asked> {
        let (evidence, unit) = self.item(model)?;
        let actor = self.able(model, Right::Describe, unit.as_deref());
        let stands = model.evidence.get(&evidence)?;
        let stands = model.sealed(evidence).map_or(&stands.put, |it| it.descriptor());
        let mut descriptor = stands.clone();
        match self.rng.below(6) {
            0 => descriptor.place = Some(self.rng.one(&PLACES).to_owned()),
            1 => descriptor.recorder = Some(self.rng.one(&["BWC-1", "BWC-9"]).to_owned()),
            2 => descriptor.officers = self.officers(model, unit.as_deref().unwrap_or("city"), 2),
            3 => {
                let age_ms = self.rng.within(0, AGE_MS_MAX);
                descriptor.captured_at =
                    Some(Timestamp::from_millis(model.now.as_millis() - age_ms));
            }
            4 => descriptor.note = Some("what it shows".to_owned()),
            _ => descriptor.file_name = Some("clip.mp4".to_owned()),
        }
        let command = CorrectDescriptor { evidence, descriptor, reason: self.reason() };
        Some((actor, command.into()))
    }

    pub(super) fn relate(&mut self, model: &Model) -> Option<Asked> {
        let (evidence, unit) = self.item(model)?;
        let actor = self.able(model, Right::Describe, unit.as_deref());
        let to = self.any_evidence(model);
        let relation = self.rng.one(RelationKind::ALL);
        Some((actor, AddRelation { evidence, relation, to }.into()))
    }

    pub(super) fn classify_evidence(&mut self, model: &Model) -> Option<Asked> {
        let (evidence, unit) = self.item(model)?;
        let right = if self.rng.chance(50) { Right::Classify } else { Right::Agree };
        let actor = self.able(model, right, unit.as_deref());
        let lower_to = model.sealed(evidence).and_then(|it| it.filing.lower_to);
        let to = match lower_to {
            Some(lower) if self.rng.chance(70) => lower,
            // What is granted already becomes a secret.
            _ if self.is_about_sight() && self.rng.chance(50) => Classification::StateSecret,
            _ => self.classification(),
        };
        Some((actor, ClassifyEvidence { evidence, to, reason: self.reason() }.into()))
    }

    pub(super) fn extend(&mut self, model: &Model) -> Option<Asked> {
        let (evidence, unit) = self.item(model)?;
        let actor = self.able(model, Right::Extend, unit.as_deref());
        let stands = model.sealed(evidence).map_or(model.now, |it| model.keep_until(it));
        let stands = stands.as_millis();
        let until = match self.rng.below(5) {
            0 => stands + self.rng.within(-1, 2),
            1 => stands + self.rng.within(1, 400) * DAY_MS,
            2 => model.now.as_millis() + 36_000 * DAY_MS,
            _ => stands + self.rng.within(1, 20 * DAY_MS),
        };
        let until = Timestamp::from_millis(until);
        Some((actor, ExtendRetention { evidence, until, reason: self.reason() }.into()))
    }

    pub(super) fn register_copy(&mut self, model: &Model) -> Option<Asked> {
        let (evidence, unit) = self.item(model)?;
        let actor = self.able(model, Right::Copy, unit.as_deref());
        let command = RegisterCopy {
            evidence,
            blake3: blake3_of(evidence),
            medium: "disc 2026-014".to_owned(),
            place: "safe 2".to_owned(),
            reason: self.reason(),
        };
        Some((actor, command.into()))
    }
}
