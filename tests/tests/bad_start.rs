//! Bad surroundings: directories, ports, disks and configurations that are not as they should be.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use custos_tests::{
    Cli, CliRun, ClientConfig, Content, DevCluster, DevOptions, Scratch, SmallDisk, SourceFile,
    assert_same_bytes,
};
use serde_json::Value;

#[test]
fn a_port_in_use_is_named_and_the_directory_can_be_used_afterwards() {
    let scratch = Scratch::new("port");
    let options = DevOptions::in_scratch(&scratch);
    let taken = TcpListener::bind(options.listen).expect("the port was free");
    let failed = DevCluster::try_start(options.clone()).expect_err("the port is taken");
    failed.expect(6, &[&options.listen.to_string()]);
    drop(taken);
    DevCluster::start_with(options).cli().expect_untroubled(&[], &scratch);
}

#[test]
fn a_directory_of_a_newer_format_is_refused_by_name_and_left_as_it_is() {
    let scratch = Scratch::new("newer");
    let mut cluster = DevCluster::start(&scratch);
    let file = scratch.source_file("source.bin", Content { seed: 1, size: 100_000 });
    let id = cluster.cli().put(&file).evidence_id;
    cluster.terminate();
    let options = cluster.options().clone();
    drop(cluster);

    let mut changed = 0;
    for path in json_files(&options.data_dir, 3) {
        // How far the scrub is may be forgotten.
        if path.components().any(|part| part.as_os_str() == "scrub") {
            continue;
        }
        let original = fs::read_to_string(&path).expect("a small file");
        let Some(newer) = with_newer_format(&original) else { continue };
        changed += 1;
        fs::write(&path, &newer).expect("the file is ours");
        let failed = match DevCluster::try_start(options.clone()) {
            Err(failed) => failed,
            Ok(_) => panic!("it runs although {} is of a newer format", path.display()),
        };
        // Named at least by its folder.
        let folder = path.parent().and_then(|folder| folder.to_str()).expect("UTF-8");
        failed.expect(2, &[folder, "newer"]);
        assert_eq!(fs::read_to_string(&path).expect("still there"), newer, "it was changed");
        fs::write(&path, original).expect("the file is ours");
    }
    assert_eq!(changed, 2 + 2 + 6, "the directory, its ledger, its storage node and its six disks");

    let cluster = DevCluster::start_with(options);
    let cli = cluster.cli();
    let copy = scratch.path().join("copy.bin");
    cli.get(&id, &copy);
    assert_same_bytes(&file.path, &copy);
}

#[test]
fn a_data_path_that_is_a_file_is_refused_by_name() {
    let scratch = Scratch::new("file-as-dir");
    let path = scratch.text_file("data", "precious");
    let options = DevOptions::in_scratch(&scratch);
    assert_eq!(options.data_dir, path);
    let failed = DevCluster::try_start(options).expect_err("a file is no directory");
    failed.expect(2, &[path.to_str().expect("UTF-8")]);
    assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
}

#[test]
fn a_folder_with_other_things_in_it_is_not_taken_over() {
    let scratch = Scratch::new("foreign-dir");
    let data = scratch.folder("data");
    fs::write(data.join("thesis.txt"), "precious").expect("the folder is ours");
    let failed = DevCluster::try_start(DevOptions::in_scratch(&scratch))
        .expect_err("the folder is not a cluster's");
    failed.expect(2, &[data.to_str().expect("UTF-8")]);
    let names: Vec<_> = fs::read_dir(&data)
        .expect("still there")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    assert_eq!(names, ["thesis.txt"], "something was written into it");
}

#[test]
fn another_profile_than_the_directory_was_made_with_is_refused() {
    let scratch = Scratch::new("profile");
    let mut cluster = DevCluster::start(&scratch);
    cluster.terminate();
    let options = DevOptions { profile: "2+1".to_owned(), ..cluster.options().clone() };
    drop(cluster);
    let failed = DevCluster::try_start(options).expect_err("the profile differs");
    failed.expect(2, &["2+1", "4+2"]);
    DevCluster::start(&scratch).cli().expect_untroubled(&[], &scratch);
}

#[test]
fn a_damaged_client_configuration_is_named_with_what_is_wrong() {
    let scratch = Scratch::new("client-toml");
    let cluster = DevCluster::start(&scratch);
    let good = ClientConfig::read(&cluster.client_toml());
    let text = fs::read_to_string(cluster.client_toml()).expect("it is there");

    let not_toml = scratch.text_file("damaged.toml", "endpoint = \"https://\n[[[");
    let half = scratch.text_file("half.toml", &text[..text.len() / 2]);
    let empty = scratch.text_file("empty.toml", "");
    let unknown = scratch.text_file("unknown.toml", &format!("colour = \"red\"\n{text}"));
    let missing = scratch.path().join("missing.toml");
    let binary = scratch.path().join("binary.toml");
    fs::write(&binary, [0xff, 0xfe, 0, 1, 2]).expect("the folder is ours");
    for path in [not_toml, half, empty, missing, binary] {
        expect_bad_config(&scratch, &path, path.to_str().expect("UTF-8"));
    }
    expect_bad_config(&scratch, &unknown, "colour");

    for key in ClientConfig::required_keys() {
        let path = scratch.path().join(format!("without-{key}.toml"));
        good.without(key).write(&path);
        expect_bad_config(&scratch, &path, key);
        good.with_text(key, "\u{1}nonsense").write(&path);
        expect_bad_config(&scratch, &path, key);
    }
    cluster.cli().expect_untroubled(&[], &scratch);
}

#[test]
fn with_no_server_the_client_says_so_and_ends_with_exit_code_6() {
    let scratch = Scratch::new("no-server");
    let mut cluster = DevCluster::start(&scratch);
    cluster.terminate();
    let listen = cluster.options().listen.to_string();
    cluster.cli().run(["ls"]).expect_exit(6).expect_message(&[&listen]);
}

#[test]
fn i10_when_the_store_has_filled_its_disk_puts_are_refused_and_all_else_works() {
    let scratch = Scratch::new("full-by-puts");
    let Some(disk) = SmallDisk::mount(&scratch.folder("small"), 700) else { return };
    let mut cluster = DevCluster::start_with(on_disk(&disk, &scratch));
    let cli = cluster.cli().within(Duration::from_secs(300));
    let filler = disk.path().join("filler");
    Content { seed: 0, size: 150 << 20 }.write_to(&filler);

    let file = scratch.source_file("source.bin", Content { seed: 1, size: 32 << 20 });
    let mut ids = Vec::new();
    let refused = loop {
        assert!(ids.len() < 20, "32 MiB at a time never fill the disk");
        let note = format!("--note=copy {}", ids.len());
        let run = impatient_put(&cli, &["--json", &note], &file);
        if run.exit_code != Some(0) {
            break run;
        }
        ids.push(run.expect_receipt_of(&file).evidence_id);
    };
    refused.expect_exit(6).expect_message(&["space"]);
    assert!(refused.stdout.is_empty(), "a receipt was printed");
    assert!(!ids.is_empty(), "the first put fits");
    assert!(cluster.is_running(), "the server ended");

    let copy = scratch.path().join("copy.bin");
    cli.get(&ids[0], &copy);
    assert_same_bytes(&file.path, &copy);
    cluster.kill9();
    cluster.restart();
    fs::remove_file(&copy).expect("the copy is ours");
    cli.get(&ids[ids.len() - 1], &copy);
    assert_same_bytes(&file.path, &copy);

    fs::remove_file(&filler).expect("the filler is ours");
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    cli.expect_untroubled(&ids, &scratch);
}

#[test]
fn i1_when_others_have_filled_the_disk_to_the_last_byte_nothing_acknowledged_is_lost() {
    let scratch = Scratch::new("full-by-others");
    let Some(disk) = SmallDisk::mount(&scratch.folder("small"), 500) else { return };
    let mut cluster = DevCluster::start_with(on_disk(&disk, &scratch));
    let cli = cluster.cli().within(Duration::from_secs(300));
    let file = scratch.source_file("source.bin", Content { seed: 1, size: 10 << 20 });
    let id = cli.put(&file).evidence_id;

    let filler = disk.path().join("filler");
    fill_to_the_last_byte(&filler);
    // More than the extents have preallocated: what fits there may still be taken.
    let other = scratch.source_file("other.bin", Content { seed: 2, size: 150 << 20 });
    let refused = impatient_put(&cli, &["--json"], &other);
    refused.expect_exit(6);
    assert!(refused.stdout.is_empty(), "a receipt was printed");
    fs::remove_file(&filler).expect("the filler is ours");

    cluster.kill9();
    cluster.restart();
    let copy = scratch.path().join("copy.bin");
    cli.get(&id, &copy);
    assert_same_bytes(&file.path, &copy);
    cli.expect_untroubled(&[&id], &scratch);
}

/// A put that gives up soon: by itself the client waits minutes for a full disk to be cleared.
fn impatient_put(cli: &Cli, options: &[&str], file: &SourceFile) -> CliRun {
    let mut args = vec!["put".as_ref(), "--retry-for=5s".as_ref(), file.path.as_os_str()];
    args.extend(options.iter().map(AsRef::<OsStr>::as_ref));
    cli.run(args)
}

fn on_disk(disk: &SmallDisk, scratch: &Scratch) -> DevOptions {
    DevOptions { data_dir: disk.path().join("data"), ..DevOptions::in_scratch(scratch) }
}

fn fill_to_the_last_byte(path: &Path) {
    let mut file = File::create(path).expect("the folder is ours");
    for len in [1 << 20, 4096] {
        let block = vec![0; len];
        while file.write_all(&block).is_ok() {}
    }
}

fn expect_bad_config(scratch: &Scratch, path: &Path, named: &str) {
    let run = Cli::new(path.to_path_buf(), scratch.path()).run(["ls"]);
    let file_name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
    run.expect_exit(2).expect_message(&[file_name, named]);
}

/// JSON files in the folder, down to `depth` levels of folders.
fn json_files(dir: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display())) {
        let path = entry.expect("readable").path();
        if path.is_dir() && depth > 0 {
            found.extend(json_files(&path, depth - 1));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found
}

/// The text with its format version raised; `None` when it names none.
fn with_newer_format(text: &str) -> Option<String> {
    let mut json: Value = serde_json::from_str(text).ok()?;
    let version = json.as_object_mut()?.iter_mut().find_map(|(name, value)| {
        ((name.contains("format") || name == "version") && value.is_u64()).then_some(value)
    })?;
    *version = Value::from(version.as_u64()? + 1000);
    Some(json.to_string())
}
