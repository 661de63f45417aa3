//! Does steps on the model and on the ledger, and compares what comes of them.

use std::collections::BTreeMap;

use custos_core::{
    Act, ChunkSize, CustodyEntry, ErasureProfile, EvidenceId, EvidenceRecord, LogIndex, Refusal,
    Salt, SealedParts, Sha256Hash, Timestamp, UploadKey, VaultId,
    law::{LawPolicy, Record, RecordKind, Versioned},
};
use custos_ledger::{Answer, Command, Envelope, MemoryKv, Outcome, Query, apply, query};

use crate::{
    deed::{Deed, Step},
    reference::{Model, Reasons, Seen},
    tally::Tally,
    world::{START_MS, beginning, blake3_of, size_of},
};

/// Entries of one step: its own, one for every item, and one for the clock.
const ENTRIES_MAX: usize = 600;

/// Of every so many refusals one is looked at whole, for what it stored.
const LOOKED_AT: u64 = 8;

/// What the law decides by: the state without the clock, the custody log, and the requests that are
/// remembered.
fn law_of(kv: &MemoryKv) -> MemoryKv {
    let is_law = |key: &[u8]| !matches!(key[0], 0x02 | 0x03 | 0x30..0x35 | 0x42 | 0x43);
    let pairs = kv.iter().filter(|(key, _)| is_law(key));
    pairs.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What the model and the ledger do not agree on.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// The same for all that disagree in the same way.
    pub(crate) class: String,
    pub(crate) what: String,
}

impl Failure {
    pub(crate) fn new(class: impl Into<String>, what: impl Into<String>) -> Self {
        Self { class: class.into(), what: what.into() }
    }
}

/// Fails unless `is_so`.
pub(crate) fn ensure(
    is_so: bool,
    class: &str,
    what: impl FnOnce() -> String,
) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(Failure::new(class, what())) }
}

/// The model and the ledger side by side.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) kv: MemoryKv,
    /// Requests so far: their number is the id of the next one.
    pub(crate) requests: u64,
    log_size: u64,
    versions: BTreeMap<(RecordKind, String), u32>,
    pub(crate) tally: Tally,
}

/// Asks the ledger.
pub(crate) fn ask(kv: &MemoryKv, asked: &Query) -> Answer {
    query(kv, asked).expect("kept here")
}

impl World {
    /// A cluster that has begun, with the people of every sequence.
    pub(crate) fn begun() -> Result<Self, Failure> {
        let now = Timestamp::from_millis(START_MS);
        let mut kv = MemoryKv::new();
        let init = Command::InitCluster {
            origin: "custos.test/0123abcd".to_owned(),
            policy: custos_ledger::Policy {
                incomplete_descriptor: custos_ledger::IncompleteDescriptor::AcceptUnfiled,
                retention_days_av: 730,
                retention_days_other: 365,
            },
        };
        let envelope = Envelope {
            request_id: [0xff; 16],
            actor: custos_core::Actor::system(),
            entry_salt: [0; 16],
            command: init,
        };
        assert_eq!(apply(&mut kv, &envelope, now), Ok(Outcome::Initialised));
        // Another policy is set before any evidence is there.
        let policy: LawPolicy = crate::world::policy();
        let mut world = Self {
            model: Model::beginning(now, policy),
            kv,
            requests: 0,
            log_size: 1,
            versions: BTreeMap::new(),
            tally: Tally::default(),
        };
        for step in beginning() {
            world.take(&step)?;
        }
        world.tally = Tally::default();
        Ok(world)
    }

    /// The command of the last request.
    pub(crate) fn envelope(&self, step: &Step) -> Envelope {
        let number = u128::from(self.requests).to_be_bytes();
        Envelope {
            request_id: number,
            actor: step.actor.clone(),
            entry_salt: number.map(|byte| byte ^ 0xa5),
            command: command(&step.deed),
        }
    }

    /// Does one step on both sides.
    pub(crate) fn take(&mut self, step: &Step) -> Result<(), Failure> {
        self.requests += 1;
        self.tally.steps += 1;
        let envelope = self.envelope(step);
        let has_jumped = self.model.advance(step.stamped);
        let reasons = self.model.judge(&step.actor, &step.deed);
        let is_looked_at = self.requests.is_multiple_of(LOOKED_AT);
        let before = is_looked_at.then(|| law_of(&self.kv));
        let done = apply(&mut self.kv, &envelope, step.stamped);
        if let Some(before) = before.filter(|_| done.is_err()) {
            let is_same = before == law_of(&self.kv);
            ensure(is_same, "I3: something of a refused act is stored", || format!("{done:?}"))?;
        }
        let mut entries = self.new_entries();
        if has_jumped {
            let is_jump = |it: &CustodyEntry| it.act == Act::ClusterChanged;
            let first = (!entries.is_empty()).then(|| entries.remove(0));
            ensure(first.as_ref().is_some_and(is_jump), "clock: a jump is no entry", || {
                format!("{first:?}")
            })?;
        }
        let kept = self.kept();
        match &done {
            Ok(outcome) => self.check_done(step, &reasons, outcome, &entries)?,
            Err(refusal) => self.check_refused(step, &reasons, refusal, &entries)?,
        }
        self.check_sealed()?;
        self.check_kept(step, &kept)?;
        if step.repeated {
            let before = self.kv.clone();
            let again = apply(&mut self.kv, &envelope, step.stamped);
            ensure(again == done, "repeat: another answer", || format!("{again:?}"))?;
            ensure(before == self.kv, "repeat: something changed", String::new)?;
        }
        Ok(())
    }

    fn new_entries(&mut self) -> Vec<CustodyEntry> {
        let from = LogIndex(self.log_size);
        let asked = Query::Entries { from, limit: ENTRIES_MAX, evidence_id: None, record: None };
        let Answer::Entries { items, next: None } = ask(&self.kv, &asked) else {
            panic!("the entries of a step fit on a page");
        };
        self.log_size += items.len() as u64;
        items
    }

    fn check_refused(
        &mut self,
        step: &Step,
        reasons: &Reasons,
        refusal: &Refusal,
        entries: &[CustodyEntry],
    ) -> Result<(), Failure> {
        let name = step.deed.name();
        let by = format!("{name} {} {}", refusal.rule, refusal.field);
        if !reasons.allow(refusal) {
            let class = match reasons.all().is_empty() {
                true => format!("refused, done by the model: {by}"),
                false => format!("refused otherwise: {by} ({})", refusal.kind),
            };
            return Err(Failure::new(class, format!("{refusal}\nmodel: {:?}", reasons.all())));
        }
        let fields = self.tally.refused.entry((name, refusal.rule)).or_default();
        match fields.get_mut(&refusal.field) {
            Some(count) => *count += 1,
            None => drop(fields.insert(refusal.field.clone(), 1)),
        }
        let is_entry = match entries {
            // Of uploads only those that were opened are on record.
            [] => matches!(step.deed, Deed::Put(_)),
            [_] if matches!(step.deed, Deed::Put(_)) => false,
            [entry] => entry.act == Act::Refused && entry.actor == Some(name_of(step)),
            _ => false,
        };
        ensure(is_entry, "log: a refusal is not one entry", || format!("{name}: {entries:?}"))
    }

    fn check_done(
        &mut self,
        step: &Step,
        reasons: &Reasons,
        outcome: &Outcome,
        entries: &[CustodyEntry],
    ) -> Result<(), Failure> {
        let name = step.deed.name();
        if reasons.must() {
            let all = reasons.all();
            let class = format!("done, refused by the model: {name} {all:?}");
            return Err(Failure::new(class, format!("{outcome:?}")));
        }
        *self.tally.done.entry(name).or_default() += 1;
        if name == "record_disposal" {
            self.tally.ended += 1;
        }
        let (record, sealed, log_index) = parts_of(outcome);
        let orders: Vec<_> = entries
            .iter()
            .filter(|entry| entry.act == Act::DispositionOrdered)
            .filter_map(|entry| Some((entry.evidence_id?, entry.index)))
            .collect();
        let seen = Seen { sealed, orders: &orders, record: record.map(|it| &it.record) };
        let is_known = is_known(&self.model, &step.deed);
        let expected = self.model.perform(&step.actor, &step.deed, &seen);
        if is_known {
            return ensure(entries.is_empty(), "log: nothing was done, and entered", || {
                format!("{name}: {entries:?}")
            });
        }
        let own = entries.iter().find(|entry| Some(entry.index) == log_index.or(Some(entry.index)));
        let is_right = own.is_some_and(|entry| {
            let is_about = expected.is_many || entry.evidence_id == expected.evidence;
            entry.act == expected.act && entry.actor == Some(name_of(step)) && is_about
        }) && (entries.len() == 1 || expected.is_many)
            && entries.iter().all(|entry| entry.act == expected.act);
        ensure(is_right, &format!("log: the entry of {name}"), || {
            format!("{log_index:?} {entries:?}\nmodel: {expected:?}")
        })?;
        if let (Some(entry), Some(record)) = (own, &expected.record) {
            let named = match record.kind() {
                RecordKind::Person => None,
                kind => Some(format!("{kind}/{}", record.id())),
            };
            ensure(entry.record == named, &format!("log: the record of {name}"), || {
                format!("{entry:?}\nmodel: {named:?}")
            })?;
        }
        self.check_record(step, record, expected.record.as_ref(), log_index)
    }

    fn check_record(
        &mut self,
        step: &Step,
        is: Option<&Versioned>,
        expected: Option<&Record>,
        log_index: Option<LogIndex>,
    ) -> Result<(), Failure> {
        let name = step.deed.name();
        ensure(is.map(|it| &it.record) == expected, &format!("record: of {name}"), || {
            format!("ledger: {is:?}\nmodel: {expected:?}")
        })?;
        let Some(is) = is else { return Ok(()) };
        let key = (is.record.kind(), is.record.id().to_owned());
        // Uses of a grant, and what is ordered to end, make versions that no act gives back.
        let is_quiet = matches!(key.0, RecordKind::Grant | RecordKind::Filing);
        let last = self.versions.insert(key, is.version).unwrap_or(0);
        let is_next = if is_quiet { is.version > last } else { is.version == last + 1 };
        let is_right = is_next
            && is.changed_at == self.model.now
            && is.changed_by == name_of(step)
            && Some(is.log_index) == log_index;
        ensure(is_right, &format!("record: the version of {name}"), || {
            format!("{is:?} after version {last}")
        })
    }

    /// Until when each item is kept.
    fn kept(&self) -> Vec<(EvidenceId, Timestamp)> {
        let model = &self.model;
        let sealed = model.evidence.keys().filter_map(|id| Some((*id, model.sealed(*id)?)));
        sealed.map(|(id, sealed)| (id, model.keep_until(sealed))).collect()
    }

    /// No act shortens retention, but filing what was unfiled.
    fn check_kept(&self, step: &Step, before: &[(EvidenceId, Timestamp)]) -> Result<(), Failure> {
        let name = step.deed.name();
        if name == "file_evidence" {
            return Ok(());
        }
        for (id, until) in before {
            let Some(sealed) = self.model.sealed(*id) else { continue };
            let now = self.model.keep_until(sealed);
            ensure(now >= *until, &format!("R10: {name} shortens retention"), || {
                format!("{id} from {until} to {now}")
            })?;
        }
        Ok(())
    }

    /// Sealed evidence stands as it was sealed, for ever.
    fn check_sealed(&self) -> Result<(), Failure> {
        for id in self.model.evidence.keys() {
            let Some(sealed) = self.model.sealed(*id) else { continue };
            let Answer::Evidence(is) = ask(&self.kv, &Query::Evidence(*id)) else {
                panic!("another answer");
            };
            ensure(is.as_deref() == Some(&sealed.record), "I3: sealed evidence changed", || {
                format!("{is:?}\nsealed: {:?}", sealed.record)
            })?;
        }
        Ok(())
    }
}

/// Whether a step says what was said before, so that nothing is entered.
fn is_known(model: &Model, deed: &Deed) -> bool {
    match deed {
        Deed::Seal(id) => model.sealed(*id).is_some(),
        Deed::Abort(id) => !model.evidence[id].is_open(),
        Deed::Put(_) | Deed::View(_) | Deed::Law(_) => false,
    }
}

fn name_of(step: &Step) -> String {
    format!("{} ({})", step.actor.name, step.actor.role)
}

fn parts_of(outcome: &Outcome) -> (Option<&Versioned>, Option<&EvidenceRecord>, Option<LogIndex>) {
    match outcome {
        Outcome::LawDone { log_index, record } => (record.as_deref(), None, Some(*log_index)),
        Outcome::Sealed(record) => (None, Some(record), Some(record.seal_index)),
        Outcome::Aborted(index) | Outcome::ViewRecorded(index) => (None, None, Some(*index)),
        _ => (None, None, None),
    }
}

/// What is sealed of evidence.
pub(crate) fn parts(id: EvidenceId) -> SealedParts {
    SealedParts {
        size: size_of(id),
        blake3: blake3_of(id),
        sha256: Sha256Hash([0x2a; 32]),
        head_salt: Some(Salt([0x11; 16])),
        missing_shards: 0,
    }
}

fn command(deed: &Deed) -> Command {
    match deed {
        Deed::Put(put) => {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&put.key.to_be_bytes());
            Command::OpenUpload {
                upload_key: UploadKey(key),
                evidence_id: put.evidence,
                descriptor: put.descriptor.clone(),
                profile: ErasureProfile::P4_2,
                chunk_size: ChunkSize::DEFAULT,
                vault: VaultId(1),
                wrapped_key: vec![0x5a; 60],
            }
        }
        Deed::Seal(id) => Command::Seal { evidence_id: *id, parts: parts(*id) },
        Deed::Abort(id) => {
            Command::AbortUpload { evidence_id: *id, reason: "camera test".to_owned() }
        }
        Deed::View(view) => Command::RecordView {
            evidence_id: view.evidence,
            start: view.start,
            end: view.end,
            purpose: view.purpose.clone(),
            scope: view.scope,
            grant: view.grant.clone(),
        },
        Deed::Law(command) => Command::Law(command.clone()),
    }
}
