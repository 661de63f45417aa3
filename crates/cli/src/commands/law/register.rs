use std::path::Path;

use custos_core::law::{
    LawCommand, Person, Record, RecordKind, Recorder, SetPerson, SetRecorder, SetStation, SetUnit,
    Station, Unit, Versioned,
};
use custos_core::{ErrorKind, Role};
use serde::Serialize;

use super::{Session, acts::line};
use crate::{
    args::{
        PersonAddArgs, PersonCommand, PersonSetArgs, RecorderCommand, StationAddArgs,
        StationCommand, UnitCommand,
    },
    error::CliError,
    identity::Identity,
    output::OutputFormat,
    printable,
};

/// What is on record of somebody, and where the configuration for them was written.
#[derive(Serialize)]
struct AddedObject<'a> {
    #[serde(flatten)]
    record: &'a Versioned,
    config: Option<String>,
}

pub(super) async fn unit(session: Session<'_>, command: UnitCommand) -> Result<(), CliError> {
    match command {
        UnitCommand::Add(args) => {
            let unit = Unit { id: args.id, title: args.title, parent: args.parent, active: true };
            session.expect_new(RecordKind::Unit, &unit.id).await?;
            session.act(SetUnit { unit }).await
        }
        UnitCommand::Set(args) => {
            let Record::Unit(mut unit) = session.current(RecordKind::Unit, &args.id).await? else {
                return Err(other_kind());
            };
            unit.title = args.title.unwrap_or(unit.title);
            unit.active = args.active.active.unwrap_or(unit.active);
            session.act(SetUnit { unit }).await
        }
        UnitCommand::Ls(args) => session.ls(RecordKind::Unit, &args).await,
        UnitCommand::Show(args) => session.show(RecordKind::Unit, &args.id).await,
    }
}

pub(super) async fn person(session: Session<'_>, command: PersonCommand) -> Result<(), CliError> {
    match command {
        PersonCommand::Add(args) => add_person(session, args).await,
        PersonCommand::Set(args) => set_person(session, args).await,
        PersonCommand::Ls(args) => session.ls(RecordKind::Person, &args).await,
        PersonCommand::Show(args) => session.show(RecordKind::Person, &args.id).await,
        PersonCommand::History(args) => session.history(RecordKind::Person, &args.id).await,
    }
}

async fn add_person(session: Session<'_>, args: PersonAddArgs) -> Result<(), CliError> {
    let person = Person {
        id: args.id,
        title: args.title,
        role: args.role,
        unit: args.unit,
        certificate_no: args.certificate_no,
        clearance: args.clearance,
        active: true,
    };
    let (name, role) = (person.id.clone(), person.role);
    let command = SetPerson { person: person.clone() };
    session.add(Record::Person(person), command.into(), &name, role, args.out.as_deref()).await
}

async fn set_person(session: Session<'_>, args: PersonSetArgs) -> Result<(), CliError> {
    let Record::Person(mut person) = session.current(RecordKind::Person, &args.id).await? else {
        return Err(other_kind());
    };
    person.role = args.role.unwrap_or(person.role);
    person.unit = args.unit.unwrap_or(person.unit);
    person.certificate_no = changed(args.certificate_no, person.certificate_no);
    person.clearance = args.clearance.unwrap_or(person.clearance);
    person.title = changed(args.title, person.title);
    person.active = args.active.active.unwrap_or(person.active);
    session.act(SetPerson { person }).await
}

pub(super) async fn recorder(
    session: Session<'_>,
    command: RecorderCommand,
) -> Result<(), CliError> {
    let kind = RecordKind::Recorder;
    match command {
        RecorderCommand::Add(args) => {
            session.expect_new(kind, &args.id).await?;
            let recorder = Recorder {
                id: args.id,
                model: args.model,
                unit: args.unit,
                signing_key: args.signing_key,
                issued_to: None,
                active: true,
            };
            session.act(SetRecorder { recorder }).await
        }
        RecorderCommand::Set(args) => {
            let mut recorder = session.recorder(&args.id).await?;
            recorder.unit = args.unit.unwrap_or(recorder.unit);
            recorder.model = changed(args.model, recorder.model);
            recorder.signing_key = changed(args.signing_key, recorder.signing_key);
            recorder.active = args.active.active.unwrap_or(recorder.active);
            session.act(SetRecorder { recorder }).await
        }
        RecorderCommand::Issue(args) => {
            let recorder = session.recorder(&args.id).await?;
            let recorder = Recorder { issued_to: Some(args.to), ..recorder };
            session.act(SetRecorder { recorder }).await
        }
        RecorderCommand::Return(args) => {
            let recorder = session.recorder(&args.id).await?;
            session.act(SetRecorder { recorder: Recorder { issued_to: None, ..recorder } }).await
        }
        RecorderCommand::Ls(args) => session.ls(kind, &args).await,
        RecorderCommand::Show(args) => session.show(kind, &args.id).await,
        RecorderCommand::History(args) => session.history(kind, &args.id).await,
    }
}

pub(super) async fn station(session: Session<'_>, command: StationCommand) -> Result<(), CliError> {
    let kind = RecordKind::Station;
    match command {
        StationCommand::Add(StationAddArgs { id, unit, out }) => {
            let station = Station { id: id.clone(), unit, active: true };
            let command = SetStation { station: station.clone() };
            let record = Record::Station(station);
            session.add(record, command.into(), &id, Role::Station, out.as_deref()).await
        }
        StationCommand::Set(args) => {
            let Record::Station(mut station) = session.current(kind, &args.id).await? else {
                return Err(other_kind());
            };
            station.unit = args.unit.unwrap_or(station.unit);
            station.active = args.active.active.unwrap_or(station.active);
            session.act(SetStation { station }).await
        }
        StationCommand::Ls(args) => session.ls(kind, &args).await,
        StationCommand::Show(args) => session.show(kind, &args.id).await,
    }
}

/// What is given comes in place of what there is; an empty text takes it away.
fn changed(given: Option<String>, current: Option<String>) -> Option<String> {
    match given {
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text),
        None => current,
    }
}

fn other_kind() -> CliError {
    CliError::Internal { reason: "the store gave a record of another kind".to_owned() }
}

impl Session<'_> {
    async fn current(self, kind: RecordKind, id: &str) -> Result<Record, CliError> {
        Ok(self.client.record(kind, id).await?.record)
    }

    async fn recorder(self, id: &str) -> Result<Recorder, CliError> {
        match self.current(RecordKind::Recorder, id).await? {
            Record::Recorder(recorder) => Ok(recorder),
            _ => Err(other_kind()),
        }
    }

    async fn find(self, kind: RecordKind, id: &str) -> Result<Option<Versioned>, CliError> {
        match self.client.record(kind, id).await {
            Ok(record) => Ok(Some(record)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Registering by mistake what is there would change it.
    async fn expect_new(self, kind: RecordKind, id: &str) -> Result<(), CliError> {
        match self.find(kind, id).await? {
            None => Ok(()),
            Some(_) => Err(is_there(kind, id)),
        }
    }

    /// Registers somebody, and with a place to write to makes a certificate for them. Who stands on
    /// the register just so is only given a certificate: a command that broke off goes on.
    async fn add(
        self,
        wanted: Record,
        command: LawCommand,
        name: &str,
        role: Role,
        out: Option<&Path>,
    ) -> Result<(), CliError> {
        let identity = out.map(|out| Identity::prepare(out, name, role)).transpose()?;
        let kind = wanted.kind();
        let record = match self.find(kind, name).await? {
            Some(found) if identity.is_some() && found.record == wanted => found,
            Some(_) => return Err(is_there(kind, name)),
            None => match self.client.act(command).await? {
                (_, Some(record)) => record,
                (_, None) => return Err(other_kind()),
            },
        };
        let config = match identity {
            Some(identity) => Some(self.certify(identity, name).await?),
            None => None,
        };
        if self.console.format() == OutputFormat::Json {
            return self.console.object(&AddedObject { record: &record, config });
        }
        let mut lines = vec![line(&record)];
        lines.extend(config.map(|path| printable::line(&format!("configuration: {path}"))));
        self.console.lines(lines)
    }

    async fn certify(self, identity: Identity, name: &str) -> Result<String, CliError> {
        let request = identity.request_pem()?;
        match self.client.issue_certificate(name, request).await {
            Ok(issued) => {
                let path = identity.write(self.client.endpoint(), &issued)?;
                Ok(path.display().to_string())
            }
            Err(error) => {
                if error.field() == Some("certificate") {
                    // Whoever has an authority of their own goes on from here.
                    let request = identity.write_request()?;
                    let path = printable::line(&request.display().to_string());
                    self.console.warn(&format!("the request that is to be signed is kept: {path}"));
                }
                Err(error.into())
            }
        }
    }
}

fn is_there(kind: RecordKind, id: &str) -> CliError {
    CliError::Argument {
        argument: "ID",
        reason: format!("{kind} {id} is on the register already; `custos {kind} set` changes it"),
    }
}
