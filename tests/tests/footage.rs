//! Real camera footage goes in and comes out, whole and in parts, with two disks lost as well.

use std::{env, fs, path::PathBuf};

use custos_tests::{DevCluster, Scratch, assert_same_bytes, remove_disk};

/// The clips that `cargo xtask footage` fetched, by name.
fn clips() -> Vec<PathBuf> {
    let folder = env::var_os("CUSTOS_FOOTAGE_DIR")
        .expect("CUSTOS_FOOTAGE_DIR names the folder of clips: run `cargo xtask test footage`");
    let is_clip =
        |path: &PathBuf| path.extension().is_some_and(|ending| ending == "mp4" || ending == "avi");
    let entries = fs::read_dir(&folder).expect("the folder of clips");
    let mut clips: Vec<_> =
        entries.map(|entry| entry.expect("an entry").path()).filter(is_clip).collect();
    clips.sort();
    assert!(!clips.is_empty(), "there is no clip in {folder:?}");
    clips
}

#[test]
fn i2_real_footage_plays_back_byte_for_byte_whole_and_in_parts_with_two_disks_lost() {
    let clips = clips();
    let scratch = Scratch::new("footage");
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli();
    let mut kept = Vec::new();
    for clip in &clips {
        let run = cli.run(["put".as_ref(), "--json".as_ref(), clip.as_os_str()]);
        let receipt = run.expect_exit(0).receipt();
        let shown = cli.run(["show", "--json", &receipt.evidence_id]).expect_exit(0).json();
        let kind = shown.pointer("/descriptor/kind").or_else(|| shown.get("kind"));
        assert_eq!(kind.and_then(|kind| kind.as_str()), Some("video"), "{shown}");
        kept.push((clip, receipt.evidence_id));
    }
    for lost in [None, Some(0), Some(3)] {
        if let Some(disk) = lost {
            remove_disk(&cluster.disk_dir(disk));
        }
        for (clip, id) in &kept {
            let copy = scratch.path().join("copy.bin");
            cli.get(id, &copy);
            assert_same_bytes(clip, &copy);
            fs::remove_file(&copy).expect("the copy is ours");
            let bytes = fs::read(clip).expect("the clip");
            let (first, last) = (bytes.len() / 3, bytes.len() / 2);
            let range = cli.get_range(id, first as u64, last as u64);
            assert!(range == bytes[first..=last], "{first}-{last} of {}", clip.display());
        }
    }
}
