//! Extents that are given back become others, and nobody takes one for the other.

use std::sync::Arc;

use bytes::Bytes;
use custos_core::ChunkIndex;
use custos_ports::{Disk, FileAccess, ShardError, ShardKey, ShardWrite};
use parking_lot::Mutex;

use super::image::Effect;
use super::life::{Event, Life, ORDER, Start, Troubles, live, open};
use super::medium::Medium;
use super::random::Random;
use super::shards::{Shards, Subject, Version};
use super::sim_disk::SimDisk;
use super::sim_index::SimIndex;
use crate::compaction::CompactionStep;
use crate::engine::Engine;
use crate::limits::SPARE_FILES_MAX;
use crate::operation::{CheckedShard, Operation};
use crate::reader;
use crate::record::BLOCK_BYTES;

const SEED: u64 = 20_261_122;
const NEVER_ZERO: u8 = 0x80;

/// Three of these fill an extent.
pub(crate) fn shard(number: u8) -> ShardWrite {
    let mut shard = Shards::new(SEED).shard(Subject(0), Version(0)).clone();
    shard.key.chunk = ChunkIndex(u32::from(number));
    shard.payload = Bytes::from(vec![NEVER_ZERO | number; 12_000]);
    shard
}

pub(crate) fn key(number: u8) -> ShardKey {
    shard(number).key
}

pub(crate) fn write(engine: &mut Engine, number: u8) {
    let checked = CheckedShard::new(shard(number)).expect("within the limits");
    engine.commit(vec![Operation::Write(checked)]).remove(0).expect("written");
}

pub(crate) fn remove(engine: &mut Engine, numbers: &[u8]) {
    let keys = numbers.iter().map(|number| key(*number)).collect();
    let removal = Operation::Remove { keys, order: ORDER };
    engine.commit(vec![removal]).remove(0).expect("removed");
}

pub(crate) fn compact(engine: &mut Engine) {
    while engine.compact_step().expect("compacted") != CompactionStep::Idle {}
}

pub(crate) fn new_disk() -> (SimDisk, SimIndex) {
    println!("seed {SEED}");
    let disk = SimDisk::new(Medium::default(), SEED);
    let index = SimIndex::new(disk.clone(), None);
    (disk, index)
}

/// Renames to a name with this in it.
fn renames_to(log: &[Event], part: &str) -> usize {
    let is_one = |event: &&Event| match event {
        Event::Effect(Effect::Rename { to, .. }) => to.contains(part),
        _ => false,
    };
    log.iter().filter(is_one).count()
}

/// Reads shard 0 while what `meanwhile` does happens between the opening of its file and the read.
fn read_while(meanwhile: impl FnOnce(&mut Engine) + Send + 'static) -> Result<Bytes, ShardError> {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    (0..7).for_each(|number| write(&mut engine, number));
    remove(&mut engine, &[1, 2]);
    let state = engine.state().clone();
    let engine = Arc::new(Mutex::new(engine));
    let held = engine.clone();
    disk.take_log();
    disk.at_next_read(move || {
        let mut engine = held.lock();
        meanwhile(&mut engine);
        compact(&mut engine);
        (7..10).for_each(|number| write(&mut engine, number));
    });
    let read = reader::read(&state, &key(0), None);
    let log = disk.take_log();
    assert!(renames_to(&log, "SPARE-00000001") == 1, "the extent that is read was set aside");
    assert!(renames_to(&log, "EXT-") >= 1, "and became another");
    assert_eq!(state.offline.read().clone(), None);
    drop(engine);
    read.map(|read| read.payload)
}

#[test]
fn a_read_whose_extent_becomes_another_meanwhile_finds_the_shard_where_it_went() {
    let payload = read_while(|_| {}).expect("read");
    assert_eq!(payload, shard(0).payload);
}

#[test]
fn a_read_of_a_shard_that_is_removed_and_written_over_meanwhile_finds_none() {
    let read = read_while(|engine| remove(engine, &[0]));
    assert!(matches!(read, Err(ShardError::NotFound { .. })), "{read:?}");
}

#[test]
fn an_extent_made_of_a_spare_file_is_all_its_own() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    (0..7).for_each(|number| write(&mut engine, number));
    remove(&mut engine, &[0, 1, 2, 3, 4, 5]);
    compact(&mut engine);
    (7..12).for_each(|number| write(&mut engine, number));
    assert!(renames_to(&disk.take_log(), "EXT-") >= 1, "one was reused");
    // Killed: the next process has no index, and looks at every block.
    drop(engine);
    let index = SimIndex::new(disk.clone(), None);
    let engine = open(&disk, &index).expect("opened");
    assert_eq!(engine.state().quarantine(10).expect("listed"), []);
    for number in 6..12 {
        let read = reader::read(engine.state(), &key(number), None).expect("read");
        assert_eq!(read.payload, shard(number).payload, "shard {number}");
    }
}

#[test]
fn spare_files_found_at_an_opening_are_zeroed_and_those_beyond_the_bound_go() {
    let (disk, index) = new_disk();
    for number in 0..SPARE_FILES_MAX + 2 {
        let file = disk.create(&format!("extents/SPARE-{number:08}.ext")).expect("made");
        file.write_all_at(&[0xaa; 16 * BLOCK_BYTES], 0).expect("written");
    }
    // Far too short, and far too long.
    for (number, blocks) in [(90, 1), (91, 17)] {
        let file = disk.create(&format!("extents/SPARE-{number:08}.ext")).expect("made");
        file.set_len(blocks * BLOCK_BYTES as u64).expect("enlarged");
    }
    let engine = open(&disk, &index).expect("opened");
    let names = disk.list("extents").expect("listed");
    assert_eq!(names.len(), SPARE_FILES_MAX, "{names:?}");
    for name in names {
        let file = disk.open(&format!("extents/{name}"), FileAccess::Read).expect("opened");
        assert_eq!(file.next_data(0).expect("looked at"), None, "{name}");
    }
    let spare_bytes = (SPARE_FILES_MAX * 16 * BLOCK_BYTES) as u64;
    assert_eq!(engine.state().holdings().spare_bytes, spare_bytes);
    assert_eq!(engine.state().quarantine(10).expect("listed"), []);
}

#[test]
fn a_disk_that_runs_short_of_space_gives_its_spare_files_up() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    (0..7).for_each(|number| write(&mut engine, number));
    remove(&mut engine, &[0, 1, 2, 3, 4, 5]);
    compact(&mut engine);
    let spares = || {
        let names = disk.list("extents").expect("listed");
        names.iter().filter(|name| name.starts_with("SPARE-")).count()
    };
    assert!(spares() > 0 && engine.state().holdings().spare_bytes > 0);
    disk.set_capacity(disk.used_bytes() + 60_000);
    write(&mut engine, 7);
    assert_eq!((spares(), engine.state().holdings().spare_bytes), (0, 0));
}

#[test]
fn the_lives_that_are_crashed_make_spare_files_and_reuse_them() {
    let (mut made, mut reused) = (0, 0);
    for seed in 1..=10 {
        let mut random = Random::new(seed);
        let shards = Shards::new(seed);
        let life = live(&shards, Start::empty(), 24, Troubles::None, &mut random);
        let Life { log, .. } = life.unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        made += renames_to(&log, "SPARE-");
        reused += renames_to(&log, "EXT-");
    }
    println!("{made} spare files in 10 lives, {reused} reused");
    assert!(made >= 10 && reused >= 10, "{made} made, {reused} reused");
}
