use custos_core::{
    Role, Stage, Timestamp,
    law::{
        ActType, Case, CaseState, Classification, OpenCase, Party, Person, Record, SetPerson,
        SetUnit, Unit, UpdateCase,
    },
};
use proptest::{collection::vec, prelude::*};

use super::*;

const EXAMPLES: &[(ImportKind, &str, usize)] = &[
    (ImportKind::Units, include_str!("../../../../docs/examples/import/units.csv"), 5),
    (ImportKind::Persons, include_str!("../../../../docs/examples/import/persons.csv"), 8),
    (ImportKind::Recorders, include_str!("../../../../docs/examples/import/recorders.csv"), 4),
    (ImportKind::Stations, include_str!("../../../../docs/examples/import/stations.csv"), 2),
    (ImportKind::Cases, include_str!("../../../../docs/examples/import/cases.csv"), 3),
];

#[track_caller]
fn good(kind: ImportKind, text: &str) -> Vec<Planned> {
    let plan = plan(kind, text);
    assert_eq!(plan.faults, []);
    plan.commands
}

#[track_caller]
fn faults(kind: ImportKind, text: &str, expected: &[&str]) {
    let faults: Vec<String> = plan(kind, text).faults.iter().map(Fault::to_string).collect();
    assert_eq!(faults, expected);
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn unit(id: &str, title: &str, parent: Option<&str>) -> Unit {
    Unit {
        id: id.to_owned(),
        title: title.to_owned(),
        parent: parent.map(str::to_owned),
        active: true,
    }
}

#[test]
fn the_examples_in_the_documentation_have_no_fault() {
    for (kind, text, count) in EXAMPLES {
        assert_eq!(good(*kind, text).len(), *count, "{kind}");
    }
}

#[test]
fn the_examples_refer_to_each_other() {
    let all: Vec<(RecordKind, Planned)> = EXAMPLES
        .iter()
        .flat_map(|(kind, text, _)| {
            good(*kind, text).into_iter().map(|it| (kind.record_kind(), it))
        })
        .collect();
    for reference in all.iter().flat_map(|(_, planned)| &planned.references) {
        let there = all.iter().any(|(kind, it)| (*kind, &it.id) == (reference.kind, &reference.id));
        assert!(there, "{reference:?}");
    }
}

#[test]
fn the_columns_in_the_documentation_are_those_that_are_read() {
    let source = include_str!("mod.rs");
    for kind in ImportKind::ALL {
        let row = format!("//! | {kind} | {} |", names(kind.columns().iter().copied()));
        assert!(source.contains(&row), "{row}");
        assert_eq!(kind.name().parse(), Ok(*kind));
    }
    let unknown = "people".parse::<ImportKind>().unwrap_err().to_string();
    assert_eq!(unknown, "\"people\" is not one of units, persons, recorders, stations, cases");
}

#[test]
fn a_line_becomes_the_record_that_it_says() {
    let person = Person {
        id: "li.na".to_owned(),
        title: text("李娜"),
        role: Role::Officer,
        unit: "traffic".to_owned(),
        certificate_no: text("A-1"),
        clearance: Classification::Privacy,
        active: false,
    };
    let commands = good(
        ImportKind::Persons,
        "active,id,title,clearance,role,unit,certificate_no\n\
         FALSE, li.na ,李娜,privacy,officer,traffic,A-1\n",
    );
    assert_eq!(commands[0].command, SetPerson { person: person.clone() }.into());
    assert_eq!((commands[0].line, commands[0].id.as_str()), (2, "li.na"));
    let unit = Reference { column: "unit", kind: RecordKind::Unit, id: "traffic".to_owned() };
    assert_eq!(commands[0].references, [unit]);

    let commands = good(
        ImportKind::Persons,
        "id,title,role,unit,certificate_no,clearance,active\nli.na,,auxiliary,traffic,,,\n",
    );
    let plain = Person {
        title: None,
        role: Role::Auxiliary,
        certificate_no: None,
        clearance: Classification::Ordinary,
        active: true,
        ..person
    };
    assert_eq!(commands[0].command, SetPerson { person: plain }.into());
}

const CASES: &str = "id,act_type,unit,title,place,officers,parties,custodian,classification\n";

fn open_case() -> OpenCase {
    OpenCase {
        case: "C-1".to_owned(),
        act_type: ActType::Penalty,
        unit: "traffic".to_owned(),
        title: text("A \"quoted\", title"),
        place: None,
        officers: vec!["A-1".to_owned(), "A-2".to_owned()],
        parties: vec![
            Party { name: "Zhou".to_owned(), role: "respondent".to_owned() },
            Party { name: "a=b".to_owned(), role: "owner".to_owned() },
        ],
        custodian: "zhao.min".to_owned(),
        classification: Classification::Ordinary,
    }
}

const CASE: &str = "C-1,penalty,traffic,\"A \"\"quoted\"\", title\",,A-1; A-2,\
                    Zhou=respondent ; a=b = owner,zhao.min,\n";

#[test]
fn officers_and_parties_are_lists() {
    let commands = good(ImportKind::Cases, &format!("{CASES}{CASE}"));
    assert_eq!(commands[0].command, open_case().into());
}

#[test]
fn byte_order_mark_ends_of_line_and_empty_lines_do_not_matter() {
    for end in ["\n", "\r\n", "\r"] {
        let text =
            format!("\u{feff}id,unit,active{end}{end}s-1,traffic,yes{end}, ,{end}s-2,,{end}");
        let plan = plan(ImportKind::Stations, &text);
        assert_eq!(plan.commands.len(), 1, "{end:?}");
        assert_eq!(plan.commands[0].line, 3, "{end:?}");
        assert_eq!(plan.faults[0].to_string(), "line 5: unit: is empty", "{end:?}");
    }
    assert_eq!(good(ImportKind::Stations, "id,unit,active\ns-1,traffic,no").len(), 1);
}

#[test]
fn every_fault_of_every_line_is_named() {
    faults(
        ImportKind::Persons,
        "id,title,role,unit,certificate_no,clearance,active\n\
         a,,officer,,1,secret,maybe\n\
         b,,officer,x,2,,yes\n\
         ,,chief,x,,,\n\
         c,,officer,x\n\
         b,,officer,x,3,,yes\n",
        &[
            "line 2: unit: is empty",
            "line 2: clearance: \"secret\" is not one of ordinary, privacy, trade-secret, \
             state-secret",
            "line 2: active: \"maybe\" is not one of yes, no, true, false",
            "line 4: id: is empty",
            "line 4: role: \"chief\" is not one of developer, station, playback, system, officer, \
             auxiliary, custodian, unit-head, reviewer, auditor, administrator",
            "line 5: has 4 cells, the first line has 7",
            "line 6: id: b is on line 3 already",
        ],
    );
}

#[test]
fn columns_that_are_missing_unknown_or_double_are_named() {
    faults(
        ImportKind::Stations,
        "id,Unit,id\ns-1,traffic,yes\n",
        &[
            "line 1: Unit: no such column; columns are id, unit, active",
            "line 1: id: stands there twice",
            "line 1: unit: the column is missing",
            "line 1: active: the column is missing",
        ],
    );
    for empty in ["", "\u{feff}", "\n\n", ",,\n"] {
        let expected = "line 1: the file is empty; columns are id, unit, active";
        faults(ImportKind::Stations, empty, &[expected]);
    }
}

#[test]
fn lists_with_empty_entries_and_parties_without_a_role_are_named() {
    let line = |officers: &str, parties: &str| {
        format!("{CASES}C-1,penalty,traffic,,,{officers},{parties},zhao.min,\n")
    };
    let empty = "has an empty entry; entries are separated by ;";
    faults(
        ImportKind::Cases,
        &line("A-1;", ";x=y"),
        &[&format!("line 2: officers: {empty}"), &format!("line 2: parties: {empty}")],
    );
    for party in ["Zhou", "=role", "Zhou="] {
        let expected = format!("line 2: parties: {party:?} is not name=role");
        faults(ImportKind::Cases, &line("", party), &[&expected]);
    }
}

#[test]
fn a_quote_that_is_not_closed_is_named_where_it_begins() {
    faults(
        ImportKind::Stations,
        "id,unit,active\ns-1,traffic,yes\ns-2,\"traffic,yes\ns-3,traffic,yes\n",
        &["line 3: has 2 cells, the first line has 3; a quote may not be closed"],
    );
    faults(
        ImportKind::Stations,
        "id,unit,active\ns-1,traffic,\"yes\ns-2,traffic,yes\n",
        &["line 2: active: has an end of line or another control character; a quote may not be \
           closed"],
    );
}

#[test]
fn parents_come_before_their_units() {
    let commands = good(
        ImportKind::Units,
        "id,title,parent,active\nc,C,b,\nd,D,elsewhere,\nb,B,a,\na,A,,\ne,E,a,\n",
    );
    let ids: Vec<&str> = commands.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
    assert_eq!(commands[2].line, 2);
    assert_eq!(commands[0].command, SetUnit { unit: unit("a", "A", None) }.into());
}

#[test]
fn units_that_are_above_themselves_are_named_each() {
    faults(
        ImportKind::Units,
        "id,title,parent,active\na,A,b,\nb,B,c,\nc,C,b,\nd,D,d,\ne,E,,\n",
        &[
            "line 3: parent: is above itself: b is in c is in b",
            "line 4: parent: is above itself: c is in b is in c",
            "line 5: parent: is above itself: d is in d",
        ],
    );
}

#[test]
fn a_long_circle_of_units_is_named_by_its_ends() {
    let mut file = String::from("id,title,parent,active\n");
    for place in 0..10_000 {
        file += &format!("u{place},U,u{},\n", (place + 1) % 10_000);
    }
    let plan = plan(ImportKind::Units, &file);
    assert_eq!((plan.commands.len(), plan.faults.len()), (0, 10_000));
    assert_eq!(
        plan.faults[1].to_string(),
        "line 3: parent: is above itself: u1 is in u2 is in u3 is in … is in u0 is in u1"
    );
}

fn planned(command: impl Into<LawCommand>, id: &str) -> Planned {
    Planned { line: 7, id: id.to_owned(), command: command.into(), references: Vec::new() }
}

#[test]
fn a_line_that_says_what_the_record_says_is_nothing_to_do() {
    let row = planned(SetUnit { unit: unit("a", "A", None) }, "a");
    assert_eq!(step(&row, None, "why"), Step::Add(row.command.clone()));
    assert_eq!(step(&row, Some(&Record::Unit(unit("a", "A", None))), "why"), Step::Same);
    assert_eq!(
        step(&row, Some(&Record::Unit(Unit { active: false, ..unit("a", "B", None) })), "why"),
        Step::Change { command: row.command.clone(), columns: vec!["title", "active"] }
    );
    let fault = Fault::new(7, Some("parent"), "the unit is in x, and that never changes");
    assert_eq!(
        step(&row, Some(&Record::Unit(unit("a", "A", Some("x")))), "why"),
        Step::Cannot(fault)
    );
}

fn case() -> Case {
    let open = open_case();
    Case {
        id: open.case,
        act_type: open.act_type,
        unit: open.unit,
        title: open.title,
        place: open.place,
        officers: open.officers,
        parties: open.parties,
        custodian: open.custodian,
        classification: open.classification,
        lower_to: None,
        lower_asked: None,
        stage: Stage::Review,
        state: CaseState::Open,
        opened_at: Timestamp::from_millis(1),
        closed_at: None,
        archive_due: None,
        archived_at: None,
        reason: None,
    }
}

#[test]
fn a_case_that_stands_is_changed_where_the_line_says_otherwise() {
    let mut row = open_case();
    row.officers.reverse();
    let same = step(&planned(row.clone(), "C-1"), Some(&Record::Case(case())), "why");
    assert_eq!(same, Step::Same);

    row.place = text("Ring road");
    row.officers = vec!["A-2".to_owned(), "A-3".to_owned()];
    row.parties.push(Party { name: "Wu".to_owned(), role: "witness".to_owned() });
    let update = UpdateCase {
        case: "C-1".to_owned(),
        title: None,
        place: text("Ring road"),
        custodian: None,
        add_officers: vec!["A-3".to_owned()],
        remove_officers: vec!["A-1".to_owned()],
        add_parties: vec![Party { name: "Wu".to_owned(), role: "witness".to_owned() }],
        reason: "why".to_owned(),
    };
    assert_eq!(
        step(&planned(row, "C-1"), Some(&Record::Case(case())), "why"),
        Step::Change { command: update.into(), columns: vec!["place", "officers", "parties"] }
    );
}

#[test]
fn what_no_command_changes_of_a_case_is_named() {
    let cannot = |change: fn(&mut OpenCase)| {
        let mut row = open_case();
        change(&mut row);
        match step(&planned(row, "C-1"), Some(&Record::Case(case())), "why") {
            Step::Cannot(fault) => fault.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        cannot(|row| row.unit = "other".to_owned()),
        "line 7: unit: the case is traffic, which an import does not change"
    );
    assert_eq!(
        cannot(|row| row.title = None),
        "line 7: title: the case has one, which cannot be taken away"
    );
    assert_eq!(
        cannot(|row| row.parties.truncate(1)),
        "line 7: parties: a=b=owner is on record and cannot be taken away"
    );
}

/// A text as a cell that any reader takes.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

prop_compose! {
    /// Units of any titles, each under any one before it, in any order.
    fn units()(
        said in vec(("[^\\p{Cc}\\p{Z}]([^\\p{Cc}]{0,8}[^\\p{Cc}\\p{Z}])?", any::<prop::sample::Index>()), 1..30),
    )(
        units in Just(
            said.iter()
                .enumerate()
                .map(|(place, (title, parent))| {
                    let parent = (place > 0).then(|| format!("u{}", parent.index(place)));
                    unit(&format!("u{place}"), title, parent.as_deref())
                })
                .collect::<Vec<_>>(),
        ).prop_shuffle(),
    ) -> Vec<Unit> {
        units
    }
}

proptest! {
    #[test]
    fn any_units_are_planned_each_once_with_parents_first(units in units()) {
        let mut file = String::from("id,title,parent,active\n");
        for unit in &units {
            let parent = unit.parent.clone().unwrap_or_default();
            file += &format!("{},{},{parent},yes\n", unit.id, quoted(&unit.title));
        }
        let commands = good(ImportKind::Units, &file);
        prop_assert_eq!(commands.len(), units.len());
        let mut seen = std::collections::HashSet::new();
        for planned in &commands {
            let LawCommand::SetUnit(SetUnit { unit }) = &planned.command else { panic!("a unit") };
            prop_assert_eq!(unit, &units[usize::try_from(planned.line).unwrap() - 2]);
            prop_assert!(unit.parent.as_ref().is_none_or(|parent| seen.contains(parent)));
            prop_assert!(seen.insert(unit.id.clone()));
        }
    }

    #[test]
    fn any_file_is_planned_or_has_faults_on_lines_that_it_has(
        kind in prop::sample::select(ImportKind::ALL),
        lines in vec("([a-z0-9;=\" \r\u{feff}漢-]{0,6},){0,8}[a-z\"]{0,3}", 0..12),
        header in any::<bool>(),
    ) {
        let mut file = if header { kind.columns().join(",") + "\n" } else { String::new() };
        file += &lines.join("\n");
        let count = u64::try_from(file.split(['\n', '\r']).count()).unwrap();
        let plan = plan(kind, &file);
        prop_assert!(plan.faults.is_sorted_by_key(|fault| fault.line));
        for fault in &plan.faults {
            prop_assert!((1..=count).contains(&fault.line), "{}", fault);
            prop_assert!(!fault.to_string().contains(char::is_control), "{:?}", fault);
        }
    }
}
