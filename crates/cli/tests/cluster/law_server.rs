use custos_core::{
    LogIndex, Refusal, Role, Rule, Timestamp,
    continuity::Report,
    law::{ClockState, LawAnswer, LawCommand, LawQuery, Record, RecordPage, Sign, Versioned},
};
use custos_wire::{
    WireError, law_answer_to_wire, law_command_from_wire, law_query_from_wire,
    recording_report_to_wire,
    v1::{self, law_server::Law},
    versioned_to_wire,
};
use tonic::{Request, Response, Status};

use crate::server::{Answered, Orders};

/// Has these records, and writes down the acts that came.
pub(crate) struct CannedLaw {
    records: Vec<Versioned>,
    orders: Orders,
}

impl CannedLaw {
    pub(crate) fn new(records: Vec<Versioned>, orders: Orders) -> Self {
        Self { records, orders }
    }

    /// One record a page; `next` is the position of the next.
    fn page(&self, wanted: impl Fn(&Record) -> bool, after: Option<&str>) -> RecordPage {
        let found: Vec<_> = self.records.iter().filter(|it| wanted(&it.record)).collect();
        let at: usize = after.map_or(0, |after| after.parse().expect("a position"));
        RecordPage {
            items: found.get(at).into_iter().map(|it| (*it).clone()).collect(),
            next: (at + 1 < found.len()).then(|| (at + 1).to_string()),
        }
    }
}

/// The first version of a record.
pub(crate) fn versioned(record: Record) -> Versioned {
    Versioned {
        version: 1,
        changed_at: Timestamp::from_millis(1_000),
        changed_by: "li.na (custodian)".to_owned(),
        log_index: LogIndex(17),
        record,
    }
}

#[tonic::async_trait]
impl Law for CannedLaw {
    async fn act(&self, request: Request<v1::ActRequest>) -> Answered<v1::ActResponse> {
        let request = request.into_inner();
        assert_eq!(request.request_id.len(), 16);
        let command = law_command_from_wire(request.command)?;
        self.orders.lock().expect("not poisoned").push(format!("{command:?}"));
        let record = match command {
            LawCommand::SetPerson(set) => Some(Record::Person(set.person)),
            LawCommand::SetRecorder(set) => Some(Record::Recorder(set.recorder)),
            LawCommand::ReleaseHold(_) => {
                let reason = "H1 was placed by an auditor, who alone releases it";
                let refusal = Refusal::refused(Rule::R11, "actor", reason);
                return Err(WireError::from(refusal).into());
            }
            _ => None,
        };
        let record = record.map(|record| versioned_to_wire(&versioned(record)));
        Ok(Response::new(v1::ActResponse { log_index: 17, record }))
    }

    async fn ask(&self, request: Request<v1::AskRequest>) -> Answered<v1::AskResponse> {
        let page = match law_query_from_wire(request.into_inner().query)? {
            LawQuery::Clock(_) => {
                let answer = law_answer_to_wire(&LawAnswer::Clock(clock()));
                return Ok(Response::new(v1::AskResponse { answer: Some(answer) }));
            }
            LawQuery::Record(name) => {
                let is_named = |it: &Record| it.kind() == name.kind && it.id() == name.id;
                let page = self.page(is_named, None);
                if page.items.is_empty() {
                    let refusal = Refusal::not_found(Rule::R26, "id", "there is none");
                    return Err(WireError::from(refusal).into());
                }
                page
            }
            LawQuery::List(list) => self
                .page(|it| list.kind.is_none_or(|kind| it.kind() == kind), list.after.as_deref()),
            other => return Err(Status::unimplemented(format!("{other:?}"))),
        };
        let answer = law_answer_to_wire(&LawAnswer::Records(page));
        Ok(Response::new(v1::AskResponse { answer: Some(answer) }))
    }

    async fn check_recording(
        &self,
        request: Request<v1::CheckRecordingRequest>,
    ) -> Answered<v1::CheckRecordingResponse> {
        let recording = request.into_inner().recording;
        let report = Report {
            segments: 2,
            captured_from: Some(Timestamp::from_millis(1_000)),
            captured_until: None,
            findings: Vec::new(),
        };
        let report = recording_report_to_wire(recording, &report, false);
        Ok(Response::new(v1::CheckRecordingResponse { report: Some(report) }))
    }

    async fn issue_certificate(
        &self,
        _: Request<v1::IssueCertificateRequest>,
    ) -> Answered<v1::IssueCertificateResponse> {
        let reason = "this cluster has no certificate authority of its own";
        let refusal = Refusal::refused(Rule::R26, "certificate", reason);
        Err(WireError::from(refusal).into())
    }
}

/// Set 400 days ahead, which one person has confirmed.
fn clock() -> ClockState {
    let settled = Timestamp::from_millis(1_000);
    let unconfirmed_ms = 400 * 86_400_000 + 3_600_000;
    ClockState {
        time: Timestamp::from_millis(1_000 + unconfirmed_ms),
        settled,
        unconfirmed_ms,
        confirmed_by: Some(Sign {
            by: "zheng.yi".to_owned(),
            role: Role::Auditor,
            at: settled,
            reason: "radio clock".to_owned(),
        }),
    }
}
