//! Near misses: something possible with one thing wrong about it.

use custos_core::{
    Actor, Blake3Hash, EvidenceId, EvidenceKind, Role, Stage, Timestamp,
    law::{ByteSpan, Classification, HoldReason, LawCommand, LawPolicy, Party, Sign},
};

use super::{Asked, Generator};
use crate::{
    deed::{Deed, Put, View},
    reference::{DAY_MS, Model},
    world::size_of,
};

impl Generator {
    /// Makes one thing wrong.
    pub(super) fn spoil(&mut self, model: &Model, asked: &mut Asked) {
        let party = self.party(model, &asked.1);
        match (self.rng.below(10), party) {
            (0 | 1, _) => asked.0 = self.anyone(model),
            (2, _) => asked.0 = self.impostor(model),
            (3..7, Some(party)) => asked.0 = party,
            _ => match &mut asked.1 {
                Deed::Put(put) => self.spoil_put(model, put),
                Deed::Seal(_) | Deed::Abort(_) => asked.0 = self.anyone(model),
                Deed::View(view) => self.spoil_view(view),
                Deed::Law(command) => {
                    if self.rng.chance(25) {
                        self.spoil_text(command);
                    } else {
                        self.spoil_law(model, command);
                    }
                }
            },
        }
    }

    /// Somebody who has signed before where another must, or somebody of the same role.
    fn party(&mut self, model: &Model, deed: &Deed) -> Option<Actor> {
        let Deed::Law(command) = deed else { return None };
        let signs: Vec<&Sign> = match &**command {
            LawCommand::ApproveDisposition(it) => {
                let found = model.disposition(&it.disposition)?;
                found.approvals.iter().chain([&found.proposed]).collect()
            }
            LawCommand::ConfirmClock(_) => model.confirmed_by.iter().collect(),
            LawCommand::ClassifyCase(it) => model.cases.get(&it.case)?.lower_asked.iter().collect(),
            LawCommand::ClassifyEvidence(it) => {
                model.sealed(it.evidence)?.filing.lower_asked.iter().collect()
            }
            LawCommand::ReleaseHold(it) => {
                let hold = model.hold(&it.hold)?;
                hold.release_asked.iter().chain([&hold.placed]).collect()
            }
            LawCommand::DecideGrant(it) => vec![&model.grant(&it.grant)?.applied],
            _ => return None,
        };
        let sign = *self.rng.pick(&signs)?;
        let mut all = Self::actors(model);
        if self.rng.chance(50) {
            all.retain(|actor| actor.name == sign.by);
        } else {
            all.retain(|actor| actor.role == sign.role && model.unit_of(actor).is_some());
        }
        self.rng.pick(&all).cloned()
    }

    /// Somebody in a role that the register does not know.
    fn impostor(&mut self, model: &Model) -> Actor {
        let mut actor = self.anyone(model);
        if actor.role.is_person() {
            actor.role = self.rng.one(&[Role::Administrator, Role::UnitHead, Role::Auditor]);
        } else {
            actor = crate::world::actor("nobody", Role::Custodian);
        }
        actor
    }

    fn spoil_put(&mut self, model: &Model, put: &mut Put) {
        let cases: Vec<_> = model.cases.keys().cloned().collect();
        if let Some(case) = self.rng.pick(&cases) {
            put.descriptor.case = Some(case.clone());
        }
        put.descriptor.stage = Some(self.rng.one(Stage::ALL));
    }

    fn spoil_view(&mut self, view: &mut View) {
        match self.rng.below(6) {
            0 => view.end = size_of(view.evidence) + 1,
            1 => view.scope = custos_core::law::GrantScope::Original,
            2 => view.grant = Some("G99".to_owned()),
            3 => view.start = 0,
            4 => view.purpose = Some("a\u{7}".to_owned()),
            _ => view.end = size_of(view.evidence),
        }
    }

    fn bad_text(&mut self) -> String {
        match self.rng.below(3) {
            0 => String::new(),
            1 => "two\nlines".to_owned(),
            _ => "执".repeat(1400),
        }
    }

    /// A text that is empty, too long or two lines, where the command has one.
    fn spoil_text(&mut self, command: &mut LawCommand) {
        let bad = self.bad_text();
        match command {
            LawCommand::SetUnit(it) => match self.rng.below(2) {
                0 => it.unit.title = bad,
                _ => it.unit.id = self.bad_id(65),
            },
            LawCommand::SetPerson(it) => it.person.id = self.bad_id(65),
            LawCommand::SetRecorder(it) => it.recorder.id = self.bad_id(65),
            LawCommand::SetStation(it) => it.station.id = self.bad_id(65),
            LawCommand::OpenCase(it) => it.case = self.bad_id(129),
            LawCommand::ConfirmClock(it) => it.reason = bad,
            LawCommand::UpdateCase(it) => it.reason = bad,
            LawCommand::MoveCase(it) => it.reason = Some(bad),
            LawCommand::CloseCase(it) => it.reason = bad,
            LawCommand::ArchiveCase(it) => it.despite = Some(bad),
            LawCommand::ReopenCase(it) => it.reason = bad,
            LawCommand::ClassifyCase(it) => it.reason = bad,
            LawCommand::FileEvidence(it) => it.reason = Some(bad),
            LawCommand::AddNote(it) => {
                it.text = self.rng.one(&[String::new(), "执".repeat(1400), "\u{7}".to_owned()]);
            }
            LawCommand::CorrectDescriptor(it) => it.reason = bad,
            LawCommand::ClassifyEvidence(it) => it.reason = bad,
            LawCommand::ExtendRetention(it) => it.reason = bad,
            LawCommand::RegisterCopy(it) => match self.rng.below(3) {
                0 => it.medium = bad,
                1 => it.place = bad,
                _ => it.reason = bad,
            },
            LawCommand::PlaceHold(it) => it.text = Some("a\nb".to_owned()),
            LawCommand::ReleaseHold(it) => it.reason = bad,
            LawCommand::ApplyForGrant(it) => it.purpose = bad,
            LawCommand::DecideGrant(it) => it.reason = bad,
            LawCommand::RevokeGrant(it) => it.reason = bad,
            LawCommand::ProposeDisposition(it) => it.reason = bad,
            LawCommand::ApproveDisposition(it) => it.reason = bad,
            LawCommand::StopDisposition(it) => it.reason = bad,
            LawCommand::ReportRefusal(it) => it.what = bad,
            LawCommand::SetPolicy(_)
            | LawCommand::AddRelation(_)
            | LawCommand::OrderDisposition(_)
            | LawCommand::RecordDisposal(_) => {}
        }
    }

    fn bad_id(&mut self, too_long: usize) -> String {
        match self.rng.below(4) {
            0 => String::new(),
            1 => "with blank".to_owned(),
            2 => "a,b".to_owned(),
            _ => "x".repeat(too_long),
        }
    }

    fn spoil_law(&mut self, model: &Model, command: &mut LawCommand) {
        let unknown = EvidenceId::from_bytes([0xee; 16]);
        match command {
            LawCommand::SetUnit(it) => {
                it.unit.parent = self.rng.one(&[
                    None,
                    Some("nowhere".to_owned()),
                    Some(it.unit.id.clone()),
                    Some("east".to_owned()),
                ]);
            }
            LawCommand::SetPerson(it) => match self.rng.below(5) {
                0 => it.person.role = self.rng.one(&[Role::System, Role::Station]),
                1 => it.person.unit = "nowhere".to_owned(),
                2 => it.person.certificate_no = None,
                3 => it.person.certificate_no = Some("N1".to_owned()),
                _ => it.person.id = "adm.one".to_owned(),
            },
            LawCommand::SetRecorder(it) => match self.rng.below(3) {
                0 => it.recorder.signing_key = Some("12".to_owned()),
                1 => it.recorder.issued_to = Some("off.old".to_owned()),
                _ => it.recorder.unit = "nowhere".to_owned(),
            },
            LawCommand::SetStation(it) => it.station.unit = "nowhere".to_owned(),
            LawCommand::SetPolicy(it) => match self.rng.below(15) {
                0 => it.based_on = it.based_on.wrapping_add(1),
                _ => self.spoil_policy(&mut it.policy),
            },
            LawCommand::OpenCase(it) => match self.rng.below(5) {
                0 => it.custodian = "off.a".to_owned(),
                1 => {
                    let number = self.rng.one(&["N1", "M1"]).to_owned();
                    let count = self.rng.one(&[2, 33]);
                    it.officers = vec![number; count];
                }
                2 => it.parties = vec![party(); 65],
                3 => it.officers.push("N-none".to_owned()),
                _ => it.unit = "nowhere".to_owned(),
            },
            LawCommand::UpdateCase(it) => match self.rng.below(6) {
                0 => it.case = "C-none".to_owned(),
                1 => it.custodian = Some("off.a".to_owned()),
                2 => {
                    let number = self.rng.one(&["M-none", "N2", "M2"]).to_owned();
                    let count = self.rng.one(&[1, 2]);
                    it.add_officers.extend(vec![number; count]);
                }
                3 => it.remove_officers.push("M-none".to_owned()),
                4 => it.add_parties = vec![party(); 65],
                _ => {
                    it.custodian = None;
                    (it.title, it.place) = (None, None);
                    it.add_officers.clear();
                    it.remove_officers.clear();
                    it.add_parties.clear();
                }
            },
            LawCommand::MoveCase(it) => match self.rng.below(3) {
                0 => it.stage = self.rng.one(Stage::ALL),
                1 => it.reason = None,
                _ => it.stage = Stage::Archiving,
            },
            LawCommand::CloseCase(it) => it.case = self.a_case(model),
            LawCommand::ArchiveCase(it) => it.despite = None,
            LawCommand::ReopenCase(it) => it.stage = self.rng.one(Stage::ALL),
            LawCommand::ClassifyCase(it) => it.to = self.rng.one(Classification::ALL),
            LawCommand::FileEvidence(it) => match self.rng.below(4) {
                0 => it.evidence = unknown,
                1 => it.case = self.a_case(model),
                2 => it.stage = self.rng.one(Stage::ALL),
                _ => it.reason = None,
            },
            LawCommand::AddNote(it) => it.supersedes = Some(77),
            LawCommand::CorrectDescriptor(it) => match self.rng.below(7) {
                0 => it.descriptor.kind = self.rng.one(EvidenceKind::ALL),
                1 => it.descriptor.case = Some(self.a_case(model)),
                2 => it.descriptor.stage = Some(self.rng.one(Stage::ALL)),
                3 => it.descriptor.recording = Some("rec-9".to_owned()),
                4 => {
                    if it.descriptor.recording.is_some() {
                        it.descriptor.sequence = Some(9);
                    }
                }
                5 => it.descriptor.classification = Some(self.rng.one(Classification::ALL)),
                _ => it.descriptor.place = Some(String::new()),
            },
            LawCommand::AddRelation(it) => it.to = self.rng.one(&[it.evidence, unknown]),
            LawCommand::ClassifyEvidence(it) => it.to = self.rng.one(Classification::ALL),
            LawCommand::ExtendRetention(it) => {
                let days = self.rng.one(&[1, 37_000]);
                it.until = Timestamp::from_millis(model.now.as_millis() + days * DAY_MS);
            }
            LawCommand::RegisterCopy(it) => it.blake3 = Blake3Hash([0; 32]),
            other => self.spoil_keeping(model, other),
        }
    }

    fn spoil_keeping(&mut self, model: &Model, command: &mut LawCommand) {
        let unknown = EvidenceId::from_bytes([0xee; 16]);
        let now = model.now.as_millis();
        match command {
            LawCommand::PlaceHold(it) => match self.rng.below(5) {
                0 => it.target = custos_core::law::EvidenceFilter::default(),
                1 => (it.reason, it.text) = (HoldReason::Other, None),
                2 => {
                    let away_ms = self.rng.one(&[0, -1, 3700 * DAY_MS]);
                    it.review_at = Some(Timestamp::from_millis(now + away_ms));
                }
                3 => it.target.evidence = Some(unknown),
                _ => it.target.case = Some("C-none".to_owned()),
            },
            LawCommand::ReleaseHold(it) => it.hold = self.numbered('H', model.holds.len()),
            LawCommand::ApplyForGrant(it) => match self.rng.below(5) {
                0 => it.evidence.clear(),
                1 => it.case = Some(self.a_case(model)),
                2 => it.purpose = String::new(),
                3 => {
                    let start = self.rng.any() % 1400;
                    it.range = Some(ByteSpan { start, end: self.rng.any() % 1400 });
                }
                _ => it.evidence.push(self.any_evidence(model)),
            },
            LawCommand::DecideGrant(it) => match self.rng.below(3) {
                0 => it.uses_max = 1001,
                1 => {
                    let days = i64::from(model.policy().grant_days_max);
                    let away_ms = self.rng.one(&[0, -1, days * DAY_MS + 1]);
                    it.valid_until = Some(Timestamp::from_millis(now + away_ms));
                }
                _ => it.grant = self.numbered('G', model.grants.len()),
            },
            LawCommand::RevokeGrant(it) => it.grant = self.numbered('G', model.grants.len()),
            LawCommand::ProposeDisposition(it) => match self.rng.below(3) {
                0 => it.evidence.clear(),
                1 => it.evidence.push(it.evidence[0]),
                _ => it.evidence.push(self.any_evidence(model)),
            },
            LawCommand::ApproveDisposition(it) => {
                it.disposition = self.numbered('D', model.dispositions.len());
            }
            LawCommand::StopDisposition(it) => {
                it.disposition = self.numbered('D', model.dispositions.len());
            }
            LawCommand::OrderDisposition(it) => {
                it.disposition = self.numbered('D', model.dispositions.len());
            }
            LawCommand::RecordDisposal(it) => match self.rng.below(2) {
                0 => it.disposition = self.numbered('D', model.dispositions.len()),
                _ => it.evidence = self.any_evidence(model),
            },
            _ => {}
        }
    }

    /// An id in a list of `count`, or one past it.
    fn numbered(&mut self, prefix: char, count: usize) -> String {
        format!("{prefix}{}", 1 + self.rng.below(count + 1))
    }

    fn a_case(&mut self, model: &Model) -> String {
        let cases: Vec<_> = model.cases.keys().cloned().collect();
        self.choose(&cases, &cases, "C-none".to_owned())
    }

    fn spoil_policy(&mut self, policy: &mut LawPolicy) {
        let act_type = policy.act_types.first_mut();
        match self.rng.below(18) {
            0 => policy.floor_days = self.rng.one(&[364, policy.floor_days - 1]),
            1 => drop(policy.kinds.pop()),
            2 => policy.kinds[0].retention_days = 300,
            3 => policy.kinds[1].retention_days = 36_601,
            4 => policy.classifications.iter_mut().for_each(|it| it.retention_days = 1),
            5 => policy.archive_days = self.rng.one(&[0, 31]),
            6 => policy.answer_days = self.rng.one(&[0, 61]),
            7 => policy.grant_days_max = self.rng.one(&[0, 367]),
            8 => policy.grace_days = self.rng.one(&[0, 367]),
            9 => policy.hold_review_days = self.rng.one(&[0, 3661]),
            10 => policy.recorder_silent_days = self.rng.one(&[0, 36_601]),
            11 => policy.late_after_hours = 0,
            12 => policy.clock_tolerance_seconds = 0,
            13 => {
                let twice = policy.act_types[0].clone();
                policy.act_types.push(twice);
            }
            14 => act_type.into_iter().for_each(|it| it.stages.reverse()),
            15 => act_type.into_iter().for_each(|it| {
                it.audio_visual.clear();
                it.stages.clear();
            }),
            16 => act_type.into_iter().for_each(|it| it.retention_days = 1),
            _ => act_type.into_iter().for_each(|it| it.audio_visual = Stage::ALL.to_vec()),
        }
    }
}

fn party() -> Party {
    Party { name: "王五".to_owned(), role: "respondent".to_owned() }
}
