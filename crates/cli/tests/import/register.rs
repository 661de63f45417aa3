use std::{
    collections::HashMap,
    fs,
    process::Stdio,
    sync::{Arc, Mutex},
};

use custos_core::{
    ErrorKind, LogIndex, Refusal, Rule, Stage, Timestamp,
    law::{
        Case, CaseState, LawAnswer, LawCommand, LawQuery, OpenCase, Record, RecordKind, RecordPage,
        UpdateCase, Versioned,
    },
};
use custos_wire::{
    WireError, law_answer_to_wire, law_command_from_wire, law_query_from_wire,
    v1::{
        ActRequest, ActResponse, AskRequest, AskResponse, CheckRecordingRequest,
        CheckRecordingResponse, IssueCertificateRequest, IssueCertificateResponse,
        law_server::{Law, LawServer},
    },
    versioned_to_wire,
};
use tokio::{net::TcpListener, process::Command, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    transport::{Identity, Server, ServerTlsConfig},
};

/// A register on a port of its own; ends when dropped.
pub(crate) struct Register {
    folder: tempfile::TempDir,
    book: Arc<Mutex<Book>>,
    serving: JoinHandle<()>,
}

/// What the program did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What is on record.
#[derive(Default)]
struct Book {
    records: HashMap<(RecordKind, String), Versioned>,
    acts: u64,
    refused: HashMap<String, Refusal>,
}

impl Register {
    /// With nothing on record.
    pub(crate) async fn start() -> Self {
        // One certificate is authority, server and client: who may do what is the ledger's matter.
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let book = Arc::new(Mutex::new(Book::default()));
        let service = Clerk { book: Arc::clone(&book) };
        let tls = ServerTlsConfig::new().identity(Identity::from_pem(&certificate, &key));
        let mut server = Server::builder().tls_config(tls).expect("TLS");
        let serving = tokio::spawn(async move {
            let served = server
                .add_service(LawServer::new(service))
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await;
            served.expect("serves");
        });
        let config = format!(
            "endpoint = \"https://{address}\"\nca = \"me.pem\"\ncertificate = \"me.pem\"\n\
             key = \"me.key.pem\"\n"
        );
        let register =
            Self { folder: tempfile::tempdir().expect("temporary folder"), book, serving };
        register.write("me.pem", &certificate);
        register.write("me.key.pem", &key);
        register.write("client.toml", &config);
        register
    }

    /// Writes a file beside the configuration; its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    }

    /// Runs `custos` with these arguments.
    pub(crate) async fn custos(&self, arguments: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_custos"))
            .arg("--config")
            .arg(self.folder.path().join("client.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("custos runs");
        Run {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// From now on acts on this record are refused.
    pub(crate) fn refuse(&self, id: &str, rule: Rule, field: &str) {
        let refusal = Refusal::refused(rule, field, "not as the test says");
        self.book.lock().expect("not poisoned").refused.insert(id.to_owned(), refusal);
    }

    /// Acts that were done.
    pub(crate) fn acts(&self) -> u64 {
        self.book.lock().expect("not poisoned").acts
    }

    /// The case with this id.
    pub(crate) fn record(&self, id: &str) -> Option<Record> {
        let book = self.book.lock().expect("not poisoned");
        let versioned = book.records.get(&(RecordKind::Case, id.to_owned()))?;
        Some(versioned.record.clone())
    }

    /// Serves no more.
    pub(crate) fn end(&self) {
        self.serving.abort();
    }
}

impl Drop for Register {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Book {
    /// Does an act without judging it.
    fn act(&mut self, command: LawCommand) -> Result<Versioned, WireError> {
        let record = match command {
            LawCommand::SetUnit(it) => Record::Unit(it.unit),
            LawCommand::SetPerson(it) => Record::Person(it.person),
            LawCommand::SetRecorder(it) => Record::Recorder(it.recorder),
            LawCommand::SetStation(it) => Record::Station(it.station),
            LawCommand::OpenCase(it) => Record::Case(opened(it)),
            LawCommand::UpdateCase(it) => self.updated(it)?,
            other => panic!("an import does not {other:?}"),
        };
        if let Some(refusal) = self.refused.get(record.id()) {
            return Err(refusal.clone().into());
        }
        let key = (record.kind(), record.id().to_owned());
        self.acts += 1;
        let versioned = Versioned {
            version: self.records.get(&key).map_or(1, |before| before.version + 1),
            changed_at: Timestamp::from_millis(0),
            changed_by: "dev (developer)".to_owned(),
            log_index: LogIndex(self.acts),
            record,
        };
        self.records.insert(key, versioned.clone());
        Ok(versioned)
    }

    fn find(&self, kind: RecordKind, id: &str) -> Result<Versioned, WireError> {
        let found = self.records.get(&(kind, id.to_owned())).cloned();
        found.ok_or_else(|| {
            WireError::new(ErrorKind::NotFound, format!("no {kind} has the id {id}"))
        })
    }

    fn updated(&self, update: UpdateCase) -> Result<Record, WireError> {
        let Record::Case(mut case) = self.find(RecordKind::Case, &update.case)?.record else {
            panic!("a case")
        };
        case.title = update.title.or(case.title);
        case.place = update.place.or(case.place);
        case.custodian = update.custodian.unwrap_or(case.custodian);
        case.officers.retain(|officer| !update.remove_officers.contains(officer));
        case.officers.extend(update.add_officers);
        case.parties.extend(update.add_parties);
        case.reason = Some(update.reason);
        Ok(Record::Case(case))
    }
}

fn opened(open: OpenCase) -> Case {
    Case {
        id: open.case,
        act_type: open.act_type,
        unit: open.unit,
        title: open.title,
        place: open.place,
        officers: open.officers,
        parties: open.parties,
        custodian: open.custodian,
        classification: open.classification,
        lower_to: None,
        lower_asked: None,
        stage: Stage::Initiation,
        state: CaseState::Open,
        opened_at: Timestamp::from_millis(0),
        closed_at: None,
        archive_due: None,
        archived_at: None,
        reason: None,
    }
}

/// Keeps the book for those who ask over the network.
struct Clerk {
    book: Arc<Mutex<Book>>,
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Law for Clerk {
    async fn act(&self, request: Request<ActRequest>) -> Answered<ActResponse> {
        let command = law_command_from_wire(request.into_inner().command)?;
        let done = self.book.lock().expect("not poisoned").act(command)?;
        let record = Some(versioned_to_wire(&done));
        Ok(Response::new(ActResponse { log_index: done.log_index.0, record }))
    }

    async fn ask(&self, request: Request<AskRequest>) -> Answered<AskResponse> {
        let query = law_query_from_wire(request.into_inner().query)?;
        let LawQuery::Record(name) = query else { panic!("an import does not ask {query:?}") };
        let found = self.book.lock().expect("not poisoned").find(name.kind, &name.id)?;
        let page = RecordPage { items: vec![found], next: None };
        let answer = law_answer_to_wire(&LawAnswer::Records(page));
        Ok(Response::new(AskResponse { answer: Some(answer) }))
    }

    async fn check_recording(
        &self,
        _: Request<CheckRecordingRequest>,
    ) -> Answered<CheckRecordingResponse> {
        Err(Status::unimplemented("no recordings here"))
    }

    async fn issue_certificate(
        &self,
        _: Request<IssueCertificateRequest>,
    ) -> Answered<IssueCertificateResponse> {
        Err(Status::unimplemented("no certificates here"))
    }
}
