use custos_core::{
    Act, ChunkSize, Descriptor, Epoch, ErasureProfile, EvidenceId, Refusal, Rule, Timestamp,
    UploadKey, UploadSession, VaultId, law::LawPolicy, limits::OPEN_UPLOADS_PER_ACTOR_MAX,
};

use super::{
    acting::{Acting, check_not_archived, find_case},
    is_same_actor, not_the_opener, retention,
    rights::Right,
};
use crate::{
    Envelope, IncompleteDescriptor, Kv, KvRead, Outcome, WRAPPED_KEY_BYTES_MAX,
    custody::{self, NewEntry, Subject},
    stored::{
        evidence::{self, Life},
        map_epoch, open_uploads, upload_name, vault,
    },
};

/// What `Command::OpenUpload` asks for.
pub(super) struct OpenUpload<'a> {
    pub(super) upload_key: UploadKey,
    pub(super) evidence_id: EvidenceId,
    pub(super) descriptor: &'a Descriptor,
    pub(super) profile: ErasureProfile,
    pub(super) chunk_size: ChunkSize,
    pub(super) vault: VaultId,
    pub(super) wrapped_key: &'a [u8],
}

/// The upload that the request's key names, if there is one: whoever opened it goes on with it, also
/// when they may open none any more, so that nothing that was recorded is lost.
pub(super) fn find(
    kv: &impl KvRead,
    envelope: &Envelope,
    request: &OpenUpload<'_>,
) -> Result<Option<Outcome>, Refusal> {
    request.descriptor.check()?;
    check_wrapped_key(request.wrapped_key)?;
    let Some(named) = upload_name::load(kv, request.upload_key) else { return Ok(None) };
    let life = evidence::load(kv, named).expect("a stored upload key names stored evidence");
    find_again(envelope, request, life).map(Some)
}

/// Opens an upload whose key names none yet.
pub(super) fn open_upload(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    request: &OpenUpload<'_>,
) -> Result<Outcome, Refusal> {
    let (envelope, now, policy) = (acting.envelope, acting.now, &acting.policy);
    check_right(kv, acting, request.descriptor)?;
    check_complete(policy, request.descriptor)?;
    if evidence::load(kv, request.evidence_id).is_some() {
        let reason = "another upload has this id already: an id is never used twice";
        return Err(Refusal::refused(Rule::I3, "evidence_id", reason));
    }
    check_vault(kv, request)?;
    check_count(open_uploads::load(kv, &envelope.actor))?;

    let session = new_session(envelope, now, policy, request);
    upload_name::save(kv, request.upload_key, request.evidence_id);
    open_uploads::add_one(kv, &envelope.actor);
    let session = evidence::save_open(kv, session);
    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::UploadOpened,
        evidence_id: Some(request.evidence_id),
        record: None,
        detail: detail(request),
        descriptor: Some(request.descriptor),
    };
    custody::append(kv, &entry, |_| Subject::None);
    Ok(Outcome::UploadOpen(session))
}

/// The upload stands as it was opened: its layout and key win over those of the request.
fn find_again(
    envelope: &Envelope,
    request: &OpenUpload<'_>,
    life: Life,
) -> Result<Outcome, Refusal> {
    if !is_same_actor(life.actor(), &envelope.actor) {
        return Err(not_the_opener(envelope));
    }
    match life {
        Life::Open(session) => {
            check_same_descriptor(&session.descriptor, request.descriptor)?;
            Ok(Outcome::UploadOpen(session))
        }
        Life::Sealed(record) => {
            check_same_descriptor(&record.descriptor, request.descriptor)?;
            Ok(Outcome::AlreadySealed(record))
        }
        Life::Ended(ended) => {
            let ended = ended.tombstone;
            let reason = format!("what this key put has lawfully ended at {}", ended.ended_at);
            Err(Refusal::refused(Rule::I3, "upload_key", reason))
        }
        Life::Aborted(aborted) => {
            let reason = format!(
                "the upload of this key was given up at {}: use a new key",
                aborted.aborted_at
            );
            Err(Refusal::refused(Rule::I3, "upload_key", reason))
        }
    }
}

fn check_same_descriptor(stands: &Descriptor, given: &Descriptor) -> Result<(), Refusal> {
    if stands == given {
        return Ok(());
    }
    let reason = "the upload of this key was opened with another descriptor: use a new key";
    Err(Refusal::refused(Rule::I3, "descriptor", reason))
}

fn check_wrapped_key(wrapped_key: &[u8]) -> Result<(), Refusal> {
    if wrapped_key.is_empty() {
        let reason = "empty: evidence is always kept encrypted";
        return Err(Refusal::invalid(Rule::R10, "wrapped_key", reason));
    }
    if wrapped_key.len() > WRAPPED_KEY_BYTES_MAX {
        let len = wrapped_key.len();
        let reason = format!("{len} bytes, at most {WRAPPED_KEY_BYTES_MAX} are allowed");
        return Err(Refusal::invalid(Rule::I10, "wrapped_key", reason));
    }
    Ok(())
}

/// Who puts has the right to, and into the case that is named, if it is on the register.
fn check_right(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    descriptor: &Descriptor,
) -> Result<(), Refusal> {
    let Some(case) = descriptor.case.as_deref().and_then(|case| find_case(kv, case)) else {
        return acting.who.check(kv, Right::Put, acting.who.unit.as_deref());
    };
    acting.who.check_agency(kv, "case", Some(&case.unit))?;
    acting.who.check(kv, Right::Put, Some(&case.unit))?;
    check_not_archived(&case, "case")?;
    match descriptor.stage {
        Some(stage) if !acting.policy.stages_of(case.act_type).contains(&stage) => {
            let reason = format!("a {} has no stage {stage}", case.act_type);
            Err(Refusal::refused(Rule::R1, "stage", reason))
        }
        _ => Ok(()),
    }
}

fn check_complete(policy: &LawPolicy, descriptor: &Descriptor) -> Result<(), Refusal> {
    let missing = descriptor.missing_fields();
    match (policy.incomplete_descriptor, missing.first()) {
        (IncompleteDescriptor::Refuse, Some(first)) => {
            let reason = format!("not given; the descriptor lacks {}", missing.join(", "));
            Err(Refusal::refused(Rule::R4, *first, reason))
        }
        (IncompleteDescriptor::Refuse, None) | (IncompleteDescriptor::AcceptUnfiled, _) => Ok(()),
    }
}

/// Before the first node registered there was no map to judge by, and whoever opened uploads had
/// one vault of its own disks: such commands in a log must do the same when they are applied again.
fn check_vault(kv: &impl KvRead, request: &OpenUpload<'_>) -> Result<(), Refusal> {
    if map_epoch::load(kv) == Epoch(0) {
        return Ok(());
    }
    let reason = match vault::load(kv, request.vault) {
        Some(vault) if vault.profile == request.profile => return Ok(()),
        Some(vault) => {
            let (id, kept, asked) = (request.vault, vault.profile, request.profile);
            format!("vault {id} keeps evidence as {kept}, not as {asked}")
        }
        None => format!("no vault {} in the cluster", request.vault),
    };
    Err(Refusal::refused(Rule::I1, "vault", reason))
}

fn check_count(open: u64) -> Result<(), Refusal> {
    if open < OPEN_UPLOADS_PER_ACTOR_MAX as u64 {
        return Ok(());
    }
    let reason = format!(
        "{open} uploads are open, {OPEN_UPLOADS_PER_ACTOR_MAX} at most: seal or abort some"
    );
    Err(Refusal::refused(Rule::I10, "actor", reason))
}

fn new_session(
    envelope: &Envelope,
    now: Timestamp,
    policy: &LawPolicy,
    request: &OpenUpload<'_>,
) -> UploadSession {
    UploadSession {
        evidence_id: request.evidence_id,
        upload_key: request.upload_key,
        actor: envelope.actor.clone(),
        descriptor: request.descriptor.clone(),
        opened_at: now,
        profile: request.profile,
        chunk_size: request.chunk_size,
        vault: request.vault,
        wrapped_key: request.wrapped_key.to_vec(),
        retain_until: retention::least(policy, request.descriptor, now),
    }
}

fn detail(request: &OpenUpload<'_>) -> String {
    let layout = format!(
        "{}, profile {}, chunks of {}, vault {}",
        request.descriptor.kind, request.profile, request.chunk_size, request.vault
    );
    let missing = request.descriptor.missing_fields();
    if missing.is_empty() { layout } else { format!("{layout}, lacks {}", missing.join(", ")) }
}
