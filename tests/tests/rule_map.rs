//! Every rule has a test, and every test that names a rule is on its row: `tests/rules.toml` says
//! which. A rule that nothing proves, and a test that was renamed or taken away, is found here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Rows that must be there. More may be.
const ROWS: [&str; 21] = [
    "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12", "R13", "R18", "R19",
    "R20", "R26", "R27", "I3", "I5", "I8",
];

/// Test names by row.
type Map = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace is above").to_owned()
}

/// Reads the table.
fn read_map(text: &str) -> Map {
    let table: toml::Table = text.parse().expect("tests/rules.toml is TOML");
    let row = |(row, value): (String, toml::Value)| {
        let tests = value.get("tests").and_then(toml::Value::as_array);
        let tests = tests.unwrap_or_else(|| panic!("{row} has no list of tests"));
        let name = |it: &toml::Value| it.as_str().expect("a test's name").to_owned();
        let names: BTreeSet<String> = tests.iter().map(name).collect();
        assert_eq!(names.len(), tests.len(), "{row} names a test twice");
        (row, names)
    };
    table.into_iter().map(row).collect()
}

/// Names of all functions of the workspace's tests and unit tests.
fn functions() -> BTreeSet<String> {
    let mut folders = vec![root().join("tests")];
    for entry in fs::read_dir(root().join("crates")).expect("the crates") {
        let folder = entry.expect("a crate").path();
        folders.extend([folder.join("src"), folder.join("tests")]);
    }
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.extend(functions_of(&fs::read_to_string(&path).expect("source is text")));
            }
        }
    }
    found
}

/// Names before a parenthesis after `fn`.
fn functions_of(source: &str) -> Vec<String> {
    let name = |after: &str| {
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        after[end..].starts_with('(').then(|| after[..end].to_owned())
    };
    source.split("fn ").skip(1).filter_map(name).collect()
}

/// The row that a test's name begins with: `R7` of `r7_a_case_does_not_…`.
fn row_of(name: &str) -> Option<String> {
    let (head, _) = name.split_once('_')?;
    let (letter, number) = head.split_at_checked(1)?;
    let is_row = matches!(letter, "r" | "i")
        && !number.is_empty()
        && number.bytes().all(|digit| digit.is_ascii_digit());
    is_row.then(|| head.to_ascii_uppercase())
}

/// What is wrong with the table, one line each.
fn faults(map: &Map, functions: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for row in ROWS {
        if map.get(row).is_none_or(BTreeSet::is_empty) {
            faults.push(format!("{row} has no test"));
        }
    }
    for (row, tests) in map {
        let absent = tests.iter().filter(|test| !functions.contains(*test));
        faults.extend(absent.map(|test| format!("{row}: there is no test {test}")));
    }
    let listed: BTreeSet<&String> = map.values().flatten().collect();
    for name in functions.iter().filter(|name| !listed.contains(name)) {
        if let Some(row) = row_of(name).filter(|row| map.contains_key(row)) {
            faults.push(format!("{row} lacks    \"{name}\","));
        }
    }
    faults
}

#[test]
fn every_rule_has_tests_and_every_test_of_a_rule_is_on_its_row() {
    let text = fs::read_to_string(root().join("tests/rules.toml")).expect("the table is there");
    let faults = faults(&read_map(&text), &functions());
    assert!(faults.is_empty(), "tests/rules.toml:\n{}", faults.join("\n"));
}

#[test]
fn a_row_without_tests_a_test_that_is_gone_and_one_on_no_row_are_found() {
    let mut rows: Vec<String> =
        ROWS.iter().map(|row| format!("[{row}]\ntests = [\"kept\"]")).collect();
    rows[0] = "[R1]\ntests = []".to_owned();
    rows[1] = "[R2]\ntests = [\"gone\", \"r2_listed\"]".to_owned();
    let map = read_map(&rows.join("\n"));
    // Written otherwise than source, or they would be found as functions of this file.
    let source = "@kept() {} @r2_listed() {} @r3_new(a: u8) {} @r99_other() {} @r3() {}";
    let source = source.replace('@', "fn ");
    let functions = functions_of(&source).into_iter().collect();
    let expected = ["R1 has no test", "R2: there is no test gone", "R3 lacks    \"r3_new\","];
    assert_eq!(faults(&map, &functions), expected);
}
