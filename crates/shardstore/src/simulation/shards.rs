use bytes::Bytes;
use custos_core::{ChunkIndex, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::{ShardKey, ShardWrite, WritePurpose};

use super::random::Random;

/// One of the few keys that lives are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Subject(pub(crate) usize);

/// One of the few contents that a key can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version(pub(crate) usize);

pub(crate) const SUBJECTS: usize = 10;
pub(crate) const VERSIONS: usize = 3;
const MONTH_MILLIS: i64 = 30 * 86_400_000;

/// Every shard that lives write.
#[derive(Debug)]
pub(crate) struct Shards {
    all: Vec<Vec<ShardWrite>>,
}

impl Shards {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut shard = |subject: usize| ShardWrite {
            key: key_of(subject),
            // A few retention months, so that several extents are open at once.
            retain_until: Timestamp::from_millis(
                MONTH_MILLIS * (600 + i64::try_from(random.below(3)).expect("small")),
            ),
            purpose: WritePurpose::Ingest,
            header: some_bytes(&mut random, 60).slice(..20 + subject),
            payload: payload(&mut random),
        };
        let all = (0..SUBJECTS).map(|subject| (0..VERSIONS).map(|_| shard(subject)).collect());
        Self { all: all.collect() }
    }

    pub(crate) fn key(&self, subject: Subject) -> ShardKey {
        self.all[subject.0][0].key
    }

    pub(crate) fn shard(&self, subject: Subject, version: Version) -> &ShardWrite {
        &self.all[subject.0][version.0]
    }

    /// The version that has exactly this content.
    pub(crate) fn version_of(
        &self,
        subject: Subject,
        header: &[u8],
        payload: &[u8],
    ) -> Option<Version> {
        let same = |shard: &ShardWrite| shard.header == header && shard.payload == payload;
        self.all[subject.0].iter().position(same).map(Version)
    }

    pub(crate) fn subjects() -> impl Iterator<Item = Subject> {
        (0..SUBJECTS).map(Subject)
    }
}

fn key_of(subject: usize) -> ShardKey {
    let number = u8::try_from(subject).expect("few");
    ShardKey {
        vault: VaultId(u32::from(number % 2)),
        evidence_id: EvidenceId::from_bytes([0xe0 + number % 3; 16]),
        chunk: ChunkIndex(u32::from(number / 3)),
        slot: ShardSlot(number % 4),
        salt: Salt([number; 16]),
    }
}

fn payload(random: &mut Random) -> Bytes {
    match random.below(12) {
        0 => {
            let len = 65_000 + random.below(10_000);
            some_bytes(random, len)
        }
        // Blocks of zeros look like space that was never written.
        1 => Bytes::from(vec![0; 1 + random.below(12_000)]),
        _ => {
            let len = 1 + random.below(12_000);
            some_bytes(random, len)
        }
    }
}

fn some_bytes(random: &mut Random, len: usize) -> Bytes {
    let words = (0..len.div_ceil(8)).flat_map(|_| random.next().to_le_bytes());
    Bytes::from(words.collect::<Vec<u8>>()).slice(..len)
}
