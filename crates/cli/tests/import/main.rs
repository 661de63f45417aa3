//! `custos import`, run as the program that people run, against a small register that speaks
//! `custos.v1` over TLS.

mod register;

use custos_core::{Rule, law::Record};
use register::{Register, Run};
use serde_json::{Value, json};

const UNITS: &str = "id,title,parent,active\n\
                     linhe-traffic,Traffic,linhe,yes\n\
                     linhe,County,,yes\n";
const PERSONS: &str = "id,title,role,unit,certificate_no,clearance,active\n\
                       chen.bo,陈博,officer,linhe,A-1,,\n\
                       zhao.min,赵敏,custodian,linhe,,privacy,\n";
const CASES: &str = "id,act_type,unit,title,place,officers,parties,custodian,classification\n\
                     C-1,penalty,linhe,A title,,A-1,Zhou=respondent,zhao.min,\n";

fn objects(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}

#[tokio::test]
async fn a_table_is_imported_with_parents_first_and_again_does_nothing() {
    let register = Register::start().await;
    let file = register.write("units.csv", UNITS);
    let run = register.custos(&["import", "units", &file]).await;
    let expected = format!(
        "line 3: unit linhe: added; custody entry 1\n\
         line 2: unit linhe-traffic: added; custody entry 2\n\
         {file}: 2 added, 0 changed, 0 as they are, 0 refused\n"
    );
    assert_eq!((run.stdout, run.code), (expected, 0), "{}", run.stderr);
    let run = register.custos(&["import", "units", &file]).await;
    let expected = format!("{file}: 0 added, 0 changed, 2 as they are, 0 refused\n");
    assert_eq!((run.stdout, run.code), (expected, 0), "{}", run.stderr);
    assert_eq!(register.acts(), 2);
}

#[tokio::test]
async fn a_line_that_says_otherwise_changes_the_record() {
    let register = Register::start().await;
    let file = register.write("units.csv", UNITS);
    assert_eq!(register.custos(&["import", "units", &file]).await.code, 0);
    let file = register.write("units.csv", &UNITS.replace("County,,yes", "The county,,no"));
    let run = register.custos(&["import", "units", &file, "--json"]).await;
    let [changed, same, summary] = &objects(&run)[..] else { panic!("{}", run.stdout) };
    let expected = json!({
        "line": 3, "kind": "unit", "id": "linhe", "outcome": "changed",
        "columns": ["title", "active"], "column": null, "rule": null, "reason": null,
        "log_index": 3,
    });
    assert_eq!(*changed, expected);
    assert_eq!((&same["outcome"], &same["line"]), (&json!("same"), &json!(2)));
    let expected = json!({
        "file": file, "dry_run": false, "added": 0, "changed": 1, "same": 1, "refused": 0, "bad": 0,
    });
    assert_eq!(*summary, expected);
}

#[tokio::test]
async fn a_dry_run_names_what_would_be_done_and_does_nothing() {
    let register = Register::start().await;
    let units = register.write("units.csv", UNITS);
    let persons = register.write("persons.csv", PERSONS);
    let run = register.custos(&["import", "persons", &persons, "--dry-run"]).await;
    let expected = format!(
        "line 2: person chen.bo: would be refused: unit: no unit on record has the id linhe\n\
         line 3: person zhao.min: would be refused: unit: no unit on record has the id linhe\n\
         {persons}: 0 would be added, 0 would be changed, 0 as they are, 2 would be refused\n"
    );
    assert_eq!((run.stdout, run.code), (expected, 3));
    assert!(run.stderr.contains("persons.csv: 2 of 2 lines would be refused"), "{}", run.stderr);
    let run = register.custos(&["import", "units", &units, "--dry-run"]).await;
    let expected = format!(
        "line 3: unit linhe: would be added\nline 2: unit linhe-traffic: would be added\n\
         {units}: 2 would be added, 0 would be changed, 0 as they are, 0 would be refused\n"
    );
    assert_eq!((run.stdout, run.code), (expected, 0), "{}", run.stderr);
    assert_eq!(register.acts(), 0);
}

#[tokio::test]
async fn a_table_with_bad_lines_is_not_imported_and_each_is_named() {
    let register = Register::start().await;
    let file = register.write("units.csv", &format!("{UNITS},No id,,maybe\nlinhe,Again,,yes\n"));
    for dry_run in [&[][..], &["--dry-run"]] {
        let run = register.custos(&[&["import", "units", &file], dry_run].concat()).await;
        let expected = "line 4: id: is empty\n\
                        line 4: active: \"maybe\" is not one of yes, no, true, false\n\
                        line 5: id: linhe is on line 3 already\n";
        assert_eq!((run.stdout.as_str(), run.code), (expected, 2));
        let expected = "units.csv: 3 faults were found, nothing was imported";
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    let run = register.custos(&["import", "units", &file, "--json"]).await;
    let objects = objects(&run);
    assert_eq!(objects[0]["column"], "id");
    assert_eq!((&objects[2]["outcome"], &objects[2]["line"]), (&json!("bad"), &json!(5)));
    assert_eq!((&objects[3]["bad"], &objects[3]["added"]), (&json!(2), &json!(0)));
    let error: Value = serde_json::from_str(&run.stderr).expect("an object");
    assert_eq!(error["error"]["kind"], "invalid");
    assert_eq!(register.acts(), 0);
}

#[tokio::test]
async fn lines_that_the_store_refuses_are_named_with_the_rule_and_the_others_are_done() {
    let register = Register::start().await;
    register.refuse("linhe", Rule::R23, "role");
    let file = register.write("units.csv", UNITS);
    let run = register.custos(&["import", "units", &file]).await;
    assert_eq!(run.code, 3);
    let [first, second, summary] = &run.stdout.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", run.stdout)
    };
    assert!(first.starts_with("line 3: unit linhe: refused by rule R23: role:"), "{first}");
    assert_eq!(*second, "line 2: unit linhe-traffic: added; custody entry 1");
    assert!(summary.ends_with("1 added, 0 changed, 0 as they are, 1 refused"), "{summary}");
    assert!(run.stderr.contains("units.csv: 1 of 2 lines was refused"), "{}", run.stderr);
    let run = register.custos(&["import", "units", &file, "--json"]).await;
    let refused = &objects(&run)[0];
    assert_eq!((&refused["rule"], &refused["column"]), (&json!("R23"), &json!("role")));
}

#[tokio::test]
async fn a_case_that_stands_is_updated_for_the_reason_that_is_given() {
    let register = Register::start().await;
    for (kind, text) in [("units", UNITS), ("persons", PERSONS), ("cases", CASES)] {
        let file = register.write("table.csv", text);
        let run = register.custos(&["import", kind, &file]).await;
        assert_eq!(run.code, 0, "{kind}: {}{}", run.stdout, run.stderr);
    }
    let file = register.write("cases.csv", &CASES.replace("A title,,A-1", "A title,Ring road,A-2"));
    let dry = register.custos(&["import", "cases", &file, "--dry-run"]).await;
    assert!(dry.stdout.contains("C-1: would be changed: place, officers\n"), "{}", dry.stdout);
    let run = register.custos(&["import", "cases", &file, "--reason", "moved over"]).await;
    assert!(
        run.stdout.starts_with("line 2: case C-1: changed: place, officers;"),
        "{}",
        run.stdout
    );
    let Some(Record::Case(case)) = register.record("C-1") else { panic!("a case") };
    assert_eq!((case.officers, case.reason), (vec!["A-2".to_owned()], Some("moved over".into())));
    let run = register.custos(&["import", "cases", &file]).await;
    assert!(run.stdout.contains("0 changed, 1 as they are"), "{}", run.stdout);

    let file = register.write("cases.csv", &CASES.replace("penalty", "fee"));
    let run = register.custos(&["import", "cases", &file]).await;
    let expected = "line 2: case C-1: refused: act_type: the case is penalty, which an import does \
                    not change\n";
    assert!(run.stdout.starts_with(expected) && run.code == 3, "{}", run.stdout);
}

#[tokio::test]
async fn a_store_that_does_not_answer_ends_the_import_at_the_line() {
    let register = Register::start().await;
    let file = register.write("units.csv", UNITS);
    register.end();
    let run = register.custos(&["import", "units", &file]).await;
    assert_eq!(run.code, 6, "{}", run.stderr);
    assert!(run.stderr.contains("line 3: "), "{}", run.stderr);
    assert!(run.stdout.contains("0 added"), "{}", run.stdout);
}

#[tokio::test]
async fn the_tables_of_the_documentation_can_be_imported_one_after_the_other() {
    let register = Register::start().await;
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/import");
    for kind in ["units", "persons", "recorders", "stations", "cases"] {
        let file = format!("{examples}/{kind}.csv");
        let dry = register.custos(&["import", kind, &file, "--dry-run"]).await;
        assert_eq!(dry.code, 0, "{}{}", dry.stdout, dry.stderr);
        let run = register.custos(&["import", kind, &file]).await;
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    }
}
