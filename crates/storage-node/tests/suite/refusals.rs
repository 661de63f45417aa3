//! What the service refuses, by name.

use bytes::Bytes;
use custos_core::{DiskGeneration, DiskId, Epoch, NodeId, Role, VaultId};
use custos_peers::convert::{ShardTarget, WriteHead, key_to_wire};
use custos_peers::payload::pieces;
use custos_wire::internal_v1::{
    AddDiskRequest, DetachDiskRequest, ReadRequest, RemoveRequest, SetScrubRequest, StatusRequest,
    WriteRequest, WriteResponse, shard_client::ShardClient, write_request::Message,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};

use crate::remote::Remote;
use crate::rig::{Rig, shard};

struct Caller {
    remote: Remote,
    client: ShardClient<Channel>,
    target: ShardTarget,
}

async fn client(remote: &Remote, role: Role) -> ShardClient<Channel> {
    let tls = remote.authority.client("caller", role);
    let config = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(tls.ca_pem))
        .identity(Identity::from_pem(tls.certificate_pem, tls.key_pem))
        .domain_name("127.0.0.1");
    let endpoint = Endpoint::from_shared(remote.server.endpoint()).expect("an endpoint");
    let channel = endpoint.tls_config(config).expect("tls").connect().await.expect("connected");
    ShardClient::new(channel).max_encoding_message_size(64 << 20)
}

impl Caller {
    /// A caller that knows everything as it is; vault 0 is over the node's three disks.
    async fn new(rig: &Rig) -> Self {
        let remote = Remote::start(rig, rig.ledger.clone()).await;
        rig.create_vault((0..3).map(|number| remote.disk(number)).collect()).await;
        let client = client(&remote, Role::System).await;
        let target = ShardTarget {
            node_id: remote.node.node_id(),
            disk_id: remote.disk(0),
            generation: DiskGeneration(1),
            epoch: rig.ledger.law.map().epoch,
        };
        Self { remote, client, target }
    }

    async fn send(&mut self, messages: Vec<Message>) -> Result<WriteResponse, Status> {
        let messages = messages.into_iter().map(|message| WriteRequest { message: Some(message) });
        let stream = tokio_stream::iter(messages.collect::<Vec<_>>());
        self.client.write(stream).await.map(tonic::Response::into_inner)
    }

    /// Writes with this target.
    async fn write(&mut self, target: ShardTarget) -> Result<WriteResponse, Status> {
        let write = shard(1, 1000);
        let head = WriteHead::of(target, &write).to_wire();
        self.send(vec![Message::Head(head), Message::Data(write.payload)]).await
    }
}

#[track_caller]
fn says<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, what: &str) {
    let status = answer.expect_err("refused");
    assert_eq!(status.code(), code, "{status}");
    assert!(status.message().contains(what), "{:?} does not say {what:?}", status.message());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_disk_generation_or_epoch_than_the_one_that_stands_is_refused() {
    let rig = Rig::new();
    let mut caller = Caller::new(&rig).await;
    let target = caller.target;
    caller.write(target).await.expect("written");
    let unavailable = Code::Unavailable;

    let node_id = NodeId([9; 16]);
    says(
        caller.write(ShardTarget { node_id, ..target }).await,
        unavailable,
        &format!("node {node_id} was asked for, this is node {} (a)", target.node_id),
    );
    let disk_id = DiskId([9; 16]);
    says(
        caller.write(ShardTarget { disk_id, ..target }).await,
        unavailable,
        &format!("(a) has no disk {disk_id}"),
    );
    for generation in [0, 2, u64::MAX] {
        let generation = DiskGeneration(generation);
        says(
            caller.write(ShardTarget { generation, ..target }).await,
            unavailable,
            &format!("as generation 1, generation {generation} was asked for"),
        );
    }
    says(
        caller.write(ShardTarget { epoch: Epoch(target.epoch.0 - 1), ..target }).await,
        unavailable,
        "is out of date",
    );
    // An epoch that is not yet does no harm.
    caller.write(ShardTarget { epoch: Epoch(u64::MAX), ..target }).await.expect("written");

    let mut unknown = shard(1, 1000);
    unknown.key.vault = VaultId(77);
    let head = WriteHead::of(target, &unknown).to_wire();
    let messages = vec![Message::Head(head), Message::Data(unknown.payload)];
    says(caller.send(messages).await, unavailable, "no vault 77 in the map of epoch");

    let disk = target.disk_id;
    caller.remote.node.detach_disk(disk).await.expect("detached");
    says(caller.write(target).await, unavailable, "detached by an administrator");
    caller.remote.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn absurd_and_broken_writes_are_refused_and_nothing_is_stored() {
    let rig = Rig::new();
    let mut caller = Caller::new(&rig).await;
    let write = shard(1, 3 << 20);
    let head = WriteHead::of(caller.target, &write).to_wire();
    let all: Vec<Message> = pieces(write.payload.clone()).map(Message::Data).collect();
    let with = |first: Message, rest: &[Message]| {
        std::iter::once(first).chain(rest.iter().cloned()).collect::<Vec<_>>()
    };
    let invalid = Code::InvalidArgument;

    let mut absurd = head.clone();
    absurd.payload_len = u32::MAX;
    says(caller.send(vec![Message::Head(absurd)]).await, invalid, "payload_len: 4294967295 bytes");
    let mut empty = head.clone();
    empty.payload_len = 0;
    says(caller.send(vec![Message::Head(empty)]).await, invalid, "payload_len: 0 bytes");
    let mut long = head.clone();
    long.header = Bytes::from(vec![0; 513]);
    says(caller.send(vec![Message::Head(long)]).await, invalid, "header: 513 bytes");
    says(caller.send(all.clone()).await, invalid, "head: it must come first");
    says(caller.send(Vec::new()).await, invalid, "head: it must come first");
    let twice = with(Message::Head(head.clone()), &[Message::Head(head.clone())]);
    says(caller.send(twice).await, invalid, "head: it comes once");
    let short = with(Message::Head(head.clone()), &all[..2]);
    says(caller.send(short).await, invalid, "of the 3145728 bytes that were announced");
    let mut more = all.clone();
    more.push(Message::Data(Bytes::from_static(b"?")));
    says(caller.send(with(Message::Head(head.clone()), &more)).await, invalid, "more than the");
    let huge = Message::Data(Bytes::from(vec![0; (1 << 20) + 1]));
    says(caller.send(with(Message::Head(head.clone()), &[huge])).await, invalid, "a piece of");
    let mut altered = head.clone();
    altered.payload_crc32c ^= 1;
    let status = caller.send(with(Message::Head(altered), &all)).await;
    says(status, Code::Unavailable, "CRC-32C");
    let mut key = head.clone();
    key.key = None;
    says(caller.send(vec![Message::Head(key)]).await, invalid, "key");

    assert_eq!(caller.remote.node.stores()[0].1.status().await.shards, 0);
    caller.send(with(Message::Head(head), &all)).await.expect("the right one is taken");
    caller.remote.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_nodes_of_the_cluster_are_served() {
    let rig = Rig::new();
    let caller = Caller::new(&rig).await;
    for role in [Role::Developer, Role::Station, Role::Playback] {
        let mut client = client(&caller.remote, role).await;
        let status = client.status(StatusRequest {}).await;
        says(status, Code::PermissionDenied, "R23");
    }
    caller.remote.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i10_what_is_under_way_is_bounded_and_the_rest_is_shed() {
    let rig = Rig::new();
    let mut caller = Caller::new(&rig).await;
    let write = shard(1, 64 << 20);
    let head = WriteHead::of(caller.target, &write).to_wire();
    // The largest shards are announced, one after the other, until their memory is set aside and
    // nothing else fits; eight fit, and some may come while another write is under way.
    let mut waiting = Vec::new();
    loop {
        assert!(waiting.len() < 100, "nothing is ever shed");
        let (sender, receiver) = mpsc::channel(1);
        let message = WriteRequest { message: Some(Message::Head(head.clone())) };
        sender.send(message).await.expect("open");
        let mut client = caller.client.clone();
        let call = tokio::spawn(async move { client.write(ReceiverStream::new(receiver)).await });
        waiting.push((sender, call));
        if let Err(status) = caller.write(caller.target).await {
            says(Err::<(), _>(status), Code::ResourceExhausted, "512 MiB of shards are under way");
            break;
        }
    }
    let mut held = 0;
    for (sender, call) in waiting {
        drop(sender);
        let ended = call.await.expect("no panic").expect_err("never sent");
        match ended.code() {
            Code::InvalidArgument => held += 1,
            code => assert_eq!(code, Code::ResourceExhausted, "{ended}"),
        }
    }
    assert_eq!(held, 8);
    caller.write(caller.target).await.expect("there is room again");
    caller.remote.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_with_halves_or_too_much_are_refused() {
    let rig = Rig::new();
    let mut caller = Caller::new(&rig).await;
    let target = Some(caller.target.to_wire());
    let key = key_to_wire(&shard(1, 1).key);
    let invalid = Code::InvalidArgument;
    let half =
        ReadRequest { target: target.clone(), key: Some(key.clone()), start: Some(1), end: None };
    says(caller.client.read(half).await.map(drop), invalid, "both start and end");
    let many = RemoveRequest {
        target: target.clone(),
        keys: vec![key.clone(); 1001],
        reason: 1,
        ledger_index: 0,
    };
    says(caller.client.remove(many).await, invalid, "keys: 1001 of them");
    let none = RemoveRequest { target, keys: vec![key], reason: 0, ledger_index: 0 };
    says(caller.client.remove(none).await, invalid, "reason: 0 is none");
    let stands = SetScrubRequest { bytes_per_second: Some(0), ..Default::default() };
    says(caller.client.set_scrub(stands).await, invalid, "bytes_per_second");
    let nobody = SetScrubRequest { disk_id: vec![9; 16], start: true, ..Default::default() };
    says(caller.client.set_scrub(nobody).await, Code::NotFound, "is not in service");
    let relative = AddDiskRequest { path: "disks/1".to_owned(), create: true };
    says(caller.client.add_disk(relative).await, invalid, "an absolute folder");
    let unknown = DetachDiskRequest { disk_id: vec![9; 16] };
    says(caller.client.detach_disk(unknown).await, Code::NotFound, "is not in service");
    caller.remote.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_and_changes_a_node_from_afar() {
    let rig = Rig::new();
    let mut caller = Caller::new(&rig).await;
    let path = rig.disk_dir("a", 5).display().to_string();
    let added = caller.client.add_disk(AddDiskRequest { path, create: true }).await;
    let disk_id = added.expect("added").into_inner().disk_id;
    let pace = SetScrubRequest {
        disk_id: disk_id.clone(),
        bytes_per_second: Some(77),
        paused: Some(true),
        ..Default::default()
    };
    caller.client.set_scrub(pace).await.expect("set");
    let status = caller.client.status(StatusRequest {}).await.expect("answers").into_inner();
    assert_eq!(status.node_id, caller.remote.node.node_id().0);
    assert_eq!((status.name.as_str(), status.disks.len()), ("a", 4));
    assert_eq!(status.run, caller.remote.node.run().0);
    let disk = &status.disks[3];
    assert_eq!((&disk.disk_id, disk.generation, disk.kind.as_str()), (&disk_id, 1, "local"));
    let scrub = disk.scrub.as_ref().expect("it has one");
    assert_eq!((scrub.bytes_per_second, scrub.period_days, scrub.paused), (77, 30, true));
    caller.client.detach_disk(DetachDiskRequest { disk_id }).await.expect("detached");
    let status = caller.client.status(StatusRequest {}).await.expect("answers").into_inner();
    assert!(status.disks[3].offline.contains("detached"));
    caller.remote.node.shutdown().await;
}
