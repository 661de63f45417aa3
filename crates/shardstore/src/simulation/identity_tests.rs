use custos_core::{DiskGeneration, RunId};

use super::life::{Event, ID};
use super::medium::{Medium, Survival};
use super::random::Random;
use super::sim_disk::{Fault, SimDisk};
use crate::OpenMode;
use crate::identity::{Identity, Opening, check, store};

const STATES_PER_STEP: usize = 20;

#[test]
fn a_crash_while_the_identity_is_replaced_leaves_the_old_or_the_new() {
    let seed = 7;
    let mut random = Random::new(seed);
    let old = Identity { id: ID, generation: DiskGeneration(4), opening: None };
    let opening = Opening { generation: DiskGeneration(5), run: RunId::from_bytes([9; 16]) };
    let new = Identity { opening: Some(opening), ..old };
    let disk = SimDisk::new(Medium::default(), 1);
    store(&disk, &old).expect("stored");
    // A crash left the beginning of another one.
    disk.fail_after(Fault::Write, 0);
    store(&disk, &old).expect_err("half written");
    let mut medium = Medium::new(disk.image());
    disk.take_log();
    store(&disk, &new).expect("stored");
    let log = disk.take_log();
    assert!(log.len() > 4, "{log:?}");
    for (step, event) in log.into_iter().enumerate() {
        match event {
            Event::Effect(effect) => medium.add(effect),
            Event::Synced(inode) => medium.sync(inode),
            Event::FolderSynced(folder) => medium.sync_folder(&folder),
            event => panic!("{event:?}"),
        }
        for state in 0..STATES_PER_STEP {
            let image = medium.crash(Survival::Some, &mut random);
            let disk = SimDisk::new(Medium::new(image), 1);
            let found = check(&disk, OpenMode::Existing, Some(ID)).expect("readable");
            let found = found.expect("there");
            let context = format!("seed {seed}, step {step}, state {state}: {found:?}");
            assert!(found == old || found == new, "{context}");
        }
    }
    let end = SimDisk::new(Medium::new(medium.crash(Survival::Nothing, &mut random)), 1);
    assert_eq!(check(&end, OpenMode::Existing, None).expect("readable"), Some(new));
}
