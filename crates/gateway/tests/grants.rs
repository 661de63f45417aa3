//! Streams under a grant, and what the gateway adds to the law: certificates and the continuity of
//! recordings.

mod rig;

use custos_codec::RangeVerifier;
use custos_core::{
    Actor, Descriptor, ErasureProfile, ErrorKind, EvidenceId, EvidenceKind, Role, Rule, UploadKey,
    law::{
        ApplyForGrant, Classification, DecideGrant, GrantScope, LawCommand, Person, Record,
        RevokeGrant, SetPerson, SetStation, SetUnit, Station, Unit,
    },
};
use custos_gateway::{
    GatewayError,
    playback::{View, ViewRequest},
    upload::{OpenUpload, Opened},
};
use custos_wire::WireError;
use rig::{CHUNK, Rig, footage, hash, officer, push_from};

/// Somebody else with every right of one person.
fn other() -> Actor {
    Actor { name: "other".to_owned(), ..officer() }
}

async fn act(rig: &Rig, actor: &Actor, request: u8, command: impl Into<LawCommand>) -> Record {
    let done = rig.gateway.act(actor, [request; 16], command.into()).await.expect("is done");
    done.1.expect("leaves a record").record
}

/// A grant to view evidence that the officer holds.
async fn granted(rig: &Rig, evidence: EvidenceId) -> String {
    granted_to(rig, &officer(), evidence).await
}

async fn granted_to(rig: &Rig, holder: &Actor, evidence: EvidenceId) -> String {
    let apply = ApplyForGrant {
        outside: None,
        scope: GrantScope::View,
        evidence: vec![evidence],
        case: None,
        range: None,
        purpose: "appeal".to_owned(),
    };
    let Record::Grant(grant) = act(rig, holder, 1, apply).await else { panic!("a grant") };
    let decide = DecideGrant {
        grant: grant.id.clone(),
        approve: true,
        reason: "party to the case".to_owned(),
        valid_until: None,
        uses_max: 1,
    };
    act(rig, &other(), 2, decide).await;
    grant.id
}

async fn revoke(rig: &Rig, grant: &str) {
    let (grant, reason) = (grant.to_owned(), "it was withdrawn".to_owned());
    act(rig, &other(), 3, RevokeGrant { grant, reason }).await;
}

async fn view(rig: &Rig, evidence_id: EvidenceId, grant: &str) -> Result<View, GatewayError> {
    view_as(rig, &officer(), evidence_id, grant).await
}

async fn view_as(
    rig: &Rig,
    actor: &Actor,
    evidence_id: EvidenceId,
    grant: &str,
) -> Result<View, GatewayError> {
    let request = ViewRequest {
        evidence_id,
        start: 0,
        end: None,
        purpose: None,
        scope: GrantScope::View,
        grant: Some(grant.to_owned()),
    };
    rig.gateway.open_view(actor, request).await
}

#[track_caller]
fn is_refused(error: GatewayError, rule: Rule, field: &str) {
    let error = WireError::from(error);
    assert_eq!((error.kind, error.rule), (ErrorKind::Refused, Some(rule)), "{error}");
    assert_eq!(error.field.as_deref(), Some(field), "{error}");
}

#[tokio::test]
async fn r18_no_chunk_leaves_under_a_grant_that_was_revoked_meanwhile() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let bytes = footage(3 * CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("is put");
    let grant = granted(&rig, receipt.evidence_id).await;
    let mut view = view(&rig, receipt.evidence_id, &grant).await.expect("is let");
    let watch = view.watch().expect("is watched");
    let mut verifier = RangeVerifier::new(hash(&bytes), bytes.len() as u64, view.range());
    let first = view.next_frames().await.expect("is good").expect("a chunk");
    for frame in first {
        verifier.push(&frame.parents, frame.data).expect("proves");
    }
    revoke(&rig, &grant).await;
    is_refused(view.next_frames().await.expect_err("is revoked"), Rule::R18, "grant");
    // Also when nobody asks for the next chunk: a player that reads slowly.
    is_refused(watch.broken().await, Rule::R18, "grant");
}

#[tokio::test]
async fn r18_a_stream_ends_when_who_holds_its_grant_may_not_act_any_more() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let bytes = footage(3 * CHUNK);
    let evidence_id = rig.put(1, &bytes).await.expect("is put").evidence_id;
    let unit = Unit { id: "u".to_owned(), title: "U".to_owned(), parent: None, active: true };
    act(&rig, &officer(), 4, SetUnit { unit }).await;
    let holder = Actor { name: "rao.yi".to_owned(), role: Role::Reviewer, fingerprint: [3; 32] };
    let person = |active| Person {
        id: holder.name.clone(),
        title: None,
        role: holder.role,
        unit: "u".to_owned(),
        certificate_no: None,
        clearance: Classification::StateSecret,
        active,
    };
    act(&rig, &officer(), 5, SetPerson { person: person(true) }).await;
    let grant = granted_to(&rig, &holder, evidence_id).await;
    // The playback service streams for the holder.
    let playback = Actor { name: "player".to_owned(), role: Role::Playback, fingerprint: [4; 32] };
    let mut view = view_as(&rig, &playback, evidence_id, &grant).await.expect("is let");
    let watch = view.watch().expect("is watched");
    view.next_frames().await.expect("is good").expect("a chunk");
    act(&rig, &officer(), 6, SetPerson { person: person(false) }).await;
    is_refused(view.next_frames().await.expect_err("is over"), Rule::R18, "grant");
    is_refused(watch.broken().await, Rule::R18, "grant");
}

#[tokio::test]
async fn r18_a_stream_that_uses_a_grant_up_is_whole() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let bytes = footage(2 * CHUNK);
    let receipt = rig.put(1, &bytes).await.expect("is put");
    let grant = granted(&rig, receipt.evidence_id).await;
    let mut whole = view(&rig, receipt.evidence_id, &grant).await.expect("the only use");
    let mut len = 0;
    while let Some(frames) = whole.next_frames().await.expect("is good") {
        len += frames.iter().map(|frame| frame.data.len()).sum::<usize>();
    }
    assert_eq!(len, bytes.len());
    let again = view(&rig, receipt.evidence_id, &grant).await.err().expect("is used up");
    is_refused(again, Rule::R18, "grant");
}

#[tokio::test]
async fn i6_an_act_that_is_sent_again_is_done_once() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let unit = Unit { id: "u".to_owned(), title: "U".to_owned(), parent: None, active: true };
    let command = LawCommand::from(SetUnit { unit });
    let first = rig.gateway.act(&officer(), [9; 16], command.clone()).await.expect("is done");
    let again = rig.gateway.act(&officer(), [9; 16], command).await.expect("is answered");
    assert_eq!(first, again);
}

#[tokio::test]
async fn r26_without_an_authority_whoever_asks_is_told_what_to_have_signed() {
    let rig = Rig::new(ErasureProfile::P2_1);
    let unit = Unit { id: "u".to_owned(), title: "U".to_owned(), parent: None, active: true };
    act(&rig, &officer(), 1, SetUnit { unit }).await;
    let station = Station { id: "dock-1".to_owned(), unit: "u".to_owned(), active: true };
    act(&rig, &officer(), 2, SetStation { station: station.clone() }).await;
    let ask = |actor: Actor, name: &'static str| {
        let gateway = rig.gateway.clone();
        async move { gateway.issue_certificate(&actor, name, "").await.expect_err("no authority") }
    };
    let error = ask(officer(), "dock-1").await;
    assert!(error.to_string().contains("CN dock-1 and OU station"), "{error}");
    is_refused(error, Rule::R26, "certificate");
    assert_eq!(ask(officer(), "dock-2").await.kind(), ErrorKind::NotFound);
    is_refused(ask(Actor { role: Role::Station, ..officer() }, "dock-1").await, Rule::R23, "role");
    // Who asks is on the register, whatever the certificate says.
    let stranger = Actor { role: Role::Administrator, ..officer() };
    is_refused(ask(stranger, "dock-1").await, Rule::R26, "actor");
    act(&rig, &officer(), 3, SetStation { station: Station { active: false, ..station } }).await;
    is_refused(ask(officer(), "dock-1").await, Rule::R26, "name");
}

#[tokio::test]
async fn r5_a_recording_is_judged_by_all_of_its_segments() {
    let rig = Rig::new(ErasureProfile::P2_1);
    for number in [1, 2, 4] {
        let mut descriptor = Descriptor::of_kind(EvidenceKind::Video);
        descriptor.recording = Some("R-1".to_owned());
        descriptor.sequence = Some(number);
        let upload_key = UploadKey([u8::try_from(number).expect("small"); 32]);
        let open = OpenUpload { upload_key, descriptor, profile: None };
        let opened = rig.gateway.open_upload(&officer(), open).await.expect("opens");
        let Opened::Upload(mut upload) = opened else { panic!("is new") };
        let bytes = footage(10);
        push_from(&mut upload, &bytes, 0).await.expect("is taken");
        upload.finish(10, hash(&bytes)).await.expect("is sealed");
    }
    let checked = rig.gateway.check_recording(&officer(), "R-1").await.expect("is there");
    assert_eq!((checked.report.segments, checked.truncated), (3, false));
    let missing: Vec<_> =
        checked.report.findings.iter().filter_map(|found| found.first_number).collect();
    assert_eq!(missing, [3]);
    let checked = rig.gateway.check_recording(&officer(), "R-2").await;
    assert_eq!(checked.expect_err("has no segment").kind(), ErrorKind::NotFound);
    // Whoever may not read every segment is told so, and of no gap.
    let station = Actor { name: "dock-9".to_owned(), role: Role::Station, fingerprint: [1; 32] };
    let checked = rig.gateway.check_recording(&station, "R-1").await;
    is_refused(checked.expect_err("is not for a station"), Rule::R23, "role");
}
