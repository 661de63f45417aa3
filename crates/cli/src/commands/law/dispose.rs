use custos_core::law::{
    ApproveDisposition, OrderDisposition, ProposeDisposition, RecordKind, StopDisposition,
};

use super::{Session, certificate};
use crate::{
    args::{DisposeCommand, DisposeProposeArgs},
    error::CliError,
};

pub(super) async fn run(session: Session<'_>, command: DisposeCommand) -> Result<(), CliError> {
    match command {
        DisposeCommand::Propose(DisposeProposeArgs { evidence, reason }) => {
            session.act(ProposeDisposition { evidence, reason }).await
        }
        DisposeCommand::Approve(args) => {
            session.act(ApproveDisposition { disposition: args.id, reason: args.reason }).await
        }
        DisposeCommand::Stop(args) => {
            session.act(StopDisposition { disposition: args.id, reason: args.reason }).await
        }
        DisposeCommand::Order(args) => session.act(OrderDisposition { disposition: args.id }).await,
        DisposeCommand::Ls(args) => session.ls(RecordKind::Disposition, &args).await,
        DisposeCommand::Show(args) => session.show(RecordKind::Disposition, &args.id).await,
        DisposeCommand::Certificate { evidence } => certificate::show(session, evidence).await,
    }
}
