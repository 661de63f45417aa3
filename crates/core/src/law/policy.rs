use serde::Serialize;

use super::{ActType, Classification, HoldReason};
use crate::{EvidenceKind, Stage, named::named_enum};

named_enum!(
    /// What becomes of an upload that lacks fields which rule R4 asks for.
    IncompleteDescriptor {
        /// Kept, and listed as unfiled until it is filed.
        AcceptUnfiled = "accept-unfiled",
        /// Refused by name of the missing fields.
        Refuse = "refuse",
    }
);

/// Retention of one kind of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KindPolicy {
    /// Which.
    pub kind: EvidenceKind,
    /// From sealing, in days.
    pub retention_days: u32,
}

/// Retention of evidence of one classification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassificationPolicy {
    /// Which.
    pub classification: Classification,
    /// From sealing, in days.
    pub retention_days: u32,
}

/// What the rules ask of cases of one act type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActTypePolicy {
    /// Which.
    pub act_type: ActType,
    /// Its stages in order; evidence must be on record under each of them (rule R1).
    pub stages: Vec<Stage>,
    /// Stages that must be recorded without a break, in sound and picture (rule R9).
    pub audio_visual: Vec<Stage>,
    /// Retention of its evidence from sealing, in days; 0 for that of the kind alone.
    pub retention_days: u32,
}

/// The parameters of the rules, as an agency sets them. Every period is in whole days of 86,400 s
/// of cluster time unless its name says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LawPolicy {
    /// What becomes of uploads that lack required fields (rule R4).
    pub incomplete_descriptor: IncompleteDescriptor,
    /// No retention is shorter (rule R10); at least 365, and never lowered.
    pub floor_days: u32,
    /// Every kind of evidence once.
    pub kinds: Vec<KindPolicy>,
    /// What is not named has no period of its own.
    pub classifications: Vec<ClassificationPolicy>,
    /// By act type; every act type that is not named has all five stages and none that must be
    /// audio-visual.
    pub act_types: Vec<ActTypePolicy>,
    /// Evidence that is put later after its capture is marked late (rule R3), in hours.
    pub late_after_hours: u32,
    /// Clocks that differ by more are marked (rule R3), in seconds.
    pub clock_tolerance_seconds: u32,
    /// From closing a case to filing its papers: 1 to 30 (rule R13).
    pub archive_days: u32,
    /// From an application to its answer (rule R27).
    pub answer_days: u32,
    /// Longest time of a grant.
    pub grant_days_max: u32,
    /// From the second approval of a disposition to its order: at least 1.
    pub grace_days: u32,
    /// From placing a hold to its review.
    pub hold_review_days: u32,
    /// A recorder that nothing came from for so long is listed as silent.
    pub recorder_silent_days: u32,
    /// Reasons of holds whose release a second person must agree to.
    pub release_by_two: Vec<HoldReason>,
}

impl LawPolicy {
    /// The id of the only record of its kind.
    pub const ID: &'static str = "policy";

    /// What an agency may start from: sound and picture for a year, everything else for three, state
    /// secrets for ten; sound and picture of the investigation where the rules ask for them.
    #[must_use]
    pub fn standard() -> Self {
        let kinds = EvidenceKind::ALL.iter().map(|kind| KindPolicy {
            kind: *kind,
            retention_days: if kind.is_audio_visual() { 365 } else { 1_095 },
        });
        let act_type = |act_type, audio_visual: &[Stage]| ActTypePolicy {
            act_type,
            stages: Stage::ALL.to_vec(),
            audio_visual: audio_visual.to_vec(),
            retention_days: 0,
        };
        Self {
            incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
            floor_days: 365,
            kinds: kinds.collect(),
            classifications: vec![ClassificationPolicy {
                classification: Classification::StateSecret,
                retention_days: 3_650,
            }],
            act_types: vec![
                act_type(ActType::Penalty, &[Stage::Investigation]),
                act_type(ActType::Compulsion, &[Stage::Investigation, Stage::Service]),
                act_type(ActType::Inspection, &[Stage::Investigation]),
            ],
            late_after_hours: 24,
            clock_tolerance_seconds: 60,
            archive_days: 30,
            answer_days: 20,
            grant_days_max: 30,
            grace_days: 7,
            hold_review_days: 180,
            recorder_silent_days: 7,
            release_by_two: vec![
                HoldReason::Attack,
                HoldReason::MassIncident,
                HoldReason::Litigation,
            ],
        }
    }

    /// Retention of a kind of evidence, in days.
    #[must_use]
    pub fn days_of_kind(&self, kind: EvidenceKind) -> u32 {
        let named = self.kinds.iter().find(|entry| entry.kind == kind);
        named.map_or(0, |entry| entry.retention_days).max(self.floor_days)
    }

    /// The longest retention of any kind, in days: what unfiled evidence is kept for.
    #[must_use]
    pub fn days_unfiled(&self) -> u32 {
        let longest = self.kinds.iter().map(|entry| entry.retention_days).max();
        longest.unwrap_or(0).max(self.floor_days)
    }

    /// Retention of a classification, in days; 0 where none is set.
    #[must_use]
    pub fn days_of_classification(&self, classification: Classification) -> u32 {
        let named = self.classifications.iter().find(|it| it.classification == classification);
        named.map_or(0, |entry| entry.retention_days)
    }

    /// What it says of an act type, if it says anything.
    #[must_use]
    pub fn act_type(&self, act_type: ActType) -> Option<&ActTypePolicy> {
        self.act_types.iter().find(|entry| entry.act_type == act_type)
    }

    /// Retention of evidence of cases of an act type, in days; 0 where none is set.
    #[must_use]
    pub fn days_of_act_type(&self, act_type: ActType) -> u32 {
        self.act_type(act_type).map_or(0, |entry| entry.retention_days)
    }

    /// The stages of an act type in order.
    #[must_use]
    pub fn stages_of(&self, act_type: ActType) -> Vec<Stage> {
        self.act_type(act_type).map_or_else(|| Stage::ALL.to_vec(), |entry| entry.stages.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r10_the_standard_policy_keeps_every_kind_for_at_least_a_year() {
        let policy = LawPolicy::standard();
        assert_eq!(policy.kinds.len(), EvidenceKind::ALL.len());
        for kind in EvidenceKind::ALL {
            assert!(policy.days_of_kind(*kind) >= 365, "{kind}");
        }
        assert_eq!(policy.days_unfiled(), 1_095);
        assert_eq!(policy.days_of_classification(Classification::StateSecret), 3_650);
        assert_eq!(policy.days_of_classification(Classification::Privacy), 0);
    }

    #[test]
    fn r9_the_standard_policy_asks_for_sound_and_picture_of_stages_that_the_act_type_has() {
        for act_type in LawPolicy::standard().act_types {
            assert!(!act_type.audio_visual.is_empty(), "{}", act_type.act_type);
            assert!(act_type.audio_visual.iter().all(|stage| act_type.stages.contains(stage)));
        }
    }
}
