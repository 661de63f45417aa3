//! An agency with departments and people of every role, and another agency beside it.

use std::ops::{Deref, DerefMut};

use custos_core::{
    Act, Actor, CustodyEntry, Descriptor, ErrorKind, EvidenceId, EvidenceKind, EvidenceRecord,
    LogIndex, Refusal, Role, Rule, Stage, Timestamp,
    law::{
        ActType, ApplyForGrant, ApproveDisposition, Case, Classification, ClockState, CloseCase,
        ConfirmClock, DecideGrant, Disposition, EvidenceFilter, EvidenceName, FileEvidence, Filing,
        Grant, GrantScope, Hold, HoldReason, Keeping, LawAnswer, LawCommand, LawPolicy, LawQuery,
        MoveCase, OpenCase, OrderDisposition, Person, PlaceHold, ProposeDisposition, Record,
        RecordDisposal, RecordKind, RecordName, Recorder, SetPerson, SetPolicy, SetRecorder,
        SetStation, SetUnit, Station, Unit, Versioned,
    },
};
use custos_ledger::{Answer, Command, Envelope, MemoryKv, Outcome, Query, query as ask};

use crate::world::{World, assert_refused, developer, law_of, open, other_station, query, station};

/// First bytes of the custody log's keys.
const LOG: [u8; 6] = [0x03, 0x30, 0x31, 0x32, 0x33, 0x34];
pub(crate) const DAY_MS: i64 = 86_400_000;

macro_rules! people {
    ($($(#[$doc:meta])* $who:ident: $name:literal $role:ident of $unit:literal, $number:expr, $clearance:ident;)+) => {
        $($(#[$doc])* pub(crate) fn $who() -> Actor {
            Actor { name: $name.to_owned(), role: Role::$role, fingerprint: [1; 32] }
        })+

        /// Everybody on the register when the agency begins.
        pub(crate) fn people() -> Vec<Person> {
            vec![$(Person {
                id: $name.to_owned(),
                title: None,
                role: Role::$role,
                unit: $unit.to_owned(),
                certificate_no: Option::<&str>::map($number, str::to_owned),
                clearance: Classification::$clearance,
                active: true,
            }),+]
        }
    };
}

people!(
    administrator: "qian.bo" Administrator of "city", None, Ordinary;
    auditor: "he.ping" Auditor of "city", None, StateSecret;
    second_auditor: "gao.yi" Auditor of "city", None, StateSecret;
    custodian: "li.na" Custodian of "market", None, TradeSecret;
    head: "wang.wei" UnitHead of "market", None, StateSecret;
    second_head: "zhao.min" UnitHead of "market", None, TradeSecret;
    officer: "chen.jie" Officer of "market", Some("310115-0001"), Privacy;
    second_officer: "liu.yang" Officer of "market", Some("310115-0002"), Privacy;
    auxiliary: "wu.gang" Auxiliary of "market", None, Ordinary;
    reviewer: "zhou.yan" Reviewer of "market", None, TradeSecret;
    /// Of a department of the market's unit.
    east_custodian: "sun.li" Custodian of "market-east", None, TradeSecret;
    east_officer: "xu.fei" Officer of "market-east", Some("310115-0004"), Ordinary;
    /// Of a department beside it.
    traffic_custodian: "zheng.hua" Custodian of "traffic", None, TradeSecret;
    traffic_head: "feng.lei" UnitHead of "traffic", None, StateSecret;
    traffic_officer: "sun.hao" Officer of "traffic", Some("310115-0003"), Privacy;
    /// Of the other agency.
    harbour_custodian: "ma.long" Custodian of "quay", None, StateSecret;
    harbour_head: "tang.xin" UnitHead of "quay", None, StateSecret;
    harbour_officer: "deng.chao" Officer of "quay", Some("410000-0001"), StateSecret;
    harbour_auditor: "han.mei" Auditor of "harbour", None, StateSecret;
    harbour_administrator: "cao.jun" Administrator of "harbour", None, Ordinary;
);

pub(crate) fn playback() -> Actor {
    Actor { name: "playback-1".to_owned(), role: Role::Playback, fingerprint: [2; 32] }
}

/// Agencies and departments: name and what it is a department of.
pub(crate) const UNITS: [(&str, Option<&str>); 6] = [
    ("city", None),
    ("market", Some("city")),
    ("market-east", Some("market")),
    ("traffic", Some("city")),
    ("harbour", None),
    ("quay", Some("harbour")),
];

pub(crate) const RECORDER: &str = "BWC-0042";

pub(crate) struct Agency {
    world: World,
    /// Number of the evidence item that comes next.
    next: u8,
}

impl Deref for Agency {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for Agency {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl Agency {
    /// With everybody on the register, a station of the market, one that is not on it, a recorder.
    pub(crate) fn new() -> Self {
        let mut agency = Self { world: World::begun(), next: 1 };
        for (id, parent) in UNITS {
            agency.done(&developer(), SetUnit { unit: unit(id, parent) });
        }
        for person in people() {
            agency.done(&developer(), SetPerson { person });
        }
        agency.done(&administrator(), SetStation { station: station_of("market") });
        agency.done(&administrator(), SetRecorder { recorder: recorder_of("market") });
        agency
    }

    /// Does an act that must be lawful, one second after the one before, and checks what every act
    /// leaves: the next version of its record, its history, and its entry in the custody log.
    pub(crate) fn done(&mut self, actor: &Actor, command: impl Into<LawCommand>) -> Versioned {
        let size = self.checkpoint().size;
        let outcome = self.act(actor, law(command));
        let Ok(Outcome::LawDone { log_index, record: Some(saved) }) = outcome else {
            panic!("{outcome:?}");
        };
        let entry = self.entry(log_index);
        let name = format!("{} ({})", actor.name, actor.role);
        assert_eq!(log_index.0, size, "the act's entry is the next one");
        assert_eq!((entry.time, entry.actor.as_deref()), (self.now, Some(&*name)));
        assert_eq!((saved.changed_at, saved.log_index), (self.now, log_index));
        assert_eq!(saved.changed_by, name);
        let (kind, id) = (saved.record.kind(), saved.record.id());
        let path = format!("{kind}/{id}");
        let is_public = kind != RecordKind::Person;
        assert_eq!(
            entry.record,
            is_public.then(|| path.clone()),
            "persons are not named in public"
        );
        assert!(self.entries_of(&path).iter().any(|it| it.index == log_index));
        assert_eq!(self.record(kind, id).as_ref(), Some(&*saved));
        let versions: Vec<u32> = self.history(kind, id).iter().map(|it| it.version).collect();
        assert_eq!(versions, (1..=saved.version).collect::<Vec<_>>(), "no version is lost");
        *saved
    }

    /// Tries an act that must be refused, and checks that nothing changed but one entry that says
    /// so, with the rule and the field.
    pub(crate) fn refused(
        &mut self,
        actor: &Actor,
        command: impl Into<LawCommand>,
        rule: Rule,
        field: &str,
    ) -> Refusal {
        self.fails(actor, law(command), ErrorKind::Refused, rule, field)
    }

    /// The same of what names something that does not exist.
    pub(crate) fn not_found(
        &mut self,
        actor: &Actor,
        command: impl Into<LawCommand>,
        rule: Rule,
        field: &str,
    ) -> Refusal {
        self.fails(actor, law(command), ErrorKind::NotFound, rule, field)
    }

    /// The same of any attempt that is put on record.
    pub(crate) fn fails(
        &mut self,
        actor: &Actor,
        command: Command,
        kind: ErrorKind,
        rule: Rule,
        field: &str,
    ) -> Refusal {
        let before = without_log(&self.kv);
        let size = self.checkpoint().size;
        let done = self.act(actor, command);
        let refusal = assert_refused(done, kind, rule, field);
        assert_eq!(without_log(&self.kv), before, "nothing of it is stored");
        assert_eq!(self.checkpoint().size, size + 1, "one entry says so");
        let entry = self.entry(LogIndex(size));
        let name = format!("{} ({})", actor.name, actor.role);
        assert_eq!((entry.act, entry.time), (Act::Refused, self.now));
        assert_eq!(entry.actor.as_deref(), Some(&*name));
        let detail = entry.detail.expect("stands");
        let names_rule = kind == ErrorKind::NotFound || detail.contains(rule.name());
        assert!(names_rule && detail.contains(field), "{detail}");
        refusal
    }

    /// What the last entry says, in a log of any length.
    pub(crate) fn last_act(&self) -> Act {
        self.entry(LogIndex(self.checkpoint().size - 1)).act
    }

    pub(crate) fn entry(&self, index: LogIndex) -> CustodyEntry {
        let asked = Query::Entries { from: index, limit: 1, evidence_id: None, record: None };
        match query(&self.kv, &asked) {
            Answer::Entries { items, .. } => items.into_iter().next().expect("entered"),
            other => panic!("{other:?}"),
        }
    }

    /// Entries about one record, kind and id: `case/C-1`.
    pub(crate) fn entries_of(&self, path: &str) -> Vec<CustodyEntry> {
        let record = Some(path.to_owned());
        let asked = Query::Entries { from: LogIndex(0), limit: 1000, evidence_id: None, record };
        match query(&self.kv, &asked) {
            Answer::Entries { items, .. } => items,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn law(&self, asked: LawQuery) -> LawAnswer {
        match query(&self.kv, &Query::Law(asked)) {
            Answer::Law(answer) => *answer,
            other => panic!("{other:?}"),
        }
    }

    /// A question that must be refused.
    pub(crate) fn law_refused(&self, asked: LawQuery, kind: ErrorKind, rule: Rule, field: &str) {
        let refusal = ask(&self.kv, &Query::Law(asked)).expect_err("must be refused");
        assert_eq!((refusal.kind, refusal.rule, refusal.field.as_str()), (kind, rule, field));
    }

    pub(crate) fn record(&self, kind: RecordKind, id: &str) -> Option<Versioned> {
        match self.law(LawQuery::Record(RecordName { kind, id: id.to_owned() })) {
            LawAnswer::Records(mut page) => page.items.pop(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn history(&self, kind: RecordKind, id: &str) -> Vec<Versioned> {
        let page = custos_core::law::HistoryPage { kind, id: id.to_owned(), after: 0, limit: 1000 };
        match self.law(LawQuery::History(page)) {
            LawAnswer::Records(page) => page.items,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn keeping(&self, evidence: EvidenceId) -> Keeping {
        match self.law(LawQuery::Keeping(EvidenceName { evidence })) {
            LawAnswer::Keeping(keeping) => keeping,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn clock(&self) -> ClockState {
        match self.law(LawQuery::Clock(custos_core::law::ClockAsked { limit: 0 })) {
            LawAnswer::Clock(clock) => clock,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn case(&self, id: &str) -> Case {
        case_of(self.record(RecordKind::Case, id).expect("opened"))
    }

    pub(crate) fn filing(&self, evidence: EvidenceId) -> Filing {
        filing_of(self.record(RecordKind::Filing, &evidence.to_string()).expect("sealed"))
    }

    pub(crate) fn grant(&self, id: &str) -> Grant {
        grant_of(self.record(RecordKind::Grant, id).expect("applied for"))
    }

    pub(crate) fn disposition(&self, id: &str) -> Disposition {
        disposition_of(self.record(RecordKind::Disposition, id).expect("proposed"))
    }

    /// The policy that stands, and its version.
    pub(crate) fn policy(&self) -> (LawPolicy, u32) {
        let found = self.record(RecordKind::Policy, LawPolicy::ID).expect("one always stands");
        match found.record {
            Record::Policy(policy) => (policy, found.version),
            other => panic!("{other:?}"),
        }
    }

    /// Changes the policy that stands.
    pub(crate) fn set_policy(&mut self, change: impl FnOnce(&mut LawPolicy)) -> Versioned {
        let (mut policy, based_on) = self.policy();
        change(&mut policy);
        self.done(&administrator(), SetPolicy { policy, based_on })
    }

    /// Lets time pass and has it confirmed, so that retention counts it.
    pub(crate) fn pass_days(&mut self, days: u32) {
        self.now = self.now.plus_days(days);
        self.act(&Actor::system(), Command::KeepTime).expect("kept");
        self.confirm_clock(&auditor()).expect("confirmed");
        self.confirm_clock(&administrator()).expect("confirmed");
    }

    pub(crate) fn confirm_clock(&mut self, actor: &Actor) -> Result<Outcome, Refusal> {
        self.act(actor, law(ConfirmClock { reason: "by radio clock".to_owned() }))
    }

    /// Applies a command stamped with exactly this time.
    pub(crate) fn act_at(
        &mut self,
        time: Timestamp,
        actor: &Actor,
        command: Command,
    ) -> Result<Outcome, Refusal> {
        self.now = time;
        let envelope = self.envelope(actor, command);
        self.apply(&envelope)
    }

    /// Applies a command and then its repeat, which must be answered the same and change nothing.
    pub(crate) fn twice(&mut self, actor: &Actor, command: Command) -> (Envelope, Outcome) {
        self.now = Timestamp::from_millis(self.now.as_millis() + 1000);
        let envelope = self.envelope(actor, command);
        let first = self.apply(&envelope);
        self.repeats(&envelope, &first);
        (envelope, first.expect("lawful"))
    }

    /// A repeat is answered as the command was, and changes nothing at all.
    pub(crate) fn repeats(&mut self, envelope: &Envelope, first: &Result<Outcome, Refusal>) {
        let before = self.kv.clone();
        assert_eq!(&self.apply(envelope), first);
        assert_eq!(self.kv, before, "a repeated command stores nothing");
    }

    /// A penalty of the market with two certified officers, at its first stage.
    pub(crate) fn open_case(&mut self, id: &str) -> Case {
        case_of(self.done(&officer(), new_case(id)))
    }

    /// Moves a case on to a stage, through those before it.
    pub(crate) fn move_to(&mut self, case: &str, stage: Stage) -> Case {
        let from = self.case(case).stage;
        let on = Stage::ALL.iter().filter(|it| **it > from && **it <= stage);
        for stage in on {
            self.done(&officer(), move_case(case, *stage));
        }
        self.case(case)
    }

    pub(crate) fn close_case(&mut self, case: &str) -> Case {
        let command = CloseCase { case: case.to_owned(), reason: "fined".to_owned() };
        case_of(self.done(&officer(), command))
    }

    /// Closes and archives a case whatever it lacks.
    pub(crate) fn archive_case(&mut self, case: &str) -> Case {
        self.close_case(case);
        let despite = Some("settled on the spot".to_owned());
        let command = custos_core::law::ArchiveCase { case: case.to_owned(), despite };
        case_of(self.done(&custodian(), command))
    }

    /// Opens upload of the next number.
    pub(crate) fn next_upload(&mut self, descriptor: Descriptor) -> (u8, Command) {
        let number = self.next;
        self.next += 1;
        (number, open(number, descriptor))
    }

    /// Evidence that somebody puts and seals.
    pub(crate) fn put(&mut self, actor: &Actor, descriptor: Descriptor) -> EvidenceRecord {
        let number = self.next;
        self.next += 1;
        self.sealed(actor, number, descriptor)
    }

    /// A video of the investigation, filed under a case by its descriptor; by the station.
    pub(crate) fn sealed_in_case(&mut self, case: &str) -> EvidenceRecord {
        self.put(&station(), descriptor_of(case, Stage::Investigation))
    }

    /// A photo that names no case, of the station's unit.
    pub(crate) fn unfiled(&mut self) -> EvidenceRecord {
        self.put(&station(), Descriptor::of_kind(EvidenceKind::Photo))
    }

    /// A photo that belongs to no unit.
    pub(crate) fn of_nobody(&mut self) -> EvidenceRecord {
        self.put(&other_station(), Descriptor::of_kind(EvidenceKind::Photo))
    }

    pub(crate) fn place_hold(
        &mut self,
        actor: &Actor,
        reason: HoldReason,
        target: EvidenceFilter,
    ) -> Hold {
        hold_of(self.done(actor, new_hold(reason, target)))
    }

    pub(crate) fn apply_for(&mut self, actor: &Actor, evidence: EvidenceId) -> Grant {
        grant_of(self.done(actor, application(evidence)))
    }

    /// A grant of everything that `scope` allows, for the policy's longest time.
    pub(crate) fn granted(
        &mut self,
        actor: &Actor,
        evidence: EvidenceId,
        scope: GrantScope,
    ) -> Grant {
        let asked = ApplyForGrant { scope, ..application(evidence) };
        let grant = grant_of(self.done(actor, asked));
        grant_of(self.done(&head(), approval(&grant.id)))
    }

    /// A disposition of the market that its custodian proposes.
    pub(crate) fn proposed(&mut self, evidence: &[EvidenceId]) -> Disposition {
        disposition_of(self.done(&custodian(), proposal(evidence)))
    }

    /// The same, agreed to by two.
    pub(crate) fn approved(&mut self, evidence: &[EvidenceId]) -> Disposition {
        let id = self.proposed(evidence).id;
        self.done(&head(), agreement(&id));
        disposition_of(self.done(&auditor(), agreement(&id)))
    }

    /// The same, ordered when its grace was over.
    pub(crate) fn ordered(&mut self, evidence: &[EvidenceId]) -> Disposition {
        let id = self.approved(evidence).id;
        self.pass_days(8);
        disposition_of(self.done(&Actor::system(), OrderDisposition { disposition: id }))
    }

    /// The same, and ended.
    pub(crate) fn ended(&mut self, evidence: &[EvidenceId]) -> Disposition {
        let id = self.ordered(evidence).id;
        for evidence in evidence {
            self.done(&Actor::system(), disposal(&id, *evidence));
        }
        self.disposition(&id)
    }

    /// A photo whose retention is over, filed under a case of the market that is opened for it.
    pub(crate) fn over(&mut self, case: &str) -> EvidenceRecord {
        self.open_case(case);
        let descriptor =
            Descriptor { kind: EvidenceKind::Photo, ..descriptor_of(case, Stage::Investigation) };
        let record = self.put(&station(), descriptor);
        self.pass_days(366);
        record
    }
}

/// What the law keeps, without the custody log, the clock and the memory of requests.
pub(crate) fn without_log(kv: &MemoryKv) -> MemoryKv {
    let mut law = law_of(kv);
    law.retain(|key, _| !LOG.contains(&key[0]));
    law
}

pub(crate) fn law(command: impl Into<LawCommand>) -> Command {
    Command::Law(Box::new(command.into()))
}

pub(crate) fn unit(id: &str, parent: Option<&str>) -> Unit {
    Unit {
        id: id.to_owned(),
        title: format!("Office of {id}"),
        parent: parent.map(str::to_owned),
        active: true,
    }
}

pub(crate) fn person(who: &Actor) -> Person {
    people().into_iter().find(|person| person.id == who.name).expect("on the register")
}

pub(crate) fn station_of(unit: &str) -> Station {
    Station { id: station().name, unit: unit.to_owned(), active: true }
}

pub(crate) fn recorder_of(unit: &str) -> Recorder {
    Recorder {
        id: RECORDER.to_owned(),
        model: Some("DSJ-9".to_owned()),
        unit: unit.to_owned(),
        signing_key: Some("0f".repeat(32)),
        issued_to: Some(officer().name),
        active: true,
    }
}

pub(crate) fn new_case(id: &str) -> OpenCase {
    OpenCase {
        case: id.to_owned(),
        act_type: ActType::Penalty,
        unit: "market".to_owned(),
        title: Some("Stall on the pavement".to_owned()),
        place: Some("Century Avenue 100".to_owned()),
        officers: vec!["310115-0001".to_owned(), "310115-0002".to_owned()],
        parties: Vec::new(),
        custodian: custodian().name,
        classification: Classification::Ordinary,
    }
}

pub(crate) fn move_case(case: &str, stage: Stage) -> MoveCase {
    MoveCase { case: case.to_owned(), stage, reason: None }
}

/// Of a video with every field that rule R4 asks for.
pub(crate) fn descriptor_of(case: &str, stage: Stage) -> Descriptor {
    let (case, stage) = (Some(case.to_owned()), Some(stage));
    Descriptor { case, stage, ..crate::world::complete() }
}

pub(crate) fn file_under(evidence: EvidenceId, case: &str, stage: Stage) -> FileEvidence {
    FileEvidence { evidence, case: case.to_owned(), stage, reason: None }
}

pub(crate) fn of_evidence(evidence: EvidenceId) -> EvidenceFilter {
    EvidenceFilter { evidence: Some(evidence), ..EvidenceFilter::default() }
}

pub(crate) fn of_case(case: &str) -> EvidenceFilter {
    EvidenceFilter { case: Some(case.to_owned()), ..EvidenceFilter::default() }
}

pub(crate) fn new_hold(reason: HoldReason, target: EvidenceFilter) -> PlaceHold {
    let text = (reason == HoldReason::Other).then(|| "asked for by the court".to_owned());
    PlaceHold { reason, text, reference: None, target, review_at: None }
}

pub(crate) fn application(evidence: EvidenceId) -> ApplyForGrant {
    ApplyForGrant {
        outside: None,
        scope: GrantScope::View,
        evidence: vec![evidence],
        case: None,
        range: None,
        purpose: "reconsideration".to_owned(),
    }
}

pub(crate) fn approval(grant: &str) -> DecideGrant {
    DecideGrant {
        grant: grant.to_owned(),
        approve: true,
        reason: "needed".to_owned(),
        valid_until: None,
        uses_max: 0,
    }
}

pub(crate) fn proposal(evidence: &[EvidenceId]) -> ProposeDisposition {
    ProposeDisposition { evidence: evidence.to_vec(), reason: "its time is over".to_owned() }
}

pub(crate) fn agreement(disposition: &str) -> ApproveDisposition {
    let reason = "looked through".to_owned();
    ApproveDisposition { disposition: disposition.to_owned(), reason }
}

pub(crate) fn disposal(disposition: &str, evidence: EvidenceId) -> RecordDisposal {
    RecordDisposal { disposition: disposition.to_owned(), evidence }
}

macro_rules! unwraps {
    ($($of:ident: $kind:ident($record:ty);)+) => {$(
        pub(crate) fn $of(versioned: Versioned) -> $record {
            match versioned.record {
                Record::$kind(record) => record,
                other => panic!("{other:?}"),
            }
        }
    )+};
}

unwraps!(
    case_of: Case(Case);
    filing_of: Filing(Filing);
    hold_of: Hold(Hold);
    grant_of: Grant(Grant);
    disposition_of: Disposition(Disposition);
);
