use std::collections::{BTreeMap, BTreeSet, HashMap};

use custos_codec::{ChunkOpener, ChunkProgress, CrownEntry, EvidenceSha256, ShardHeader};
use custos_core::{ChunkIndex, DiskId, ErasureProfile, Salt, ShardSlot, placement};
use custos_ports::ShardEntry;
use futures::future::join_all;
use tracing::{info, warn};

use super::{StaleAttempts, Upload, fanout, listing::Listing};
use crate::{GatewayError, homes::Homes, playback::ChunkSource, strays::Stray};

impl Upload {
    /// Finds what the shard stores hold of this upload: the longest prefix of full chunks of which
    /// one attempt may be acknowledged, or can be completed from the shards that are left. Needs
    /// nothing but their headers, unless shards are missing.
    pub(super) async fn resume(&mut self) -> Result<(), GatewayError> {
        self.stale_attempts = StaleAttempts::Possible;
        let homes = self.gateway.homes(self.session.vault, self.session.profile).await?;
        let mut listings = self.open_listings(&homes);
        let mut sha256_after = None;
        loop {
            let index = ChunkIndex(u32::try_from(self.crown.len()).expect("1 TiB of chunks"));
            if index == ChunkIndex::CROWN {
                break;
            }
            let Some(attempt) = self.resume_chunk(&homes, &mut listings, index).await else {
                break;
            };
            self.crown.push(CrownEntry { cv: attempt.progress.cv, salt: attempt.salt });
            self.missing_shards = self.missing_shards.saturating_add(attempt.missing(&homes));
            sha256_after = Some(attempt.progress.sha256_after);
        }
        let chunk = self.session.chunk_size.bytes() as u64;
        self.durable = self.crown.len() as u64 * chunk;
        self.received = self.durable;
        if let Some(midstate) = sha256_after {
            self.sha256 = EvidenceSha256::resume(midstate, self.durable);
        }
        info!(evidence = %self.session.evidence_id, durable = self.durable, "upload resumed");
        Ok(())
    }

    fn open_listings(&self, homes: &Homes) -> Vec<Listing> {
        let upload = (self.session.vault, self.session.evidence_id);
        homes.slots().map(|(_, disk)| Listing::new(self.gateway.store(disk), upload)).collect()
    }

    /// The attempt at this chunk that counts as acknowledged; `None` when the client has to send
    /// the chunk again.
    async fn resume_chunk(
        &self,
        homes: &Homes,
        listings: &mut [Listing],
        index: ChunkIndex,
    ) -> Option<Attempt> {
        let mut found = join_all(listings.iter_mut().map(|listing| async {
            let entries = listing.take_chunk(index).await;
            let disk = listing.disk();
            entries.into_iter().map(move |entry| Stray { disk, entry }).collect::<Vec<_>>()
        }))
        .await
        .concat();
        let attempts = self.attempts(index, &found);
        if let Some(whole) = attempts.into_iter().find(|attempt| attempt.is_enough(homes)) {
            return Some(whole);
        }
        // Homes that are well now may have been in trouble then: all of a chunk may have strayed,
        // so the other disks are asked even when the homes show nothing.
        let chunk = (self.session.vault, self.session.evidence_id, index);
        let is_whole = |strays: &[Stray]| {
            is_some_attempt_whole(self.session.profile, found.iter().chain(strays))
        };
        let strays = self.gateway.find_strays(homes, chunk, is_whole).await;
        found.extend(strays);
        let mut attempts = self.attempts(index, &found);
        if let Some(at) = attempts.iter().position(|attempt| attempt.is_enough(homes)) {
            return Some(attempts.swap_remove(at));
        }
        for attempt in attempts {
            if attempt.shards.len() >= self.session.profile.data()
                && let Some(completed) = self.complete(attempt, index).await
            {
                return Some(completed);
            }
        }
        None
    }

    /// Every attempt at a full chunk of which some header opens, by salt.
    fn attempts(&self, index: ChunkIndex, found: &[Stray]) -> Vec<Attempt> {
        let mut by_salt: HashMap<Salt, Vec<&Stray>> = HashMap::new();
        for stray in found {
            by_salt.entry(stray.entry.key.salt).or_default().push(stray);
        }
        let attempts = by_salt.into_iter().filter_map(|(salt, shards)| {
            let progress =
                shards.iter().find_map(|shard| self.read_header(index, salt, &shard.entry))?;
            let mut places = BTreeMap::new();
            // Homes come first, so a shard that is at home and elsewhere too counts as at home.
            for shard in shards {
                places.entry(shard.entry.key.slot).or_insert(shard.disk);
            }
            Some(Attempt { salt, progress, shards: places })
        });
        attempts.collect()
    }

    /// What one shard header says of its chunk; `None` when it is damaged or not a full chunk.
    fn read_header(
        &self,
        index: ChunkIndex,
        salt: Salt,
        shard: &ShardEntry,
    ) -> Option<ChunkProgress> {
        let header = ShardHeader::decode(&shard.header)
            .and_then(|header| {
                let id = self.session.evidence_id;
                header.expect_identity(id, index, shard.key.slot, salt).map(|()| header)
            })
            .inspect_err(|error| warn!(%error, key = ?shard.key, "damaged shard header"))
            .ok()?;
        if header.plain_len != self.session.chunk_size.bytes() {
            return None;
        }
        ChunkOpener::new(&self.key, &header)
            .progress()
            .inspect_err(|error| warn!(%error, key = ?shard.key, "damaged shard header"))
            .ok()
    }

    /// Codes the missing shards of an attempt again from those that are left, and writes them:
    /// cheaper than to ask the client for the chunk. `None` when that does not work out.
    async fn complete(&self, attempt: Attempt, index: ChunkIndex) -> Option<Attempt> {
        let source = ChunkSource {
            evidence_id: self.session.evidence_id,
            vault: self.session.vault,
            profile: self.session.profile,
            chunk: index,
            salt: attempt.salt,
            plain_len: self.session.chunk_size.bytes(),
            upkeep: None,
        };
        let missing: Vec<ShardSlot> = (0..)
            .map(ShardSlot)
            .take(self.session.profile.total())
            .filter(|slot| !attempt.shards.contains_key(slot))
            .collect();
        let coded = self.gateway.recode(&self.key, source, &missing).await;
        let coded = coded.inspect_err(|error| warn!(%error, "chunk cannot be completed")).ok()?;
        let target = self.target(index, attempt.salt);
        let shards = coded
            .shards
            .into_iter()
            .map(|shard| fanout::SlotShard {
                slot: shard.slot,
                header: shard.header,
                payload: shard.payload,
            })
            .collect();
        let places = attempt.shards.clone();
        let written = fanout::write_chunk(&self.gateway, target, shards, places).await;
        let written =
            written.inspect_err(|error| warn!(%error, "chunk cannot be completed")).ok()?;
        info!(
            evidence = %self.session.evidence_id, chunk = %index, shards = missing.len(),
            "chunk completed from what was left of it"
        );
        Some(Attempt { shards: written.durable, ..attempt })
    }
}

/// Whether every slot of some attempt was found: then there is nothing more to look for.
fn is_some_attempt_whole<'a>(
    profile: ErasureProfile,
    found: impl Iterator<Item = &'a Stray>,
) -> bool {
    let mut slots: HashMap<Salt, BTreeSet<ShardSlot>> = HashMap::new();
    for stray in found {
        slots.entry(stray.entry.key.salt).or_default().insert(stray.entry.key.slot);
    }
    slots.values().any(|slots| slots.len() >= profile.total())
}

/// An attempt at a full chunk, and where its shards are.
struct Attempt {
    salt: Salt,
    progress: ChunkProgress,
    shards: BTreeMap<ShardSlot, DiskId>,
}

impl Attempt {
    /// It may have been acknowledged, and may still be.
    fn is_enough(&self, homes: &Homes) -> bool {
        let domains: Vec<_> = self.shards.values().map(|disk| homes.domain(*disk)).collect();
        placement::may_acknowledge(homes.vault().profile, &domains)
    }

    /// Shards that are not at home.
    fn missing(&self, homes: &Homes) -> u32 {
        let away = homes.slots().filter(|(slot, home)| self.shards.get(slot) != Some(home));
        u32::try_from(away.count()).expect("at most 14")
    }
}
