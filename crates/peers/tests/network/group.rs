//! The long-lived calls that messages between the members of the ledger's group take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use custos_core::{MetaId, Role};
use custos_peers::{
    Channels, GroupTransport,
    fakes::{TestAuthority, TestServer},
};
use custos_ports::{MetaPeer, PeerFault, PeerLane, PeerTransport};
use custos_wire::internal_v1::{
    JoinRequest, JoinResponse, Packet,
    group_server::{Group, GroupServer},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Far more than an answer takes.
const PATIENT: Duration = Duration::from_secs(20);
/// Waited for in vain.
const SHORT: Duration = Duration::from_millis(50);

/// Answers a message by itself, but `hold` after the next one, and `never`; `refuse` is refused, and
/// `end` ends the call.
#[derive(Clone, Default)]
struct Member {
    calls: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl Group for Member {
    type ExchangeStream = ReceiverStream<Result<Packet, Status>>;

    async fn ask(&self, _request: Request<Packet>) -> Result<Response<Packet>, Status> {
        Err(Status::unimplemented("snapshots are not the matter here"))
    }

    async fn exchange(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut packets = request.into_inner();
        let (answers, stream) = mpsc::channel(16);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(Some(mut packet)) = packets.message().await {
                match &packet.body[..] {
                    b"hold" => held.push(packet),
                    b"never" => {}
                    b"end" => return,
                    word => {
                        if word == b"refuse" {
                            packet.refused = "not here".to_owned();
                        }
                        for answer in [packet].into_iter().chain(held.drain(..)) {
                            let _gone = answers.send(Ok(answer)).await;
                        }
                    }
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn join(&self, _request: Request<JoinRequest>) -> Result<Response<JoinResponse>, Status> {
        Err(Status::unimplemented("nobody joins here"))
    }
}

struct World {
    member: Member,
    server: TestServer,
    transport: GroupTransport,
}

impl World {
    fn new() -> Self {
        let authority = TestAuthority::new();
        let member = Member::default();
        let service = GroupServer::new(member.clone());
        let server =
            TestServer::start(authority.server(), |mut server| server.add_service(service));
        let channels = Channels::new(authority.client("meta", Role::System));
        Self { member, server, transport: GroupTransport::new(channels) }
    }

    async fn ask(&self, lane: PeerLane, word: &'static str, limit: Duration) -> Answer {
        let to = MetaPeer { id: MetaId(2), endpoint: self.server.endpoint() };
        self.transport.exchange(&to, lane, Bytes::from_static(word.as_bytes()), limit).await
    }

    async fn control(&self, word: &'static str) -> Answer {
        self.ask(PeerLane::Control, word, PATIENT).await
    }

    fn calls(&self) -> usize {
        self.member.calls.load(Ordering::SeqCst)
    }
}

type Answer = Result<Bytes, PeerFault>;

fn is_unknown(answer: &Answer) -> bool {
    matches!(answer, Err(PeerFault::Unknown { .. }))
}

#[tokio::test]
async fn answers_find_who_asked_in_whatever_order_they_come() {
    let world = World::new();
    let (held, first, second) =
        tokio::join!(world.control("hold"), world.control("one"), world.control("two"));
    let words = [held, first, second].map(|answer| answer.expect("an answer"));
    assert_eq!(words.map(|word| word.to_vec()), [b"hold".to_vec(), b"one".into(), b"two".into()]);
    assert_eq!(world.calls(), 1);
}

#[tokio::test]
async fn a_message_that_is_refused_does_not_concern_the_others() {
    let world = World::new();
    let refused = world.control("refuse").await;
    assert_eq!(refused, Err(PeerFault::Refused { reason: "not here".to_owned() }));
    assert_eq!(world.control("one").await.expect("an answer"), "one");
    assert_eq!(world.calls(), 1);
}

#[tokio::test]
async fn nobody_knows_what_came_of_messages_whose_call_ended_and_the_next_begins_another() {
    let world = World::new();
    let (held, end) = tokio::join!(world.control("hold"), world.control("end"));
    assert!(is_unknown(&held) && is_unknown(&end), "{held:?} {end:?}");
    assert_eq!(world.control("one").await.expect("an answer"), "one");
    assert_eq!(world.calls(), 2);
}

#[tokio::test]
async fn log_entries_never_gather_behind_a_message_that_is_not_answered() {
    let world = World::new();
    for (lane, calls) in [(PeerLane::Log, 2), (PeerLane::Control, 3)] {
        let late = world.ask(lane, "never", SHORT).await;
        assert!(is_unknown(&late), "{late:?}");
        assert_eq!(world.ask(lane, "one", PATIENT).await.expect("an answer"), "one");
        assert_eq!(world.calls(), calls, "{lane:?}");
    }
}

#[tokio::test]
async fn a_message_that_nobody_can_have_received_is_told_apart() {
    let mut world = World::new();
    assert_eq!(world.control("one").await.expect("an answer"), "one");
    let endpoint = world.server.endpoint();
    world.server.kill();
    // What is sent before the end of the connection is noticed may have arrived.
    for _ in 0..100 {
        match world.control("two").await {
            Err(PeerFault::Unreachable { reason }) => {
                assert!(reason.contains(&endpoint), "{reason}");
                return;
            }
            Err(PeerFault::Unknown { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("it is still thought to be there");
}
