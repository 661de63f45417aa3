//! What may be done, one file per command. Every file first refuses, then writes: nothing of a
//! refused command is stored but that it was refused.
//!
//! | refused | rule | in |
//! | --- | --- | --- |
//! | anything before the cluster began; a second beginning | R10, I3 | here, `init_cluster.rs` |
//! | a policy that keeps evidence for less than a year | R10 | `init_cluster.rs` |
//! | an actor without a proper name | R26 | `text.rs` |
//! | an upload whose descriptor lacks fields, if the policy says so | R4 | `open_upload.rs` |
//! | another's upload key, a key or id used before, too many uploads | R26, I3, I10 | `open_upload.rs` |
//! | sealing another's upload, sealing twice with other parts, impossible parts | R26, I3, R6 | `seal.rs` |
//! | ending sealed evidence | I3 | `abort_upload.rs` |
//! | a view of what is not there | R6 | `record_view.rs` |
//! | an upload into a vault that is not there or of another profile | I1 | `open_upload.rs` |
//! | operating the cluster without the right to | R23 | `operation.rs` |
//! | a second node of one name or endpoint | R14 | `register_node.rs` |
//! | a copy or an old state of a disk, a disk that another node has or that was removed | R14 | `register_disks.rs` |
//! | releasing a disk that was removed | R14 | `release_disk.rs` |
//! | removing a disk that a vault needs | I1 | `remove_disk.rs` |
//! | vaults whose slots are not apart, or that were planned on an old map | I1 | `create_vaults.rs` |
//! | a second metadata node of one name or endpoint, one that was retired, retiring the last | R14 | `admit_meta.rs`, `retire_meta.rs` |
//! | what another group of the ledger keeps | I6 | here |
//! | a backup or a restored ledger that nobody with the right to answers for | R23 | `record_backup.rs`, `restore_ledger.rs` |
//! | a request id that was used for another command | R26 | `repeat.rs` |
//! | more nodes, disks, vaults or damage on record than the limits | I10 | each |
//! | acts on cases, evidence, holds, grants, dispositions and registers | as `docs/law.md` says | `act.rs` and the room that it hands each to |
//!
//! What its seal says evidence is kept for is in `retention.rs`; all that keeps it, holds too, is in
//! `keeping.rs`: whatever may end evidence asks there. It ends in `dispositions.rs` alone.
//!
//! A refused attempt on evidence or on a record of the law is entered in the custody log here, for
//! all of them. What is repeated under its request id is answered in
//! `repeat.rs`, before the law looks at it.

mod abort_upload;
mod act;
pub(crate) mod acting;
mod admit_meta;
mod adopt_key;
pub(crate) mod case_report;
mod cases;
mod classify;
mod clock_jump;
mod confirm_clock;
mod create_vaults;
mod dispositions;
mod filing;
mod grants;
mod holds;
mod init_cluster;
pub(crate) mod keeping;
mod open_upload;
mod operation;
pub(crate) mod policy;
pub(crate) mod reading;
mod record_backup;
mod record_view;
mod register_disks;
mod register_node;
mod registers;
mod release_disk;
mod remove_disk;
mod repeat;
mod report_damage;
mod report_repair;
mod restore_ledger;
mod retention;
mod retire_meta;
mod rights;
mod seal;
mod text;
mod who;

use custos_core::{Act, Actor, EvidenceId, Refusal, Rule, Timestamp, law::RecordName};

pub use self::retire_meta::check_retire_meta;

use self::repeat::Repeat;
use crate::{
    Command, Envelope, Kv, Outcome, Routing,
    custody::{self, NewEntry, Subject},
    stored::{
        clock::{self, Clock},
        cluster::{self, Cluster},
    },
};

/// Applies one command to the state: the whole law. Deterministic: replicas that apply the same
/// envelopes with the same stamps hold the same bytes.
///
/// `stamped` is the wall clock of the leader, a claim; cluster time is the later of it and the
/// last one, so it never moves back (rule R3). When it moves by more than
/// [`CLOCK_JUMP_MS_MAX`](crate::CLOCK_JUMP_MS_MAX), that is an entry of the custody log before the
/// command's own.
///
/// A command that is applied again, with the same actor and request id, answers as it did first and
/// has no second effect (invariant I6), for [`REQUEST_MEMORY_MS`](crate::REQUEST_MEMORY_MS) at
/// least unless [`REQUEST_MEMORY_ITEMS_MAX`](crate::REQUEST_MEMORY_ITEMS_MAX) others came since; an
/// upload that is opened again is answered as it is now.
///
/// # Errors
/// A refusal that names rule and field. Nothing of the command is stored then, except that it was
/// refused, and that refused attempts on evidence are entered in the custody log.
///
/// # Panics
/// When a stored value does not decode: the store is not the one that this law wrote.
pub fn apply<K: Kv>(
    kv: &mut K,
    envelope: &Envelope,
    stamped: Timestamp,
) -> Result<Outcome, Refusal> {
    let Some(mut clock) = clock::load(kv) else { return begin(kv, envelope, stamped) };
    // What is kept elsewhere is no matter of this state: it is not even on record here.
    let cluster = cluster::load(kv);
    if let Some(cluster) = &cluster {
        cluster.routing.check_here(envelope.command.scope())?;
    }
    let is_new = match repeat::find(kv, envelope) {
        Repeat::Done(done) => return done,
        Repeat::OtherCommand => false,
        Repeat::New => true,
    };

    clock_jump::enter_jump(kv, envelope, &mut clock, stamped);
    clock.time = clock.time.max(stamped);
    let done = if is_new {
        decide(kv, envelope, &mut clock, cluster)
    } else {
        Err(repeat::names_another_command())
    };
    if let Err(refusal) = &done
        && let Some(attempt) = attempted(&envelope.command)
    {
        enter_refusal(kv, envelope, clock.time, attempt, refusal);
    }
    if is_new {
        repeat::remember(kv, &mut clock, envelope, &done);
    }
    clock::save(kv, &clock);
    done
}

/// Before the cluster began nothing is stored, but its beginning.
fn begin<K: Kv>(kv: &mut K, envelope: &Envelope, stamped: Timestamp) -> Result<Outcome, Refusal> {
    let mut clock = Clock::starting_at(stamped);
    let outcome = decide(kv, envelope, &mut clock, None)?;
    clock::save(kv, &clock);
    Ok(outcome)
}

fn decide<K: Kv>(
    kv: &mut K,
    envelope: &Envelope,
    clock: &mut Clock,
    cluster: Option<Cluster>,
) -> Result<Outcome, Refusal> {
    let now = clock.time;
    text::check_actor(&envelope.actor)?;
    match (&envelope.command, cluster) {
        (Command::InitCluster { origin, policy }, begun) => {
            let routing = Routing::single();
            let asked = Cluster { origin: origin.clone(), policy: policy.clone(), routing };
            init_cluster::init_cluster(kv, envelope, now, asked, begun)
        }
        (_, None) => {
            let reason = "the cluster has not begun, so no policy stands: init_cluster comes first";
            Err(Refusal::refused(Rule::R10, "cluster", reason))
        }
        (
            Command::OpenUpload {
                upload_key,
                evidence_id,
                descriptor,
                profile,
                chunk_size,
                vault,
                wrapped_key,
            },
            Some(cluster),
        ) => {
            let request = open_upload::OpenUpload {
                upload_key: *upload_key,
                evidence_id: *evidence_id,
                descriptor,
                profile: *profile,
                chunk_size: *chunk_size,
                vault: *vault,
                wrapped_key,
            };
            if let Some(found) = open_upload::find(kv, envelope, &request)? {
                return Ok(found);
            }
            let acting = acting_now(kv, envelope, clock, &cluster)?;
            open_upload::open_upload(kv, &acting, &request)
        }
        (Command::Seal { evidence_id, parts }, Some(cluster)) => {
            let (_, policy) = policy::current(kv, &cluster.policy);
            seal::seal(kv, envelope, now, &policy, *evidence_id, parts)
        }
        (Command::AbortUpload { evidence_id, reason }, Some(_)) => {
            abort_upload::abort_upload(kv, envelope, now, *evidence_id, reason)
        }
        (Command::RecordView { evidence_id, start, end, purpose, scope, grant }, Some(cluster)) => {
            let acting = acting_now(kv, envelope, clock, &cluster)?;
            let range = *start..*end;
            let asked = grants::Use { range: &range, scope: *scope, grant: grant.as_deref() };
            record_view::record_view(kv, &acting, *evidence_id, &asked, purpose.as_deref())
        }
        (Command::Law(command), Some(cluster)) => {
            let acting = acting_now(kv, envelope, clock, &cluster)?;
            act::act(kv, &acting, &cluster.policy, clock, command)
        }
        (Command::KeepTime, Some(_)) => {
            operation::check_operator(&envelope.actor)?;
            Ok(Outcome::TimeKept)
        }
        (Command::RegisterNode { node_id, name, endpoint, labels, run }, Some(_)) => {
            let request = register_node::RegisterNode {
                node_id: *node_id,
                name,
                endpoint,
                labels,
                run: *run,
            };
            register_node::register_node(kv, envelope, now, &request)
        }
        (Command::RegisterDisks { node_id, disks }, Some(_)) => {
            register_disks::register_disks(kv, envelope, now, *node_id, disks)
        }
        (Command::RemoveDisk { disk_id, reason }, Some(_)) => {
            remove_disk::remove_disk(kv, envelope, now, *disk_id, reason)
        }
        (Command::ReleaseDisk { disk_id, reason }, Some(_)) => {
            release_disk::release_disk(kv, envelope, now, *disk_id, reason)
        }
        (Command::CreateVaults { vaults, planned_at }, Some(_)) => {
            create_vaults::create_vaults(kv, envelope, now, vaults, *planned_at)
        }
        (Command::ReportDamage { disk_id, damage }, Some(_)) => {
            report_damage::report_damage(kv, envelope, now, *disk_id, damage)
        }
        (Command::ReportRepair { disk_id, key }, Some(_)) => {
            report_repair::report_repair(kv, envelope, now, *disk_id, key)
        }
        (Command::AdoptKey { key_id }, Some(_)) => adopt_key::adopt_key(kv, envelope, now, *key_id),
        (Command::AdmitMeta { token, name, endpoint }, Some(_)) => {
            let request = admit_meta::AdmitMeta { token: *token, name, endpoint };
            admit_meta::admit_meta(kv, envelope, now, &request)
        }
        (Command::RetireMeta { id, reason }, Some(_)) => {
            retire_meta::retire_meta(kv, envelope, now, *id, reason)
        }
        (Command::RecordBackup, Some(_)) => record_backup::record_backup(kv, envelope, now),
        (Command::RestoreLedger { token, source }, Some(_)) => {
            restore_ledger::restore_ledger(kv, envelope, now, *token, source)
        }
    }
}

/// Who acts, when, under the policy that stands.
fn acting_now<'a>(
    kv: &impl Kv,
    envelope: &'a Envelope,
    clock: &Clock,
    cluster: &Cluster,
) -> Result<acting::Acting<'a>, Refusal> {
    let (_, policy) = policy::current(kv, &cluster.policy);
    acting::Acting::new(kv, envelope, clock.time, clock.settled(), policy)
}

/// Whether two certificates name the same actor. The fingerprint does not count: a station that
/// renews its certificate goes on with its uploads.
fn is_same_actor(one: &Actor, other: &Actor) -> bool {
    one.name == other.name && one.role == other.role
}

fn no_such_evidence(evidence_id: EvidenceId) -> Refusal {
    let reason = format!("no evidence has the id {evidence_id}");
    Refusal::not_found(Rule::R6, "evidence_id", reason)
}

fn not_the_opener(envelope: &Envelope) -> Refusal {
    let actor = custody::actor_name(&envelope.actor);
    let reason = format!("the upload was opened by another actor than {actor}");
    Refusal::refused(Rule::R26, "actor", reason)
}

/// What was attempted, and on what.
type Attempt = (&'static str, Option<EvidenceId>, Option<RecordName>);

/// What a command attempted whose refusal is entered in the custody log.
fn attempted(command: &Command) -> Option<Attempt> {
    match command {
        Command::InitCluster { .. }
        | Command::OpenUpload { .. }
        | Command::RegisterNode { .. }
        | Command::RegisterDisks { .. }
        | Command::RemoveDisk { .. }
        | Command::ReleaseDisk { .. }
        | Command::CreateVaults { .. }
        | Command::ReportDamage { .. }
        | Command::ReportRepair { .. }
        | Command::AdoptKey { .. }
        | Command::AdmitMeta { .. }
        | Command::RetireMeta { .. }
        | Command::RecordBackup
        | Command::KeepTime
        | Command::RestoreLedger { .. } => None,
        Command::Seal { evidence_id, .. } => Some(("seal", Some(*evidence_id), None)),
        Command::AbortUpload { evidence_id, .. } => {
            Some(("abort_upload", Some(*evidence_id), None))
        }
        Command::RecordView { evidence_id, .. } => Some(("record_view", Some(*evidence_id), None)),
        Command::Law(command) => Some(act::attempted(command)),
    }
}

fn enter_refusal(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    (attempt, evidence_id, record): Attempt,
    refusal: &Refusal,
) {
    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::Refused,
        evidence_id,
        record,
        detail: format!("{attempt} {refusal}"),
        descriptor: None,
    };
    custody::append(kv, &entry, |_| Subject::None);
}
