//! What is damaged while a disk is closed, or cannot be read for a while, or finds no space.

use custos_core::Timestamp;
use custos_ports::{Disk, FileAccess, ShardError};

use super::life::{LIMITS, ORDER, open};
use super::sim_disk::SimDisk;
use super::sim_index::SimIndex;
use super::spare_tests::{compact, key, new_disk, remove, shard, write};
use crate::engine::Engine;
use crate::index_store::IndexError;
use crate::operation::{CheckedShard, Operation};
use crate::reader;
use crate::record::BLOCK_BYTES;

const FIRST_EXTENT: &str = "extents/EXT-00000001.ext";
/// Where the payload of the second shard lies in the first extent.
const SECOND_PAYLOAD_AT: u64 = 6 * BLOCK_BYTES as u64;

fn block_at(disk: &SimDisk, offset: u64) -> Vec<u8> {
    let mut block = vec![0; BLOCK_BYTES];
    let file = disk.open(FIRST_EXTENT, FileAccess::Read).expect("there");
    file.read_at(&mut block, offset).expect("read");
    block
}

fn flip_second_payload(disk: &SimDisk) {
    let mut block = block_at(disk, SECOND_PAYLOAD_AT);
    block[99] ^= 1;
    let file = disk.open(FIRST_EXTENT, FileAccess::Append).expect("there");
    file.write_all_at(&block, SECOND_PAYLOAD_AT).expect("written");
}

fn open_without_index(disk: &SimDisk) -> Engine {
    open(disk, &SimIndex::new(disk.clone(), None)).expect("opened")
}

fn assert_whole(engine: &Engine, number: u8) {
    let read = reader::read(engine.state(), &key(number), None);
    assert_eq!(read.expect("read").payload, shard(number).payload, "shard {number}");
}

fn assert_absent(engine: &Engine, number: u8) {
    let read = reader::read(engine.state(), &key(number), None);
    assert!(matches!(read, Err(ShardError::NotFound { .. })), "shard {number}: {read:?}");
}

#[test]
fn the_last_record_before_a_close_is_corrupt_and_kept_when_it_rots() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    (0..2).for_each(|number| write(&mut engine, number));
    engine.close();
    flip_second_payload(&disk);
    let mut engine = open_without_index(&disk);
    let is_corrupt = |engine: &Engine| {
        let read = reader::read(engine.state(), &key(1), None);
        assert!(matches!(read, Err(ShardError::Corrupt { .. })), "{read:?}");
    };
    is_corrupt(&engine);
    (2..8).for_each(|number| write(&mut engine, number));
    remove(&mut engine, &[0, 2, 3, 4]);
    let before = block_at(&disk, SECOND_PAYLOAD_AT);
    compact(&mut engine);
    is_corrupt(&engine);
    assert_eq!(block_at(&disk, SECOND_PAYLOAD_AT), before);
    write(&mut engine, 1);
    assert_whole(&engine, 1);
}

#[test]
fn a_record_that_nothing_vouches_for_is_quarantined_and_its_extent_stays() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    (0..2).for_each(|number| write(&mut engine, number));
    // Killed.
    drop(engine);
    flip_second_payload(&disk);
    let mut engine = open_without_index(&disk);
    assert_absent(&engine, 1);
    (2..8).for_each(|number| write(&mut engine, number));
    remove(&mut engine, &[0, 2, 3, 4]);
    let before = block_at(&disk, SECOND_PAYLOAD_AT);
    compact(&mut engine);
    assert_eq!(block_at(&disk, SECOND_PAYLOAD_AT), before);
    engine.close();
    // It stays what it was found to be, though later records were complete.
    let engine = open_without_index(&disk);
    assert_absent(&engine, 1);
    assert_eq!(engine.state().quarantine(10).expect("listed").len(), 1);
    assert_eq!(block_at(&disk, SECOND_PAYLOAD_AT), before);
}

#[test]
fn what_is_removed_while_its_extent_cannot_be_read_stays_removed() {
    for (removed, extent) in [(0, 1), (6, 3)] {
        for is_vouched in [true, false] {
            let (disk, index) = new_disk();
            let mut engine = open(&disk, &index).expect("opened");
            (0..7).for_each(|number| write(&mut engine, number));
            engine.close();
            if !is_vouched {
                disk.remove("settled").expect("there");
            }
            (0..16).for_each(|block| disk.spoil(&format!("extents/EXT-{extent:08}.ext"), block));
            let mut engine = open_without_index(&disk);
            assert_absent(&engine, removed);
            remove(&mut engine, &[removed]);
            remove(&mut engine, &[removed]);
            let book = engine.state().index.book(4).expect("a new extent");
            assert_eq!(book.tombstones, 1, "it is noted once");
            write(&mut engine, 7);
            engine.close();
            disk.heal();
            let engine = open_without_index(&disk);
            assert_absent(&engine, removed);
            (0..8).filter(|number| *number != removed).for_each(|number| {
                assert_whole(&engine, number);
            });
        }
    }
}

#[test]
fn a_damaged_index_takes_the_disk_out_of_service_and_is_rebuilt_at_the_next_opening() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    (0..4).for_each(|number| write(&mut engine, number));
    index.damage();
    let read = reader::read(engine.state(), &key(0), None).expect_err("damaged");
    assert!(matches!(&read, ShardError::Offline { reason, .. } if reason.contains("index")));
    engine.close();
    let engine = open(&disk, &index).expect("opened");
    (0..4).for_each(|number| assert_whole(&engine, number));
    assert!(!disk.image().names().any(|name| name.contains("damaged")));
}

#[test]
fn an_index_found_damaged_while_it_is_brought_up_to_date_is_rebuilt_at_once() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    write(&mut engine, 0);
    let older = index.image();
    write(&mut engine, 1);
    engine.close();
    let index = SimIndex::new(disk.clone(), older);
    index.damage();
    let engine = open(&disk, &index).expect("opened");
    (0..2).for_each(|number| assert_whole(&engine, number));
}

#[test]
fn an_index_that_finds_no_space_refuses_and_the_disk_goes_on() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    write(&mut engine, 0);
    index.fail_write(IndexError::NoSpace("No space left on device".to_owned()));
    let refused = CheckedShard::new(shard(1)).expect("within the limits");
    let outcome = engine.commit(vec![Operation::Write(refused)]).remove(0);
    assert!(matches!(outcome, Err(ShardError::Full { .. })), "{outcome:?}");
    assert_eq!(engine.state().offline.read().clone(), None);
    assert_absent(&engine, 1);
    write(&mut engine, 2);
    drop(engine);
    let engine = open_without_index(&disk);
    assert_absent(&engine, 1);
    [0, 2].into_iter().for_each(|number| assert_whole(&engine, number));
}

#[test]
fn removals_of_many_months_take_a_block_each_of_what_is_kept_back() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    for number in 0..4 {
        let mut shard = shard(number);
        shard.retain_until = Timestamp::from_millis(0).plus_days(u32::from(number) * 30);
        let checked = CheckedShard::new(shard).expect("within the limits");
        engine.commit(vec![Operation::Write(checked)]).remove(0).expect("written");
    }
    engine.close();
    let mut engine = open(&disk, &index).expect("opened");
    disk.set_capacity(disk.used_bytes() + 4 * BLOCK_BYTES as u64);
    for number in 0..4 {
        let removal = Operation::Remove { keys: vec![key(number)], order: ORDER };
        engine.commit(vec![removal]).remove(0).expect("removed");
    }
}

#[test]
fn compaction_begins_only_what_there_is_room_for() {
    let (disk, index) = new_disk();
    let mut engine = open(&disk, &index).expect("opened");
    (0..7).for_each(|number| write(&mut engine, number));
    remove(&mut engine, &[0, 1]);
    // Room for the removals that are still to come, and not for the four blocks to be moved.
    let kept_bytes = LIMITS.marks.space_kept_back_bytes;
    disk.set_capacity(disk.used_bytes() + kept_bytes / 2 + 3 * BLOCK_BYTES as u64);
    let before = index.image();
    let step = engine.compact_step();
    assert!(matches!(step, Err(ShardError::Full { .. })), "{step:?}");
    assert_eq!(index.image(), before, "nothing was moved");
    disk.set_capacity(disk.used_bytes() + kept_bytes / 2 + 4 * BLOCK_BYTES as u64);
    compact(&mut engine);
    assert!(disk.open(FIRST_EXTENT, FileAccess::Read).is_err(), "it was given back");
    (2..7).for_each(|number| assert_whole(&engine, number));
}
