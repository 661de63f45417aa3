use custos_core::law::{
    ApplyForGrant, ByteSpan, DecideGrant, OutsideParty, RecordKind, RevokeGrant,
};

use super::Session;
use crate::{
    args::{GrantApplyArgs, GrantCommand},
    error::CliError,
};

pub(super) async fn run(session: Session<'_>, command: GrantCommand) -> Result<(), CliError> {
    match command {
        GrantCommand::Apply(args) => apply(session, args).await,
        GrantCommand::Approve(args) => {
            let decision = DecideGrant {
                grant: args.grant.id,
                approve: true,
                reason: args.grant.reason,
                valid_until: args.until,
                uses_max: args.uses.unwrap_or(0),
            };
            session.act(decision).await
        }
        GrantCommand::Refuse(args) => {
            let decision = DecideGrant {
                grant: args.id,
                approve: false,
                reason: args.reason,
                valid_until: None,
                uses_max: 0,
            };
            session.act(decision).await
        }
        GrantCommand::Revoke(args) => {
            session.act(RevokeGrant { grant: args.id, reason: args.reason }).await
        }
        GrantCommand::Ls(args) => session.ls(RecordKind::Grant, &args).await,
        GrantCommand::Show(args) => session.show(RecordKind::Grant, &args.id).await,
    }
}

async fn apply(session: Session<'_>, args: GrantApplyArgs) -> Result<(), CliError> {
    let range = match args.bytes {
        None => None,
        Some(bytes) => {
            let [evidence] = args.what.evidence[..] else {
                let reason = "bytes are those of one evidence item".to_owned();
                return Err(CliError::Argument { argument: "--bytes", reason });
            };
            let positions = match bytes.known() {
                Some(positions) => positions,
                None => {
                    let size = session.client.evidence(evidence).await?.size;
                    bytes.within(size).map_err(|error| CliError::Argument {
                        argument: "--bytes",
                        reason: error.to_string(),
                    })?
                }
            };
            Some(ByteSpan { start: positions.start, end: positions.end })
        }
    };
    let outside = args.outside.map(|name| OutsideParty {
        name,
        contact: args.contact,
        standing: args.standing.unwrap_or_default(),
    });
    let application = ApplyForGrant {
        outside,
        scope: args.scope,
        evidence: args.what.evidence,
        case: args.what.case,
        range,
        purpose: args.purpose,
    };
    session.act(application).await
}
