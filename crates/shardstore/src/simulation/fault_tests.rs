//! Disks that lie and fail without a crash.

use std::collections::HashSet;

use custos_core::ChunkIndex;
use custos_ports::{Disk, ShardError};

use super::image::{Effect, Image};
use super::life::{Event, LIMITS, Life, Start, Troubles, live, observe, open, operation};
use super::medium::Medium;
use super::model::{Model, Step};
use super::random::Random;
use super::replay::Replay;
use super::shards::{Shards, Subject, Version};
use super::sim_disk::{Fault, SimDisk};
use super::sim_index::{IndexImage, SimIndex};
use crate::engine::Engine;
use crate::extents::EXTENTS_FOLDER;
use crate::reader;
use crate::record::{BLOCK_BYTES, RecordBody, RecordHead};

const BLOCK: u64 = BLOCK_BYTES as u64;

/// A store with something on it, at rest.
struct Settled {
    shards: Shards,
    image: Image,
    index: IndexImage,
    model: Model,
}

fn settled(seed: u64) -> Settled {
    let shards = Shards::new(seed);
    let mut random = Random::new(seed);
    let life: Life =
        live(&shards, Start::empty(), 16, Troubles::None, &mut random).expect("a sound disk");
    let end = Replay::to_end_of(&life).expect("it was right then");
    let disk = SimDisk::new(end.medium, 5);
    let index = SimIndex::new(disk.clone(), end.index.latest());
    open(&disk, &index).expect("opens").close();
    Settled { shards, image: disk.image(), index: index.image(), model: end.model }
}

/// A record by its head: where it lies and whose it is.
struct Record {
    file: String,
    first_block: u64,
    blocks: u64,
    head_blocks: u64,
    /// Bytes from its begin to the end of its payload.
    len: u64,
    subject: Subject,
    is_tombstone: bool,
}

fn records(settled: &Settled) -> Vec<Record> {
    let mut found = Vec::new();
    for file in settled.image.names() {
        let content = settled.image.get(settled.image.find(file).expect("named")).expect("there");
        let mut bytes = vec![0; usize::try_from(content.len()).expect("small")];
        content.read(&mut bytes, 0);
        for (block, bytes) in (0..).zip(bytes.chunks(BLOCK_BYTES)) {
            let Ok(head) = RecordHead::decode(bytes) else { continue };
            let payload_len = match &head.body {
                RecordBody::Shard { payload_len, .. } => u64::from(*payload_len),
                RecordBody::Tombstone { .. } => 0,
            };
            found.push(Record {
                file: file.clone(),
                first_block: block,
                blocks: u64::from(head.total_blocks()),
                head_blocks: u64::from(head.head_blocks()),
                len: u64::from(head.head_blocks()) * BLOCK + payload_len,
                subject: Shards::subjects()
                    .find(|subject| settled.shards.key(*subject) == head.key)
                    .expect("one of ours"),
                is_tombstone: payload_len == 0,
            });
        }
    }
    found
}

fn start(image: Image, index: IndexImage) -> (SimDisk, Engine) {
    let disk = SimDisk::new(Medium::new(image), 5);
    let engine = open(&disk, &SimIndex::new(disk.clone(), index)).expect("opens");
    (disk, engine)
}

/// What is found of a shard; bytes that were never written are a panic.
fn found(settled: &Settled, engine: &Engine, subject: Subject) -> Result<Version, ShardError> {
    let read = reader::read(engine.state(), &settled.shards.key(subject), None)?;
    let version = settled.shards.version_of(subject, &read.header, &read.payload);
    Ok(version.expect("bytes that were written"))
}

#[test]
fn a_flipped_bit_is_never_served_and_spoils_only_its_own_record() {
    for seed in 1..=4 {
        let settled = settled(seed);
        let records = records(&settled);
        let files: Vec<String> = settled.image.names().cloned().collect();
        let mut random = Random::new(seed);
        for _ in 0..150 {
            let file = &files[random.below(files.len())];
            let mut image = settled.image.clone();
            let inode = image.find(file).expect("named");
            let len = usize::try_from(image.get(inode).expect("there").len()).expect("small");
            let at = random.below(len);
            image.content(inode).flip(at, u8::try_from(random.below(8)).expect("small"));
            let block = at as u64 / BLOCK;
            let hit = records.iter().find(|record| {
                record.file == *file
                    && (record.first_block..record.first_block + record.blocks).contains(&block)
            });
            for index in [settled.index.clone(), None] {
                let is_lost = index.is_none();
                let (_, engine) = start(image.clone(), index);
                for subject in Shards::subjects() {
                    let context = format!("seed {seed}, {file} byte {at}, {subject:?}");
                    let is_hit = hit.is_some_and(|hit| hit.subject == subject);
                    match found(&settled, &engine, subject) {
                        Ok(found) if settled.model.allows(subject, Some(found)) => {}
                        // An ended shard whose end cannot be read any more.
                        Ok(_) => {
                            let hit = hit.is_some_and(|hit| hit.is_tombstone);
                            assert!(is_hit && hit && is_lost, "{context}");
                        }
                        Err(ShardError::NotFound { .. }) => {
                            // Without its head and the index nobody knows that it was there.
                            let in_head =
                                hit.is_some_and(|hit| block < hit.first_block + hit.head_blocks);
                            let is_right = settled.model.allows(subject, None);
                            assert!(is_right || (is_hit && is_lost && in_head), "{context}");
                        }
                        Err(error) => {
                            assert!(matches!(error, ShardError::Corrupt { .. }), "{error}");
                            assert!(is_hit, "{context}: {error}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn an_extent_cut_at_any_byte_costs_only_the_records_that_it_cuts() {
    let settled = settled(11);
    let records = records(&settled);
    let file = &records.last().expect("some").file;
    let inode = settled.image.find(file).expect("named");
    let len = settled.image.get(inode).expect("there").len();
    let around_blocks =
        |at: &u64| at % BLOCK < 3 || at % BLOCK > BLOCK - 3 || at.is_multiple_of(61);
    for cut in (0..len).filter(around_blocks) {
        let mut image = settled.image.clone();
        image.apply(&Effect::SetLen { inode, len: cut });
        for index in [settled.index.clone(), None] {
            let (_, mut engine) = start(image.clone(), index);
            for subject in Shards::subjects() {
                let is_cut = records.iter().any(|record| {
                    let end = record.first_block * BLOCK + record.len;
                    record.subject == subject && record.file == *file && end > cut
                });
                let is_right = match found(&settled, &engine, subject) {
                    Ok(found) => settled.model.allows(subject, Some(found)),
                    Err(ShardError::NotFound { .. }) => settled.model.allows(subject, None),
                    Err(error) => {
                        assert!(matches!(error, ShardError::Corrupt { .. }), "{error}");
                        false
                    }
                };
                assert!(is_right || is_cut, "{file} cut at {cut}: {subject:?}");
            }
            let fresh = Step::Remove(vec![Subject(0)]);
            let outcome = engine.commit(vec![operation(&settled.shards, &fresh)]);
            outcome[0].as_ref().expect("it goes on");
        }
    }
}

#[test]
fn misdirected_writes_are_never_served_as_something_else() {
    for seed in 1..=40 {
        let shards = Shards::new(seed);
        let mut random = Random::new(seed);
        let disk = SimDisk::new(Medium::default(), seed);
        let index = SimIndex::new(disk.clone(), None);
        let mut engine = open(&disk, &index).expect("opens");
        let mut astray = HashSet::new();
        for subject in Shards::subjects() {
            if random.chance(1, 3) {
                disk.fail_after(Fault::Misdirect, random.below(3));
            }
            let before = disk.misdirected().len();
            let step = Step::Write(subject, Version(0));
            engine.commit(vec![operation(&shards, &step)]);
            if disk.misdirected().len() > before {
                astray.insert(subject);
            }
        }
        disk.clear_faults();
        let image = disk.image();
        for subject in Shards::subjects() {
            let entry = engine.state().index.get(&shards.key(subject)).expect("read");
            let entry = entry.expect("noted");
            let name = format!("{EXTENTS_FOLDER}/EXT-{:08}.ext", entry.place.extent);
            let inode = image.find(&name).expect("named");
            let (begin, len) = (entry.place.offset(), u64::from(entry.total_blocks()) * BLOCK);
            let is_hit = |(other, hit): &(_, std::ops::Range<u64>)| {
                *other == inode && hit.start < begin + len && begin < hit.end
            };
            if disk.misdirected().iter().any(is_hit) {
                astray.insert(subject);
            }
        }
        engine.close();
        let image = disk.image();
        let settled = Settled { shards, image: image.clone(), index: None, model: Model::empty() };
        for index in [index.image(), None] {
            let (_, mut engine) = start(image.clone(), index);
            for subject in Shards::subjects() {
                match found(&settled, &engine, subject) {
                    Ok(found) => assert_eq!(found, Version(0), "seed {seed}, {subject:?}"),
                    Err(ShardError::NotFound { .. } | ShardError::Corrupt { .. }) => {
                        assert!(astray.contains(&subject), "seed {seed}: {subject:?} is lost");
                    }
                    Err(error) => panic!("seed {seed}, {subject:?}: {error}"),
                }
                let step = Step::Write(subject, Version(0));
                let outcome = engine.commit(vec![operation(&settled.shards, &step)]);
                outcome[0].as_ref().expect("what was lost can be written again");
                assert_eq!(found(&settled, &engine, subject).expect("healed"), Version(0));
            }
        }
    }
}

#[test]
fn a_bad_sector_hides_only_its_own_record_and_only_while_it_is_bad() {
    for seed in 21..=28 {
        let settled = settled(seed);
        let records = records(&settled);
        for bad in &records {
            let disk = SimDisk::new(Medium::new(settled.image.clone()), 5);
            disk.spoil(&bad.file, bad.first_block);
            let index = SimIndex::new(disk.clone(), None);
            let engine = open(&disk, &index).expect("opens");
            for subject in Shards::subjects().filter(|subject| *subject != bad.subject) {
                let found = found(&settled, &engine, subject).ok();
                let context = format!("seed {seed}, {} block {}", bad.file, bad.first_block);
                assert!(settled.model.allows(subject, found), "{context}: {subject:?}");
            }
            engine.close();
            disk.heal();
            let engine = open(&disk, &index).expect("opens");
            observe(&settled.shards, &engine, &settled.model).expect("all is there again");
        }
    }
}

#[test]
fn after_a_failed_sync_nothing_is_written_any_more() {
    for fault in [Fault::Sync, Fault::Write] {
        let shards = Shards::new(1);
        let disk = SimDisk::new(Medium::default(), 1);
        let mut engine = open(&disk, &SimIndex::new(disk.clone(), None)).expect("opens");
        let write = |subject| operation(&shards, &Step::Write(Subject(subject), Version(0)));
        engine.commit(vec![write(0)])[0].as_ref().expect("written");
        // In the extent that is open already, so that it is the data that is not synced.
        let again = Step::Remove(vec![Subject(0)]);
        disk.fail_after(fault, 0);
        let outcome = engine.commit(vec![operation(&shards, &again)]);
        assert!(matches!(outcome[0], Err(ShardError::Io { .. })), "{fault:?}: {outcome:?}");
        disk.take_log();
        let outcome = engine.commit(vec![write(1), operation(&shards, &again)]);
        let refused = |outcome| matches!(outcome, Err(ShardError::Offline { .. }));
        assert!(outcome.into_iter().all(refused), "{fault:?}");
        let read = reader::read(engine.state(), &shards.key(Subject(0)), None);
        assert!(matches!(read, Err(ShardError::Offline { .. })), "{fault:?}");
        assert_eq!(engine.state().io_errors.load(std::sync::atomic::Ordering::Relaxed), 1);
        engine.close();
        assert!(disk.take_log().is_empty(), "{fault:?}: the disk is left as it is");
    }
}

#[test]
fn what_is_not_known_is_listed_counted_and_kept() {
    let settled = settled(31);
    let records = records(&settled);
    let ends_with_data = |record: &&Record| {
        let content = settled.image.find(&record.file).and_then(|inode| settled.image.get(inode));
        // Blocks of zeros look like space that was never written.
        let last_block = (record.first_block + record.blocks - 1) * BLOCK;
        content.expect("there").next_data(last_block) == Some(last_block)
    };
    let of_a_later_version =
        records.iter().filter(|record| !record.is_tombstone).rfind(ends_with_data).expect("some");
    let mut image = settled.image.clone();
    let inode = image.find(&of_a_later_version.file).expect("named");
    let at = of_a_later_version.first_block * BLOCK;
    let version = bytes::Bytes::from_static(&[9, 0]);
    image.apply(&Effect::Write { inode, offset: at + 8, bytes: version });
    let disk = SimDisk::new(Medium::new(image), 5);
    let notes = format!("{EXTENTS_FOLDER}/notes.txt");
    disk.write_small(&notes, b"mine").expect("written");
    let index = SimIndex::new(disk.clone(), None);
    let kept = |disk: &SimDisk| {
        let mut bytes = vec![0; usize::try_from(of_a_later_version.blocks * BLOCK).expect("small")];
        disk.image().get(inode).expect("there").read(&mut bytes, at);
        (bytes, disk.read_small(&notes, 100).expect("there"))
    };
    let before = kept(&disk);
    for round in ["rebuilt", "with its index"] {
        let engine = open(&disk, &index).expect("opens");
        let listed = engine.state().quarantine(100).expect("listed");
        let quarantined = engine.state().quarantined.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(quarantined, listed.len() as u64, "{round}");
        let file = listed.iter().find(|found| found.place == notes).expect("the file");
        assert_eq!(file.len, 4, "{round}");
        let place = format!("at offset {at}");
        let record = listed.iter().find(|found| found.place.ends_with(&place));
        let record = record.unwrap_or_else(|| panic!("{round}: {listed:?}"));
        assert_eq!(record.reason, "record version 9 is not known", "{round}");
        assert_eq!(record.len, of_a_later_version.blocks * BLOCK, "{round}");
        engine.close();
    }
    assert!(kept(&disk) == before, "nothing of it was touched");
}

#[test]
fn a_full_disk_still_takes_removals() {
    let shards = Shards::new(1);
    let disk = SimDisk::new(Medium::default(), 1);
    let mut engine = open(&disk, &SimIndex::new(disk.clone(), None)).expect("opens");
    let write = |subject| operation(&shards, &Step::Write(Subject(subject), Version(0)));
    let first = engine.commit(vec![write(0), write(1)]);
    assert!(first.iter().all(Result::is_ok));
    disk.set_capacity(disk.used_bytes() + LIMITS.marks.space_kept_back_bytes);
    let mut refused = 0;
    for subject in 2..10 {
        let outcome = engine.commit(vec![write(subject)]);
        refused += usize::from(matches!(outcome[0], Err(ShardError::Full { .. })));
    }
    assert!(refused > 0);
    let removal = operation(&shards, &Step::Remove(vec![Subject(0), Subject(1)]));
    engine.commit(vec![removal])[0].as_ref().expect("removed");
    let listed = engine.state().index.list_chunk(
        shards.key(Subject(0)).vault,
        shards.key(Subject(0)).evidence_id,
        ChunkIndex(0),
    );
    assert!(listed.expect("listed").is_empty());
    assert!(engine.state().offline.read().is_none());
    let log = disk.take_log();
    assert!(log.iter().any(|event| matches!(event, Event::Synced(_))));
}
