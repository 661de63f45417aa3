//! The ledger is backed up while it serves, lost with all its machines, and restored.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use custos_ledger::merkle;
use custos_tests::{
    BucketUsage, Cli, CliRun, Content, DevCluster, LedgerGroup, S3Server, Scratch, SourceFile,
    assert_same_bytes, run_custosd,
};
use data_encoding::HEXLOWER;
use serde_json::Value;

/// Files that are there before the first backup.
const FILES: usize = 24;
/// Clients that put at the same time.
const CLIENTS: usize = 3;

fn backup(cli: &Cli, place: &str, more: &[&str]) -> CliRun {
    cli.run([&["cluster", "backup", "--to", place, "--json"], more].concat())
}

fn taken(cli: &Cli, place: &str, more: &[&str]) -> Value {
    let run = backup(cli, place, more);
    run.expect_exit(0);
    run.json()
}

fn number(json: &Value, field: &str) -> u64 {
    json[field].as_u64().unwrap_or_else(|| panic!("no number {field:?} in {json}"))
}

fn text<'a>(json: &'a Value, field: &str) -> &'a str {
    json[field].as_str().unwrap_or_else(|| panic!("no text {field:?} in {json}"))
}

fn put_some(cli: &Cli, scratch: &Scratch, name: &str, files: usize) -> Vec<(String, SourceFile)> {
    let put = |number: usize| {
        let content = Content { seed: number as u64, size: 20_000 };
        let file = scratch.source_file(&format!("{name}-{number}.bin"), content);
        (cli.put(&file).evidence_id, file)
    };
    (0..files).map(put).collect()
}

/// Name, length and hash of each file of a backup, as its manifest says.
fn files_of(place: &Path, name: &str) -> Vec<(String, u64, String)> {
    let manifest = place.join("backups").join(format!("{name}.manifest"));
    let text = fs::read_to_string(&manifest).expect("its manifest");
    let files = text.lines().filter_map(|line| line.strip_prefix("file "));
    files
        .map(|line| {
            let parts: Vec<&str> = line.splitn(3, ' ').collect();
            (parts[2].to_owned(), parts[0].parse().expect("a length"), parts[1].to_owned())
        })
        .collect()
}

/// Root over the first entries of the custody log, hashed here from what the ledger lists.
fn root_over(cli: &Cli, entries: u64) -> String {
    let run = cli.run(["log", "show", "--json", "--limit", &entries.to_string()]);
    run.expect_exit(0);
    let mut tree = merkle::GrowingTree::default();
    for entry in run.json_lines() {
        let leaf = HEXLOWER.decode(text(&entry, "leaf").as_bytes()).expect("hexadecimal");
        tree.push(merkle::leaf_hash(&leaf));
    }
    assert_eq!(tree.size(), entries);
    HEXLOWER.encode(&tree.root())
}

#[test]
fn the_drill_a_lost_ledger_is_restored_with_all_that_was_put_before_its_backup() {
    let scratch = Scratch::new("ledger-backup");
    let place = scratch.path().join("backups");
    let to = place.display().to_string();
    let mut group = LedgerGroup::start(&scratch, 3);
    let cli = group.cli();
    let before = put_some(&cli, &scratch, "before", FILES);

    // While clients put: what was acknowledged before is in it, and nobody has to wait.
    let stop = AtomicBool::new(false);
    let first = thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (cli, stop, scratch) = (&cli, &stop, &scratch);
            scope.spawn(move || {
                let mut round = 0;
                while !stop.load(Ordering::Acquire) {
                    put_some(cli, scratch, &format!("meanwhile-{client}-{round}"), 1);
                    round += 1;
                }
            });
        }
        let first = taken(&cli, &to, &[]);
        stop.store(true, Ordering::Release);
        first
    });
    assert_eq!(first["sent_bytes"], first["bytes"], "{first}");

    // Nobody puts any more: no table is written anew for the sake of what was being read.
    let quiet = taken(&cli, &to, &[]);
    put_some(&cli, &scratch, "between", 2);
    let listed = cli.list_ids();
    let entries = number(&cli.run(["log", "checkpoint", "--json"]).json(), "size");
    let second = taken(&cli, &to, &["--keep", "5"]);
    check_increment(&place, &quiet, &second);
    assert_eq!(number(&second, "recorded_at"), entries, "it is on record before it is taken");
    assert_eq!(number(&second, "custody_size"), entries + 1);
    let late = put_some(&cli, &scratch, "late", 1).remove(0);
    let verified = cli.run(["cluster", "backup", "verify", "--from", &to, "--json"]);
    verified.expect_exit(0);
    assert!(verified.json_lines().iter().all(|backup| backup["whole"] == true));

    group.lose_ledger();
    let config = group.config_file(0).display().to_string();
    let restored = run_custosd(["restore", "--from", &to, "--config", &config], &[]);
    restored.expect_exit(0);
    assert!(String::from_utf8_lossy(&restored.stdout).contains("metadata node 4"), "{restored:?}");
    for number in group.members() {
        group.meta(number).restart();
        group.wait_for_vote(number);
    }
    assert!(group.worker().terminate().success());
    group.worker().restart();

    assert_eq!(cli.list_ids(), listed, "all of the backup, and nothing else");
    assert!(!listed.contains(&late.0));
    for (id, file) in before.iter().step_by(7) {
        let copy = scratch.path().join(format!("{id}.copy"));
        cli.get(id, &copy);
        assert_same_bytes(&file.path, &copy);
    }
    check_custody_log(&cli, &second);
    let members = cli.run(["meta", "ls", "--json"]).json_lines();
    let ids: Vec<u64> = members.iter().map(|member| number(member, "id")).collect();
    assert_eq!(ids, [4, 5, 6], "no id of a lost member comes back");
    put_some(&cli, &scratch, "after", 2);
    cli.put(&late.1);
    let status = cli.run(["cluster", "status", "--json"]).json();
    assert_eq!(status["healthy"], true, "{status}");
    // The restored ledger is backed up to the same place.
    let third = taken(&cli, &to, &["--keep", "1"]);
    assert_eq!(third["pruned"].as_array().map(Vec::len), Some(3), "{third}");
    let from = ["cluster", "backup", "verify", "--from", &to, "--json"];
    let whole = cli.run(from);
    whole.expect_exit(0);
    assert_eq!(whole.json()["name"], third["name"]);
}

fn check_increment(place: &Path, first: &Value, second: &Value) {
    let before = files_of(place, text(first, "name"));
    let after = files_of(place, text(second, "name"));
    let is_kept = |file: &&(String, u64, String)| before.iter().any(|it| it.2 == file.2);
    let reused: u64 = after.iter().filter(is_kept).map(|file| file.1).sum();
    let tables = before.iter().filter(|file| file.0.ends_with(".sst"));
    let (tables, bytes) = (tables.map(|file| file.1).sum::<u64>(), number(second, "bytes"));
    let sent = number(second, "sent_bytes");
    eprintln!("first {first}\nsecond {second}\n{tables} bytes of tables, {reused} reused");
    assert!(tables > 0 && reused >= tables, "every table of the first backup serves the second");
    assert_eq!(sent + reused, bytes);
    assert!(sent * 2 < bytes, "much less comes than there is");
}

fn check_custody_log(cli: &Cli, backup: &Value) {
    let entries = number(backup, "custody_size");
    assert_eq!(root_over(cli, entries), text(backup, "custody_root"));
    let from = entries.to_string();
    let next = cli.run(["log", "show", "--json", "--from", &from, "--limit", "1"]).json();
    let detail = text(&next, "detail");
    assert!(detail.contains(text(backup, "name")), "{detail}");
    assert!(detail.contains("metadata node 4 keeps it"), "{detail}");
    let proof = cli.run(["log", "prove", "--entry", &from, "--json"]);
    proof.expect_exit(0);
}

/// A cluster in one process with two backups in a folder.
struct Backups {
    scratch: Scratch,
    cluster: DevCluster,
    place: PathBuf,
    names: [String; 2],
}

impl Backups {
    fn taken(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let cluster = DevCluster::start(&scratch);
        let place = scratch.path().join("backups");
        let to = place.display().to_string();
        put_some(&cluster.cli(), &scratch, "a", 2);
        let first = taken(&cluster.cli(), &to, &[]);
        put_some(&cluster.cli(), &scratch, "b", 1);
        let second = taken(&cluster.cli(), &to, &[]);
        let names = [first, second].map(|backup| text(&backup, "name").to_owned());
        Self { scratch, cluster, place, names }
    }

    fn restore(&self, place: &Path, target: &Path, more: &[&str]) -> CliRun {
        let (from, data) = (place.display().to_string(), target.display().to_string());
        run_custosd([&["restore", "--from", &from, "--data", &data], more].concat(), &[])
    }

    fn verify(&self, place: &Path) -> CliRun {
        let from = place.display().to_string();
        self.cluster.cli().run(["cluster", "backup", "verify", "--from", &from])
    }

    /// A copy of the folder, to be damaged.
    fn copy(&self, name: &str) -> PathBuf {
        let copy = self.scratch.path().join(name);
        custos_tests::copy_folder(&self.place, &copy);
        copy
    }

    /// A table file that only the newest backup has.
    fn newest_table(&self, place: &Path) -> PathBuf {
        let before = files_of(place, &self.names[0]);
        let is_new = |file: &(String, u64, String)| {
            file.0.ends_with(".sst") && before.iter().all(|it| it.2 != file.2)
        };
        let file = files_of(place, &self.names[1]).into_iter().find(is_new).expect("a new table");
        place.join("files").join(file.2)
    }

    fn manifest(&self, place: &Path) -> PathBuf {
        place.join("backups").join(format!("{}.manifest", self.names[1]))
    }

    /// No ledger is there that a process would start with.
    fn expect_nothing_in(&self, target: &Path) {
        let left: Vec<_> = fs::read_dir(target)
            .map(|entries| entries.map(|entry| entry.expect("readable").file_name()).collect())
            .unwrap_or_default();
        assert!(left.iter().all(|name| name == "lock"), "{left:?}");
    }
}

#[test]
fn i2_a_damaged_backup_is_named_and_restores_nothing() {
    let backups = Backups::taken("backup-damaged");
    let flip = |path: PathBuf, at: usize| {
        let mut bytes = fs::read(&path).expect("read");
        bytes[at] ^= 0x20;
        fs::write(path, bytes).expect("written");
    };
    type Damage<'a> = Box<dyn Fn(&Path) + 'a>;
    let cases: [(&str, Damage<'_>, &str); 5] = [
        (
            "cut",
            Box::new(|place| {
                let path = backups.newest_table(place);
                let bytes = fs::read(&path).expect("read");
                fs::write(&path, &bytes[..bytes.len() - 1]).expect("written");
            }),
            "is cut short",
        ),
        ("altered", Box::new(|place| flip(backups.newest_table(place), 40)), "was altered"),
        (
            "missing",
            Box::new(|place| fs::remove_file(backups.newest_table(place)).expect("removed")),
            "is missing",
        ),
        (
            "manifest",
            Box::new(|place| flip(backups.manifest(place), 60)),
            "its manifest was altered",
        ),
        (
            "manifest-cut",
            Box::new(|place| fs::write(backups.manifest(place), "custos led").expect("written")),
            "its manifest",
        ),
    ];
    for (name, damage, says) in cases {
        let place = backups.copy(name);
        damage(&place);
        let target = backups.scratch.path().join(format!("{name}-target"));
        let run = backups.restore(&place, &target, &[]);
        run.expect_exit(5).expect_message(&[says, &backups.names[1]]);
        backups.expect_nothing_in(&target);
        let verified = backups.verify(&place);
        verified.expect_exit(5).expect_message(&["1 of 2 backups are damaged"]);
        assert!(String::from_utf8_lossy(&verified.stdout).contains(says), "{verified:?}");
        // The other one is whole.
        backups.restore(&place, &target, &["--backup", &backups.names[0]]).expect_exit(0);
        assert!(target.join("meta/meta.json").exists() && target.join("custosd.json").exists());
    }
    let manifest = fs::read_to_string(backups.manifest(&backups.place)).expect("read");
    let place = backups.copy("newer");
    let newer = manifest.replacen("format 1", "format 2", 1);
    fs::write(backups.manifest(&place), newer).expect("written");
    let target = backups.scratch.path().join("newer-target");
    backups.restore(&place, &target, &[]).expect_exit(2).expect_message(&["has format 2"]);
    assert!(!target.exists());
}

#[test]
fn a_restore_that_cannot_be_says_why_and_changes_nothing() {
    let backups = Backups::taken("backup-refused");
    let (place, scratch) = (&backups.place, backups.scratch.path());
    let target = scratch.join("target");
    let unknown = backups.restore(place, &target, &["--backup", "2020-01-01T000000.000Z-1"]);
    unknown.expect_exit(4).expect_message(&["holds no backup \"2020", &backups.names[1]]);
    let nothing = backups.restore(&scratch.join("nowhere"), &target, &[]);
    nothing.expect_exit(4).expect_message(&["holds no backup"]);
    let other = backups.restore(place, &target, &["--cluster", "custos.other"]);
    other.expect_exit(5).expect_message(&["custos.dev/", "not of custos.other"]);
    assert!(!target.exists());
    backups.restore(place, &target, &["--cluster", "custos.dev"]).expect_exit(0);
    let again = backups.restore(place, &target, &[]);
    again.expect_exit(2).expect_message(&["into an empty folder"]);
    let strange = scratch.join("strange");
    fs::create_dir(&strange).expect("made");
    fs::write(strange.join("holiday.jpg"), "x").expect("written");
    backups.restore(place, &strange, &[]).expect_exit(2).expect_message(&["\"holiday.jpg\""]);
    assert_eq!(fs::read_dir(&strange).expect("list").count(), 1);

    // What a restore left that was cut short is no hindrance.
    let cut = scratch.join("cut");
    fs::create_dir_all(cut.join("restore.draft/meta/state")).expect("made");
    fs::write(cut.join("custosd.json"), "{}").expect("written");
    backups.restore(place, &cut, &[]).expect_exit(0);
    assert!(!cut.join("restore.draft").exists());
}

#[test]
fn a_backup_that_cannot_be_kept_is_none_and_old_ones_stay() {
    let mut backups = Backups::taken("backup-not-kept");
    let cli = backups.cluster.cli();
    let to = backups.place.display().to_string();
    let file = backups.scratch.source_file("file", Content { seed: 1, size: 10 }).path;
    let below = file.join("place").display().to_string();
    backup(&cli, &below, &[])
        .expect_exit(2)
        .expect_message(&["cannot create folder", "file/place"]);
    backup(&cli, "ftp://x", &[]).expect_exit(2).expect_message(&["write a folder or s3://"]);
    let no_keys = cli.with_environment(vec![("AWS_ACCESS_KEY_ID", String::new())]);
    backup(&no_keys, "s3://x", &[]).expect_exit(2).expect_message(&["AWS_SECRET_ACCESS_KEY"]);
    let held = fs::File::open(backups.place.join("lock")).expect("the lock");
    held.try_lock().expect("free");
    backup(&cli, &to, &[]).expect_exit(6).expect_message(&["another backup is being written"]);
    drop(held);

    // One that is cut short by the end of the cluster does not count.
    backups.cluster.kill9();
    backup(&cli, &to, &[]).expect_exit(6);
    let ls = ["cluster", "backup", "ls", "--from", &to, "--json"];
    assert_eq!(cli.run(ls).json_lines().len(), 2);
    backups.cluster.restart();
    // Nor what one left that was cut short itself: the next clears it away.
    let orphan = backups.place.join("files").join("0".repeat(64));
    fs::write(&orphan, "half").expect("written");
    fs::create_dir_all(backups.place.join("drafts")).expect("made");
    fs::write(backups.place.join("drafts/x"), "half").expect("written");
    let third = taken(&cli, &to, &["--keep", "2"]);
    assert_eq!(third["pruned"], serde_json::json!([backups.names[0]]));
    assert!(!orphan.exists() && !backups.place.join("drafts").exists());
    let listed = cli.run(ls).json_lines();
    let names: Vec<_> = listed.iter().map(|backup| text(backup, "name")).collect();
    assert_eq!(names, [&backups.names[1], text(&third, "name")]);
    backups.verify(&backups.place).expect_exit(0);

    let other_scratch = Scratch::new("backup-other-cluster");
    let other = DevCluster::start(&other_scratch);
    let refused = backup(&other.cli(), &to, &[]);
    refused.expect_exit(5).expect_message(&["holds backups of cluster"]);
}

#[test]
fn a_kept_file_that_was_cut_short_comes_again_with_the_next_backup() {
    let backups = Backups::taken("backup-mended");
    let table = backups.newest_table(&backups.place);
    let len = fs::metadata(&table).expect("there").len();
    fs::write(&table, "short").expect("written");
    backups.verify(&backups.place).expect_exit(5);
    taken(&backups.cluster.cli(), &backups.place.display().to_string(), &[]);
    assert_eq!(fs::metadata(&table).expect("there").len(), len);
    backups.verify(&backups.place).expect_exit(0);
}

#[test]
fn backups_in_a_bucket_are_incremental_verified_and_restored_like_those_in_a_folder() {
    let scratch = Scratch::new("backup-bucket");
    let server = S3Server::start(&scratch);
    let environment = server.bucket(BucketUsage::Disk { weight: 1 }).backup_environment();
    let cluster = DevCluster::start(&scratch);
    let cli = cluster.cli().with_environment(environment.clone());
    let place = "s3://footage/ledger/backups";
    put_some(&cli, &scratch, "a", 2);
    let first = taken(&cli, place, &[]);
    put_some(&cli, &scratch, "b", 1);
    let second = taken(&cli, place, &["--keep", "2"]);
    assert!(number(&second, "sent_bytes") < number(&second, "bytes"), "{second}");
    let from = ["cluster", "backup", "verify", "--from", place, "--json"];
    let verified = cli.run(from);
    verified.expect_exit(0);
    assert_eq!(verified.json_lines().len(), 2);
    let restore = |target: &str, more: &[&str]| {
        let data = scratch.path().join(target).display().to_string();
        let line = [&["restore", "--from", place, "--data", &data], more].concat();
        run_custosd(line, &environment)
    };
    restore("newest", &[]).expect_exit(0);
    let third = taken(&cli, place, &["--keep", "1"]);
    assert_eq!(third["pruned"], serde_json::json!([first["name"], second["name"]]));
    restore("gone", &["--backup", text(&first, "name")]).expect_exit(4);
    let wrong = server.bucket(BucketUsage::Disk { weight: 1 }).with_wrong_secret();
    let wrong = cluster.cli().with_environment(wrong.backup_environment());
    backup(&wrong, place, &[]).expect_exit(6).expect_message(&["check access key and secret"]);

    let files = server.shards("ledger/backups/files");
    let largest = files.iter().max_by_key(|file| fs::metadata(file).map_or(0, |it| it.len()));
    let largest = largest.expect("it has files");
    let mut bytes = fs::read(largest).expect("read");
    bytes[7] ^= 1;
    fs::write(largest, bytes).expect("written");
    cli.run(from).expect_exit(5);
    restore("damaged", &[]).expect_exit(5).expect_message(&["was altered"]);
    assert!(!scratch.path().join("damaged/custosd.json").exists());
}
